# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role assignments on the wire: read, made, taken back, and awaited until they count.

Contract: Microsoft.Authorization/roleAssignments, api-version 2022-04-01. A PUT of what is there answers 409
RoleAssignmentExists, also under the same name (azure-sdk-for-go issue 19060), and its text has changed within the
version (azure-cli pull request 32027), so that only the code is looked at.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any
from urllib.parse import quote

from ..._core.client import ODD_SHAPE
from ..._core.errors import OnboardingError, RefusedError, malformed
from ..arm import permissions as access
from ..arm.client import Arm, Call
from ..arm.polling import NOT_FINISHED, insist, until
from ..arm.refusals import is_gone, lacks_right, not_delegated
from .definitions import AUTHORIZATION_API, PROVIDER, Role, bucket_of, scope_path
from .plan import Assignment, Wanted, ineffective, parse_assignment

MAX_ACTIONS_TOLD = 5
EXISTS = "RoleAssignmentExists"


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
    except ODD_SHAPE as error:
        raise malformed(operation, error) from error


async def create(arm: Arm, wanted: Wanted, seconds: float) -> bool:
    """Whether it was made: not where Azure says it exists. A new principal is awaited. Raises OnboardingError."""
    call = _call(wanted, "PUT", "create", wanted.body())
    try:
        answer = await insist(
            lambda: arm.call(call), lambda error: error.code == "PrincipalNotFound", seconds, call.operation
        )
    except RefusedError as error:
        if error.code != EXISTS:
            raise
        return False
    if not isinstance(answer, dict) or "properties" not in answer:  # it shows nothing: see that it is there
        await arm.call(_call(wanted, "GET", "see"))
    return True


async def remove(arm: Arm, wanted: Wanted) -> None:
    """Raises OnboardingError."""
    try:
        await arm.call(_call(wanted, "DELETE", "delete"))
    except OnboardingError as error:
        if not is_gone(error):  # whoever did it
            raise


def _call(wanted: Wanted, method: str, words: str, body: Any = None) -> Call:
    operation = f"{words} the role assignment {wanted.role.name} of {wanted.scope}"
    path = f"{scope_path(wanted.scope)}{PROVIDER}/roleAssignments/{wanted.name}"
    return Call(method, path, AUTHORIZATION_API, operation, bucket_of(wanted.scope), body=body)


async def effective(arm: Arm, scope: str, roles: Iterable[Role], seconds: float) -> None:
    """Wait until the roles count for the identity itself. Raises OnboardingError."""
    operation = f"see the roles take effect of {scope}"
    lacking: list[str] = []

    async def missing() -> bool:
        try:
            found = await access.permissions(arm, scope)
        except RefusedError as error:
            # The scope is not seen, may not be read, or is not known to be delegated: by Azure's own word alone.
            if not (lacks_right(error) or is_gone(error) or not_delegated(error)):
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
            raise
        text = f"after {seconds:g} s {lacking[-1]}"
        step = "run again in some minutes: an assignment may take ten to count; or raise wait_seconds"
        raise OnboardingError(operation, text, code="NotEffective", next_step=step) from error
