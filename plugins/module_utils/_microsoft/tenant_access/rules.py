# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What an app still lacks in a customer's tenant, who can cure it and by which link or command. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ..._core import policy
from ..._core.errors import OnboardingError
from ..._core.findings import CUSTOMER, MISSING, OK, PROVIDER, STATUS, UNKNOWN, Finding
from ..._core.result import counts, outcome
from ..._core.status import WAITING
from ..arm.permissions import elevated, grant, numbered
from ..arm.refusals import is_gone, lacks_right, not_delegated
from ..graph.permissions import Names, key_of, retired
from ..identity.refusals import NOT_CONSENTED, NOT_PROVISIONED, whose
from ..lighthouse import template as lighthouse_template

EXPIRY_DAYS = 14
AADIAM = "/providers/microsoft.aadiam"
ANY_SUBSCRIPTION = "/subscriptions/<subscription id>"
# What a run can grant itself when it has an administrator's tokens.
GRANTABLE = frozenset({"sign_in", "permission", "role", "delegation"})


class Role(NamedTuple):
    """A role that the app shall have on a scope."""

    role: str
    scope: str


class Wanted(NamedTuple):
    """What the app shall have. managing_tenant_id: '' where the customer's tenant is reached directly.

    subscriptions: ids, none where no subscription is known yet; role: on each of them; further: on other scopes.
    """

    tenant_id: str
    client_id: str
    managing_tenant_id: str
    permissions: Names
    subscriptions: tuple[str, ...]
    role: str
    further: tuple[Role, ...]
    consent_url: str = ""
    cloud: str = "azure_public"

    @property
    def reader(self) -> str:
        """The tenant whose token reads the subscriptions."""
        return self.managing_tenant_id or self.tenant_id

    @property
    def sign_ins(self) -> tuple[str, ...]:
        """The tenants in which the app has to be known, the customer's own first."""
        own = self.permissions or self.further or not self.managing_tenant_id
        return tuple(dict.fromkeys((*((self.tenant_id,) if own else ()), self.reader)))

    @property
    def assigned(self) -> tuple[Role, ...]:
        """Every role to be assigned in the customer's tenant."""
        direct = () if self.managing_tenant_id else self.subscriptions
        return (*(Role(self.role, f"/subscriptions/{one}") for one in direct), *self.further)

    @property
    def delegated(self) -> tuple[str, ...]:
        """The subscriptions to be delegated by Azure Lighthouse."""
        return self.subscriptions if self.managing_tenant_id else ()


class Seen(NamedTuple):
    """What was found; an error stands for what could not be read, None for a sign-in that worked.

    granted: names in a token's C(roles) by app id; roles, delegations: whether they are there; providers: state of
    Microsoft.Insights by subscription; credentials: {name, expires}; lent: roles and providers were read by an
    administrator's token, whose refusals say nothing of what the app has.
    """

    sign_ins: Mapping[str, OnboardingError | None] = {}
    granted: Mapping[str, frozenset[str] | OnboardingError] = {}
    roles: Mapping[Role, bool | OnboardingError] = {}
    delegations: Mapping[str, bool | OnboardingError] = {}
    providers: Mapping[str, str | OnboardingError] = {}
    subscriptions: OnboardingError | None = None
    credentials: tuple[Mapping[str, str], ...] = ()
    lent: bool = False


def known(wanted: Wanted, seen: Seen) -> bool:
    """Whether the app may be let in: no directory says that it does not know it, some subscription is delegated.

    What could not be read is no such answer, nor is the lack of a right: a delegation may hold too few.
    """
    if any(error and error.code in NOT_CONSENTED for error in seen.sign_ins.values()):
        return False
    if not wanted.managing_tenant_id or seen.subscriptions or seen.sign_ins.get(wanted.managing_tenant_id):
        return True
    return not all(isinstance(there, OnboardingError) and not_delegated(there) for there in seen.delegations.values())


def remains(wanted: Wanted, seen: Seen) -> bool:
    """Whether any of the access is left: by Lighthouse the customer's directory may outlast the last delegation."""
    return known(wanted, seen) or seen.sign_ins.get(wanted.tenant_id, False) is None


