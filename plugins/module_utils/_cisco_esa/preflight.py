# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what an appliance still needs before it can be onboarded, found by reading only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from .._core.errors import OnboardingError, RefusedError, SignInError
from .._core.findings import CUSTOMER, MISSING, OK, PROVIDER, UNKNOWN, Finding
from .._core.status import BLOCKED
from . import api
from .client import FORWARD, OTHER_KEY, OTHER_SERIAL, PROXY_KEY, SIGN_IN, UNKNOWN_KEY, Esa, public_part
from .contract import CURED, CVE, release_of, vulnerable
from .options import Appliance, Setup
from .plan import FTP_STEP, by_ftp, plan

CASE_STEP = (
    "open a case with Cisco's support, CES customer SSH/CLI setup, with this public key and the name and mail address "
    "of whoever keeps it, and wait for Cisco's answer, some days: {key}; preflight sees that it is done when the proxy "
    "takes the key"
)
ACCOUNT_STEP = (
    "add an administrator for us at System Administration > Users of the appliance, or have a locked one unlocked by "
    "another administrator or Cisco's support; preflight sees that it is done when the account signs in"
)
RIGHT_STEP = "give the account the role Administrator at System Administration > Users: an operator may not commit"
CURED_STEP = (
    "upgrade to {cured} or later: what such an appliance keeps of its own logs is not to be trusted, "
    "what has left it is"
)
# Code of an error -> check, who can cure it, and by which step where the error has none.
CHECKS = {
    PROXY_KEY: ("support_case", CUSTOMER),
    FORWARD: ("support_case", CUSTOMER),
    SIGN_IN: ("account", CUSTOMER),
    UNKNOWN_KEY: ("host_key", PROVIDER),
    OTHER_KEY: ("host_key", CUSTOMER),
    OTHER_SERIAL: ("serial_number", PROVIDER),
    "PendingChanges": ("pending_changes", CUSTOMER),
    "NotOffered": ("right", CUSTOMER),
}
WRITES = {"NEW", "EDIT", "DELETE"}


async def findings(esa: Esa, wanted: Setup, appliance: Appliance) -> list[Finding]:
    """The checks of one appliance, in the order in which a person would cure them."""
    try:
        look = await api.look(esa, appliance, wanted, rights=True)
    except OnboardingError as error:
        return [_failed(wanted, appliance, error)]
    way = f"through {wanted.proxy.host}" if wanted.proxy else "directly"
    shown = "{}.{}.{}-{}".format(*look.version)
    found = [
        *([Finding("support_case", wanted.proxy.host, OK, "the proxy takes our key")] if wanted.proxy else []),
        Finding("account", appliance.name, OK, f"as {wanted.username} at {appliance.host}, {way}; AsyncOS {shown}"),
        _right(appliance, look),
        _release(appliance, look, shown),
    ]
    for one in wanted.subscriptions:
        wish = api.for_release(one, release_of(look.version))
        verdict = plan(one.name, wish, look.held, leaving=False)
        if verdict.status == BLOCKED:
            found.append(Finding("subscription", appliance.name, MISSING, verdict.reason, CUSTOMER, verdict.next_step))
    if names := by_ftp(look.held):
        found.append(Finding("ftp_push", appliance.name, OK, f"{', '.join(names)} go by FTP", CUSTOMER, FTP_STEP))
    return found


def once(found: Iterable[Finding]) -> Iterator[Finding]:
    """What several appliances say of the one proxy is said once."""
    seen = set()
    for one in found:
        if one not in seen:
            seen.add(one)
            yield one


def _right(appliance: Appliance, look: api.Look) -> Finding:
    lacking = sorted(WRITES - look.offered)
    if not lacking:
        return Finding("right", appliance.name, OK, "logconfig offers what is needed")
    text = f"logconfig does not offer {', '.join(lacking)}"
    return Finding("right", appliance.name, MISSING, text, CUSTOMER, RIGHT_STEP)


def _release(appliance: Appliance, look: api.Look, shown: str) -> Finding:
    if not vulnerable(look.version):
        return Finding("release", appliance.name, OK, f"{shown} has the cure of {CVE}")
    cured = ", ".join("{}.{}.{}-{:03d}".format(*one) for one in CURED)
    text = f"{shown} is without the cure of {CVE}, which is exploited to run code as root"
    return Finding("release", appliance.name, MISSING, text, CUSTOMER, CURED_STEP.format(cured=cured))


def _failed(wanted: Setup, appliance: Appliance, error: OnboardingError) -> Finding:
    """Refused is missing, whatever hop says it; what did not answer is unknown."""
    check, who = CHECKS.get(error.code, ("connection", PROVIDER))
    status = MISSING if isinstance(error, RefusedError | SignInError) else UNKNOWN
    step, subject = error.next_step, appliance.name
    if error.code == PROXY_KEY and wanted.proxy:
        step, subject = CASE_STEP.format(key=public_part(wanted.proxy.key_file)), wanted.proxy.host
    if error.code == SIGN_IN:
        step = ACCOUNT_STEP
    if check == "right":
        step = RIGHT_STEP
    return Finding(check, subject, status, f"{error.code}: {error.message}", who, step)
