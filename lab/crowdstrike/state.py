# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's CrowdStrike cloud: CIDs with their feeds, API clients, tokens and stream sessions.

Times are world seconds, so moving the lab's clock ends tokens and sessions.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import secrets
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

READ_STREAMS = "event-streams:read"  # our name of the console's scope «Event streams: read»
KEPT = 100_000  # events of a feed
SESSIONS = 1000  # the newest
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(frozen=True, slots=True)
class Event:
    """`number` makes the sample's values differ; `fields` are laid over the sample's."""

    offset: int
    type: str
    at: float  # world seconds
    number: int
    fields: dict[str, Any]


@dataclass(slots=True)
class Feed:
    """A partition of a CID's stream; offsets count up by one, per feed, and begin somewhere."""

    id: str
    partition: int
    first: int
    events: deque[Event] = field(default_factory=lambda: deque(maxlen=KEPT))
    emitted: int = 0

    @property
    def next_offset(self) -> int:
        return self.first + self.emitted

    def add(self, type_: str, at: float, fields: dict[str, Any]) -> None:
        self.events.append(Event(self.next_offset, type_, at, self.emitted, fields))
        self.emitted += 1

    def since(self, offset: int) -> Iterator[Event]:
        """From that offset on, or from the oldest that is kept."""
        if self.events:
            start = max(0, offset - self.events[0].offset)
            yield from itertools.islice(self.events, start, None)


@dataclass(slots=True)
class Cid:
    """A customer id. `parent`: the CID that manages it by Flight Control."""

    id: str
    name: str
    tenant: str  # slug
    parent: str | None
    feeds: list[Feed]
    silent: bool = False  # streams stay open and say nothing, no keep-alive either


@dataclass(slots=True)
class Client:
    """An API client of the console."""

    id: str
    name: str
    cid: str
    secret: str
    scopes: set[str]


@dataclass(slots=True)
class Token:
    value: str
    client: str
    cid: str
    expires: float


@dataclass(slots=True)
class Session:
    """What one discover call gave for one partition. `alive` asks whether its stream's connection is open."""

    token: str
    cid: str
    app_id: str
    feed: Feed
    format: str
    token_expires: float
    ends: float
    delivered: int = 0
    last_offset: int | None = None
    opened: int = 0
    refreshed: int = 0
    cut_after: int | None = None  # events still to be delivered whole before the stream is cut
    cut_middle: bool = True
    alive: Callable[[], bool] = lambda: False


class CrowdStrike(State):
    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.cids: dict[str, Cid] = {}
        self.clients: dict[str, Client] = {}
        self.tokens: dict[str, Token] = {}
        self.sessions: dict[str, Session] = {}  # by feed token
        self.occupied: set[tuple[str, str]] = set()  # (cid, app id) that somebody else's connector uses
        self.switches: dict[str, float] = {"token_life": 1799, "interval": 1800, "grace": 0}
        self.switches |= {"keepalive": 5.0, "skew": 0}
        self.closed = False
        self.changed = asyncio.Event()

    def notify(self) -> None:
        """Wake every stream: there is something new to send or to notice."""
        self.changed.set()
        self.changed = asyncio.Event()

    def close(self) -> None:
        """Ends every stream."""
        self.closed = True
        self.notify()

    # -- tokens and sessions --------------------------------------------------------------------------------------

    def issue(self, client: Client, cid: str, now: float) -> Token:
        token = Token(secrets.token_urlsafe(96), client.id, cid, now + self.switches["token_life"])
        self.tokens = {value: held for value, held in self.tokens.items() if held.expires > now}
        self.tokens[token.value] = token
        return token

    @property
    def life(self) -> float:
        """Seconds that a session lives without a refresh."""
        return self.switches["interval"] + self.switches["grace"]

    def busy(self, cid: str, app_id: str) -> bool:
        """An app id is taken as long as somebody reads a stream by it."""
        return (cid, app_id) in self.occupied or any(session.alive() for session in self.found(cid, app_id))

    def read_by(self, session: Session) -> bool:
        """Somebody reads this partition by this app id, in whichever session."""
        return any(other.alive() for other in self.found(session.cid, session.app_id) if other.feed is session.feed)

    def found(self, cid: str | None = None, app_id: str | None = None) -> list[Session]:
        return [
            session
            for session in self.sessions.values()
            if cid in (None, session.cid) and app_id in (None, session.app_id)
        ]

    def open_sessions(self, cid: Cid, app_id: str, format_: str, now: float) -> list[Session]:
        end = now + self.life
        made = [Session(secrets.token_urlsafe(48), cid.id, app_id, feed, format_, end, end) for feed in cid.feeds]
        self.sessions.update((session.token, session) for session in made)
        for token in list(self.sessions)[:-SESSIONS]:
            del self.sessions[token]
        return made

    def emit(
        self, cid: Cid, type_: str, count: int, now: float, partition: int | None, fields: dict[str, Any]
    ) -> list[tuple[int, int]]:
        """(partition, offset) of the new events, which go to the partitions in turn unless one is named."""
        feeds = cid.feeds if partition is None else [cid.feeds[partition]]
        turn = sum(feed.emitted for feed in feeds)
        made = []
        for number in range(turn, turn + count):
            feed = feeds[number % len(feeds)]
            made.append((feed.partition, feed.next_offset))
            feed.add(type_, now, fields)
        self.notify()
        return made


# -- scenario files ---------------------------------------------------------------------------------------------------


def load(falcon: CrowdStrike, scenario: Scenario) -> None:
    """The key `falcon` of a scenario."""
    text = scenario.get("falcon", {})
    names = {item["name"]: item["id"] for item in text.get("cids", [])}
    for item in text.get("cids", []):
        feeds = [_feed(item, partition) for partition in range(item.get("partitions", 1))]
        parent = names[item["parent"]] if "parent" in item else None
        falcon.cids[item["id"]] = Cid(item["id"], item["name"], item["tenant"], parent, feeds)
    for item in text.get("clients", []):
        secret = falcon.lab.derive(f"falcon/{item['name']}").hex()[:40]
        client = Client(item["id"], item["name"], names[item["cid"]], secret, set(item.get("scopes", ())))
        falcon.clients[client.id] = client


def _feed(item: dict[str, Any], partition: int) -> Feed:
    name = hashlib.sha256(f"{item['id']}/{partition}".encode()).digest()
    return Feed("".join(_LETTERS[byte % 36] for byte in name[:20]), partition, item["first_offset"] + 1000 * partition)
