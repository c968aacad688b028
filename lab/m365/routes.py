# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Office 365 Management Activity API: who may ask, and what is answered.

Paths, fields, codes: MicrosoftDocs/office-365-management-api @8a539d33. Seen in public issues: AF20024 (400,
coe-starter-kit#2807), 401 with AF10001 (coe-starter-kit#8300), the code that is a text where the audit log is off
(wazuh-documentation#7621), a start soon after a stop that comes to nothing (office-365-management-api#479). Seen in a
client that is in use (SEKOIA-IO/automation-library @151ba32c): no PublisherIdentifier, times with an offset.

Assumed: statuses of all other codes; the order of checks; that a start within 15 minutes of another is AF429, and one
of what is enabled AF20024 before that; that the audit log's text comes for content, too, and never for a list; words of
411; that stopping what is off is AF20022; which calls ActivityFeed.ReadDlp is for.
"""

from __future__ import annotations

import json
import re
import ssl
import uuid
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote, urlsplit

import aiohttp

from lab.entra import directory_roles
from lab.kernel.http import Call, Refusal, Reply, nested, ok
from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.m365.state import CONTENT_TYPES, DAY, DEAD, KEPT, M365, WAIT, Subscription

RESOURCE = directory_roles.RESOURCES["office365_management"]
READ, READ_DLP = "ActivityFeed.Read", "ActivityFeed.ReadDlp"
DLP = "DLP.All"
PER_MINUTE = 2000
_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.I)
_LOOPBACK = ("127.0.0.1", "localhost")
NO_AUDIT = (
    "StartSubscription [CorrId={id}] [TenantId={tenant},ContentType={type},ApplicationId={app},PublisherId={publisher}]"
    "[AppId={app}] failed. Exception: Microsoft.Office.Compliance.Audit.DataServiceException: Tenant {tenant} does not "
    "exist.\r\n   at Microsoft.Office.Compliance.Audit.API.AzureManager.<GetSubscriptionTableClientForTenantAsync>"
    "d__52.MoveNext() in d:\\dbs\\sh\\AzureManager.cs:line 2113"
)


def enter(m365: M365, call: Call) -> None:
    """Token, audience, tenant and role; then the limit."""
    who = m365.entra.tokens.check(call.headers.get("Authorization", ""))
    if who.audience not in (RESOURCE.app_id, *RESOURCE.uris):
        raise nested(401, "AF10001", "The token is one of another audience.")
    tenant = call.args["tenant"]
    if not _GUID.fullmatch(tenant):
        raise nested(400, "AF20013", "The tenant ID passed in the URL is not a valid GUID.")
    if tenant.lower() != who.tid:
        raise nested(
            400, "AF20010", "The tenant ID passed in the URL does not match the tenant ID of the access token."
        )
    needed = READ_DLP if call.query.get("contenttype") == DLP else READ
    if needed not in who.roles:
        had = ",".join(sorted(who.roles))
        text = f"The permission set ({had}) sent in the request does not include the expected permission."
        raise nested(401, "AF10001", text)
    call.principal = who
    whose = call.query.get("publisheridentifier", "")
    m365.publishers.add(whose)
    left, _resets = m365.lab.throttle.window(f"m365 {who.tid} {whose}", PER_MINUTE, 60.0)
    if left < 0:
        raise throttled(call)


def throttled(call: Call) -> Refusal:
    text = f"Too many requests. Method={call.method}, PublisherId={call.query.get('publisheridentifier', '')}"
    return nested(429, "AF429", text)


def _type(call: Call) -> str:
    """The content type, spelled as the reference has it."""
    wanted = call.query.get("contenttype")
    if not wanted:
        raise nested(400, "AF20001", "Missing parameter: contentType.")
    if wanted not in CONTENT_TYPES:
        raise nested(400, "AF20020", f"The specified content type is not valid: {wanted}.")
    return wanted


def _audited(m365: M365, call: Call, type: str) -> None:
    """The code of this error is a text, and the tenant does exist."""
    who = call.who
    if who.tid in m365.audit_off:
        publisher = call.query.get("publisheridentifier", "")
        text = NO_AUDIT.format(id=uuid.uuid4(), tenant=who.tid, type=type, app=who.appid, publisher=publisher)
        raise nested(400, text, text)


# -- subscriptions ----------------------------------------------------------------------------------------------------


def shown(m365: M365, one: Subscription) -> dict[str, Any]:
    status = {} if one.type in m365.m365_no_status else {"status": one.status}
    return {"contentType": one.type, **status, "webhook": one.webhook}


def listing(m365: M365, call: Call) -> Reply:
    return ok([shown(m365, one) for one in m365.of(call.who.tid, call.who.appid) if not one.dead])


async def start(m365: M365, call: Call) -> Reply:
    if "content-length" not in {name.lower() for name in call.headers}:
        raise nested(411, "LengthRequired", "Length Required")
    type, webhook = _type(call), _webhook(call)
    _audited(m365, call, type)
    key = (call.who.tid, call.who.appid, type)
    held, now = m365.subscriptions.get(key), m365.now()
    if held and held.on and not webhook and not held.webhook:
        raise nested(400, "AF20024", "The subscription is already enabled. No property change.")
    if held and now < held.started + WAIT:
        raise throttled(call)
    if webhook:
        await _validate(m365, webhook)
    # What is on keeps its content; a start without a body takes somebody's webhook away.
    made = held if held and held.on else Subscription(type, "enabled", now, held.stopped if held else 0.0)
    made.webhook = webhook
    made.dead = bool(held and not held.on and now < held.stopped + (DEAD if held.dead else WAIT))
    m365.subscriptions[key] = made
    return ok({"contentType": type, "status": "enabled", "webhook": webhook})


def stop(m365: M365, call: Call) -> Reply:
    type = _type(call)
    held = m365.subscriptions.get((call.who.tid, call.who.appid, type))
    if held is None or not held.on:
        raise nested(400, "AF20022", "No subscription found for the specified content type.")
    held.status, held.stopped, held.blobs, held.webhook = "disabled", m365.now(), [], None
    return Reply(200)


def _webhook(call: Call) -> dict[str, Any] | None:
    try:
        given = json.loads(call.body)["webhook"] if call.body else None
    except (ValueError, KeyError, TypeError):
        raise nested(400, "AF20002", "Invalid parameter type: webhook.") from None
    if given is None:
        return None
    if not str(given.get("address", "")).startswith("https://"):
        raise nested(400, "AF20002", "Invalid parameter type: webhook.address.")
    kept = {name: given.get(name) for name in ("address", "authId", "expiration")}
    return {"status": "enabled", **kept, "expiration": kept["expiration"] or None}


async def _validate(m365: M365, webhook: dict[str, Any]) -> None:
    """It must take a code before the subscription is made. Only addresses of this machine are asked."""
    code, trust = str(uuid.uuid4()), ssl.create_default_context(cadata=m365.lab.ca_pem)
    headers = {"Webhook-ValidationCode": code, "Webhook-AuthID": webhook["authId"] or ""}
    status = 0
    if urlsplit(webhook["address"]).hostname in _LOOPBACK:
        try:
            async with (
                aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=5)) as session,
                session.post(webhook["address"], json={"validationCode": code}, headers=headers, ssl=trust) as answer,
            ):
                status = answer.status
        except (aiohttp.ClientError, TimeoutError):
            status = 0
    if status != 200:
        text = f"The webhook endpoint {{{webhook['address']}}} could not be validated. {{HTTP {status}}}"
        raise nested(400, "AF20021", text)


# -- content ----------------------------------------------------------------------------------------------------------


def _window(m365: M365, call: Call) -> tuple[float, float]:
    """(startTime, endTime) as world seconds: both or neither, a day at most, seven days back at most."""
    query, now = call.query, m365.shown(m365.now())
    if ("starttime" in query) != ("endtime" in query):
        raise nested(400, "AF20030", "startTime and endTime must both be specified or both be omitted.")
    if "starttime" not in query:
        return m365.now() - DAY, m365.now() + 1
    since, until = _time(query["starttime"]), _time(query["endtime"])
    if until <= since or until - since > DAY or since < now - KEPT:
        text = f"Start time and end time must be less than or equal to 24 hours apart: {query['starttime']}"
        raise nested(400, "AF20030", text)
    return since + m365.now() - now, until + m365.now() - now


def _time(text: str) -> float:
    """UTC unless it says otherwise. A public client that is in use sends an offset whose plus is bare."""
    try:
        found = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise nested(400, "AF20002", f"Invalid parameter type: {text}. Expected type: DateTime") from None
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()


def _page(m365: M365, call: Call, names: str) -> Reply:
    """Contents or notifications in the window; the next page is told in a header."""
    type = _type(call)
    _audited(m365, call, type)
    held = m365.subscriptions.get((call.who.tid, call.who.appid, type))
    if held is None:
        raise nested(400, "AF20022", "No subscription found for the specified content type.")
    if not held.on:
        raise nested(400, "AF20023", "The subscription was disabled.")
    since, until = _window(m365, call)
    found = [blob for blob in held.blobs if since <= blob.created < until and blob.created <= m365.now()]
    page = call.query.get("nextpage", "0")
    if not page.isdecimal() or int(page) > len(found):
        raise nested(400, "AF20031", f"Invalid nextPage Input: {page}.")
    first = int(page)
    after = first + m365.m365_page_size
    if after < len(found):
        # The reference's own sample has another version in this link.
        given = {key: call.query.get(key.lower()) for key in ("startTime", "endTime")}
        times = "".join(f"&{key}={value}" for key, value in given.items() if value)
        call.extra["NextPageUri"] = (
            f"{m365.host('next')}/api/v1/{call.who.tid}/activity/feed/subscriptions/{names}?contentType={type}"
            f"&PublisherIdentifier={call.query.get('publisheridentifier', '')}{times}&nextPage={after}"
        )
    return ok([_shown(m365, call, blob, names) for blob in found[first:after]])


def _shown(m365: M365, call: Call, blob: Any, names: str) -> dict[str, Any]:
    created = m365.told(blob.created)
    sent = {"notificationSent": created, "notificationStatus": "success"} if names == "notifications" else {}
    return {
        "contentType": blob.type,
        "contentId": blob.id,
        "contentUri": f"{m365.host('content')}/api/v1.0/{call.who.tid}/activity/feed/audit/{quote(blob.id, safe='$')}",
        "contentCreated": created,
        "contentExpiration": m365.told(blob.created + KEPT),
        **sent,
    }


def content(m365: M365, call: Call) -> Reply:
    return _page(m365, call, "content")


def notifications(m365: M365, call: Call) -> Reply:
    """Only of a subscription that has a webhook is anything sent."""
    held = m365.subscriptions.get((call.who.tid, call.who.appid, _type(call)))
    return ok([]) if held and held.on and not held.webhook else _page(m365, call, "notifications")


def blob(m365: M365, call: Call) -> Reply:
    found = m365.blob(call.who.tid, call.who.appid, call.args["id"])
    if found is None or found.lost:
        raise nested(404, "AF20050", f"The specified content ({call.args['id']}) does not exist.")
    if m365.now() > found.created + KEPT:
        raise nested(404, "AF20051", f"Content requested with the key {call.args['id']} has already expired.")
    return ok([{**one, "CreationTime": m365.told(one["CreationTime"])[:19]} for one in found.records])


def _routes(version: str) -> dict[tuple[str, str], Operation]:
    feed = f"/api/{version}/{{tenant}}/activity/feed"
    return {
        ("POST", f"{feed}/subscriptions/start"): Operation("m365.start", start, enter),
        ("POST", f"{feed}/subscriptions/stop"): Operation("m365.stop", stop, enter),
        ("GET", f"{feed}/subscriptions/list"): Operation("m365.list", listing, enter),
        ("GET", f"{feed}/subscriptions/content"): Operation("m365.content", content, enter),
        ("GET", f"{feed}/subscriptions/notifications"): Operation("m365.notifications", notifications, enter),
        ("GET", f"{feed}/audit/{{id}}"): Operation("m365.blob", blob, enter),
    }


ROUTES = Table(_routes("v1.0") | _routes("v1"))
