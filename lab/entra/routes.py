# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of Microsoft Entra: a tenant's id or domain, and then one of these."""

from __future__ import annotations

from lab.entra import consent, discovery, token_endpoint
from lab.kernel.http import Call
from lab.kernel.registration import Operation

_TAILS: dict[tuple[str, str], Operation] = {
    ("POST", "/oauth2/v2.0/token"): Operation("token", token_endpoint.token),
    ("GET", "/v2.0/.well-known/openid-configuration"): Operation("openid", discovery.openid),
    ("GET", "/discovery/v2.0/keys"): Operation("keys", discovery.keys),
    ("GET", "/adminconsent"): Operation("consent.page", consent.page),
    ("POST", "/adminconsent"): Operation("consent.decide", consent.decide),
    ("GET", "/v2.0/adminconsent"): Operation("consent.page", consent.page),
    ("POST", "/v2.0/adminconsent"): Operation("consent.decide", consent.decide),
}
_FIXED = {("GET", "/common/discovery/instance"): Operation("discovery", discovery.instance_discovery)}
OPERATIONS = (*_TAILS.values(), *_FIXED.values())


def find(call: Call) -> Operation | None:
    _tenant, slash, tail = call.low[1:].partition("/")
    return _FIXED.get((call.method, call.low)) or _TAILS.get((call.method, slash + tail))