def judge(wanted: Wanted, seen: Seen, now: datetime) -> list[Finding]:
    """Every check, in the order in which a person would cure what is missing.

    Where a tenant does not let the app in, what only a token of it could tell is left out: the one cure comes first.
    """
    found = [_sign_in(wanted, tenant, seen.sign_ins[tenant]) for tenant in wanted.sign_ins]
    found += [_credential(credential, now) for credential in seen.credentials if credential["expires"]]
    for app_id, names in wanted.permissions.items():
        if app_id in seen.granted:
            found += _permissions(wanted, app_id, names, seen.granted[app_id])
    found += [_role(wanted, role, there, seen.lent) for role, there in seen.roles.items()]
    found += [_delegation(wanted, one, there) for one, there in seen.delegations.items()]
    found += _no_subscription(wanted, seen)
    found += [_provider(one, state, seen.lent) for one, state in seen.providers.items()]
    return found


def judge_leaving(wanted: Wanted, seen: Seen, now: datetime) -> list[Finding]:
    """Whether access was given back; where that cannot be told, only why."""
    found = [_sign_in(wanted, tenant, seen.sign_ins[tenant]) for tenant in wanted.sign_ins]
    if trouble := [one for one in found if one.status == UNKNOWN or one.who == PROVIDER]:
        return trouble
    unread = {one: there for one, there in seen.delegations.items() if isinstance(there, OnboardingError)}
    unread = {one: there for one, there in unread.items() if not not_delegated(there)}
    if unread and True not in seen.delegations.values():
        return [_delegation(wanted, one, there)._replace(status=UNKNOWN) for one, there in unread.items()]
    if not remains(wanted, seen):
        return [Finding("given_back", wanted.tenant_id, OK, "the app is no longer let in")]
    step = f"run offboard with tokens of theirs, or have them run: az ad sp delete --id {wanted.client_id}"
    step = "run offboard: the provider ends a delegation itself" if wanted.managing_tenant_id else step
    return [Finding("given_back", wanted.tenant_id, MISSING, "the app is still let in", CUSTOMER, step)]


def _sign_in(wanted: Wanted, tenant: str, error: OnboardingError | None) -> Finding:
    if error is None:
        return Finding("sign_in", tenant, OK, "the token is one of this tenant")
    detail = f"{error.code}: {error.message}"
    if error.code in NOT_CONSENTED and tenant == wanted.tenant_id:
        return Finding("sign_in", tenant, MISSING, detail, CUSTOMER, f"open {wanted.consent_url} and accept")
    status = MISSING if error.code.startswith("AADSTS") else UNKNOWN
    return Finding("sign_in", tenant, status, detail, whose(error, tenant, wanted.tenant_id), error.next_step)


def _credential(credential: Mapping[str, str], now: datetime) -> Finding:
    ends = datetime.fromisoformat(credential["expires"])
    ends = ends if ends.tzinfo else ends.replace(tzinfo=UTC)
    detail = f"ends on {ends.date()}"
    if ends - now > timedelta(days=EXPIRY_DAYS):
        return Finding("credential", credential["name"], OK, detail)
    step = "put a new one beside it with the playbook mssp.onboarding.bootstrap on your own tenant, then use it here"
    return Finding("credential", credential["name"], MISSING, detail, PROVIDER, step)


def _permissions(
    wanted: Wanted, app_id: str, names: tuple[str, ...], granted: frozenset[str] | OnboardingError
) -> Iterator[Finding]:
    """One finding a name; what is granted without being asked for is told, and is nobody's failure."""
    key = key_of(app_id)
    if isinstance(granted, OnboardingError):
        absent = granted.code in NOT_PROVISIONED
        step = f"license or set up the service behind {key} in this tenant, or take it out of permissions"
        yield Finding("permission", key, MISSING if absent else UNKNOWN, f"{granted.code}: {granted.message}",
                      CUSTOMER if absent else PROVIDER, step if absent else granted.next_step)  # fmt: skip
        return
    for name in names:
        old = retired(app_id, name)
        if name in granted:
            yield Finding("permission", f"{key} {name}", OK, old or "in the token")
        else:
            detail = f"not in the token{f'; {old}' if old else ''}"
            yield Finding("permission", f"{key} {name}", MISSING, detail, CUSTOMER,
                          f"open {wanted.consent_url} and accept")  # fmt: skip
    for name in sorted(granted - set(names)):
        yield Finding("permission", f"{key} {name}", OK, "unexpected: granted, and not asked for")


