# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Duo's Admin API and Accounts API: who may ask, and what is answered.

Paths and fields: duo.com/docs/adminapi, duo.com/docs/accountsapi, duo_client 5.7. Codes of errors: 40103, 40301 and
42901 are published or seen; 40002, 40101, 40102, 40105 and 40401 follow the published numbering. Assumed: the order of
checks, words of message_detail, pages of 500 at most, which permission opens skey and the attempts, that an Accounts
API application has every permission in a child, that a call of the API is in the administrator log.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from functools import partial
from typing import Any

from lab.duo import signature
from lab.duo.state import ACCOUNTS, ADMIN, PERMISSIONS, Account, Application, Duo, new_secret
from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table

TEXTS = {
    40002: (400, "Invalid request parameters"),
    40101: (401, "Missing request credentials"),
    40102: (401, "Invalid integration key in request credentials"),
    40103: (401, "Invalid signature in request credentials"),
    40105: (401, "Bad request timestamp"),
    40301: (403, "Access forbidden"),
    40401: (404, "Resource not found"),
    42901: (429, "Too Many Requests"),
}
# A minute and application: a statement of Duo's staff of 2019, and of the documents for logs.
LIMITS = {"read": 300, "write": 300, "log": 2}
DAY = 86400.0
LOG_DAYS = 180
LOG_DELAY = 120.0
MAX_LIMIT = {"integrations": 500, "authentication": 1000}


def shape(code: str, message: str, status: int) -> dict[str, Any]:
    """The body of an error. A code that is no number, as a fault may have, is told by the status."""
    return {"stat": "FAIL", "code": int(code) if code.isdigit() else status * 100, "message": message}


def fail(code: int, detail: str = "") -> Refusal:
    status, text = TEXTS[code]
    return Refusal(
        Reply(status, dumps(shape(str(code), text, status) | ({"message_detail": detail} if detail else {})))
    )


def answer(response: Any, **more: Any) -> Reply:
    return ok({"stat": "OK", "response": response, **more})


# -- who may ask ------------------------------------------------------------------------------------------------------


def enter(duo: Duo, call: Call, *, permission: str = "", limit: str = "read") -> None:
    """permission: '' for the Accounts API. The principal's tid is the account that is worked on."""
    key, given = signature.credentials(call)
    if not key:
        raise fail(40101)
    caller = duo.applications.get(key)
    if caller is None or caller.type not in (ADMIN, ACCOUNTS):
        raise fail(40102)
    if not signature.fresh(call, duo.shown(duo.now())):
        raise fail(40105)
    if not signature.signed(call, caller.secret, given):
        raise fail(40103)
    account = _account(duo, call, caller, permission)
    left, _resets = duo.lab.throttle.window(f"duo {key} {call.path if limit == 'log' else limit}", LIMITS[limit], 60.0)
    if left < 0:
        raise fail(42901)
    call.principal = Principal(account.id, key, key, "duo", 0.0, frozenset(_permissions(caller)))


def _account(duo: Duo, call: Call, caller: Application, permission: str) -> Account:
    """The account that is worked on, which is a child's where an Accounts API application names one."""
    account = duo.accounts[caller.account]
    wanted = str(params(call).get("account_id", "")) if permission else ""
    if wanted:
        child = duo.accounts.get(wanted)
        if caller.type != ACCOUNTS or child is None or child.parent != account.id or child.elsewhere:
            raise fail(40301)
        account = child
    elif (caller.type == ACCOUNTS) == bool(permission):
        raise fail(40301)
    if signature.host(call) != account.host:
        raise fail(40102)
    if not account.admin_api or not _admitted(caller.networks) or (permission not in ("", *_permissions(caller))):
        raise fail(40301)
    return account


def _permissions(caller: Application) -> set[str]:
    return set(PERMISSIONS) if caller.type == ACCOUNTS else caller.permissions


def _admitted(networks: str) -> bool:
    """Everybody who asks the lab does so from the loopback address."""
    here = ipaddress.ip_address("127.0.0.1")
    return not networks or any(
        "-" not in one and here in ipaddress.ip_network(one, strict=False) for one in networks.split(",")
    )


