# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the Coro modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.coro
options:
  client_id:
    description:
      - Client id of the API credentials, made in Coro's console under Connectors > API Credentials.
      - Taken from the environment variable E(CORO_CLIENT_ID) when not given.
    type: str
    required: true
  client_secret:
    description:
      - Client secret of the API credentials.
      - Taken from the environment variable E(CORO_CLIENT_SECRET) when not given.
    type: str
    required: true
  region:
    description:
      - Region in which the workspace lives.
    type: str
    choices:
      - us
      - ca
      - eu
    default: us
  api_url:
    description:
      - Address of the API, V(https://host[:port]), instead of the region's own.
    type: str
  audience:
    description:
      - Audience of the token. Coro's pages name this one and V(https://api.secure.coro.net).
    type: str
    default: https://secure.coro.net/api
  token_path:
    description:
      - Path of the token call.
    type: str
    default: /oauth/token
  ca_file:
    description:
      - PEM file of the certificate authority to trust instead of the system's.
    type: path
  time_limit_seconds:
    description:
      - Seconds that the whole task may take, whatever the other side does; V(0) for no limit.
      - What was seen and done until then stays in the result, and the rest is unknown.
    type: int
    default: 1800
  proxy:
    description:
      - Proxy, V(http://host:port), instead of the one that the environment names (E(HTTPS_PROXY), E(NO_PROXY)).
    type: str
  contract_confirmed:
    description:
      - Say that Coro has confirmed the contract profile. Without that, a profile that is only assumed is not used
        against a host of V(coro.net).
    type: bool
    default: false
  profile:
    description:
      - Contract profile to use instead of the built-in one, whole, in the shape of C(ASSUMED) in
        C(plugins/module_utils/_coro/profile.py). It says paths, methods, field names, formats,
        statuses and error codes.
      - Coro documents its hosts, token call, workspaces and paging, and no endpoint for SIEM connectors; the built-in
        profile is shaped on its documented webhook configuration and is assumed.
    type: dict
  workspace:
    description:
      - Id of the workspace, as Coro's console shows it.
    type: str
    required: true
requirements:
  - python >= 3.11
  - aiohttp
"""

    POLICY = r"""
options:
  update_secret:
    description:
      - When to send a secret to a connector that exists. Coro does not show secrets, so they cannot be compared.
      - V(on_create) sends it only with a new connector, or where the names of the headers differ.
      - V(always) sends it in every run, which is then always a change.
      - V(on_change) keeps a fingerprint (HMAC-SHA256) of what was sent last and sends it when that differs. Where none
        is kept, a warning says that nobody knows; one run with V(always) makes it known.
    type: str
    choices:
      - on_create
      - always
      - on_change
    default: on_change
  fingerprint_dir:
    description:
      - Folder of the fingerprints, unless O(update_secret=on_create), readable by its owner only.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to C(fingerprints) beside the
        folders of the runs.
    type: path
  fingerprint_key:
    description:
      - Key of the fingerprints. Without it, one is made in O(fingerprint_dir).
    type: str
  same_destination:
    description:
      - What to do where a connector that is not named here already sends to the same place, so that everything would
        arrive twice. V(report) leaves both as they are and reports it, V(allow) takes it as meant.
    type: str
    choices:
      - report
      - allow
    default: report
  reconnect:
    description:
      - Test (sync) what is Disconnected, and only that, so that Coro sends again.
    type: bool
    default: false
  check_customers:
    description:
      - Where a connector of a channel workspace applies to all customers, also look into each of their workspaces,
        one request each.
    type: bool
    default: true
  fail_on:
    description:
      - What makes the task fail. V(error) is any connector that failed or could not be read, V(blocked) is that and
        what cannot be made, as of a connector of somebody else in the way, V(drift) is V(error) and whatever is, or
        stays, not as wanted.
    type: str
    choices:
      - error
      - blocked
      - drift
      - never
    default: error
  correct:
    description:
      - Which writes may be done. V(safe) is making a connector where there is none and testing what is Disconnected,
        V(all) also changing and removing. What may not be written stays drifted.
    type: str
    choices:
      - never
      - safe
      - all
    default: all
  concurrency:
    description:
      - Requests in flight at most. Coro publishes no limit.
    type: int
    default: 16
  evidence_path:
    description:
      - File for the full evidence, one JSON line per connector and per customer workspace.
      - In a play with the callback P(mssp.onboarding.evidence#callback) it defaults to a file in the run's folder.
    type: path
notes:
  - Creating and changing a connector makes Coro send a test event to the receiver first; when that is refused, nothing
    is saved, and the result has the receiver's answer where Coro passes it on.
  - A connector that is inherited from a channel workspace is read-only below it. It is reported and not written.
  - Has been run against the collection's own lab only, not yet against Coro itself.
"""
