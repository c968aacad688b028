# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the playbook that sends alerts: pure, and all that knows what is equal.

Facts: neither playbooks nor configurations have unique names, so ours bear a tag, and a configuration of ours the name
of its playbook; a trigger configuration counts only where the node and the playbook name it; secrets come back masked,
or not at all; a playbook is switched off after five errors in a row.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ..._core.policy import ON_REQUEST
from ..._core.status import BLOCKED, DRIFTED, IN_SYNC
from ..._core.verdict import Verdict
from . import graph
from .graph import Request
from .profile import Profile

TAG = "mssp-onboarding"
ERRORS_OFF = 5
FILTERS = ("rule_filter", "rule_names_filter")
RESTART_STEP = "see to what the runs failed of, then run onboard once with sekoia_alert_sync_restart: true"
ISSUES_STEP = "open the playbook in Sekoia.io, which marks the block that it cannot start with"
SHOWN_TEXT = 200


class Wanted(NamedTuple):
    """The playbook as the tenant file wants it. uuid: of one that is there, '' for the one of the name."""

    name: str
    request: Request
    rule_names: frozenset[str] = frozenset()
    uuid: str = ""

    @property
    def host(self) -> str:
        return urlsplit(self.request.url).hostname or ""

    def filters(self) -> dict[str, Any]:
        """The value of the trigger configuration."""
        return {"rule_names_filter": sorted(self.rule_names)} if self.rule_names else {}

    def view(self) -> dict[str, Any]:
        return {"name": self.name, "enabled": True, "rule_names": sorted(self.rule_names)} | _shown(
            self.request.arguments(secrets=False)
        )


class Configuration(NamedTuple):
    """Of a trigger or a module. kind: the uuid of that."""

    uuid: str
    name: str
    kind: str
    value: Mapping[str, Any]


class Playbook(NamedTuple):
    """A playbook as Sekoia.io has it. tags, issues: its own and those of its status."""

    uuid: str
    name: str
    status: str
    tags: frozenset[str]
    issues: frozenset[str] = frozenset()
    nodes: graph.Nodes = MappingProxyType({})
    configurations: tuple[tuple[str, str], ...] = ()

    @property
    def trigger(self) -> str:
        """The trigger configuration that its trigger names, '' for none."""
        named = {str(one.get("trigger_configuration_uuid") or "") for one in self.nodes.values()}
        return next(iter(sorted(named - {""})), "")


class Found(NamedTuple):
    """What was read without doubt. playbooks: those that may be meant; errors: of its last runs, the newest first.

    stale: uuids of what holds another secret than is wanted, as far as is known.
    """

    playbooks: Sequence[Playbook] = ()
    triggers: Sequence[Configuration] = ()
    modules: Sequence[Configuration] = ()
    errors: Sequence[str] = ()
    stale: frozenset[str] = frozenset()


class Parts(NamedTuple):
    """What there is of ours."""

    playbook: Playbook | None = None
    trigger: Configuration | None = None
    module: Configuration | None = None

    def __bool__(self) -> bool:
        return any(one is not None for one in self)


class Policy(NamedTuple):
    profile: Profile
    leaving: bool = False
    restart: bool = False


def plan(wanted: Wanted, found: Found, policy: Policy) -> Verdict:
    """The verdict on the playbook."""
    if len(found.playbooks) > 1:
        step = "remove those that nobody uses, or say which is meant by playbook_uuid"
        return _blocked(wanted, "duplicate", _several("playbooks", found.playbooks), step)
    playbook = found.playbooks[0] if found.playbooks else None
    # One that is taken over has our tag from then on: without it, there is nothing of ours to remove.
    if playbook and TAG not in playbook.tags and (policy.leaving or not wanted.uuid):
        reason = f"the playbook {playbook.uuid} has this name and was not made by this collection"
        adopt = f"give it another name, or adopt it by playbook_uuid: {playbook.uuid}"
        step = "remove it in Sekoia.io, if it is meant to go" if policy.leaving else adopt
        return _blocked(wanted, "foreign", reason, step, playbook)
    parts, several = _parts(wanted, found, playbook)
    if several:
        step = "remove in Sekoia.io, at Playbooks > Account, those that no playbook uses"
        return _blocked(wanted, "duplicate", several, step, playbook)
    if policy.leaving:
        before = _view(parts, policy.profile)
        gone = Verdict(
            wanted.name, DRIFTED, ("unexpected",), "it is to be removed", "delete", before=before, subject=parts
        )
        return gone if parts else Verdict(wanted.name, IN_SYNC)
    if playbook is None:
        if wanted.uuid:
            return _blocked(wanted, "missing", f"there is no playbook {wanted.uuid}", "correct playbook_uuid")
        return Verdict(wanted.name, DRIFTED, ("missing",), action="create", after=wanted, subject=parts)
    return _compared(wanted, found, parts, playbook, policy)


