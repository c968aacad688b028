# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the Graph modules share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  tenant_id:
    description:
      - Microsoft Entra tenant (GUID) whose directory is read and written.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  client_secret:
    description:
      - Client secret of the app. One of secret, certificate, federated token or O(access_token) is needed.
      - Taken from the environment variable E(AZURE_CLIENT_SECRET) when not given.
    type: str
  client_certificate_path:
    description:
      - PEM or PKCS12 file with the app's certificate and private key, in any order; of a chain the certificate that
        belongs to the key is taken.
      - Taken from the environment variable E(AZURE_CLIENT_CERTIFICATE_PATH) when not given.
    type: path
  client_certificate_password:
    description:
      - Password of an encrypted key, or PKCS12 file, at O(client_certificate_path).
      - Taken from the environment variable E(AZURE_CLIENT_CERTIFICATE_PASSWORD) when not given.
    type: str
  federated_token_file:
    description:
      - File with the token of a workload identity.
      - Taken from the environment variable E(AZURE_FEDERATED_TOKEN_FILE) when not given.
    type: path
  cloud:
    description:
      - Azure cloud.
    type: str
    choices:
      - azure_public
      - azure_us_government
      - azure_china
    default: azure_public
  authority_url:
    description:
      - Sign-in endpoint instead of the cloud's own.
      - Taken from the environment variable E(AZURE_AUTHORITY_HOST) when not given.
    type: str
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
  permissions:
    description:
      - Application permissions that are wanted, as lists of names by resource.
      - A resource is V(microsoft_graph), V(office365_management), V(windows_defender_atp),
        V(microsoft_threat_protection) or the app id (GUID) of another.
      - Names are resolved in the tenant at run time, since their ids differ by cloud. One that is retired is kept, and
        told with its successors.
    type: dict
    default: {}
  exact:
    description:
      - Take out what was added besides what is wanted, instead of keeping and telling it.
    type: bool
    default: false
  fail_on:
    description:
      - What makes the task fail. V(error) is what failed or could not be read, V(blocked) is that and what cannot be
        made, as a permission that nobody offers, V(drift) is V(error) and whatever is, or stays, not as wanted.
    type: str
    choices: [error, blocked, drift, never]
    default: error
  evidence_path:
    description:
      - File to which one JSON line per part is appended. In the run's evidence folder when not given.
    type: path
requirements:
  - python >= 3.11
  - aiohttp
  - azure-identity
  - cryptography
"""
