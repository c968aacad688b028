# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done about providers, the portal's setting and Defender for Cloud's exports: pure, with all the rules.

Facts: learn.microsoft.com «Stream Microsoft Defender XDR events to Event Hubs» (a Security Administrator with
Contributor on the namespace, Microsoft.Insights registered, up to one hub for all tables), «Continuous export».
Four things are called alike, and only the first two are meant here: the portal's streaming, automations of
Microsoft.Security; not its settings of kind DataExportSettings, not Log Analytics' data export.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from ..._core.verdict import Verdict
from ..arm.resources import same_id
from .options import Export
from .tables import EXPORT, STEADY, STREAMING

INSIGHTS, SECURITY = "Microsoft.Insights", "Microsoft.Security"
REGISTERED, REGISTERING = "Registered", "Registering"
# So long without a record of tables that always have some, and the portal's setting is taken for gone.
SILENT_SECONDS = 1800.0
REGISTER, CREATE, UPDATE, DELETE = "register", "create", "update", "delete"
PORTAL, AUTOMATION, PROVIDER = "portal", "automation", "provider"
NO_HUB = "no_event_hub"
HUB_STEP = "run the onboard playbook with role event_hub_export for this namespace and hub first"
NOT_OURS_STEP = "name another export_name, or remove it: it has our name, and not our tag"
BASIC_STEP = "name a namespace of the Standard tier: Basic has no consumer groups and keeps a day only"
CLOSED_STEP = "run: az eventhubs namespace network-rule-set update --enable-trusted-service-access true"


class Automation(NamedTuple):
    """An automation of Defender for Cloud. sources: event source -> whether rules let only a part of it through;

    hubs: as same_id() has them -> the name of the rule whose key sends. Scopes are as same_id() has them.
    """

    id: str
    enabled: bool
    scopes: frozenset[str]
    sources: Mapping[str, bool]
    hubs: Mapping[str, str]
    ours: bool = False

    def view(self) -> dict[str, Any]:
        return {
            "enabled": self.enabled,
            "scopes": sorted(self.scopes),
            "sources": sorted(self.sources),
            "filtered": sorted(name for name, part in self.sources.items() if part),
            "event_hubs": dict(sorted(self.hubs.items())),
        }

    def sends(self, wanted: Automation) -> bool:
        """Whether it sends all that is wanted to the same hub."""
        whole = {name for name, part in self.sources.items() if not part}
        return self.enabled and wanted.scopes <= self.scopes and set(wanted.sources) <= whole and (
            set(wanted.hubs) <= set(self.hubs)
        )  # fmt: skip


def wanted_automation(export: Export, subscription: str, hub: str, rule: str) -> Automation:
    """Ours, in one subscription."""
    place = f"/subscriptions/{subscription}/resourceGroups/{export.group}/providers/{SECURITY}/automations"
    scopes = frozenset({same_id(f"/subscriptions/{subscription}")})
    return Automation(
        f"{place}/{export.name}", True, scopes, dict.fromkeys(export.sources, False), {same_id(hub): rule}, True
    )


def providers(ways: Sequence[str], hub_subscription: str, export: Export) -> list[tuple[str, str]]:
    """(subscription, provider) that have to be registered."""
    streaming = [(hub_subscription, INSIGHTS)] if STREAMING in ways else []
    return [*streaming, *((one, SECURITY) for one in export.subscriptions if EXPORT in ways)]


def provider_verdict(subscription: str, provider: str, state: str, *, leaving: bool) -> Verdict:
    """Never taken back: others may need it."""
    target, subject = f"{provider} in {subscription}", (PROVIDER, subscription, provider)
    if leaving or state == REGISTERED:
        return Verdict(target, IN_SYNC, subject=subject)
    if state == REGISTERING:
        return Verdict(target, WAITING, ("registering",), "Azure is registering it", subject=subject,
                       next_step="run again in some minutes")  # fmt: skip
    after = {"registrationState": REGISTERED}
    return Verdict(target, DRIFTED, ("unregistered",), f"it is {state}", REGISTER, CREATE, subject=subject,
                   before={"registrationState": state}, after=after)  # fmt: skip


def automation_verdict(wanted: Automation, found: Sequence[Automation], *, leaving: bool) -> Verdict:
    """Of one subscription's export. Those that are not ours are left, and count where they send all that is wanted."""
    ours = next((one for one in found if same_id(one.id) == same_id(wanted.id)), None)
    facts = Verdict(wanted.id, IN_SYNC, before=ours, subject=(AUTOMATION, wanted))
    if ours and not ours.ours:
        step, well = NOT_OURS_STEP, leaving or ours.sends(wanted)
        reason = "it has our name and is not ours; it is left"
        return facts._replace(reason=reason) if well else facts._replace(
            status=BLOCKED, drift=("not_ours",), reason=reason, next_step=step
        )  # fmt: skip
    if leaving:
        gone = facts._replace(status=DRIFTED, drift=("unexpected",), reason="it is to be removed", action=DELETE)
        return gone if ours else facts
    if ours is None:
        other = next((one for one in found if one.sends(wanted)), None)
        if other:
            return facts._replace(reason=f"{other.id} sends all of it already")
        return facts._replace(status=DRIFTED, drift=("missing",), action=CREATE, after=wanted)
    drift = tuple(differences(wanted, ours))
    if not drift:
        return facts
    level = DELETE if drift == ("unexpected_source",) else UPDATE
    return facts._replace(status=DRIFTED, drift=drift, action=UPDATE, level=level, after=wanted)