def _compared(wanted: Wanted, found: Found, parts: Parts, playbook: Playbook, policy: Policy) -> Verdict:
    drift = differing(wanted, playbook, parts, policy.profile)
    stale = found.stale & {one.uuid for one in parts if one is not None}
    drift |= {"secret_changed": "another secret was sent last"} if stale else {}
    before = _view(parts, policy.profile)
    if not drift:
        return Verdict(wanted.name, IN_SYNC, before=before, subject=parts)
    reason = "; ".join(drift.values())
    if set(drift) == {"disabled"} and len(found.errors) >= ERRORS_OFF:
        reason = f"it was switched off after {ERRORS_OFF} errors in a row: {found.errors[0][:SHOWN_TEXT]}"
        if not policy.restart:
            return _blocked(wanted, "disabled", reason, RESTART_STEP, playbook)
        return Verdict(wanted.name, DRIFTED, ("disabled",), reason, "update", ON_REQUEST, before, wanted, subject=parts)
    if set(drift) == {"configuration_issues"}:
        return _blocked(wanted, "configuration_issues", reason, ISSUES_STEP, playbook)
    return Verdict(wanted.name, DRIFTED, tuple(drift), reason, "update", before=before, after=wanted, subject=parts)


def differing(wanted: Wanted, playbook: Playbook, parts: Parts, profile: Profile) -> dict[str, str]:
    """Class of drift -> the reason, the gravest first; secrets, which nobody can see, are not among them."""
    trigger, module = parts.trigger, parts.module
    fires = trigger is not None and graph.wired(playbook.nodes, playbook.configurations, trigger.uuid)
    enabled = playbook.status in profile.enabled
    issues = sorted(playbook.issues & profile.issues)
    found = {
        "never_fires": "" if fires else _never(enabled),
        "disabled": "" if enabled else f"its status is {playbook.status[:40] or 'not told'}",
        **_graph(wanted, playbook, module),
        "trigger_filter": _filter(wanted, trigger),
        "name": "" if playbook.name == wanted.name else f"its name is {playbook.name[:80]!r}",
        "configuration_issues": f"Sekoia.io says {', '.join(issues)}" if issues else "",
    }
    return {name: text for name, text in found.items() if text}


def _never(enabled: bool) -> str:
    text = "its trigger configuration is not named both by the node and by the playbook, so that no alert starts it"
    return f"it is on, and {text}" if enabled else text


def _filter(wanted: Wanted, trigger: Configuration | None) -> str:
    if trigger is None:
        return ""
    held = {name: trigger.value[name] for name in FILTERS if trigger.value.get(name)}
    if isinstance(held.get("rule_names_filter"), list):
        held["rule_names_filter"] = sorted(map(str, held["rule_names_filter"]))
    if held == wanted.filters():
        return ""
    return f"it starts for {str(held)[:SHOWN_TEXT]} only" if held else "it starts for the alerts of all rules"


def _graph(wanted: Wanted, playbook: Playbook, module: Configuration | None) -> dict[str, str]:
    """What the blocks do otherwise. Where the way from block to block differs, one by one means nothing."""
    want = graph.meaning(graph.built(wanted.request, wanted.host, "", module.uuid if module else "none", secrets=False))
    have = graph.meaning(playbook.nodes)
    ways = [
        {key: _without(one, ("arguments", *graph.CONFIGURATIONS)) for key, one in side.items()} for side in (want, have)
    ]
    if ways[0] != ways[1]:
        return {"graph": "its blocks, or what leads from one to the next, differ"}
    uses = {have[key].get("module_configuration_uuid") for key in want if "module_configuration_uuid" in want[key]}
    sends = (wanted.request.arguments(secrets=False), graph.sends(playbook.nodes))
    others = [
        {key: one.get("arguments") for key, one in side.items() if one.get("action_uuid") != graph.REQUEST_URL}
        for side in (want, have)
    ]
    rest = [_without(one, ("url", "json")) for one in sends]
    good = module is not None and uses == {module.uuid}
    return {
        "target_url": "" if sends[0]["url"] == sends[1].get("url") else f"it sends to {str(sends[1].get('url'))[:200]}",
        "payload": "" if sends[0]["json"] == sends[1].get("json") else "it sends other fields",
        "request": "" if rest[0] == rest[1] else "it signs in otherwise, or the request has other settings",
        "graph": "" if others[0] == others[1] else "a block that reads or comments has other arguments",
        "module_configuration": "" if good else "its blocks do not use the module configuration of ours",
    }


