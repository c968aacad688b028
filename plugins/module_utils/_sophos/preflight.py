# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what a firewall still needs before it can be onboarded, found by reading only."""

from __future__ import annotations

from .._core.errors import OnboardingError, RefusedError, SignInError
from .._core.findings import CUSTOMER, MISSING, OK, UNKNOWN, Finding
from .._core.status import BLOCKED
from . import api
from .client import Sophos
from .options import Firewall, Setup
from .plan import plan
from .wire import API_STEP

RULE_STEP = "tick {tick} in these at Rules and policies where their traffic is wanted; nothing here changes rules"
AUTHORITY_STEP = (
    "import the collector's authority at Certificates > Certificate authorities > Add, under the name {name!r}: the "
    "PEM file is /etc/mssp/syslog/TENANT/tls/ca.pem on the collector; without it no record is sent by TLS"
)
RIGHT_STEP = "give the user's profile at Profiles > Device access the right to read and write {what}"
# Code of an answer -> check.
CHECKS = {"532": "api_enabled", "534": "address_allowed", "AuthenticationFailure": "sign_in"}
SHOWN_RULES = 10
RULES = {"rule_logging": api.FIREWALL_RULES, "inspection_logging": api.INSPECTION_RULES}


async def findings(client: Sophos, wanted: Setup, firewall: Firewall) -> list[Finding]:
    """The checks of one firewall, in the order in which a person would cure them."""
    try:
        found = await api.servers(client, firewall)
    except OnboardingError as error:
        return [_failed(firewall, error)]
    signed_in = Finding("sign_in", firewall.name, OK, f"as {firewall.username} at {firewall.url}, by {API_STEP}")
    verdict = plan(firewall.name, wanted.server, found, leaving=False)
    room = (
        Finding("server", firewall.name, MISSING, verdict.reason, CUSTOMER, verdict.next_step)
        if verdict.status == BLOCKED
        else Finding("server", firewall.name, OK, f"{verdict.facts['servers']} are used")
    )
    authority = [await _authority(client, wanted, firewall)] if wanted.secure else []
    logging = [await _rules(client, firewall, check, rules) for check, rules in RULES.items()]
    return [signed_in, room, *authority, *logging]


async def _rules(client: Sophos, firewall: Firewall, check: str, rules: api.Rules) -> Finding:
    """Rules that do not log are the customer's to decide on: a note, and no fault."""
    try:
        silent, number = await api.silent_rules(client, firewall, rules)
    except OnboardingError as error:
        return _unread(firewall, check, rules.kind, error)
    names = ", ".join(silent[:SHOWN_RULES]) + (" …" if len(silent) > SHOWN_RULES else "")
    text = f"{len(silent)} of {number} {rules.kind} of {firewall.name} log nothing"
    step = RULE_STEP.format(tick=rules.tick) if silent else ""
    return Finding(check, firewall.name, OK, f"{text}: {names}" if silent else text, CUSTOMER, step)


async def _authority(client: Sophos, wanted: Setup, firewall: Firewall) -> Finding:
    step = AUTHORITY_STEP.format(name=wanted.authority)
    try:
        names = await api.authorities(client, firewall)
    except OnboardingError as error:
        return _unread(firewall, "authority", "certificates", error)
    if wanted.authority in names:
        return Finding("authority", firewall.name, OK, f"{wanted.authority} is imported")
    text = f"no certificate authority {wanted.authority!r} is imported"
    return Finding("authority", firewall.name, MISSING, text, CUSTOMER, step)


def _failed(firewall: Firewall, error: OnboardingError) -> Finding:
    """Refused is missing, whatever layer says it; what did not answer is unknown."""
    check = CHECKS.get(error.code, "sign_in" if isinstance(error, SignInError) else "read")
    status = MISSING if isinstance(error, RefusedError | SignInError) else UNKNOWN
    return Finding(check, firewall.name, status, f"{error.code}: {error.message}", CUSTOMER, error.next_step)


def _unread(firewall: Firewall, check: str, what: str, error: OnboardingError) -> Finding:
    refused = isinstance(error, RefusedError)
    step = RIGHT_STEP.format(what=what) if refused else error.next_step
    return Finding(check, firewall.name, UNKNOWN, f"{error.code}: {error.message}", CUSTOMER, step)
