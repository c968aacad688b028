# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with a log subscription of an appliance: pure, and all that knows what is equal and ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from xml.etree import ElementTree  # of text without a DTD  # nosec B405

from .._core.errors import malformed
from .._core.status import BLOCKED, DRIFTED, IN_SYNC
from .._core.verdict import Verdict
from .contract import ELEMENTS, LABELS, SECTIONS

# Whose name begins so is ours, wherever it sends to.
OURS = "mssp_"
SCP, SYSLOG, FTP = "scp_push", "syslog_push", "ftp_push"
HOST_KEY = "host_key"
MENU = "logconfig at the appliance's command line"
FOREIGN_STEP = f"give ours another name, or have this one removed by {MENU} if nobody needs it"
LEFT_STEP = f"have it removed by {MENU} if it was ours; or name the collector and source that it sent to, and run again"
TYPE_STEP = f"have it removed by {MENU}, or give ours another name: its type cannot be changed"
FTP_STEP = f"have it changed by {MENU}: FTP sends password and logs in the clear"
SIZES = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
DURATION = re.compile(r"(?:\d{1,7}[dhms])+")
SIZE = re.compile(r"(\d{1,12})([kmg]?)")


class Wanted(NamedTuple):
    """A subscription as the tenant file wants it. fields: what the export tells of one; host_keys: our collector's."""

    name: str
    fields: Mapping[str, str]
    host_keys: tuple[str, ...] = ()

    def view(self) -> dict[str, Any]:
        return {"name": self.name, **self.fields}

    def answers(self) -> dict[str, str]:
        """What is answered to each question that may come; values that are not asked for are in a label's place."""
        held = dict(self.fields)
        interval = held.pop("rollover_interval", "")
        if "identifier_format" in held:
            held["identifiers"] = "yes"
        return held | {
            "name": self.name,
            "rollover": "yes" if interval else "no",
            "rollover_kind": "interval",
            "rollover_interval": interval,
            "protocol": "2",
            "host_key_by": "manual",
            "host_key": "\n".join(self.host_keys),
            "message_size": "",
            "disk_buffer": "no",
        }


class Subscription(NamedTuple):
    """One as an appliance has it; fields in our words."""

    name: str
    fields: Mapping[str, str]

    def view(self) -> dict[str, Any]:
        return {"name": self.name, **self.fields}


class Found(NamedTuple):
    """What an export holds. host_keys: those that the appliance has pinned, by host."""

    subscriptions: tuple[Subscription, ...]
    host_keys: Mapping[str, tuple[str, ...]]

    def named(self, name: str) -> list[Subscription]:
        return [one for one in self.subscriptions if one.name == name]


def seconds(text: str) -> int:
    """Of an interval as 1h30m. Raises ValueError."""
    if not DURATION.fullmatch(text.strip().lower()):
        raise ValueError(text)
    return sum(int(number) * SECONDS[unit] for number, unit in re.findall(r"(\d+)([dhms])", text.lower()))


def size(text: str) -> int:
    """Bytes, of a size as 10M. Raises ValueError."""
    found = SIZE.fullmatch(text.strip().lower())
    if not found:
        raise ValueError(text)
    return int(found[1]) * SIZES[found[2]]


MEASURES = {"rollover_interval": seconds, "max_size": size}


def value(field: str, text: str) -> Any:
    """What is compared: by value, whatever way it is written."""
    try:
        return MEASURES[field](text) if field in MEASURES and text else text
    except ValueError:
        return text


def found(text: str) -> Found:
    """The subscriptions of an export. Only these sections are read. Raises NoAnswerError for another shape."""
    parts = [_section(text, name) for name in SECTIONS]
    keys: dict[str, tuple[str, ...]] = {}
    for one in parts[1]:
        host = _text(one, "hostname")
        keys[host] = (*keys.get(host, ()), _text(one, "key"))
    return Found(tuple(_subscription(one) for one in parts[0]), keys)


def _section(text: str, name: str) -> list[ElementTree.Element]:
    start, end = text.find(f"<{name}>"), text.find(f"</{name}>")
    inside = text[start : end + len(name) + 3] if 0 <= start < end else ""
    try:
        if not inside or "<!" in inside or text.count(f"<{name}>") > 1:
            raise ValueError(f"there is no section {name} that can be read")
        return list(ElementTree.fromstring(inside))  # no DTD can be in it  # nosec B314
    except (ValueError, ElementTree.ParseError) as error:
        raise malformed("read the appliance's configuration", error) from error


def _text(element: ElementTree.Element, name: str) -> str:
    return " ".join((element.findtext(name) or "").split())


