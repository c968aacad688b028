# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entra's own diagnostic setting of one tenant: observe, plan as for any resource, apply, and say what was done.

Contract: microsoft.aadiam/diagnosticSettings, api-version 2017-04-01, and its categories, 2017-04-01-preview
(azure-rest-api-specs). Who may use it: azure-rest-api-specs issue 11085, terraform-provider-azapi issue 247.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from ..._core import outcome
from ..._core import policy as drift
from ..._core.client import malformed
from ..._core.errors import InputError, OnboardingError, RefusedError
from ..._core.evidence import EvidenceFile
from ..._core.outcome import CHANGED, FAILED
from ..._core.redaction import Redactor
from ..arm import subscriptions as inventory
from ..arm.client import TENANT, Arm, Call, connected
from ..arm.polling import until
from ..arm.resources import Target, same_id
from ..identity import options as identity_options
from ..identity.credentials import claims
from ..identity.options import ADMINISTRATOR_SPEC, IDENTITY_SPEC, RUN_SPEC, Identity
from ..settings import options
from ..settings.options import SETTING_SPEC
from ..settings.plan import Desired, LogChoice
from ..settings.setting import EVERY_LOG, Offered, Setting, body, parse_offered, parse_settings
from . import record
from .record import Record, Verdict, plan

CAPABILITY = "entra_diagnostic_settings"
SCOPE = "/providers/microsoft.aadiam"
SETTINGS_API, CATEGORIES_API = "2017-04-01", "2017-04-01-preview"
NOTHING = Offered({}, {})
_SINKS = ("workspace_id", "event_hub_authorization_rule_id", "event_hub_name", "storage_account_id")
_RUN = ("state", "fail_on", "correct", "evidence_path")
ENTRA_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    **ADMINISTRATOR_SPEC,
    **{name: SETTING_SPEC[name] for name in ("name", *_SINKS, "satisfied_by", "on_conflict", "exact")},
    "categories": {"type": "list", "elements": "str", "default": ["all"]},
    "wait_seconds": {"type": "int", "default": 300},
    **{name: RUN_SPEC[name] for name in _RUN},
}
# assumed: Azure names the licence in its text; what code it gives is in no document.
LICENCE_WORDS = ("license", "licence", "premium")
LICENCE_STEP = (
    "let the tenant have Microsoft Entra ID P1 or P2, or name categories without those of sign-ins "
    "(AuditLogs needs no licence)"
)


def cure(tenant: str, principal: str, resource_manager: str) -> str:
    """The one-time step of a customer's administrator after which an app may write Entra's diagnostic settings."""
    return (
        f"once, a Global Administrator of tenant {tenant} runs: (1) az rest --method post --url '{resource_manager}"
        "/providers/Microsoft.Authorization/elevateAccess?api-version=2016-07-01' (2) az role assignment create "
        f"--assignee-object-id {principal} --assignee-principal-type ServicePrincipal --role Contributor "
        "--scope /providers/Microsoft.aadiam (3) az role assignment delete --assignee "
        '"$(az ad signed-in-user show --query id --output tsv)" --role "User Access Administrator" --scope / ; '
        "or give the access_token of a Security Administrator"
    )


def desired(params: Mapping[str, Any]) -> Desired:
    """What the parameters want of Entra. Raises InputError."""
    base = options.desired(params, present=params["state"] == "present")
    names = frozenset(name.casefold() for name in params["categories"])
    if not names:
        raise InputError(identity_options.READ, "categories is empty", next_step="name categories, or all")
    return base._replace(logs=LogChoice(EVERY_LOG) if "all" in names else LogChoice("", names))


