# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Splunk's management port, as far as saved searches and the webhook go, and the webhook itself.

Paths, fields, JSON and Atom: help.splunk.com, REST API reference; what splunk-sdk 2.1.1 asks of both (Atom for every
entity, with eai:acl). From public reports: a POST to alerts/alert_actions/webhook leaves a stanza in the app «search»,
after which webhooks fail with «Unable to find alert action script»; the allow list is looked for anywhere in the URL,
and on and empty it allows all; the payload has the first row only, in digest mode as in the other.

Assumed: texts of errors beside «call not properly authenticated» and «Could not find object»; that the webhook's
receiver is reached by the lab's own authority; the fields that a oneshot search over _internal gives.
"""

from __future__ import annotations

import json
import re
import ssl
from typing import Any
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape

import aiohttp

from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.splunk.state import Line, Search, Splunk

SEARCHES = "/servicesNS/{owner}/{app}/saved/searches"
NAMED = SEARCHES + "/{name}"
CONF = "/servicesNS/nobody/{app}/configs/conf-alert_actions/webhook"
ENTRY = "allowlist."
NO_SCRIPT = 'Unable to find alert action script for action="webhook" in app="search"'


def refusal(status: int, text: str, kind: str = "ERROR") -> Refusal:
    return Refusal(Reply(status, dumps({"messages": [{"type": kind, "text": text}]})))


def enter(splunk: Splunk, call: Call) -> None:
    if call.headers.get("Authorization") not in (f"Bearer {splunk.token}", f"Splunk {splunk.token}"):
        raise refusal(401, "call not properly authenticated", "WARN")
    call.principal = Principal("splunk", "admin", "admin", "splunk", 0.0)


def form(call: Call) -> dict[str, str]:
    return dict(parse_qsl(call.body.decode(), keep_blank_values=True))


# -- JSON and Atom ----------------------------------------------------------------------------------------------------


def entry(one: Search) -> dict[str, Any]:
    acl = {"app": one.app, "owner": one.owner, "sharing": one.sharing, "can_write": one.can_write}
    content: dict[str, Any] = {**one.content, "orphan": "1" if one.orphan else "0"}
    for name in ("disabled", "is_scheduled", "alert.digest_mode"):
        content[name] = content[name] == "1"
    return {"name": one.name, "acl": acl, "content": content}


def feed(splunk: Splunk, call: Call, entries: list[dict[str, Any]], status: int = 200) -> Reply:
    """A list of entities in the form that is asked for."""
    if (call.query.get("output_mode") or form(call).get("output_mode")) == "json":
        return ok({"entry": entries, "paging": {"total": len(entries), "perPage": 30, "offset": 0}}, status)
    inner = "".join(_atom(splunk, one) for one in entries)
    text = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xmlns:s="http://dev.splunk.com/ns/rest" '
        'xmlns:opensearch="http://a9.com/-/spec/opensearch/1.1/"><title>x</title>'
        f"<opensearch:totalResults>{len(entries)}</opensearch:totalResults>{inner}</feed>"
    )
    return Reply(status, text.encode(), "text/xml; charset=utf-8")


def _atom(splunk: Splunk, one: dict[str, Any]) -> str:
    app, owner = one["acl"]["app"], one["acl"]["owner"]
    path = f"/servicesNS/{owner}/{app}/saved/searches/{one['name']}"
    keys = _dict({**one["content"], "eai:acl": one["acl"]})
    return (
        f"<entry><title>{escape(one['name'])}</title><id>{escape(splunk.url + path)}</id>"
        f'<link href="{escape(path)}" rel="alternate"/><link href="{escape(path)}" rel="edit"/>'
        f'<content type="text/xml">{keys}</content></entry>'
    )


def _dict(values: dict[str, Any]) -> str:
    def told(value: Any) -> str:
        if isinstance(value, dict):
            return _dict(value)
        return str(int(value)) if isinstance(value, bool) else escape(str(value))

    return (
        "<s:dict>"
        + "".join(f'<s:key name="{key}">{told(value)}</s:key>' for key, value in values.items())
        + "</s:dict>"
    )


# -- saved searches ---------------------------------------------------------------------------------------------------


def listing(splunk: Splunk, call: Call) -> Reply:
    app = call.args["app"]
    found = [entry(one) for one in splunk.searches.values() if app in ("-", one.app)]
    most = int(call.query.get("count", 30))  # 0 and, as splunk-sdk says it, -1 for all
    return feed(splunk, call, found[:most] if most > 0 else found)


def _search(splunk: Splunk, call: Call) -> Search:
    app, name = call.args["app"], call.args["name"]
    # splunk-sdk writes a blank in a path as a plus.
    found = splunk.searches.get((app, name)) or splunk.searches.get((app, name.replace("+", " ")))
    if found is None:
        raise refusal(404, f"Could not find object id={name}")
    return found


def get(splunk: Splunk, call: Call) -> Reply:
    return feed(splunk, call, [entry(_search(splunk, call))])


def update(splunk: Splunk, call: Call) -> Reply:
    found, given = _search(splunk, call), form(call)
    if not found.can_write:
        raise refusal(403, "You do not have permission to edit this search")
    given.pop("output_mode", None)
    found.content |= given
    return feed(splunk, call, [entry(found)])


def create(splunk: Splunk, call: Call) -> Reply:
    given = form(call)
    name, app = given.pop("name"), call.args["app"]
    if (app, name) in splunk.searches:
        raise refusal(409, f"Unable to create saved search with name '{name}'. A saved search with that name already "
                      "exists.")  # fmt: skip
    given.pop("output_mode", None)
    return feed(splunk, call, [entry(splunk.add(name, app, **given))], 201)


# -- settings of the action -------------------------------------------------------------------------------------------


def settings(splunk: Splunk, call: Call) -> Reply:
    acl = {"app": "search" if splunk.poisoned else "alert_webhook", "owner": "nobody", "sharing": "system"}
    return feed(splunk, call, [{"name": "webhook", "acl": acl, "content": dict(splunk.settings)}])


def put_settings(splunk: Splunk, call: Call) -> Reply:
    if "edit_webhook_allow_list" not in splunk.capabilities:
        raise refusal(403, "You (user=admin) do not have permission to perform this operation (requires capability: "
                      "edit_webhook_allow_list).")  # fmt: skip
    given = form(call)
    given.pop("output_mode", None)
    splunk.settings |= given
    splunk.settings = {key: value for key, value in splunk.settings.items() if value or not key.startswith(ENTRY)}
    return settings(splunk, call)


def poison(splunk: Splunk, call: Call) -> Reply:
    """What the documentation invites to, and breaks every webhook."""
    splunk.poisoned = True
    return settings(splunk, call)


def reload(_splunk: Splunk, _call: Call) -> Reply:
    return ok({})


def context(splunk: Splunk, call: Call) -> Reply:
    acl = {"app": "system", "owner": "system", "sharing": "system"}
    return feed(splunk, call, [{"name": "context", "acl": acl, "content": {"capabilities": splunk.capabilities}}])


# -- searches that run ------------------------------------------------------------------------------------------------


def jobs(splunk: Splunk, call: Call) -> Reply:
    """A oneshot search over splunkd.log, of those that verify asks; who may not search the index finds nothing."""
    given = form(call)
    if "head 1" in given["search"]:
        return ok({"results": [{"lines": str(int(splunk.shows_log))}]})
    if not splunk.shows_log:
        return ok({"results": []})
    since = splunk.now() - float(given.get("earliest_time", "-86400s").strip("-s"))
    lines = [one for one in splunk.log if one.at >= since]
    if "Invoking" in given["search"]:
        names = sorted({one.search for one in lines})
        return ok(
            {"results": [_stats(splunk, [one for one in lines if one.search == name], alert=name) for name in names]}
        )
    lost = [one for one in lines if one.failed]
    return ok({"results": [_stats(splunk, lost, text=lost[-1].failed if lost else "")] if lost else []})


def _stats(splunk: Splunk, lines: list[Line], **more: str) -> dict[str, str]:
    return {"runs": str(len(lines)), "newest": str(splunk.shown(max(one.at for one in lines))), **more}


async def dispatch(splunk: Splunk, call: Call) -> Reply:
    """POST saved/searches/{name}/dispatch: with trigger_actions the webhook is really sent."""
    found = _search(splunk, call)
    sid = f"admin__admin__{found.app}__{len(splunk.log)}"
    if form(call).get("trigger_actions") == "1" and "webhook" in found.content["actions"].split(","):
        await _fire(splunk, found, sid)
    return ok({"sid": sid}, 201)


async def _fire(splunk: Splunk, found: Search, sid: str) -> None:
    rows = splunk.rows.get(found.name, [{"count": "1"}])
    # In either mode the payload has one row; a digest loses the rest.
    for row in rows[:1] if found.content["alert.digest_mode"] == "1" else rows:
        payload = {"sid": sid, "search_name": found.name, "app": found.app, "owner": found.owner,
                   "results_link": f"{splunk.url}/app/search?sid={sid}", "result": row}  # fmt: skip
        failed = await _send(splunk, found.content.get("action.webhook.param.url", ""), payload)
        splunk.log.append(Line(splunk.now(), found.name, failed))


async def _send(splunk: Splunk, url: str, payload: dict[str, Any]) -> str:
    """Why it did not get out, '' where it did."""
    if splunk.poisoned:
        return NO_SCRIPT
    entries = [value for key, value in splunk.settings.items() if key.startswith(ENTRY)]
    if splunk.settings["enable_allowlist"] == "1" and entries and not any(re.search(one, url) for one in entries):
        return "action=webhook - Alert action script returned error code=1: the URL is not in the allow list"
    trust = ssl.create_default_context(cadata=splunk.lab.ca_pem)
    try:
        async with aiohttp.ClientSession() as session:
            headers = {"Content-Type": "application/json", "User-Agent": "Splunk/lab"}
            async with session.post(url, data=json.dumps(payload), ssl=trust, headers=headers) as answer:
                return (
                    ""
                    if answer.status < 300
                    else f"action=webhook - Webhook receiver responded with HTTP status={answer.status}"
                )
    except aiohttp.ClientError as error:
        return f"action=webhook - exit code=2: {error}"


ROUTES = Table(
    {
        ("GET", SEARCHES): Operation("splunk.searches.list", listing, enter),
        ("POST", SEARCHES): Operation("splunk.searches.create", create, enter),
        ("GET", NAMED): Operation("splunk.searches.get", get, enter),
        ("POST", NAMED): Operation("splunk.searches.update", update, enter),
        ("POST", NAMED + "/dispatch"): Operation("splunk.searches.dispatch", dispatch, enter),
        ("GET", CONF): Operation("splunk.settings.get", settings, enter),
        ("POST", CONF): Operation("splunk.settings.put", put_settings, enter),
        ("POST", "/services/alerts/alert_actions/webhook"): Operation("splunk.action.post", poison, enter),
        ("POST", "/servicesNS/{owner}/{app}/alerts/alert_actions/_reload"): Operation("splunk.reload", reload, enter),
        ("GET", "/services/authentication/current-context"): Operation("splunk.context", context, enter),
        ("POST", "/services/search/jobs"): Operation("splunk.jobs", jobs, enter),
    }
)
