# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of Duo that are used, from and to its words.

Source: duo.com/docs/adminapi («Integrations», «Logs», «Account Info»), duo.com/docs/accountsapi, duo_client 5.7.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from .._core.bodies import amount, piece, text, texts, words
from .._core.client import documented
from .._core.errors import OnboardingError, RefusedError
from .._core.throttle import interleave
from . import signing
from .client import Account, Call, Duo, response
from .plan import ADMIN_API, PERMISSIONS, Application, Kept, Wanted, network

INTEGRATIONS = "/admin/v3/integrations"
PAGE = "100"
GONE = 404
HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")


def get(
    account: Account, path: str, operation: str, params: Mapping[str, str] | None = None, keys: Kept | None = None
) -> Call:
    """A reading call; a child account is named in its parameters, unless keys of its own are used."""
    sent = {**(params or {}), **({"account_id": account.id} if account.id and keys is None else {})}
    return Call("GET", f"{path}?{signing.query(sent)}" if sent else path, operation, account, keys=keys)


def post(account: Account, path: str, operation: str, params: Mapping[str, str], *, again: bool = True) -> Call:
    sent = {**params, **({"account_id": account.id} if account.id else {})}
    return Call("POST", path, operation, account, signing.body(sent), again)


async def applications(duo: Duo, account: Account) -> list[Application]:
    """All applications of the account. Raises OnboardingError where they cannot be read to the end."""
    operation = f"list the applications of {account.label}"

    def page(offset: str) -> Call:
        return get(account, INTEGRATIONS, operation, {"limit": PAGE, "offset": offset})

    def following(answer: Any, _call: Call) -> Call | None:
        with documented(operation):
            offset = (answer.get("metadata") or {}).get("next_offset")
            return None if offset is None else page(str(int(amount(offset))))

    found: list[Application] = []
    async for answer in duo.pages(page("0"), following):
        with documented(operation):
            found += [parsed(one) for one in response(operation, answer)]
    return found


def parsed(one: Mapping[str, Any]) -> Application:
    """An application of Duo's words. Permissions of names that we do not know count, too."""
    given = one.get("networks_for_api_access") or ""
    listed = given.split(",") if isinstance(given, str) else texts(given)
    flags = {name for name, value in one.items() if name.startswith("adminapi_") and _on(value)}
    return Application(
        piece(one["integration_key"]),
        text(one["name"]),
        text(one["type"]),
        frozenset(flags),
        frozenset(_spelled(item) for item in listed if item.strip()),
        words(one.get("secret_key"))[-4:],
    )


def _on(value: Any) -> bool:
    return value in (1, True, "1", "true")


def _spelled(text: str) -> str:
    """A network that we cannot read is another one than any that is wanted."""
    try:
        return network(text)
    except ValueError:
        return text.strip()


def flags(wanted: Wanted, found: Iterable[str] = ()) -> dict[str, str]:
    """Every permission that we know or that is on, said outright."""
    return {name: str(int(name in wanted.permissions)) for name in (*PERMISSIONS, *found)}


def settings(wanted: Wanted, found: Iterable[str] = ()) -> dict[str, str]:
    networks = {} if wanted.networks is None else {"networks_for_api_access": ",".join(sorted(wanted.networks))}
    return {"name": wanted.name, **flags(wanted, found), **networks}


async def create(duo: Duo, account: Account, wanted: Wanted) -> Application:
    """Make it. Its secret stays with C(duo). Raises OnboardingError; it is not tried twice, which would make two."""
    operation = f"create the application {wanted.name} of {account.label}"
    # Nobody signs in to an application that only programs use.
    params = {**settings(wanted), "type": ADMIN_API, "user_access": "NO_USERS"}
    made = await duo.ask(post(account, INTEGRATIONS, operation, params, again=False))
    with documented(operation):
        duo.learn(piece(made["integration_key"]), made["secret_key"])
        return parsed(made)


async def update(duo: Duo, account: Account, one: Application, wanted: Wanted) -> Application:
    operation = f"update the application {one.key} of {account.label}"
    return await _read(duo, post(account, f"{INTEGRATIONS}/{one.key}", operation, settings(wanted, one.permissions)))


async def application(duo: Duo, account: Account, key: str) -> Application:
    return await _read(duo, get(account, f"{INTEGRATIONS}/{key}", f"read the application {key} of {account.label}"))


async def _read(duo: Duo, call: Call) -> Application:
    found = await duo.ask(call)
    with documented(call.operation):
        return parsed(found)


async def delete(duo: Duo, account: Account, one: Application) -> None:
    """Remove it, and see that it is gone. Raises OnboardingError."""
    operation = f"delete the application {one.key} of {account.label}"
    path = f"{INTEGRATIONS}/{one.key}"
    query = f"?{signing.query({'account_id': account.id})}" if account.id else ""
    try:
        await duo.ask(Call("DELETE", path + query, operation, account))
    except OnboardingError as error:
        if error.status != GONE:
            raise
    try:
        await application(duo, account, one.key)
    except OnboardingError as error:
        if error.status == GONE:
            return
        raise
    step = "run again; if it stays, let an Owner remove it in Duo's Admin Panel"
    raise RefusedError(operation, "Duo says that it is gone, and still shows it", code="StillThere", next_step=step)


async def secret(duo: Duo, account: Account, key: str) -> str:
    """The secret of an application, which Duo tells again by a call of its own. Raises OnboardingError."""
    if key not in duo.secrets:
        operation = f"read the secret key of {key} of {account.label}"
        found = await duo.ask(get(account, f"/admin/v1/integrations/{key}/skey", operation))
        with documented(operation):
            duo.learn(key, found["secret_key"])
    return duo.secrets[key]


async def children(duo: Duo) -> list[Account]:
    """The child accounts of an Accounts API application. Raises OnboardingError."""
    operation = f"list the child accounts of {duo.own.label}"
    found = await duo.ask(post(duo.own, "/accounts/v1/account/list", operation, {}))
    with documented(operation):
        return [_account(one) for one in found]


def _account(one: Mapping[str, Any]) -> Account:
    """Requests that are signed with our keys go to its host, so that must be the name of one."""
    host = text(one["api_hostname"])
    if not HOST.fullmatch(host):
        raise ValueError(f"api_hostname is {host[:50]!r}")
    return Account(piece(one["account_id"]), host.lower(), words(one.get("name")))


async def attempts(duo: Duo, account: Account, since: float, until: float) -> int:
    """How many authentications were tried in that time, by the summary. Raises OnboardingError."""
    operation = f"read the authentication attempts of {account.label}"
    params = {"mintime": str(int(since)), "maxtime": str(int(until))}
    found = await duo.ask(get(account, "/admin/v1/info/authentication_attempts", operation, params))
    with documented(operation):
        return int(sum(amount(number) for number in found.values()))


async def of_each(
    duo: Duo, accounts: Iterable[Account], look: Callable[[Account], Awaitable[None]], concurrency: int
) -> None:
    """Look at each account, several at a time and within the limits. C(look) begins with a reading call."""
    await interleave([(duo.identity.key, one) for one in accounts], "read", duo.buckets, look, concurrency)
