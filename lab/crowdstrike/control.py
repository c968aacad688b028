# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tests do to CrowdStrike: POST /_lab/crowdstrike with `do` and fields. A CID or client goes by its name.

emit           cid, type, count, partition (in turn unless given), fields (laid over the sample's body)
               -> {"offsets": [[partition, offset], ...]}
rotate_secret  client -> {"secret": the new one}; the old one and its tokens are void
revoke         client; it is gone, with its tokens
scopes         client, scopes (the whole list)
occupy         cid, app_id: somebody else's connector reads by it      release   the same
silence        cid, on: streams stay open and say nothing, not even a keep-alive
cut            cid, app_id, after (events that still arrive whole), middle (true: within a line): drops live streams
end_sessions   cid, app_id: refresh says 404, streams end, feed tokens are void
expire_tokens  cid: Bearer tokens are void
switch         s: token_life, interval (that sessions say), grace (that they live longer), keepalive, skew (that the
               cloud's clock is ahead of the client's)
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Any

from lab.crowdstrike.events import TYPES
from lab.crowdstrike.state import Cid, Client, CrowdStrike
from lab.kernel.http import Call


def apply(falcon: CrowdStrike, _call: Call, body: dict[str, Any]) -> dict[str, Any]:
    """Raises ValueError, KeyError or TypeError naming what is wrong."""
    fields = dict(body)
    name = fields.pop("do", None)
    if name not in _DEEDS:
        raise ValueError(f"do must be one of {sorted(_DEEDS)}, not {name!r}")
    answer = _DEEDS[name](falcon, **fields)
    falcon.notify()
    return answer or {}


def state(falcon: CrowdStrike, _call: Call, _body: Any) -> dict[str, Any]:
    """CIDs with their feeds, clients with their secrets, sessions with what was delivered to them, switches."""
    return {
        "cids": {
            cid.name: {
                "id": cid.id,
                "tenant": cid.tenant,
                "parent": cid.parent,
                "feeds": [
                    {"partition": feed.partition, "next_offset": feed.next_offset, "emitted": feed.emitted}
                    for feed in cid.feeds
                ],
            }
            for cid in falcon.cids.values()
        },
        "clients": {
            client.name: {"id": client.id, "cid": client.cid, "secret": client.secret, "scopes": sorted(client.scopes)}
            for client in falcon.clients.values()
        },
        "sessions": [
            {
                "cid": falcon.cids[session.cid].name,
                "app_id": session.app_id,
                "partition": session.feed.partition,
                "reading": session.alive(),
                "opened": session.opened,
                "refreshed": session.refreshed,
                "delivered": session.delivered,
                "last_offset": session.last_offset,
            }
            for session in falcon.sessions.values()
        ],
        "switches": falcon.switches,
    }


def _cid(falcon: CrowdStrike, name: str) -> Cid:
    return next((cid for cid in falcon.cids.values() if name in (cid.name, cid.id)), None) or _none("CID", name)


def _client(falcon: CrowdStrike, name: str) -> Client:
    found = next((client for client in falcon.clients.values() if name in (client.name, client.id)), None)
    return found or _none("API client", name)


def _none(kind: str, name: str) -> Any:
    raise ValueError(f"there is no {kind} '{name}'")


def _emit(
    falcon: CrowdStrike,
    cid: str,
    type: str = "EppDetectionSummaryEvent",
    count: int = 1,
    partition: int | None = None,
    fields: dict[str, Any] | None = None,
) -> dict[str, Any]:
    if type not in TYPES:
        raise ValueError(f"type must be one of {TYPES}")
    return {"offsets": falcon.emit(_cid(falcon, cid), type, count, falcon.now(), partition, dict(fields or {}))}


def _rotate(falcon: CrowdStrike, client: str) -> dict[str, Any]:
    found = _client(falcon, client)
    found.secret = secrets.token_hex(20)
    _void(falcon, lambda token_client, _cid: token_client == found.id)
    return {"secret": found.secret}


def _revoke(falcon: CrowdStrike, client: str) -> None:
    found = _client(falcon, client)
    del falcon.clients[found.id]
    _void(falcon, lambda token_client, _cid: token_client == found.id)


def _void(falcon: CrowdStrike, which: Callable[[str, str], bool]) -> None:
    for token in [token for token in falcon.tokens.values() if which(token.client, token.cid)]:
        del falcon.tokens[token.value]


def _scopes(falcon: CrowdStrike, client: str, scopes: list[str]) -> None:
    _client(falcon, client).scopes = set(scopes)


def _occupy(falcon: CrowdStrike, cid: str, app_id: str) -> None:
    falcon.occupied.add((_cid(falcon, cid).id, app_id))


def _release(falcon: CrowdStrike, cid: str, app_id: str) -> None:
    falcon.occupied.remove((_cid(falcon, cid).id, app_id))


def _silence(falcon: CrowdStrike, cid: str, on: bool = True) -> None:
    _cid(falcon, cid).silent = on


def _cut(falcon: CrowdStrike, cid: str, app_id: str | None = None, after: int = 0, middle: bool = True) -> None:
    live = [item for item in falcon.found(_cid(falcon, cid).id, app_id) if item.alive()]
    if not live:
        raise ValueError("nobody reads such a stream")
    for session in live:
        session.cut_after, session.cut_middle = after, middle


def _end_sessions(falcon: CrowdStrike, cid: str, app_id: str | None = None) -> None:
    for session in falcon.found(_cid(falcon, cid).id, app_id):
        session.ends = session.token_expires = falcon.now()


def _expire_tokens(falcon: CrowdStrike, cid: str) -> None:
    found = _cid(falcon, cid)
    _void(falcon, lambda _client, token_cid: token_cid == found.id)


def _switch(falcon: CrowdStrike, **switches: float) -> None:
    unknown = set(switches) - set(falcon.switches)
    if unknown:
        raise ValueError(f"unknown switches {sorted(unknown)}")
    falcon.switches.update(switches)


_DEEDS: dict[str, Callable[..., dict[str, Any] | None]] = {
    "emit": _emit,
    "rotate_secret": _rotate,
    "revoke": _revoke,
    "scopes": _scopes,
    "occupy": _occupy,
    "release": _release,
    "silence": _silence,
    "cut": _cut,
    "end_sessions": _end_sessions,
    "expire_tokens": _expire_tokens,
    "switch": _switch,
}
