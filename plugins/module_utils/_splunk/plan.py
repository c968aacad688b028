# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with saved searches, and with what lets their webhook out: pure, all that knows what is equal.

Facts: help.splunk.com (alert actions, saved/searches): actions of a search are one list; the webhook has one URL for
each search and no header, so the URL is its only secret; the payload has the first row alone, so that a digest of many
loses the rest. From 9.0 on an allow list may be on; on and empty it lets all URLs through, and its regular expressions
are looked for anywhere in the URL. A POST to the settings of the action itself leaves a stanza in the app «search»,
after which no webhook is sent any more: so nothing here writes there, and the stanza is told.
assumed: the path of a URL says which receiver it is, and its query only with which key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from urllib.parse import parse_qs, unquote, urlsplit

from .._core.names import nearest
from .._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from .._core.verdict import Verdict

WEBHOOK = "webhook"
AS_IS, PER_RESULT, DIGEST = DELIVERIES = ("as_is", "per_result", "digest")
ALLOW_LIST, ACTION = "allow list", "webhook action"
NO_URL, UNKNOWN_URL = "no_url", "the relay is not there yet, and its URL is not known"
OWNER_OF_ACTION = "search"  # the app in which a stanza breaks the action
# The retired HTTP Data Collector API, which takes nothing since 2026-09-14.
RETIRED = re.compile(r"\.ods\.opinsights\.azure\.(com|us|cn)$")
STEPS = {
    NO_URL: "have the webhook taken off this search by hand, if it was the relay's",
    "search_missing": "correct the name, or have the search made first",
    "foreign": "set replace for this search if that receiver is no longer needed: a search has one webhook URL",
    "retired": "set replace for this search: that address takes nothing since 2026-09-14",
    "disabled": "have its owner switch the search on, if it is meant to run",
    "unscheduled": "have its owner give the search a schedule: an alert without one never runs",
    "orphaned": "have an administrator reassign the search (Settings > All configurations > Reassign Knowledge "
    "Objects): its owner is gone, and it does not run",
    "ambiguous": "name its app: searches of that name are in several",
    "poisoned": "have an administrator delete the stanza [webhook] in etc/apps/search/local/alert_actions.conf, then "
    "reload: until then every webhook of this Splunk fails",
    "cloud": "have an sc_admin open Settings > Server settings > Webhook allow list and add this expression; the next "
    "run sees it, and verify that alerts leave: ",
}


class Wanted(NamedTuple):
    """A search that is to send. app: '' for the only one that has it; replace: whether another URL may go."""

    name: str
    app: str = ""
    delivery: str = AS_IS
    replace: bool = False


class Search(NamedTuple):
    """A saved search as found. shared: beyond its owner; writable: by the token's user; url: of its webhook."""

    name: str
    app: str
    owner: str
    actions: tuple[str, ...] = ()
    url: str = ""
    digest: bool = True
    disabled: bool = False
    scheduled: bool = True
    orphaned: bool = False
    shared: bool = True
    writable: bool = True

    def view(self) -> dict[str, Any]:
        """Without the key in the URL, which lets anybody send."""
        told = {"actions": list(self.actions), "digest": self.digest}
        return {**told, "webhook": shown(self.url) if self.url else None}


class AllowList(NamedTuple):
    """on: whether there is one; entries: name to expression; app: whose settings of the action count."""

    on: bool
    entries: Mapping[str, str]
    app: str = ""

    def view(self) -> dict[str, Any]:
        return dict(self.entries)


def shown(url: str) -> str:
    """A URL as it may be told: its host, and of the rest a fingerprint, since many a receiver's key is in the path."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''} ({hashlib.sha256(url.encode()).hexdigest()[:8]})"


def place(url: str) -> str:
    """What two URLs of one receiver have in common."""
    parts = urlsplit(unquote(url))
    try:
        port = parts.port or 443
    except ValueError:
        port = 0
    return f"{(parts.hostname or '').lower()}:{port}{parts.path.rstrip('/')}"


def ends(url: str) -> float | None:
    """When a URL ends whose signature has a date, as a Logic App's: in its query as se. None where it says none."""
    try:
        return datetime.fromisoformat(parse_qs(urlsplit(url).query)["se"][0]).timestamp()
    except (KeyError, ValueError, OverflowError):
        return None


def expression(url: str) -> str:
    """The entry of the allow list for a URL: anchored, escaped, and for any key."""
    parts = urlsplit(url)
    port = rf":{parts.port}" if parts.port not in (None, 443) else r"(:443)?"
    return rf"^https://{re.escape((parts.hostname or '').lower())}{port}{re.escape(parts.path)}(\?|$)"


def permits(pattern: str, url: str) -> bool:
    """As Splunk looks for it: anywhere. What is no expression here permits nothing that we know of."""
    try:
        return re.search(pattern, url) is not None
    except re.error:
        return False


# -- searches ---------------------------------------------------------------------------------------------------------


def plan(wanted: Iterable[Wanted], found: Iterable[Search], url: str, *, leaving: bool) -> Iterator[Verdict]:
    """A verdict on each search that is wanted, of a list that was read without doubt."""
    listed = list(found)
    for one in wanted:
        held = [each for each in listed if each.name == one.name and one.app in ("", each.app)]
        if len(held) > 1:
            reason = f"it is in {', '.join(sorted(each.app for each in held))}"
            yield _blocked(one.name, "ambiguous", reason, None)
        elif not held and leaving:
            yield Verdict(one.name, IN_SYNC)
        elif not held:
            close = nearest(one.name, {each.name for each in listed})
            reason = "there is no such search" + (f"; near it is {close}" if close else "")
            yield _blocked(one.name, "search_missing", reason, None)
        else:
            yield (_leaving if leaving else _one)(one, held[0], url)