def differences(wanted: Automation, ours: Automation) -> Iterator[str]:
    """Classes of drift."""
    if not ours.enabled:
        yield "disabled"
    if set(ours.hubs) != set(wanted.hubs):
        yield "destination"
    elif ours.hubs != wanted.hubs:
        yield "key"
    if ours.scopes != wanted.scopes:
        yield "scope"
    if set(wanted.sources) - set(ours.sources):
        yield "missing_source"
    if any(ours.sources.get(name) for name in wanted.sources):
        yield "filtered"
    if set(ours.sources) - set(wanted.sources):
        yield "unexpected_source"


class Stream(NamedTuple):
    """What a person pastes into the portal. namespace: its resource id; tenant: whose portal."""

    tenant: str
    setting: str
    namespace: str
    hub: str
    tables: tuple[str, ...]

    def view(self) -> dict[str, Any]:
        return {
            "portal": f"https://security.microsoft.com/?tid={self.tenant}",
            "menu": "Settings > Microsoft Defender XDR > Streaming API > Add",
            "menu_before": "Settings > Endpoints > Data export settings",
            "name": self.setting,
            "event_hub_resource_id": self.namespace,
            "event_hub_name": self.hub,
            "event_types": list(self.tables),
            "roles": f"Security Administrator in Entra and Contributor on {self.namespace}, in one account",
        }

    @property
    def step(self) -> str:
        """The whole of it as one next step."""
        return (
            "as a user with Security Administrator in Entra and Contributor on the namespace, in one account: open "
            f"https://security.microsoft.com/?tid={self.tenant}, Settings > Microsoft Defender XDR > Streaming API > "
            f"Add (it was Settings > Endpoints > Data export settings); name {self.setting}; forward events to Event "
            f"Hub; Event-Hub Resource ID {self.namespace}; Event-Hub name {self.hub}; event types "
            f"{', '.join(self.tables)}. A namespace of another tenant is taken without a word and gets nothing. Verify "
            "tells which tables arrive, within the hour"
        )

    @property
    def removal(self) -> str:
        return (
            f"as a Security Administrator open https://security.microsoft.com/?tid={self.tenant}, Settings > Microsoft "
            f"Defender XDR > Streaming API, and delete {self.setting}; then run offboard again"
        )


def no_hub(stream: Stream, *, leaving: bool) -> Verdict:
    """Nothing can be streamed, and nothing is: the hub is made by another role, before this one."""
    facts = Verdict(f"streaming setting {stream.setting}", IN_SYNC, subject=(PORTAL,))
    return facts if leaving else facts._replace(
        status=BLOCKED, drift=(NO_HUB,), reason="there is no Event Hub for it yet", next_step=HUB_STEP
    )  # fmt: skip


def portal_verdict(stream: Stream, seen: Mapping[str, float] | None, why: str, now: float, *, leaving: bool) -> Verdict:
    """Of the setting that only a person can make: judged by the newest record of each table that is seen.

    seen: None where nobody could look. It is never drift of ours, and never well without a record.
    """
    target = f"streaming setting {stream.setting}"
    facts = Verdict(target, WAITING, subject=(PORTAL,), after=stream)
    if leaving:
        reason = f"whether it is gone cannot be seen: {why}" if seen is None else _still(seen, now)
        return facts._replace(drift=("streaming",), reason=reason, after=None,
                              next_step=stream.removal) if reason else Verdict(target, IN_SYNC)  # fmt: skip
    if seen is None:
        return facts._replace(drift=("handed_over",), reason=f"whether it is set cannot be seen: {why}",
                              next_step=stream.step)  # fmt: skip
    if set(seen) & set(stream.tables):
        return Verdict(target, IN_SYNC, reason="records arrive; verify tells of each table")
    return facts._replace(drift=("handed_over",), reason="no record of it has arrived yet", next_step=stream.step)


def _still(seen: Mapping[str, float], now: float) -> str:
    """Why the setting cannot be taken for gone, '' where it can."""
    if any(when >= now - SILENT_SECONDS for when in seen.values()):
        return "records still arrive"
    if seen and set(seen).isdisjoint(STEADY):
        return "records have arrived, of tables only that may have none for days"
    return ""