class EntraLogs:
    """The run over one tenant with checked parameters."""

    def __init__(
        self, params: Mapping[str, Any], identity: Identity, arm: Arm, wanted: Desired, *, check: bool = True
    ) -> None:
        self.params = params
        self.identity = identity
        self.arm = arm
        self.check = check
        self.desired = wanted
        self.offered = NOTHING
        self.target = Target(SCOPE, "microsoft.aadiam", identity.tenant_id)
        self.record: Record

    async def observe(self) -> None:
        """Read what is offered and what is set. Raises OnboardingError where that cannot be read."""
        if self.desired.present:
            self.offered = await self._offered()
        self.record = record.judged(self.target, plan(self.desired, await self.settings(), self.offered))

    async def _offered(self) -> Offered:
        operation = f"list the categories of Entra logs of tenant {self.identity.tenant_id}"
        path = f"{SCOPE}/diagnosticSettingsCategories"
        answer = await self.call(Call("GET", path, CATEGORIES_API, operation, TENANT))
        try:
            offered = parse_offered(answer)
        except (KeyError, TypeError, AttributeError) as error:
            raise malformed(operation, error) from error
        unknown = sorted(self.desired.logs.categories - set(offered.logs))
        if unknown or not offered.logs:
            known = ", ".join(category.name for category in offered.logs.values()) or "nothing"
            step = "correct categories, or leave out what the tenant has no licence for"
            raise InputError(operation, f"{', '.join(unknown) or 'any'} is not offered; offered are: {known}",
                             code="UnknownCategory", next_step=step)  # fmt: skip
        return offered

    async def settings(self) -> tuple[Setting, ...]:
        """All settings of the tenant. Raises OnboardingError."""
        operation = f"list the Entra diagnostic settings of tenant {self.identity.tenant_id}"
        answer = await self.call(Call("GET", f"{SCOPE}/diagnosticSettings", SETTINGS_API, operation, TENANT))
        try:
            return parse_settings(answer)
        except (KeyError, TypeError, AttributeError) as error:
            raise malformed(operation, error) from error

    async def call(self, call: Call) -> Any:
        """One request, whose refusals are told as what they are here. Raises OnboardingError."""
        try:
            return await self.arm.call(call)
        except RefusedError as error:
            step = await self._step(error)
            raise RefusedError(
                error.operation,
                error.message,
                code=error.code,
                status=error.status,
                next_step=step or error.next_step,
                request_id=error.request_id,
            ) from error

    async def _step(self, error: RefusedError) -> str:
        """What cures a refusal that Entra's settings have of their own, '' for any other."""
        if any(word in error.message.casefold() for word in LICENCE_WORDS):
            return LICENCE_STEP
        if error.status != 403 or error.code == "LinkedAuthorizationFailed":
            return ""
        found = claims(await self.arm.tokens.get(self.identity.tenant_id, self.identity.cloud.arm_scope))
        if self.identity.access_token and found.get("idtyp") != "app":
            return "let the administrator whose access_token this is have the role Security Administrator"
        return cure(self.identity.tenant_id, str(found.get("oid", "<object id>")), self.identity.cloud.resource_manager)

    def asks(self) -> bool:
        """Whether a write is to be done."""
        action = record.asked(self.record)
        return action is not None and drift.allowed(self.params["correct"], action.kind)

    async def apply(self) -> None:
        """Write what the verdict asks for, and wait until Azure shows it. A refusal is a record."""
        verdict = self.record.verdict
        if not self.asks() or verdict is None or verdict.action is None:
            return
        operation = f"{verdict.action.kind} the Entra diagnostic setting {verdict.action.name}"
        try:
            await self.call(await self._write(verdict, operation))
            await until(self.settings, self._as_wanted, self.params["wait_seconds"], f"see after: {operation}")
            self.record = self.record._replace(status=CHANGED)
        except OnboardingError as error:
            self.record = self.record._replace(status=FAILED, error=error)

    def _as_wanted(self, found: tuple[Setting, ...]) -> bool:
        return plan(self.desired, found, self.offered).action is None

    async def _write(self, verdict: Verdict, operation: str) -> Call:
        name = verdict.action.name if verdict.action else ""
        call = Call("DELETE", f"{SCOPE}/diagnosticSettings/{quote(name)}", SETTINGS_API, operation, TENANT)
        if verdict.after is None:
            return call
        sent = body(verdict.after, self.offered)
        del sent["properties"]["metrics"]  # a tenant has none
        return call._replace(method="PUT", body=sent, auxiliary=await self._auxiliary(verdict.after))

    async def _auxiliary(self, after: Setting) -> tuple[str, ...]:
        """Tenants whose tokens go along: where a destination is in a subscription that this token does not see."""
        if not self.identity.auxiliary:
            return ()
        visible = {subscription.id.casefold() for subscription in await inventory.subscriptions(self.arm)}
        crosses = any(same_id(sink).split("/")[1] not in visible for sink in after.sinks.values())
        return self.identity.auxiliary if crosses else ()

    def result(self) -> dict[str, Any]:
        """The task's result."""
        records = [self.record]
        number, told = outcome.counts([self.record.status]), record.problems(records)
        action, classes = record.asked(self.record), record.drift_classes(records)
        written = records if self.record.status == CHANGED or self.asks() else []
        text = f"Entra logs of tenant {self.identity.tenant_id}: {outcome.spelled(number)}."
        if classes:
            text += f" Drift: {', '.join(classes)}."
        return {
            "changed": self.asks() if self.check else self.record.status == CHANGED,
            "failed": outcome.failed(number, self.params["fail_on"]),
            "msg": text + outcome.worst(told),
            "summary": {
                "capability": CAPABILITY,
                "outcome": outcome.outcome(number),
                "counts": number,
                "drift": classes,
                "correctable": drift.correctable([action.kind] if action else []),
                "credentials": self.identity.expiries(),
                "requests": dict(self.arm.requests),
            },
            "categories": sorted(category.name for category in self.offered.logs.values()),
            "changes": record.changes(written),
            "problems": told,
            "diff": record.diffs(written),
        }


def own_tenant(identity: Identity) -> Identity:
    """The identity signed in to the customer's own tenant: Lighthouse delegates nothing that is tenant-wide."""
    return identity._replace(sign_in=identity.tenant_id)


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Make or remove our diagnostic setting of Entra in one tenant; the result is in the module's RETURN.

    Raises OnboardingError when the settings cannot be read.
    """
    identity = own_tenant(identity_options.identity(params))
    wanted = desired(params)
    async with connected(identity, 2, redactor) as arm:
        one = EntraLogs(params, identity, arm, wanted, check=check)
        await one.observe()
        if not check:
            await one.apply()
    if one.record.error:
        reporter.failure(str(one.record.error))
    result = one.result()
    if not diff:
        del result["diff"]
    result["evidence"] = ""
    if path := params.get("evidence_path"):
        with EvidenceFile(path, redact=redactor) as evidence:
            evidence.write(one.record.line())
        result["evidence"] = "" if evidence.error else str(path)
        result["problems"] += evidence.problems
    return result
