# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra: what clients read before they ask for a token."""

from __future__ import annotations

import jwt

from lab.entra import token_endpoint
from lab.entra.state import Entra
from lab.kernel.http import Call, Reply, ok


def openid(entra: Entra, call: Call) -> Reply:
    """GET /{tenant}/v2.0/.well-known/openid-configuration"""
    name = call.low.split("/")[1]
    tenant = name if name in token_endpoint.COMMON else token_endpoint.tenant_id(entra, name)
    base = f"{entra.url}/{tenant}"
    return ok(
        {
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": f"{base}/discovery/v2.0/keys",
            "response_modes_supported": ["query", "fragment", "form_post"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
            "scopes_supported": ["openid", "profile", "email", "offline_access"],
            "issuer": f"{entra.url}/{'{tenantid}' if tenant in token_endpoint.COMMON else tenant}/v2.0",
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "tenant_region_scope": "EU",
            "cloud_instance_name": "microsoftonline.com",
        }
    )


def instance_discovery(entra: Entra, call: Call) -> Reply:
    """GET /common/discovery/instance"""
    host = entra.url.removeprefix("https://")
    return ok(
        {
            "tenant_discovery_endpoint": f"{entra.url}/common/v2.0/.well-known/openid-configuration",
            "api-version": "1.1",
            "metadata": [{"preferred_network": host, "preferred_cache": host, "aliases": [host]}],
        }
    )


def keys(entra: Entra, call: Call) -> Reply:
    """GET /{tenant}/discovery/v2.0/keys"""
    key = jwt.algorithms.RSAAlgorithm.to_jwk(entra.signer.key.public_key(), as_dict=True)
    return ok({"keys": [{**key, "use": "sig", "kid": entra.signer.id}]})
