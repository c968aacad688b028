# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A subscription delegated to the managing tenant by Azure Lighthouse: given, waited for, and given back.

assumed: a token of the managing tenant is answered 401 InvalidAuthenticationTokenTenant when nothing of the
subscription is delegated to that tenant, as it is for every foreign subscription; a definition may answer 409 for a
moment after its assignment went.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..._core.client import malformed
from ..._core.errors import InputError, OnboardingError, RefusedError
from ..._core.evidence import write_whole
from ..._core.outcome import CHANGED, DRIFT, FAILED, OK
from ..._core.redaction import Redactor
from ..arm import subscriptions as inventory
from ..arm.client import Arm, Call
from ..arm.polling import NOT_FINISHED, insist, until
from ..arm.resources import same_id
from ..identity import options as identity_options
from ..rights import options as rights_options
from ..rights import targets
from ..rights.capability import counted
from ..rights.definitions import Role, find
from ..rights.identities import Ways, finished
from ..rights.targets import Verdict
from . import template as lighthouse_template
from .api import (
    ASSIGNMENTS,
    DEFINITIONS,
    DELETE_ROLE,
    DONE,
    FAILED_STATES,
    MANAGED_SERVICES_API,
    Authorization,
    Observed,
    Wanted,
    known_role,
    parse_definition,
    parse_delegation,
    refusal,
    state_of,
)
from .plan import plan

CAPABILITY = "azure_lighthouse_delegation"
NOT_DELEGATED = "InvalidAuthenticationTokenTenant"
TEMPLATE_MODE = 0o644


# ---- reading ------------------------------------------------------------------------------------------------------


async def observe(arm: Arm, wanted: Wanted) -> Observed:
    """What is delegated, and our definition even where it is not assigned. Raises OnboardingError."""
    try:
        raw = await _listed(arm, wanted, ASSIGNMENTS, "?$expandRegistrationDefinition=true")
    except RefusedError as error:
        if wanted.customer or error.code != NOT_DELEGATED:
            raise
        return Observed(seen=False)
    start = f"subscriptions/{wanted.subscription}/providers/{ASSIGNMENTS}/".casefold()
    try:
        found = tuple(parse_delegation(one) for one in raw if same_id(one["id"]).startswith(start))
        ours = [one.definition for one in found if one.definition.id == same_id(wanted.definition_id)]
        if not ours:
            definitions = [parse_definition(one) for one in await _listed(arm, wanted, DEFINITIONS)]
            ours = [one for one in definitions if one.id == same_id(wanted.definition_id)]
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(f"read the delegations of {wanted.subscription}", error) from error
    return Observed(found, ours[0] if ours else None)


async def _listed(arm: Arm, wanted: Wanted, kind: str, query: str = "") -> list[Any]:
    scope = f"/subscriptions/{wanted.subscription}"
    operation = f"list the Lighthouse {kind.partition('/')[2]} of {scope}"
    call = Call("GET", f"{scope}/providers/{kind}{query}", MANAGED_SERVICES_API, operation, wanted.subscription)
    try:
        return [one async for page in arm.pages(call) for one in page["value"]]
    except (KeyError, TypeError) as error:
        raise malformed(operation, error) from error


async def roles(arm: Arm, subscription: str, names: set[str], customer: bool) -> dict[str, Role]:
    """Name -> role. Built-in roles are the same everywhere, so what the managing tenant sees will do for its token.

    Raises OnboardingError.
    """
    scope = f"/subscriptions/{subscription}"
    if customer:
        return {name: await find(arm, scope, name) for name in sorted(names)}
    seen = [one.id for one in await inventory.subscriptions(arm)]
    if seen and subscription.casefold() not in (one.casefold() for one in seen):
        scope = f"/subscriptions/{seen[0]}"
    found = {}
    for name in sorted(names):
        try:
            found[name] = await find(arm, scope, name)
        except RefusedError:
            known = known_role(name)
            if known is None:
                raise
            found[name] = known
    return found


