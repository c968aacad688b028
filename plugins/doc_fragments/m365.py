# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options that the modules about Microsoft 365 share."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
attributes:
  action_group:
    description: The action group that the module belongs to, for C(module_defaults).
    support: full
    membership:
      - mssp.onboarding.azure
options:
  tenant_id:
    description:
      - The customer's Microsoft Entra tenant (GUID), whose audit log is read.
      - Taken from the environment variable E(AZURE_TENANT_ID) when not given.
    type: str
    required: true
  client_id:
    description:
      - Application (client) id of the multitenant app.
      - Taken from the environment variable E(AZURE_CLIENT_ID) when not given.
    type: str
    required: true
  client_secret:
    description:
      - Client secret. One of secret, certificate or federated token is needed.
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
  office_plan:
    description:
      - The plan of the tenant's Microsoft 365, which says where the feed is. V(enterprise) and V(gcc) are in the cloud
        V(azure_public), V(gcc_high) and V(dod) in V(azure_us_government).
    type: str
    choices: [enterprise, gcc, gcc_high, dod]
    default: enterprise
  api_url:
    description:
      - Address of the feed instead of the plan's own. Tokens are those of the plan all the same.
    type: str
  publisher_id:
    description:
      - The provider's own tenant (GUID), the C(PublisherIdentifier) of each request. Limits are counted by it.
    type: str
    required: true
  content_types:
    description:
      - Content types that are wanted. V(DLP.All) needs the permission ActivityFeed.ReadDlp, too.
    type: list
    elements: str
    choices:
      - Audit.AzureActiveDirectory
      - Audit.Exchange
      - Audit.SharePoint
      - Audit.General
      - DLP.All
    default: [Audit.AzureActiveDirectory, Audit.Exchange, Audit.SharePoint, Audit.General]
requirements:
  - python >= 3.11
  - aiohttp
  - azure-identity
"""
