#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: umbrella_log_info
short_description: Tell whether the logs of Cisco Umbrella arrive in their buckets
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Reads the newest file of each folder and its last line. Only reads; what is found does not fail the task.
  - Silence is told from a broken export by Umbrella's own report of activity.
  - Has been run against the collection's own lab and moto's server only, not yet against Umbrella or AWS.
extends_documentation_fragment:
  - mssp.onboarding.umbrella
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: none
options:
  api_url:
    description: Address of the API; V(https://api.sse.cisco.com) is Cisco Secure Access.
    type: str
    default: https://api.umbrella.com
  api_key:
    description:
      - API key of the organization, or of the parent of child organizations, with the scopes C(admin.iam:write)
        and reports. Exports need it.
      - Taken from the environment variable E(UMBRELLA_API_KEY) when not given.
    type: str
  api_secret:
    description:
      - Secret of that API key.
      - Taken from the environment variable E(UMBRELLA_API_SECRET) when not given.
    type: str
  aws_access_key_id:
    description:
      - Access key of the AWS account that the own bucket is in. The own bucket needs it.
      - Taken from the environment variable E(AWS_ACCESS_KEY_ID) when not given.
    type: str
  aws_secret_access_key:
    description:
      - Its secret.
      - Taken from the environment variable E(AWS_SECRET_ACCESS_KEY) when not given.
    type: str
  aws_session_token:
    description:
      - Token of the session, where the access key is one of a session.
      - Taken from the environment variable E(AWS_SESSION_TOKEN) when not given.
    type: str
  aws_endpoint_url:
    description: Address of S3, IAM and STS instead of AWS' own.
    type: str
  ca_file:
    description: PEM file of the certificate authority to trust instead of the system's.
    type: path
  proxy:
    description: Proxy, V(http://host:port), instead of the one that the environment names.
    type: str
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  exports:
    description:
      - Name of each export to a Cisco-managed bucket to its data path, and to who reads it.
      - Several where a provider's parent key reaches child organizations.
      - C(bucket) (str, required) - Its bucket, as C(cisco-managed-eu-central-1) in the data path.
      - C(prefix) (str, required) - The folder behind it in the data path, below which its key may list.
      - C(region) (str) - Region of the bucket, where its name does not say it.
      - C(organization) (str) - Id of the child organization, where the API key is its parent's.
      - C(access_key_id) (str) - The first access key, of Umbrella's dashboard. Looked at until a file has
        one.
      - C(secret_access_key) (str) - Its secret.
      - C(created) (str) - Day on which that pair was made. Without it the pair is rotated at once.
      - C(consumers) (list) - Files of AWS' shared credentials on the control node, with C(credentials_file)
        and C(profile) (V(default)), that get each new pair.
      - C(folders) (list, one of V(dnslogs), V(proxylogs), V(iplogs), V(firewalllogs), V(intrusionlogs),
        V(auditlogs), V(dlplogs)) - Folders that verify looks at.
      - C(columns) (dict) - Folder to the number of columns that the SIEM's parser is made for. Not compared
        when not given.
    type: dict
    default: {}
  key_folder:
    description: Folder on the control node with a file for the key of each export, C(<export>.json), for
      its owner only. Exports need it.
    type: path
  vault_password:
    description: Password by which these files are encrypted for Ansible Vault. Without it they are in the
      clear.
    type: str
  bucket:
    description: The own bucket in the customer's AWS account.
    type: dict
    suboptions:
      name:
        description: Its name, without dots.
        type: str
        required: true
      region:
        description: Region in which it is, or is made.
        type: str
        required: true
      prefix:
        description: Folder below which Umbrella writes, as it is entered in Umbrella's dashboard.
        type: str
        default: ''
      retention_days:
        description: Days after which files are deleted.
        type: int
        default: 30
      queue_arn:
        description: Queue of SQS that is told of each new file. It has to let the bucket send.
        type: str
      reader:
        description: Role by which the SIEM reads. None is made when not given.
        type: dict
        suboptions:
          role:
            description: Name of the role.
            type: str
            default: umbrella-log-reader
          principal_arn:
            description: Who may take it, as the root or a role of the SIEM's AWS account.
            type: str
            required: true
          external_id:
            description: The external id that the SIEM gives.
            type: str
            required: true
      organization:
        description: Child organization whose activity tells silence from a broken export.
        type: str
      folders:
        description: Folders that verify looks at.
        type: list
        elements: str
        choices:
          - dnslogs
          - proxylogs
          - iplogs
          - firewalllogs
          - intrusionlogs
          - auditlogs
          - dlplogs
        default:
          - dnslogs
      columns:
        description: Folder to the number of columns that the SIEM's parser is made for. Not compared when
          not given.
        type: dict
        default: {}
  rotate_after_days:
    description: Days after which a key is rotated. It ends after 90.
    type: int
    default: 75
  concurrency:
    description: Requests in flight at most. Those of one API key are paced by Umbrella's limits, too.
    type: int
    default: 16
  evidence_path:
    description:
      - File for the full evidence, one JSON line per target.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's
        folder.
    type: path
seealso:
  - module: mssp.onboarding.umbrella_key_rotation
"""

EXAMPLES = r"""
- name: Do the logs still arrive
  mssp.onboarding.umbrella_log_info:
    api_key: "{{ umbrella_api_key }}"
    api_secret: "{{ umbrella_api_secret }}"
    key_folder: handover/contoso
    exports:
      contoso:
        bucket: cisco-managed-eu-central-1
        prefix: 1234567_0123456789abcdef
  register: flow
"""

RETURN = r"""
flows:
  description:
    - Each folder of each bucket, with C(source), C(state), C(newest), C(age_seconds), C(message) and C(next_step).
    - C(state) is V(pending), V(flowing), V(quiet), V(stale) or V(unreadable).
  returned: when the engine ran
  type: list
  elements: dict
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(umbrella_logs).
      type: str
      returned: always
    outcome:
      description:
        - The worst that is counted, of V(skipped), V(in_sync), V(corrected), V(pending) (data that is
          expected is not there yet), V(waiting) (only somebody else can go on), V(drifted), V(unknown)
          and V(failed).
      type: str
      returned: always
    counts:
      description: Targets by where they ended up, C(targets) and each of the words that outcome may be.
      type: dict
      returned: always
    drift:
      description: Targets by class of drift as found.
      type: dict
      returned: always
    requests:
      description: Requests by kind.
      type: dict
      returned: when the targets were read
    throttled_answers:
      description: Answers with status 429.
      type: int
      returned: when the targets were read
    throttled_seconds:
      description: Seconds in which work waited for the vendor's limits.
      type: float
      returned: when the targets were read
"""

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module, run_module
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import capability, options

MODULE = Module(capability.verify, capability.Keys.name, options.READ_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
