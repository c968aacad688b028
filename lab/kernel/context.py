# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The running lab, and the base of what each vendor holds in it."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, TypeVar, cast

from lab.kernel import ca, scenario
from lab.kernel.clock import Clock
from lab.kernel.faults import Faults
from lab.kernel.registration import Vendor, discover
from lab.kernel.request_log import RequestLog
from lab.kernel.throttle import Throttle

T = TypeVar("T")


class State:
    """What a vendor holds. Mutated by handlers and by control only; single threaded."""

    configurable: ClassVar[tuple[str, ...]] = ()  # attributes that `configure` may set

    def __init__(self, lab: Lab) -> None:
        self.lab = lab

    @property
    def url(self) -> str:
        """The lab's address."""
        return self.lab.url

    def now(self) -> float:
        """World seconds."""
        return self.lab.clock.now()

    def shown(self, seconds: float) -> float:
        """World seconds on the clock that clients have."""
        return self.lab.clock.shown(seconds)

    def close(self) -> None:
        """Another one takes its place, or the lab ends."""

    async def stop(self) -> None:
        """The lab ends, after `close`."""


class Lab:
    """What all vendors share: address, clock, buckets, request log, faults; and each vendor's state."""

    def __init__(
        self,
        name: str,
        *,
        throttle: bool = True,
        latency: float = 0.0,
        vendors: Sequence[Vendor[Any]] | None = None,
    ) -> None:
        self.scenario = name
        self.url = ""
        self.origins: frozenset[str] = frozenset()
        self.vendors = discover() if vendors is None else vendors
        first = sorted(self.vendors, key=lambda vendor: not vendor.within)
        self.owners = {
            segment: [one for one in first if segment in (one.segments or ())]
            for vendor in self.vendors
            for segment in vendor.segments or ()
        }
        self.others = [vendor for vendor in self.vendors if vendor.segments is None]
        self.authority = ca.make_ca()
        self.ca_pem = ca.cert_pem(self.authority.certificate)
        self.clock = Clock()
        self.throttle = Throttle()
        self.requests = RequestLog()
        self.faults = Faults(self.vendors)
        self.started_with = (throttle, latency)
        self._seed = secrets.token_bytes(32)
        self._lasting: dict[str, Any] = {}
        self._states: dict[Any, State] = {}
        self.reset()

    def reset(self) -> None:
        """Back to the scenario as it was when the lab started; what `once` made stays."""
        self.close()
        self._states.clear()
        self.clock.offset = 0.0
        self.faults.clear()
        self.throttle.enabled, self.latency = self.started_with
        self.throttle.clear()
        self.requests.clear()
        self._text = scenario.read(self.scenario)
        for vendor in self.vendors:
            self.of(vendor.state)

    def of(self, kind: type[T]) -> T:
        """A vendor's state by its class, made and loaded when first asked for: so what it stands on comes first."""
        found = self._states.get(kind)
        if found is None:
            found = self._states[kind] = cast(Any, kind)(self)
            for vendor in self.vendors:
                if vendor.state is kind and vendor.load is not None:
                    vendor.load(found, self._text)
        return cast(T, found)

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What outlives a reset, by name: keys, certificates, sessions."""
        if name not in self._lasting:
            self._lasting[name] = make()
        return cast(T, self._lasting[name])

    def derive(self, name: str) -> bytes:
        """32 secret bytes of a name, the same as long as the lab runs."""
        return hmac.new(self._seed, name.encode(), "sha256").digest()

    def serves(self, url: str) -> None:
        self.url = url
        self.origins = frozenset({url, f"https://localhost:{url.rsplit(':', 1)[1]}"})

    def states(self) -> list[State]:
        return list(self._states.values())

    def close(self) -> None:
        for state in self.states():
            state.close()

    async def stop(self) -> None:
        self.close()
        for state in self.states():
            await state.stop()