def params(call: Call) -> dict[str, Any]:
    """Of the query, or of a body of either form."""
    if call.method == "GET" or not call.body:
        return call.query
    if "json" not in call.headers.get("Content-Type", ""):
        return Call("GET", "", "", call.body.decode(), {}).query
    try:
        found = json.loads(call.body)
    except ValueError:
        raise fail(40002) from None
    return found if isinstance(found, dict) else {}


# -- applications -----------------------------------------------------------------------------------------------------


def shown(one: Application, secret: str = "") -> dict[str, Any]:
    """As the API shows it: a secret is masked, but for the last four."""
    return {
        "integration_key": one.key,
        "secret_key": secret or "*" * (len(one.secret) - 4) + one.secret[-4:],
        "name": one.name,
        "type": one.type,
        "user_access": "NO_USERS",
        "networks_for_api_access": one.networks,
        **{name: int(name in one.permissions) for name in PERMISSIONS if one.type == ADMIN},
    }


def listing(duo: Duo, call: Call) -> Reply:
    held = duo.of(call.who.tid)
    try:
        limit = min(int(call.query.get("limit", duo.duo_page_size)), duo.duo_page_size, MAX_LIMIT["integrations"])
        offset = int(call.query.get("offset", 0))
    except ValueError:
        raise fail(40002, "limit, offset") from None
    after = offset + limit
    metadata = {"total_objects": len(held)} | ({"next_offset": after} if after < len(held) else {})
    return answer([shown(one) for one in held[offset:after]], metadata=metadata)


def _one(duo: Duo, call: Call) -> Application:
    found = duo.applications.get(call.args["key"])
    if found is None or found.account != call.who.tid:
        raise fail(40401)
    return found


def get(duo: Duo, call: Call) -> Reply:
    return answer(shown(_one(duo, call)))


def skey(duo: Duo, call: Call) -> Reply:
    return answer({"secret_key": _one(duo, call).secret})


def create(duo: Duo, call: Call) -> Reply:
    given = params(call)
    if not given.get("name") or given.get("type") not in (ADMIN, "authapi", "rdp"):
        raise fail(40002, "name, type")
    flags = _flags(duo, call, given, set())
    made = duo.add(call.who.tid, str(given["name"]), str(given["type"]), flags, _networks(given, ""))
    _note(duo, call, "integration_create", made)
    return answer(shown(made, made.secret))


def update(duo: Duo, call: Call) -> Reply:
    one, given = _one(duo, call), params(call)
    flags, networks = _flags(duo, call, given, one.permissions), _networks(given, one.networks)
    one.permissions, one.networks, one.name = flags, networks, str(given.get("name") or one.name)
    reset = str(given.get("reset_secret_key", "0")) == "1"
    if reset:
        one.secret = new_secret()
    _note(duo, call, "integration_update", one)
    return answer(shown(one, one.secret if reset else ""))


def delete(duo: Duo, call: Call) -> Reply:
    gone = _one(duo, call)
    del duo.applications[gone.key]
    _note(duo, call, "integration_delete", gone)
    return answer("")


def _flags(duo: Duo, call: Call, given: dict[str, Any], held: set[str]) -> set[str]:
    """The permissions afterwards. Names that do not exist are passed over."""
    named = {name: str(given[name]).lower() in ("1", "true") for name in PERMISSIONS if name in given}
    wanted = {name for name in PERMISSIONS if named.get(name, name in held)}
    if wanted == held or "adminapi_allow_to_set_permissions" in call.who.roles:
        return wanted
    if duo.duo_refuses_flags:
        raise fail(40301)
    return held


def _networks(given: dict[str, Any], held: str) -> str:
    text = str(given.get("networks_for_api_access", held))
    for one in filter(None, text.split(",")):
        try:
            for end in one.split("-"):
                ipaddress.ip_network(end.strip(), strict=False)
        except ValueError:
            raise fail(40002, "networks_for_api_access") from None
    return text


def _note(duo: Duo, call: Call, action: str, one: Application) -> None:
    duo.note(call.who.tid, "administrator", duo.now(), action=action, object=one.name, username="API")


# -- logs -------------------------------------------------------------------------------------------------------------


