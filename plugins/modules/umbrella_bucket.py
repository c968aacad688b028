#!/usr/bin/python
# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: umbrella_bucket
short_description: Make an own S3 bucket that Cisco Umbrella writes its logs to
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Makes the bucket, closes it to the public, and merges what Umbrella and the SIEM need into its policy, lifecycle and
    notification; what others have in these stays as it is.
  - Whose bucket it is Umbrella asks by a token, which the result tells as the next step.
  - Has been run against the collection's own lab and moto's server only, not yet against Umbrella or AWS.
extends_documentation_fragment:
  - mssp.onboarding.umbrella
  - mssp.onboarding.attributes
attributes:
  diff_mode:
    support: full
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
  state:
    description: V(absent) takes away what was made in the bucket and its reader's role, V(present) makes
      them as wanted.
    type: str
    choices:
      - present
      - absent
    default: present
  fail_on:
    description:
      - What makes the task fail. V(error) is any target that failed or could not be read, V(blocked) is
        that and what cannot be made, as of a setting of somebody else in the way, V(drift) is V(error)
        and whatever is, or stays, not as wanted.
    type: str
    choices:
      - error
      - blocked
      - drift
      - never
    default: error
  correct:
    description: Which writes may be done. V(safe) is making what is missing, V(all) also changing and removing.
      What may not be written stays drifted.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  max_changes:
    description: Write nothing and fail when more targets than this would change; V(0) lets none. No limit
      when not given.
    type: int
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
- name: A bucket that Umbrella may write to, and the SIEM read
  mssp.onboarding.umbrella_bucket:
    aws_access_key_id: "{{ aws_access_key_id }}"
    aws_secret_access_key: "{{ aws_secret_access_key }}"
    bucket:
      name: contoso-umbrella-logs
      region: eu-central-1
      reader:
        principal_arn: arn:aws:iam::123456789012:root
        external_id: contoso-siem
"""

RETURN = r"""
steps:
  description: What the customer has to do in Umbrella's dashboard, with the token where there is one.
  returned: when the bucket was looked at
  type: list
  elements: str
summary:
  description: The run in numbers, of a shape that all modules of the collection have.
  returned: always
  type: dict
  contains:
    capability:
      description: Always V(umbrella_bucket).
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
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import bucket, options

MODULE = Module(bucket.converge, bucket.OwnBucket.name, options.OWN_BUCKET_SPEC, options.RULES)


def main() -> None:
    run_module(MODULE)


if __name__ == "__main__":
    main()
