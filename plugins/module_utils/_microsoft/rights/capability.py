# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A role for a principal at a scope: assigned, waited for until it counts, and taken back.

Contract: Microsoft.Authorization/roleAssignments, api-version 2022-04-01. A PUT of what is there answers 409
RoleAssignmentExists, also under the same name (azure-sdk-for-go issue 19060), and its text has changed within the
version (azure-cli pull request 32027), so that only the code is looked at.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from ..._core.client import malformed
from ..._core.errors import OnboardingError, RefusedError
from ..._core.outcome import CHANGED, FAILED, OK
from ..._core.redaction import Redactor
from ..arm import permissions as access
from ..arm.client import Arm, Call
from ..arm.polling import NOT_FINISHED, insist, until
from ..identity import options as identity_options
from . import options as rights_options
from . import targets
from .definitions import AUTHORIZATION_API, PROVIDER, Role, bucket_of, find, scope_path
from .identities import Ways, finished, principal
from .plan import Assignment, Wanted, ineffective, parse_assignment, plan
from .targets import Verdict

CAPABILITY = "azure_role_assignment"
# The app's refusals while a role of its does not count yet: the scope is not seen, or may not be read.
NOT_YET = frozenset({403, 404})
MAX_ACTIONS_TOLD = 5


async def assignments(arm: Arm, scope: str, principal_id: str) -> list[Assignment]:
    """The principal's assignments at, above and below a scope. Raises OnboardingError."""
    operation = f"list the role assignments of {scope}"
    condition = quote(f"principalId eq '{principal_id}'")
    path = f"{scope_path(scope)}{PROVIDER}/roleAssignments?$filter={condition}"
    try:
        return [
            parse_assignment(raw)
            async for page in arm.pages(Call("GET", path, AUTHORIZATION_API, operation, bucket_of(scope)))
            for raw in page["value"]
        ]
    except (KeyError, TypeError, AttributeError) as error:
        raise malformed(operation, error) from error


async def apply(arm: Arm, wanted: Wanted, verdict: Verdict, seconds: float) -> Verdict:
    """The verdict after its one write. A refused write is a verdict, too."""
    try:
        if verdict.action == "create":
            return await _create(arm, wanted, verdict, seconds)
        await arm.call(_call(wanted, "DELETE", "delete"))
    except OnboardingError as error:
        if verdict.action != "delete" or error.status != 404:  # gone, whoever did it
            return verdict._replace(status=FAILED, error=error)
    return verdict._replace(status=CHANGED)


def _call(wanted: Wanted, method: str, words: str, body: Any = None) -> Call:
    operation = f"{words} the role assignment {wanted.role.name} of {wanted.scope}"
    path = f"{scope_path(wanted.scope)}{PROVIDER}/roleAssignments/{wanted.name}"
    return Call(method, path, AUTHORIZATION_API, operation, bucket_of(wanted.scope), body=body)


async def _create(arm: Arm, wanted: Wanted, verdict: Verdict, seconds: float) -> Verdict:
    call = _call(wanted, "PUT", "create", wanted.body())
    try:
        await insist(lambda: arm.call(call), lambda error: error.code == "PrincipalNotFound", seconds, call.operation)
    except RefusedError as error:
        if error.code != "RoleAssignmentExists":
            raise
        return await _exists(arm, wanted, verdict)
    return verdict._replace(status=CHANGED)


async def _exists(arm: Arm, wanted: Wanted, verdict: Verdict) -> Verdict:
    """Somebody was faster, or an earlier try of ours was heard though its answer was lost: then it has our name."""
    found = plan(wanted, await assignments(arm, wanted.scope, wanted.principal_id))
    if found.status == OK and not found.reason:
        return verdict._replace(status=CHANGED)
    return found._replace(action="", after={}, status=OK, drift=(), reason=found.reason or "Azure says it exists")


async def counted(arm: Arm, scope: str, roles: Iterable[Role], seconds: float) -> OnboardingError | None:
    """Wait until the roles count for the identity itself; why they do not, None when they do."""
    operation = f"see the roles take effect of {scope}"
    lacking: list[str] = []

    async def missing() -> bool:
        try:
            found = await access.permissions(arm, scope)
        except RefusedError as error:
            if error.status not in NOT_YET:
                raise
            lacking.append(f"{error.code}: {error.message}")
            return True
        actions = sorted({action for role in roles for action in ineffective(role, found)})
        lacking.append(f"the app may not yet {', '.join(actions[:MAX_ACTIONS_TOLD])}")
        return bool(actions)

    try:
        await until(missing, lambda still: not still, seconds, operation)
    except OnboardingError as error:
        if error.code != NOT_FINISHED:
            return error
        text = f"after {seconds:g} s {lacking[-1]}"
        step = "run again in some minutes: an assignment may take ten to count; or raise wait_seconds"
        return OnboardingError(operation, text, code="NotEffective", next_step=step)
    return None


async def effective(app: Arm | None, wanted: Wanted, verdict: Verdict, seconds: float) -> tuple[Verdict, bool | None]:
    """(the verdict, whether the role counts: None where that cannot be asked or was not to be)."""
    below = wanted.scope.casefold().startswith("/subscriptions/")
    if not (app and seconds > 0 and wanted.present and below and verdict.status in (OK, CHANGED)):
        return verdict, None
    error = await counted(app, wanted.scope, [wanted.role], seconds)
    if error is None:
        return verdict, True
    return verdict._replace(status=FAILED, error=error, written=verdict.status == CHANGED), False


async def run(
    params: Mapping[str, Any], reporter: Any, redactor: Redactor, *, check: bool, diff: bool
) -> dict[str, Any]:
    """Assign or take back one role; the shape of the result is in the module's RETURN.

    Raises OnboardingError when nothing can be said of the assignment.
    """
    started = time.monotonic()
    identity = identity_options.identity(params)
    scope = rights_options.scope(params)
    reporter.update(phase="observe", total=1)
    async with Ways(identity, redactor) as ways:
        principal_id, app = await principal(ways, identity.tenant_id, params["principal_id"])
        wanted = Wanted(
            scope,
            await find(ways.arm, scope, params["role"]),
            principal_id,
            rights_options.PRINCIPAL_TYPES[params["principal_type"]],
            params["state"] == "present",
        )
        verdict = plan(wanted, await assignments(ways.arm, scope, principal_id))
        does_count = None
        if not check:
            seconds = float(params["wait_seconds"])
            if targets.pending(verdict, params["correct"]):
                verdict = await apply(ways.arm, wanted, verdict, seconds)
            verdict, does_count = await effective(app, wanted, verdict, seconds)
    result = targets.result(CAPABILITY, [verdict], params["correct"], check=check, diff=diff)
    result["assignment"] = wanted.view() | {"id": wanted.id, "effective": does_count}
    result["summary"]["seconds"] = round(time.monotonic() - started, 1)
    return finished(result, [verdict], ways, params["evidence_path"], reporter)