def _since(duo: Duo, call: Call, unit: float) -> tuple[float, float]:
    """(mintime, maxtime) on the clock that clients have, in seconds."""
    now = duo.shown(duo.now())
    try:
        since = float(call.query["mintime"]) / unit
        until = float(call.query["maxtime"]) / unit if "maxtime" in call.query else now
    except (KeyError, ValueError):
        raise fail(40002, "mintime, maxtime") from None
    if since >= until or since <= now - LOG_DAYS * DAY:
        raise fail(40002, "mintime")
    return since, until


def _records(duo: Duo, call: Call, log: str, unit: float) -> list[dict[str, Any]]:
    """Records of the log, the oldest first, with their time on the clients' clock. The newest are not there yet."""
    since, until = _since(duo, call, unit)
    known = duo.now() - LOG_DELAY
    held = sorted(duo.accounts[call.who.tid].records[log], key=lambda one: float(one["at"]))
    told = [{**one, "timestamp": int(duo.shown(one["at"]))} for one in held if one["at"] <= known]
    found = [one for one in told if since <= one["timestamp"] <= until]
    return [{name: value for name, value in one.items() if name != "at"} for one in found]


def authentication(duo: Duo, call: Call) -> Reply:
    if "maxtime" not in call.query:
        raise fail(40002, "maxtime")
    records = _records(duo, call, "authentication", 1000.0)
    order = call.query.get("sort", "ts:desc")
    try:
        limit = int(call.query.get("limit", 100))
    except ValueError:
        raise fail(40002, "limit") from None
    if order not in ("ts:asc", "ts:desc") or not 0 < limit <= MAX_LIMIT["authentication"]:
        raise fail(40002, "sort, limit")
    records = records[::-1] if order == "ts:desc" else records
    shown_, rest = records[:limit], records[limit:]
    following = [str(shown_[-1]["timestamp"] * 1000), "lab"] if rest else None
    return answer({"authlogs": shown_, "metadata": {"next_offset": following, "total_objects": len(records)}})


def plain(duo: Duo, call: Call) -> Reply:
    """Version 1: seconds, the oldest 1000."""
    return answer(_records(duo, call, call.args["log"], 1.0)[:1000])


def attempts(duo: Duo, call: Call) -> Reply:
    since, until = _since(duo, call, 1.0)
    made = [one for one in duo.accounts[call.who.tid].attempts if since <= duo.shown(one) <= until]
    return answer({"ERROR": 0, "FAILURE": 0, "FRAUD": 0, "SUCCESS": len(made)})


# -- the Accounts API -------------------------------------------------------------------------------------------------


def children(duo: Duo, call: Call) -> Reply:
    held = [one for one in duo.accounts.values() if one.parent == call.who.tid]
    return answer([{"account_id": one.id, "api_hostname": one.host, "name": one.name} for one in held])


INTEGRATIONS = "/admin/v3/integrations"


def _known(kind: str, handler: Callable[[Duo, Call], Reply], permission: str, limit: str = "read") -> Operation:
    return Operation(f"duo.{kind}", handler, partial(enter, permission=permission, limit=limit))


ROUTES = Table(
    {
        ("GET", INTEGRATIONS): _known("integrations.list", listing, "adminapi_integrations"),
        ("POST", INTEGRATIONS): _known("integrations.create", create, "adminapi_integrations", "write"),
        ("GET", f"{INTEGRATIONS}/{{key}}"): _known("integrations.get", get, "adminapi_integrations"),
        ("POST", f"{INTEGRATIONS}/{{key}}"): _known("integrations.update", update, "adminapi_integrations", "write"),
        ("DELETE", f"{INTEGRATIONS}/{{key}}"): _known("integrations.delete", delete, "adminapi_integrations", "write"),
        ("GET", "/admin/v1/integrations/{key}/skey"): _known("integrations.skey", skey, "adminapi_integrations"),
        ("GET", "/admin/v2/logs/authentication"): _known(
            "logs.authentication", authentication, "adminapi_read_log", "log"
        ),
        ("GET", "/admin/v1/logs/{log}"): _known("logs.plain", plain, "adminapi_read_log", "log"),
        ("GET", "/admin/v1/info/authentication_attempts"): _known("info.attempts", attempts, "adminapi_info"),
        ("POST", "/accounts/v1/account/list"): _known("accounts.list", children, ""),
    }
)