def _without(one: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    return {name: value for name, value in one.items() if name not in names}


def _parts(wanted: Wanted, found: Found, playbook: Playbook | None) -> tuple[Parts, str]:
    """What there is of ours, or why nobody can say which configuration that is."""
    used = {playbook.trigger} if playbook else set()
    used |= {str(one.get("module_configuration_uuid") or "") for one in playbook.nodes.values()} if playbook else set()
    chosen: list[Configuration | None] = []
    for kind, held in (("trigger", found.triggers), ("module", found.modules)):
        named = [one for one in held if one.name == wanted.name]
        mine = [one for one in named if one.uuid in used] or named
        if len(mine) > 1:
            return Parts(), _several(f"{kind} configurations", mine)
        chosen.append(mine[0] if mine else None)
    return Parts(playbook, *chosen), ""


def _several(what: str, found: Sequence[Any]) -> str:
    return f"{len(found)} {what} have this name: {', '.join(sorted(one.uuid for one in found))}"


def left_behind(wanted: Wanted, listed: Sequence[Playbook], profile: Profile) -> list[Verdict]:
    """Playbooks that bear our tag, are on, and are not named by the tenant file: they send, too."""
    others = [one for one in listed if TAG in one.tags and one.status in profile.enabled]
    return [
        Verdict(
            f"{one.name[:80]} ({one.uuid})",
            BLOCKED,
            ("left_behind",),
            "it was made by this collection under another name, and still sends alerts",
            next_step="remove it in Sekoia.io, or run offboard with sekoia_alert_sync_name as it is called",
        )
        for one in others
        if one.name != wanted.name and one.uuid != wanted.uuid
    ]


def definition(wanted: Wanted, trigger: str, module: str, tags: Iterable[str] = ()) -> dict[str, Any]:
    """All of the playbook, secrets included: what is left out of a PATCH, or sent masked, might be lost."""
    return {
        "name": wanted.name,
        "description": f"Sends each alert to {wanted.host}. Made by mssp.onboarding, which corrects changes.",
        "tags": sorted({TAG, *tags}),
        "nodes": graph.built(wanted.request, wanted.host, trigger, module, secrets=True),
        "trigger_configurations": [{"uuid": trigger, "trigger_uuid": graph.ALERT_CREATED}],
    }


def _view(parts: Parts, profile: Profile) -> dict[str, Any]:
    playbook, trigger, _module = parts
    if playbook is None:
        return {}
    rules = trigger.value.get("rule_names_filter") if trigger else None
    shown = {
        "name": playbook.name[:SHOWN_TEXT],
        "enabled": playbook.status in profile.enabled,
        "rule_names": sorted(map(str, rules)) if isinstance(rules, list) else [],
    }
    return shown | _shown(graph.sends(playbook.nodes))


def _shown(arguments: Mapping[str, Any]) -> dict[str, Any]:
    body = arguments.get("json")
    return {
        "target_url": str(arguments.get("url", ""))[:SHOWN_TEXT],
        "auth": str(arguments.get("auth_type", "None"))[:SHOWN_TEXT],
        "json": {str(name): str(value)[:SHOWN_TEXT] for name, value in sorted(body.items())}
        if isinstance(body, Mapping)
        else {},
    }


def _blocked(wanted: Wanted, drift: str, reason: str, step: str, playbook: Playbook | None = None) -> Verdict:
    facts = {"playbook_uuid": playbook.uuid} if playbook else {}
    return Verdict(wanted.name, BLOCKED, (drift,), reason, next_step=step, facts=facts)
