# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface that a vendor fills in; everything around it is the skeleton's (converge, preflight, freshness)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

from .coverage import Scope, Seen
from .errors import OnboardingError
from .findings import Finding
from .freshness import Flow
from .options import RunOptions
from .redaction import Redactor
from .verdict import Record, Verdict

WantedT = TypeVar("WantedT")
ClientT = TypeVar("ClientT")


class Give(Protocol):
    """Where a survey's verdicts go."""

    def __call__(self, verdict: Verdict) -> None: ...

    def expect(self, targets: int) -> None:
        """How many verdicts will come, for whoever watches."""


class Applied(NamedTuple):
    """What one write came to, where it is more than done.

    status: '' for the usual (CORRECTED, or as it was where nothing differed), IN_SYNC, DRIFTED or WAITING where nothing
    was written after all; error: with FAILED, of what was written and yet is not as wanted; found: the vendor's object
    at the end; verdict: in place of the one that was given.
    """

    found: Any = None
    status: str = ""
    error: OnboardingError | None = None
    verdict: Verdict | None = None


class Capability(Generic[WantedT, ClientT]):
    """One capability of one vendor. Instances hold no state: one serves all tenants.

    C(name) is what evidence, report and console call it: the role's name, or the module's where a role has several.
    A vendor overrides what it has; the hooks below C(apply) have a sensible default each.
    """

    name = ""
    # Its targets are independent of each other: what is due is written while others are still read, unless the number
    # of writes has to be known first. Its survey raises only before it gives a verdict.
    overlaps = False
    # Its finish may say otherwise of a target that was looked at or written: evidence waits for it.
    proves = False

    def wanted(self, params: Mapping[str, Any]) -> WantedT:
        """The parameters of the module, checked and typed, once. Pure. Raises InputError with every reason."""
        raise NotImplementedError

    def connect(self, wanted: WantedT, options: RunOptions, redactor: Redactor) -> AbstractAsyncContextManager[ClientT]:
        """The client for one run; its secrets are given to the redactor. No request is made before it is entered."""
        raise NotImplementedError

    async def survey(self, client: ClientT, wanted: WantedT, give: Give) -> None:
        """Observe and plan: give a verdict of each target as soon as it is known; one that cannot be read is unknown.

        Raises OnboardingError when nothing can be said of the tenant.
        """
        raise NotImplementedError

    async def apply(self, client: ClientT, wanted: WantedT, verdict: Verdict) -> Applied | None:
        """One write. Raises OnboardingError where it is refused, which is a record and not the end of the tenant."""
        raise NotImplementedError

    async def preflight(self, client: ClientT, wanted: WantedT) -> list[Finding]:
        """What is missing, who must grant it, with which step."""
        raise NotImplementedError

    async def freshness(self, client: ClientT, wanted: WantedT) -> list[Flow]:
        """Whether data arrives, flow by flow. What cannot be read is a flow with an error."""
        raise NotImplementedError

    def flows_so_far(self, client: ClientT) -> list[Flow]:
        """What a verification that runs out of time has seen until then."""
        return []

    # --- hooks of the run

    def stages(self, due: Sequence[Record]) -> Iterable[Sequence[Record]]:
        """The due writes in stages: each one is over before the next begins.

        Where writing overlaps with the survey, this orders those that are due so far.
        """
        return (due,)

    async def each(
        self, client: ClientT, wanted: WantedT, stage: Sequence[Record], write: Callable[[Record], Any]
    ) -> None:
        """Do C(await write(record)) for the records of a stage; one after the other unless a vendor paces them."""
        for record in stage:
            await write(record)

    def veto(self, client: ClientT, verdict: Verdict, records: Mapping[str, Record]) -> OnboardingError | None:
        """Why a due write is not even tried, given what became of the others; None to try it."""
        return None

    async def finish(self, client: ClientT, wanted: WantedT, run: Any) -> None:
        """After the writes, in check mode too: what else is to be read; C(run.keep(record)) adds or replaces."""

    def held_up(self, client: ClientT) -> float:
        """Seconds that the vendor's limits have held the run up so far."""
        return 0.0

    # --- hooks of coverage

    # The role whose memory of scopes this shares with the role's other verbs; '' where nothing can shrink unseen: all
    # that is wanted is named by options, and missed by name where it is not there.
    covers = ""
    # Its targets are what logs come of, and so parts of the tenant; false for what only grants access.
    collects = True
    # The option that names what is expected, where nothing is remembered.
    expects = ""

    def seen(self, client: ClientT, wanted: WantedT) -> Seen | None:
        """The scopes that this run has looked at; None where it came to no look at all of them."""
        return None

    def scopes_of(self, client: ClientT, record: Record) -> Collection[str]:
        """Names of the scopes that a target's record speaks for; the target is one itself unless told otherwise."""
        return (record.target,)

    def wants(self, wanted: WantedT, scope: Scope) -> bool:
        """Whether the options still want a scope that is not seen now."""
        return True

    def regain(self, wanted: WantedT, scope: Scope) -> str:
        """The step by which a scope that has gone is seen again."""
        return ""

    # --- hooks of the result

    def order(self, record: Record) -> Any:
        """The key by which records are listed: the same in every run, whatever order the vendor answers in."""
        return record.target.casefold()

    def lead(self, wanted: WantedT, records: Sequence[Record]) -> str:
        """The first words of the message, as «12 targets in 3 subscriptions»."""
        return f"{len(records)} targets"

    def summary(self, client: ClientT, wanted: WantedT, records: Sequence[Record]) -> Mapping[str, Any]:
        """Further fields of the result's summary: requests, throttled seconds, credentials, scope."""
        return {}

    def outputs(self, client: ClientT, wanted: WantedT, records: Sequence[Record]) -> Mapping[str, Any]:
        """Further fields of the result of a run, as ids that the next task needs."""
        return {}

    def facts(self, client: ClientT, wanted: WantedT) -> Mapping[str, Any]:
        """Further fields of the result of a verb that only reads (preflight, verify)."""
        return {}