def _one(wanted: Wanted, found: Search, url: str) -> Verdict:
    idle = _idle(found)
    step = STEPS[idle] if idle else ""
    if not url:
        return Verdict(wanted.name, DRIFTED, (NO_URL, *filter(None, [idle])), UNKNOWN_URL, before=found, next_step=step)
    drift, reasons = [], []
    if found.url and WEBHOOK in found.actions and place(found.url) != place(url):
        retired = RETIRED.search((urlsplit(found.url).hostname or "").lower())
        if not wanted.replace:
            told = "posts to the retired HTTP Data Collector API" if retired else "has the webhook of another receiver"
            return _blocked(wanted.name, "retired" if retired else "foreign", f"it {told}, {shown(found.url)}", found)
        drift, reasons = ["foreign"], ["another receiver's webhook is to be replaced"]
    elif WEBHOOK not in found.actions:
        drift, reasons = ["missing"], ["the webhook is not among its actions"]
    elif unquote(found.url) != unquote(url):
        drift, reasons = ["url"], ["its URL has another key"]
    digest = {PER_RESULT: False, DIGEST: True}.get(wanted.delivery, found.digest)
    if digest != found.digest:
        drift.append("delivery")
        reasons.append(f"it is sent {'once for all results' if found.digest else 'for each result'}")
    after = found._replace(actions=_with(found.actions), url=url, digest=digest)
    told = "; ".join([*reasons, *([f"it is {idle}, which is left"] if idle else [])])
    if not drift:
        return Verdict(wanted.name, IN_SYNC, (idle,) if idle else (), told, before=found, next_step=step)
    level = "create" if drift == ["missing"] else "update"
    return Verdict(wanted.name, DRIFTED, (*drift, *filter(None, [idle])), told, level, level, found, after,
                   step, subject=found)  # fmt: skip


def _idle(found: Search) -> str:
    """Why it never runs, '' where it does."""
    if found.orphaned:
        return "orphaned"
    return "disabled" if found.disabled else "" if found.scheduled else "unscheduled"


def _with(actions: tuple[str, ...]) -> tuple[str, ...]:
    return actions if WEBHOOK in actions else (*actions, WEBHOOK)


def _leaving(wanted: Wanted, found: Search, url: str) -> Verdict:
    if not url and WEBHOOK in found.actions:
        return Verdict(wanted.name, IN_SYNC, reason="kept: without the relay's URL nothing tells whose webhook it has",
                       before=found, next_step=STEPS[NO_URL])  # fmt: skip
    ours = bool(found.url) and place(found.url) == place(url)
    if not ours:
        kept = "kept: its webhook is another receiver's" if WEBHOOK in found.actions else ""
        return Verdict(wanted.name, IN_SYNC, reason=kept, before=found)
    after = found._replace(actions=tuple(one for one in found.actions if one != WEBHOOK), url="")
    return Verdict(wanted.name, DRIFTED, ("unexpected",), "our webhook is to be removed", "delete", "delete", found,
                   after, subject=found)  # fmt: skip


# -- what lets them out -----------------------------------------------------------------------------------------------


def action(found: AllowList) -> Verdict:
    """Whether the action works at all: no write of ours puts it right, since the stanza is another app's file."""
    if found.app.casefold() != OWNER_OF_ACTION:
        return Verdict(ACTION, IN_SYNC)
    reason = "somebody's POST has left its settings in the app search, and every webhook fails"
    return _blocked(ACTION, "poisoned", reason, None)


def allow_list(found: AllowList, name: str, url: str, *, leaving: bool, cloud: bool) -> Verdict:
    """name: of our entry."""
    ours, wanted = found.entries.get(name), expression(url)
    if leaving:
        if ours is None:
            return Verdict(ALLOW_LIST, IN_SYNC)
        after = found._replace(entries={key: value for key, value in found.entries.items() if key != name})
        return Verdict(ALLOW_LIST, DRIFTED, ("unexpected",), "our entry is to be removed", "delete", "delete", found,
                       after, subject=("", name))  # fmt: skip
    if not found.on or not found.entries:
        # The first entry would keep out all other receivers.
        why = "is empty" if found.on else "is off"
        return Verdict(ALLOW_LIST, IN_SYNC, reason=f"it {why}, so every URL is allowed", before=found)
    if not url:
        return Verdict(ALLOW_LIST, DRIFTED, (NO_URL,), UNKNOWN_URL, before=found)
    through = sorted(key for key, value in found.entries.items() if permits(value, url) and key != name)
    if ours == wanted or (ours is None and through):
        by = f"entry {through[0]} of somebody else lets the URL through" if through and ours is None else ""
        return Verdict(ALLOW_LIST, IN_SYNC, reason=by, before=found)
    if cloud:
        step = STEPS["cloud"] + wanted
        return Verdict(ALLOW_LIST, WAITING, ("missing",), "it keeps the URL out", before=found, next_step=step)
    after = found._replace(entries={**found.entries, name: wanted})
    drift, kind = (("missing",), "create") if ours is None else (("changed",), "update")
    return Verdict(ALLOW_LIST, DRIFTED, drift, "it keeps the URL out" if ours is None else "our entry is another",
                   kind, kind, found, after, subject=(wanted, name))  # fmt: skip


def _blocked(target: str, code: str, reason: str, before: Any) -> Verdict:
    return Verdict(target, BLOCKED, (code,), reason, before=before, next_step=STEPS[code])