def _subscription(element: ElementTree.Element) -> Subscription:
    fields = {ours: _text(element, theirs) for theirs, ours in ELEMENTS.items()}
    for topic in ("type", "log_level", "method", "facility", "transport"):
        fields[topic] = word(topic, fields[topic])
    return Subscription(fields.pop("name"), {name: text for name, text in fields.items() if text})


def word(topic: str, label: str) -> str:
    """Our word for a label, or the label itself."""
    low = label.casefold()
    return next((one for one, labels in LABELS[topic].items() if low in [text.casefold() for text in labels]), label)


def ours(wanted: Wanted, one: Subscription) -> bool:
    """By its name, or since it sends where ours would: nobody else's is touched."""
    same = all(one.fields.get(field) == wanted.fields.get(field, "") for field in ("method", "host"))
    return one.name.startswith(OURS) or same


def plan(target: str, wanted: Wanted, held: Found, *, leaving: bool) -> Verdict:
    """The verdict on one subscription of one appliance, of an export that was read without doubt."""
    named = held.named(wanted.name)
    if len(named) > 1:
        return _blocked(target, "duplicate", f"{len(named)} subscriptions have the name {wanted.name}", FOREIGN_STEP)
    one = named[0] if named else None
    if one is not None and not ours(wanted, one):
        if leaving and "host" not in wanted.fields:
            reason = f"{wanted.name} is there, and nothing says whether it sends where ours did"
            return _blocked(target, "foreign", reason, LEFT_STEP)
        if leaving:
            return Verdict(target, IN_SYNC, reason="the one of this name is not ours, and stays")
        where = f"{one.fields.get('method', 'unknown')} to {one.fields.get('host', 'nowhere')}"
        return _blocked(target, "foreign", f"{wanted.name} is there, and not ours: {where}", FOREIGN_STEP)
    if leaving:
        gone = Verdict(target, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=one)
        return gone if one else Verdict(target, IN_SYNC)
    if one is None:
        return Verdict(target, DRIFTED, ("missing",), "", "create", after=wanted)
    drift, reason = differing(wanted, one, held)
    if "type" in drift:
        return _blocked(target, "type", reason, TYPE_STEP)._replace(before=one)
    if not drift:
        return _with_twins(Verdict(target, IN_SYNC, before=one), wanted, held)
    return Verdict(target, DRIFTED, drift, reason, "update", before=one, after=wanted)


def differing(wanted: Wanted, one: Subscription, held: Found) -> tuple[tuple[str, ...], str]:
    """(classes of drift, the reason)."""
    classes = {
        field: f"{field} is {one.fields.get(field, '')!r} and not {text!r}"
        for field, text in wanted.fields.items()
        if value(field, one.fields.get(field, "")) != value(field, text)
    }
    if "rollover_interval" not in wanted.fields and one.fields.get("rollover_interval"):
        classes["rollover_interval"] = f"it rolls over each {one.fields['rollover_interval']}, and should by size alone"
    pinned = held.host_keys.get(wanted.fields["host"], ())
    if wanted.host_keys and not set(wanted.host_keys) <= set(pinned):
        classes[HOST_KEY] = "the collector's host key is not the one that the appliance has pinned: it would not push"
    return tuple(classes), "; ".join(classes.values())


def _with_twins(verdict: Verdict, wanted: Wanted, held: Found) -> Verdict:
    """Others that send the same logs are told: they may be meant, and are not ours."""
    kind = wanted.fields["type"]
    twins = [
        one.name
        for one in held.subscriptions
        if one.name != wanted.name and one.fields.get("type") == kind and one.fields.get("method") in (SCP, SYSLOG, FTP)
    ]
    return verdict._replace(reason=f"{kind} logs are pushed by {', '.join(twins)}, too") if twins else verdict


def by_ftp(held: Found) -> list[str]:
    return [one.name for one in held.subscriptions if one.fields.get("method") == FTP]


def others(held: Found, name: str) -> Sequence[Subscription]:
    return [one for one in held.subscriptions if one.name != name]


def as_planned(verdict: Verdict, wanted: Wanted, before: Found, now: Found) -> str:
    """Why what is to be committed is not what was planned; '' where it is."""
    if others(before, wanted.name) != others(now, wanted.name):
        return "other subscriptions have changed meanwhile"
    left = now.named(wanted.name)
    if verdict.action == "delete":
        return "it is still there" if left else ""
    if len(left) != 1:
        return f"{len(left)} subscriptions have the name"
    return differing(wanted, left[0], now)[1]


def _blocked(target: str, drift: str, reason: str, step: str) -> Verdict:
    return Verdict(target, BLOCKED, (drift,), reason, next_step=step)


def target(appliance: str, name: str) -> str:
    return f"{appliance}/{name}"