async def authorizations(
    ways: Ways, params: Mapping[str, Any], customer: bool
) -> tuple[list[Authorization], list[Role]]:
    """What is to be given, with the roles of the app itself. Raises OnboardingError, also for what would be refused."""
    given = params["authorizations"]
    names = {name for one in given for name in (one["role"], *(one.get("delegated_roles") or ()))}
    found = await roles(ways.arm, params["subscription_id"], names, customer)
    needed = [one for one in given if not one.get("principal_id")]
    own = await ways.object_id(params["managing_tenant_id"]) if needed else ""
    made, mine = [], []
    for one in given:
        role, delegated = found[one["role"]], [found[name] for name in one.get("delegated_roles") or ()]
        if why := refusal(role, bool(delegated)):
            raise InputError(
                identity_options.READ, f"the role {role.name} cannot be delegated: {why}", code="RoleNotDelegable",
                next_step="choose another built-in role for this authorization",
            )  # fmt: skip
        principal = (one.get("principal_id") or own).casefold()
        shown = one.get("name") or f"{params['name']}: {role.name}"
        made.append(Authorization(principal, role.guid, frozenset(each.guid for each in delegated), shown, role.name))
        mine += [role] if role.permissions and principal == own.casefold() else []
    return made, mine


# ---- writing ------------------------------------------------------------------------------------------------------


async def apply(arm: Arm, wanted: Wanted, verdicts: list[Verdict], level: str, seconds: float) -> list[Verdict]:
    """The verdicts after their writes, in order; after one that is not as wanted in the end nothing else is tried."""
    ended: list[Verdict] = []
    for one in verdicts:
        if all(before.status not in (DRIFT, FAILED) for before in ended) and targets.pending(one, level):
            try:
                await _write(arm, wanted, one, seconds)
                ended.append(one._replace(status=CHANGED))
            except OnboardingError as error:
                ended.append(one._replace(status=FAILED, error=error, written=error.code == NOT_FINISHED))
        else:
            ended.append(one)
    return ended


async def _write(arm: Arm, wanted: Wanted, one: Verdict, seconds: float) -> None:
    kind = "definition" if one.target == wanted.definition_id else "assignment"
    operation = f"{one.action} the Lighthouse {kind} of {one.target}"
    call = Call("DELETE", one.target, MANAGED_SERVICES_API, operation, wanted.subscription)
    if one.action == "delete":
        await insist(lambda: arm.call(call), lambda error: error.status == 409, seconds, operation)
        await until(lambda: _gone(arm, wanted, call._replace(method="GET")), bool, seconds, operation)
        return
    assigned = {"registrationDefinitionId": wanted.definition_id}
    body = {"properties": wanted.properties() if kind == "definition" else assigned}
    await arm.call(call._replace(method="PUT", body=body))
    await until(lambda: _done(arm, call._replace(method="GET")), bool, seconds, operation)


async def _gone(arm: Arm, wanted: Wanted, call: Call) -> bool:
    """Whether it is gone; the managing tenant's own access goes with it."""
    try:
        await arm.call(call)
    except RefusedError as error:
        if error.status == 404 or (not wanted.customer and error.status in (401, 403)):
            return True
        raise
    return False


async def _done(arm: Arm, call: Call) -> bool:
    """Whether Azure has finished with it. Raises RefusedError where it ended otherwise."""
    try:
        raw = await arm.call(call)
        state = state_of(raw)
    except RefusedError as error:
        if error.status == 404:  # written, and not to be read yet
            return False
        raise
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(call.operation, error) from error
    if state in FAILED_STATES:
        text = f"Azure took it, and it ended as {raw['properties']['provisioningState']}"
        raise RefusedError(call.operation, text, code="ProvisioningFailed", next_step="run again, or ask Azure support")
    return state == DONE


# ---- the template -------------------------------------------------------------------------------------------------


