# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight: what is missing before the relay can be made, and what an earlier one has left; found by reading only."""

from __future__ import annotations

from ..._core.errors import OnboardingError
from ..._core.findings import CUSTOMER, MISSING, OK, Finding
from ..arm.checks import allowed, registered, signed_in, unread
from .api import Relay
from .options import Setup
from .plan import COLUMNS, STEPS

PROVIDER_NAME = "Microsoft.Logic"
MAKING, ASSIGNING = "Logic App Contributor", "Role Based Access Control Administrator"
ON_GROUP = tuple(
    f"Microsoft.Logic/workflows/{one}"
    for one in ("read", "write", "delete", "triggers/listCallbackUrl/action", "regenerateAccessKey/action")
)
ON_RULE = ("Microsoft.Authorization/roleAssignments/write", "Microsoft.Authorization/roleAssignments/delete")
OLD_STEP = (
    "once no search posts to it any more, have it removed, and the secret of the app that is in it; or set workflow to "
    "its name and replace, which keeps its URL"
)


async def findings(relay: Relay, setup: Setup) -> list[Finding]:
    """The checks in the order in which a person would cure them."""
    arm, app, asked = relay.arm, setup.identity.client_id, setup.wanted
    sign_in = await signed_in(arm, setup.identity.tenant_id)
    if sign_in.status != OK:
        return [sign_in]
    group = asked.id.partition("/providers/")[0]
    return [
        sign_in,
        await registered(arm, asked.subscription, PROVIDER_NAME),
        await allowed(arm, app, "make_relay", group, ON_GROUP, MAKING),
        await allowed(arm, app, "let_relay_send", asked.rule.partition("/providers/")[0], ON_RULE, ASSIGNING),
        await _rule(relay, setup.rule_to_come),
        *await _old(relay, asked.workflow),
    ]


async def _rule(relay: Relay, to_come: bool) -> Finding:
    """The rule, and that its stream has the columns that the relay sends."""
    subject = relay.wanted.rule
    try:
        found = await relay.read_rule()
    except OnboardingError as error:
        return unread("rule", subject, error)
    if found is None and to_come:
        return Finding("rule", subject, OK, "it is not there yet, and made before the relay")
    if found is None or not found.endpoint:
        return Finding("rule", subject, MISSING, "it is not there, or has no address", CUSTOMER, STEPS["rule"])
    stream = found.flow.stream if found.flow else None
    lost = [name for name in COLUMNS if (stream or {}).get(name) != "string"]
    if lost:
        step = f"give azure_custom_logs_stream_columns these, of type string: {', '.join(lost)}"
        return Finding("rule", subject, MISSING, f"stream {relay.wanted.stream} would lose {', '.join(lost)}", CUSTOMER,
                       step)  # fmt: skip
    return Finding("rule", subject, OK, "it takes what the relay sends")


async def _old(relay: Relay, workflow: str) -> list[Finding]:
    """Relays with a secret in them, as Microsoft's script makes them; none where there is none."""
    try:
        others = await relay.others()
    except OnboardingError as error:
        return [unread("old_relay", workflow, error)]
    text = "a client secret stands in its definition, for whoever may read it"
    return [Finding("old_relay", name, MISSING, text, CUSTOMER, OLD_STEP) for name, one in others if one.has_secret]