def _role(wanted: Wanted, role: Role, there: bool | OnboardingError, lent: bool) -> Finding:
    subject = f"{role.role} on {role.scope}"
    if there is True:
        return Finding("role", subject, OK)
    return _lacking(
        "role", subject, there, "not assigned to the app", numbered(role_commands(wanted.client_id, role)), lent
    )


def role_commands(client_id: str, role: Role) -> list[str]:
    """What the customer's administrator runs; on the directory's own scope nobody has a right at first.

    facts: azapi#247, Azure/azure-rest-api-specs#11085 for microsoft.aadiam.
    """
    command = grant(client_id, role.role, role.scope)
    return elevated(command) if role.scope.casefold().startswith(AADIAM) else [command]


def _delegation(wanted: Wanted, subscription: str, there: bool | OnboardingError) -> Finding:
    if there is True:
        return Finding("delegation", subscription, OK)
    detail = f"{wanted.role} is not delegated to tenant {wanted.managing_tenant_id}"
    return _lacking(
        "delegation", subscription, there, detail, lighthouse_template.command(subscription, wanted.cloud, None)
    )


def _lacking(
    check: str, subject: str, there: bool | OnboardingError, detail: str, step: str, lent: bool = False
) -> Finding:
    """Not there, or refused to be looked at, which is the same to the app itself; else unknown."""
    if not isinstance(there, OnboardingError):
        return Finding(check, subject, MISSING, detail, CUSTOMER, step)
    if _refused(there) and not lent:
        return Finding(check, subject, MISSING, f"{there.code}: {there.message}", CUSTOMER, step)
    return Finding(check, subject, UNKNOWN, f"{there.code}: {there.message}", PROVIDER, there.next_step)


def _refused(error: OnboardingError) -> bool:
    """Whether Azure has answered that there is nothing for the app."""
    return lacks_right(error) or is_gone(error) or not_delegated(error)


def _no_subscription(wanted: Wanted, seen: Seen) -> Iterator[Finding]:
    if seen.subscriptions is not None:
        error = seen.subscriptions
        yield Finding("subscriptions", wanted.tenant_id, UNKNOWN, f"{error.code}: {error.message}", PROVIDER,
                      error.next_step)  # fmt: skip
    elif not wanted.subscriptions and seen.sign_ins.get(wanted.reader, "") is None:
        if wanted.managing_tenant_id:
            step = "ask the customer for the ids of the subscriptions, and name them in subscriptions"
            yield Finding(
                "subscriptions", wanted.tenant_id, MISSING, "none is delegated, and none is named", PROVIDER, step
            )
        else:
            yield _role(wanted, Role(wanted.role, ANY_SUBSCRIPTION), False, seen.lent)


def _provider(subscription: str, state: str | OnboardingError, lent: bool) -> Finding:
    step = register_command(subscription)
    if state == "Registered":
        return Finding("provider_registered", subscription, OK)
    return _lacking("provider_registered", subscription, state if isinstance(state, OnboardingError) else False,
                    f"Microsoft.Insights is {state}", step, lent)  # fmt: skip


def register_command(subscription: str) -> str:
    return f"az provider register --namespace Microsoft.Insights --subscription {subscription}"


def summary(found: Sequence[Finding], level: str) -> dict[str, Any]:
    """What the findings come to. What waits for the customer alone is C(waiting), and no failure."""
    missing = [finding for finding in found if finding.status == MISSING]
    waiting = [finding for finding in missing if finding.who == CUSTOMER]
    ended = {id(finding): WAITING for finding in waiting}
    number = counts(ended.get(id(finding), STATUS[finding.status]) for finding in found)
    grantable = sum(finding.check in GRANTABLE for finding in waiting)
    return {
        "counts": number,
        "outcome": outcome(number),
        "drift": dict(Counter(finding.check for finding in waiting)),
        "correctable": {one: grantable * policy.allowed(level, "create") for one in (policy.SAFE, policy.ALL)},
    }