def template_verdict(wanted: Wanted, path: str) -> Verdict:
    """Whether the file says what it should. Raises InputError where that cannot be read."""
    after = lighthouse_template.template(wanted)
    try:
        before = json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Verdict(path, DRIFT, ("missing",), "create", after=after)
    except ValueError:
        before = {"": "a file of another kind"}
    except OSError as error:
        raise InputError("read template_path", f"{path}: {error.strerror or error}") from error
    return Verdict(path, OK) if before == after else Verdict(path, DRIFT, ("template",), "update", before, after)


def write_template(verdict: Verdict) -> Verdict:
    try:
        write_whole(Path(verdict.target), lighthouse_template.text(verdict.after), TEMPLATE_MODE)
    except OSError as error:
        text = error.strerror or str(error)
        problem = InputError(f"write the template to {verdict.target}", text, next_step="check template_path")
        return verdict._replace(status=FAILED, error=problem)
    return verdict._replace(status=CHANGED)


# ---- the run ------------------------------------------------------------------------------------------------------


async def _wanted(ways: Ways, params: Mapping[str, Any]) -> tuple[Wanted, list[Role]]:
    customer = ways.tenant.casefold() == params["tenant_id"].casefold()
    present = params["state"] == "present"
    given, mine = await authorizations(ways, params, customer) if present else ([], [])
    subscription = params["subscription_id"]
    command = lighthouse_template.command(subscription, params["cloud"], params["template_path"])
    wanted = Wanted(
        subscription, params["managing_tenant_id"], params["name"], params["description"] or params["name"],
        tuple(given), present, customer, command,
    )  # fmt: skip
    return wanted, mine


async def _effective(ways: Ways, wanted: Wanted, mine: list[Role], verdicts: list[Verdict], seconds: float) -> Any:
    """Whether the app's roles count, None where that cannot be asked; a No becomes the assignment's failure."""
    whole = all(one.status in (OK, CHANGED) for one in verdicts)
    if not (ways.app and mine and seconds > 0 and whole):
        return None
    error = await counted(ways.app, f"/subscriptions/{wanted.subscription}", mine, seconds)
    if error:
        verdicts[-1] = verdicts[-1]._replace(status=FAILED, error=error, written=verdicts[-1].status == CHANGED)
    return error is None


def _shown(wanted: Wanted, effective: bool | None) -> dict[str, Any]:
    shown = wanted.definition.view(wanted.role_names) | {"definition_id": wanted.definition_id}
    return shown | {
        "assignment_id": wanted.assignment_id,
        "effective": effective,
        "deploy_command": wanted.command if wanted.present else "",
    }


def _warnings(wanted: Wanted) -> list[str]:
    if not wanted.present or DELETE_ROLE in wanted.role_names.values():
        return []
    return [f"No authorization has the role {DELETE_ROLE}: only the customer will be able to take the delegation back."]


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Delegate one subscription, or take that back; the shape of the result is in the module's RETURN.

    Raises OnboardingError when nothing can be said of the delegation.
    """
    started = time.monotonic()
    rights_options.delegation(params)
    level, seconds = params["correct"], float(params["wait_seconds"])
    reporter.update(phase="observe", total=2)
    async with Ways(identity_options.identity(params), redactor) as ways:
        wanted, mine = await _wanted(ways, params)
        files = (
            [template_verdict(wanted, params["template_path"])] if params["template_path"] and wanted.present else []
        )
        verdicts = list(plan(wanted, await observe(ways.arm, wanted)))
        effective = None
        if not check:
            files = [write_template(one) if targets.pending(one, level) else one for one in files]
            verdicts = await apply(ways.arm, wanted, verdicts, level, seconds)
            effective = await _effective(ways, wanted, mine, verdicts, seconds)
    result = targets.result(CAPABILITY, [*verdicts, *files], level, check=check, diff=diff)
    result["delegation"] = _shown(wanted, effective)
    result["warnings"] = _warnings(wanted)
    result["summary"]["seconds"] = round(time.monotonic() - started, 1)
    return finished(result, [*verdicts, *files], ways, params["evidence_path"], reporter)
