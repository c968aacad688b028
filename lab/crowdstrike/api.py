# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CrowdStrike's OAuth2 and Event Streams API: token, revoke, discover, refresh, and who may open a feed.

Sources: falconpy 1.6 (operations, 201, expires_in, basic auth of revoke), gofalcon api_streaming and
falcon-integration-gateway (URLs of the feed, Token header, offsets), elastic/beats crowdstrike.go (404 of refresh).
There is never an X-Cs-Region header: falconpy would leave the lab for the real cloud that it names.
"""

from __future__ import annotations

import base64
import re
import time
import uuid
from email.utils import formatdate
from typing import Any
from urllib.parse import parse_qs, urlencode

from lab.crowdstrike.feed import Stream
from lab.crowdstrike.state import READ_STREAMS, Client, CrowdStrike, Session
from lab.kernel.clock import stamp
from lab.kernel.http import Call, Principal, Refusal, Reply, dumps, ok

FEED = "/sensors/entities/datafeed/v1/"
ACTIONS = "/sensors/entities/datafeed-actions/v1/"
REFRESH = "refresh_active_stream_session"
APP_ID = 32  # longest; the documentation also says alphanumeric, but the connector's own default is not
_CLIENT_ID = re.compile(r"[0-9a-f]{32}")
_GATEWAY, _SIGN_IN = "crowdstrike-api-gateway", "csam"


def refuse(status: int, message: str, by: str = _GATEWAY) -> Refusal:
    """The body of every error: meta and a list of code and message (elastic/kibana#235139)."""
    return Refusal(Reply(status, dumps(shape(status, message, by))))


def shape(status: int, message: str, by: str = _GATEWAY) -> dict[str, Any]:
    return {"meta": _meta(by), "errors": [{"code": status, "message": message}]}


def _meta(by: str) -> dict[str, Any]:
    return {"query_time": 0.01, "powered_by": by, "trace_id": str(uuid.uuid4())}


def _client_clock(falcon: CrowdStrike, world_seconds: float) -> float:
    """On the clock of clients, as far as the switch `skew` leaves theirs right."""
    return falcon.shown(world_seconds) + falcon.switches["skew"]


# -- before the handlers ----------------------------------------------------------------------------------------------


def enter(falcon: CrowdStrike, call: Call) -> None:
    """401 without a living Bearer token (CrowdStrike/falconjs#191), 403 without the scope (falconpy#682)."""
    skew(falcon, call)
    scheme, _, value = call.headers.get("Authorization", "").partition(" ")
    token = falcon.tokens.get(value.strip()) if scheme.lower() == "bearer" else None
    if token is None or token.expires <= falcon.now():
        raise refuse(401, "access denied, invalid bearer token")
    call.principal = Principal(token.cid, token.client, token.client, "falcon", token.expires)
    if READ_STREAMS not in falcon.clients[token.client].scopes:
        raise refuse(403, "access denied, authorization failed")


def enter_feed(falcon: CrowdStrike, call: Call) -> None:
    """401 without the session token of this feed, in `Authorization: Token` (gofalcon). Wording assumed."""
    skew(falcon, call)
    session = _session(falcon, call)
    if session is None or session.token_expires <= falcon.now():
        raise refuse(401, "access denied, invalid session token")
    call.principal = Principal(session.cid, session.app_id, session.app_id, "feed", session.token_expires)


def _session(falcon: CrowdStrike, call: Call) -> Session | None:
    scheme, _, value = call.headers.get("Authorization", "").partition(" ")
    session = falcon.sessions.get(value.strip()) if scheme == "Token" else None
    return session if session is not None and call.path == FEED + session.feed.id else None


def skew(falcon: CrowdStrike, call: Call) -> None:
    """A wrong clock at the client is a Date that differs from its own."""
    seconds = falcon.switches["skew"]
    if seconds:
        call.extra["Date"] = formatdate(time.time() + seconds, usegmt=True)


# -- tokens -----------------------------------------------------------------------------------------------------------


def token(falcon: CrowdStrike, call: Call) -> Reply:
    """POST /oauth2/token: a form with client_id, client_secret, member_cid. 201 (falconpy takes no other).

    403 for a wrong pair (elastic/kibana#235139), 400 for what is no client id (ansible_collection_falcon#173).
    Wording for a member CID that is not the client's to manage: assumed.
    """
    skew(falcon, call)
    form = _form(call)
    client_id = form.get("client_id", "")
    if not _CLIENT_ID.fullmatch(client_id) or not form.get("client_secret"):
        raise refuse(400, f"Failed to generate access token for clientID={client_id}.", _SIGN_IN)
    client = _proven(falcon, client_id, form["client_secret"])
    cid = form.get("member_cid", client.cid).lower()
    member = falcon.cids.get(cid)
    if cid != client.cid and (member is None or member.parent != client.cid):
        raise refuse(403, "Failed to issue access token - Not authorized for the member CID", _SIGN_IN)
    made = falcon.issue(client, cid, falcon.now())
    call.principal = Principal(cid, client.id, client.id, "falcon", made.expires)
    life = int(falcon.switches["token_life"])
    return ok({"access_token": made.value, "expires_in": life, "token_type": "bearer"}, 201)


def revoke(falcon: CrowdStrike, call: Call) -> Reply:
    """POST /oauth2/revoke with the client's basic authentication (falconpy). An unknown token is fine (RFC 7009)."""
    scheme, _, value = call.headers.get("Authorization", "").partition(" ")
    try:
        client_id, _, secret = base64.b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        client_id, secret = "", ""
    client = _proven(falcon, client_id if scheme.lower() == "basic" else "", secret)
    given = _form(call).get("token", "")
    held = falcon.tokens.get(given)
    if held is not None and held.client == client.id:
        del falcon.tokens[given]
    return ok({"meta": _meta(_SIGN_IN), "errors": []})


def _form(call: Call) -> dict[str, str]:
    """The last value of each field; 415 for a body of another kind is assumed."""
    if not call.headers.get("Content-Type", "").startswith("application/x-www-form-urlencoded"):
        raise refuse(415, "Unsupported media type", _SIGN_IN)
    return {key: values[-1] for key, values in parse_qs(call.body.decode("utf-8", "replace")).items()}


def _proven(falcon: CrowdStrike, client_id: str, secret: str) -> Client:
    client = falcon.clients.get(client_id)
    if client is None or client.secret != secret:
        raise refuse(
            403,
            "Failed to issue access token - Client authentication failed (e.g., unknown client, no client "
            "authentication included, or unsupported authentication method)",
            _SIGN_IN,
        )
    return client


# -- streams ----------------------------------------------------------------------------------------------------------


def discover(falcon: CrowdStrike, call: Call) -> Reply:
    """GET /sensors/entities/datafeed/v2?appId=&format=: a session for each partition.

    An app id in use gives an empty list (the error text of falcon-integration-gateway). That it is in use while a
    stream is being read, and only then, is assumed, and so is the wording of 400.
    """
    app_id, format_ = _app_id(call), call.query.get("format", "json")
    if format_ not in ("json", "flatjson"):
        raise refuse(400, "Invalid format: use json or flatjson")
    cid = falcon.cids[call.who.tid]
    if falcon.busy(cid.id, app_id):
        return ok({"meta": _meta(_GATEWAY), "resources": [], "errors": []})
    sessions = falcon.open_sessions(cid, app_id, format_, falcon.now())
    return ok({"meta": _meta(_GATEWAY), "resources": [_stream(falcon, item) for item in sessions], "errors": []})


def _stream(falcon: CrowdStrike, session: Session) -> dict[str, Any]:
    app = urlencode({"appId": session.app_id})
    return {
        "dataFeedURL": f"{falcon.url}{FEED}{session.feed.id}?{app}",
        "sessionToken": {
            "token": session.token,
            "expiration": stamp(_client_clock(falcon, session.token_expires)),
        },
        "refreshActiveSessionURL": f"{falcon.url}{ACTIONS}{session.feed.partition}?{app}&action_name={REFRESH}",
        "refreshActiveSessionInterval": int(falcon.switches["interval"]),
    }


def _app_id(call: Call) -> str:
    """The length is checked, the letters are not: the connector's default app id has - and . in it."""
    app_id = call.query.get("appid", "")
    if not 0 < len(app_id) <= APP_ID:
        raise refuse(400, f"appId must have 1 to {APP_ID} characters")
    return app_id


def refresh(falcon: CrowdStrike, call: Call) -> Reply:
    """POST /sensors/entities/datafeed-actions/v1/{partition}: the session lives for another interval.

    404 when there is none (ansible_collection_falcon 4.11.2). That the session's token is not prolonged is assumed.
    """
    app_id, now = _app_id(call), falcon.now()
    if call.query.get("action_name") != REFRESH:
        raise refuse(400, f"Invalid action_name: use {REFRESH}")
    partition = call.path[len(ACTIONS) :]
    living = [
        session
        for session in falcon.found(call.who.tid, app_id)
        if str(session.feed.partition) == partition and session.ends > now
    ]
    if not living:
        raise refuse(404, "Session not found")
    for session in living:
        session.ends = now + falcon.life
        session.refreshed += 1
    return ok({"meta": _meta(_GATEWAY), "errors": []})


def feed(falcon: CrowdStrike, call: Call) -> Reply:
    """GET of a dataFeedURL. Events from `offset` on, which is the first wanted (falcon-integration-gateway sends the
    last seen one plus 1); `whence=2` begins with the next event (the same); `eventType` is a list with commas.

    That a feed without either begins with the oldest kept event, and 409 for a second reader, are assumed.
    """
    session = _session(falcon, call)
    assert session is not None  # enter_feed has seen it
    if session.ends <= falcon.now():
        raise refuse(401, "access denied, invalid session token")
    if falcon.read_by(session):
        raise refuse(409, "This stream is being read already")
    query = call.query
    if not query.get("offset", "0").isdigit():
        raise refuse(400, "Invalid offset")
    start = session.feed.next_offset if query.get("whence") == "2" else int(query.get("offset", "0"))
    types = frozenset(filter(None, query.get("eventtype", "").split(",")))
    return Reply(200, stream=Stream(falcon, session, start, types).run)


def nothing(_falcon: CrowdStrike, call: Call) -> Reply:
    raise refuse(404, f"The lab serves nothing at {call.method} {call.path}")
