# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The operations of Splunk that are used, from and to its words.

Source: help.splunk.com, REST API reference, saved/searches and configs/conf-{file}: an entry is name, acl and content;
booleans are "1", "0", true or false depending on version; a list is cut at 30 unless count=0 asks for all.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from .._core.bodies import items, mapping, text, words
from .._core.client import documented
from .._core.errors import RefusedError
from .client import Call, Splunk
from .plan import WEBHOOK, AllowList, Search

# In its own context, never by /services/alerts/alert_actions: that leaves a stanza in the app «search».
SETTINGS = "/servicesNS/nobody/system/configs/conf-alert_actions/webhook"
RELOAD = "/servicesNS/nobody/system/alerts/alert_actions/_reload"
ENTRY = "allowlist."
LOG_STEP = "give the token's user a role that may search the index _internal"
TRUE = frozenset({"1", "true", "t", "yes", "on"})


async def searches(client: Splunk) -> list[Search]:
    """All saved searches of all apps that the token sees. Raises OnboardingError."""
    call = Call("GET", "/servicesNS/-/-/saved/searches?count=0&listDefaultActionArgs=true&add_orphan_field=yes",
                "list the saved searches")  # fmt: skip
    answer = await client.call(call)
    with documented(call.operation):
        return [parse(one) for one in items(answer["entry"])]


def parse(one: Any) -> Search:
    """A saved search as it is listed. Raises what ODD_SHAPE names for another shape."""
    acl, content = mapping(one["acl"]), mapping(one["content"])
    listed = words(content.get("actions")).split(",")
    return Search(
        name=text(one["name"]),
        app=text(acl["app"]),
        owner=text(acl["owner"]),
        actions=tuple(name for each in listed if (name := each.strip())),
        url=words(content.get("action.webhook.param.url")),
        digest=flag(content.get("alert.digest_mode", True)),
        disabled=flag(content["disabled"]),
        scheduled=flag(content["is_scheduled"]),
        orphaned=flag(content.get("orphan", False)),
        shared=words(acl.get("sharing")) != "user",
        writable=flag(acl.get("can_write", True)),
    )


def flag(value: Any) -> bool:
    """One of the ways in which Splunk spells yes and no. Raises TypeError."""
    if not isinstance(value, bool | int | str):
        raise TypeError(f"{value!r:.80} is neither yes nor no")
    return str(value).strip().casefold() in TRUE


async def write(client: Splunk, found: Search, after: Search) -> None:
    """Its actions, the webhook's URL, and how often it is sent. Raises OnboardingError."""
    owner = "nobody" if found.shared else found.owner
    path = (
        f"/servicesNS/{quote(owner, safe='')}/{quote(found.app, safe='')}/saved/searches/{quote(found.name, safe='')}"
    )
    form = (
        ("actions", ",".join(after.actions)),
        ("action.webhook", str(int(WEBHOOK in after.actions))),
        ("action.webhook.param.url", after.url),
        ("alert.digest_mode", str(int(after.digest))),
    )
    await client.call(Call("POST", path, f"write the actions of {found.name}", form))


async def allow_list(client: Splunk) -> AllowList:
    """What lets webhooks out. Raises OnboardingError, of settings that are not there, too: each Splunk brings them."""
    call = Call("GET", SETTINGS, "read the settings of the webhook action")
    answer = await client.call(call)
    with documented(call.operation):
        (entry,) = items(answer["entry"])
        return parse_allow_list(entry)


def parse_allow_list(entry: Any) -> AllowList:
    """Raises what ODD_SHAPE names for another shape."""
    content = mapping(entry["content"])
    entries = {
        name.removeprefix(ENTRY): words(value)
        for name, value in content.items()
        if name.startswith(ENTRY) and words(value)
    }
    return AllowList(flag(content.get("enable_allowlist", False)), entries, text(mapping(entry["acl"])["app"]))


async def put_entry(client: Splunk, name: str, expression: str) -> None:
    """Our entry; an empty one is none. Then the settings are read again. Raises OnboardingError."""
    await client.call(Call("POST", SETTINGS, "write our entry of the allow list", ((ENTRY + name, expression),)))
    await client.call(Call("POST", RELOAD, "have the settings of alert actions read again"))


async def capabilities(client: Splunk) -> frozenset[str]:
    """What the token's user may do. Raises OnboardingError."""
    call = Call("GET", "/services/authentication/current-context", "read what the token may do")
    answer = await client.call(call)
    with documented(call.operation):
        (entry,) = items(answer["entry"])
        return frozenset(text(one) for one in items(mapping(entry["content"])["capabilities"]))


# -- what its own log says of webhooks --------------------------------------------------------------------------------

# assumed: the words of splunkd.log; a run is of one search, an exit of none that is named.
RUNS = (
    'search index=_internal sourcetype=splunkd component=sendmodalert action=webhook "Invoking modular alert" '
    '| rex "search=\\"(?<alert>[^\\"]*)\\"" | stats count as runs latest(_time) as newest by alert'
)
FAILURES = (
    "search index=_internal sourcetype=splunkd component=sendmodalert action=webhook "
    '("exit code" OR "Unable to find alert action script") NOT "exit code=0" '
    "| stats count as runs latest(_time) as newest latest(_raw) as text"
)

# splunkd never stops writing: without a line of it, Splunk shows the token nothing of the index, and says so nowhere.
WRITES = "search index=_internal sourcetype=splunkd | head 1 | stats count as lines"


async def readable(client: Splunk, seconds: float) -> None:
    """Raises OnboardingError where splunkd.log is not shown: no search of it says anything then."""
    operation = "search splunkd.log"
    found = await rows(client, WRITES, seconds)
    with documented(operation):
        lines = sum(int(one["lines"]) for one in found)
    if not lines:
        text = "Splunk shows no line of it, and splunkd always writes some"
        raise RefusedError(operation, text, code="NoLog", next_step=LOG_STEP)


async def rows(client: Splunk, query: str, seconds: float) -> list[dict[str, Any]]:
    """The results of a search that is answered at once. Raises OnboardingError."""
    form = (("search", query), ("exec_mode", "oneshot"), ("earliest_time", f"-{int(seconds)}s"), ("count", "0"))
    call = Call("POST", "/services/search/jobs", "search splunkd.log", form)
    answer = await client.call(call)
    with documented(call.operation):
        return [mapping(one) for one in items(answer["results"])]
