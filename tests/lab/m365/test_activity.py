# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's activity feed says what its reference says, and what was seen of it beside that."""

from __future__ import annotations

import calendar
import http.client
import ssl
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE
from tests.lab.conftest import token

SCOPE = "https://manage.office.com/.default"
ENTRA, EXCHANGE, DLP = "Audit.AzureActiveDirectory", "Audit.Exchange", "DLP.All"


class Feed:
    """One tenant's feed, by the app."""

    def __init__(self, lab: LabClient, tenant: str = CONTOSO, scope: str = SCOPE) -> None:
        self.lab, self.tenant = lab, tenant
        self.bearer = {"Authorization": f"Bearer {token(lab, tenant, scope=scope)}"}

    def __call__(self, method: str, operation: str, tenant: str = "", body: Any = None, **query: Any) -> Any:
        """(status, body), the code alone of an error."""
        given = "&".join(f"{name}={value}" for name, value in query.items())
        path = f"/api/v1.0/{tenant or self.tenant}/activity/feed/subscriptions/{operation}?{given}"
        return self.answer(method, path, body)[:2]

    def answer(self, method: str, path: str, body: Any = None) -> tuple[int, Any, dict[str, str]]:
        sent = b"" if body is None and method == "POST" else body
        status, headers, value = self.lab.call(method, path.removeprefix(self.lab.url), sent, self.bearer)
        return status, value["error"]["code"] if status >= 400 else value, headers

    def start(self, type: str = EXCHANGE, **more: Any) -> Any:
        return self("POST", "start", contentType=type, **more)

    def listed(self) -> dict[str, Any]:
        status, found = self("GET", "list")
        assert status == 200
        return {one["contentType"]: one.get("status") for one in found}

    def content(self, type: str = EXCHANGE, since: float = 23 * 3600, until: float = -60.0) -> Any:
        return self("GET", "content", contentType=type, startTime=_ago(since), endTime=_ago(until))


def _ago(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() - seconds))


@pytest.fixture
def feed(lab: LabClient) -> Feed:
    return Feed(lab)


def test_a_subscription_through_its_life(feed: Feed) -> None:
    assert feed("GET", "list") == (200, [])
    assert feed.content() == (400, "AF20022")
    assert feed.start() == (200, {"contentType": EXCHANGE, "status": "enabled", "webhook": None})
    assert feed.start() == (400, "AF20024")
    assert feed.listed() == {EXCHANGE: "enabled"}
    assert feed.content() == (200, [])
    assert feed("POST", "stop", contentType=EXCHANGE)[0] == 200
    assert feed.listed() == {EXCHANGE: "disabled"}
    assert feed.content() == (400, "AF20023")
    assert feed("POST", "stop", contentType=EXCHANGE) == (400, "AF20022")


def test_there_is_no_content_for_twelve_hours_and_none_of_before(feed: Feed) -> None:
    lab = feed.lab
    lab.m365.record(CONTOSO, EXCHANGE)
    feed.start()
    lab.m365.record(CONTOSO, EXCHANGE)
    lab.advance(11.9 * 3600)
    assert feed.content() == (200, [])
    lab.advance(0.2 * 3600)
    ((one,),) = (feed.content()[1],)
    assert set(one) == {"contentType", "contentId", "contentUri", "contentCreated", "contentExpiration"}
    status, records, _headers = feed.answer("GET", one["contentUri"])
    assert (status, records[0]["Workload"], records[0]["OrganizationId"]) == (200, "Exchange", CONTOSO)
    # What is said by the clients' clock: the record is as old as the lab's clock was moved.
    assert abs(time.time() - 12.1 * 3600 - _seconds(records[0]["CreationTime"])) < 60
    lab.advance(7 * 86400)
    assert feed.answer("GET", one["contentUri"])[:2] == (404, "AF20051")


def _seconds(text: str) -> float:
    return calendar.timegm(time.strptime(text[:19], "%Y-%m-%dT%H:%M:%S"))


def test_a_second_start_within_fifteen_minutes_is_throttled(feed: Feed) -> None:
    feed.start()
    feed("POST", "stop", contentType=EXCHANGE)
    assert feed.start() == (429, "AF429")
    assert feed.start(ENTRA)[0] == 200, "the wait is of each content type"


def test_a_start_soon_after_a_stop_comes_to_nothing(feed: Feed) -> None:
    feed.start()
    feed.lab.advance(1000)
    feed("POST", "stop", contentType=EXCHANGE)
    assert feed.start()[0] == 200
    assert (feed.listed(), feed.content()) == ({}, (400, "AF20023"))
    feed.lab.advance(1000)
    assert feed.start()[0] == 200
    assert feed.listed() == {}, "another start does not wake it"
    feed.lab.advance(3 * 86400)
    assert feed.start()[0] == 200
    assert feed.listed() == {EXCHANGE: "enabled"}


def test_a_start_long_after_a_stop_works(feed: Feed) -> None:
    feed.start()
    feed("POST", "stop", contentType=EXCHANGE)
    feed.lab.advance(1000)
    assert feed.start()[0] == 200
    assert feed.listed() == {EXCHANGE: "enabled"}


def test_pages_are_told_in_a_header(feed: Feed) -> None:
    feed.lab.configure(m365_page_size=2, m365_first_delay=0)
    feed.start()
    for _number in range(5):
        feed.lab.m365.record(CONTOSO, EXCHANGE)
    path = f"/api/v1.0/{CONTOSO}/activity/feed/subscriptions/content?contentType={EXCHANGE}&PublisherIdentifier=x"
    sizes = []
    while path:
        status, found, headers = feed.answer("GET", path)
        assert status == 200
        sizes.append(len(found))
        path = headers.get("nextpageuri", "")
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"contentType": "Audit.Sharepoint"}, "AF20020"),
        ({}, "AF20001"),
        ({"contentType": EXCHANGE, "startTime": "2026-01-01"}, "AF20030"),
        ({"contentType": EXCHANGE, "startTime": "yesterday", "endTime": "now"}, "AF20002"),
        ({"contentType": EXCHANGE, "startTime": _ago(8 * 86400), "endTime": _ago(7.5 * 86400)}, "AF20030"),
        ({"contentType": EXCHANGE, "startTime": _ago(86400), "endTime": _ago(-7200)}, "AF20030"),
        ({"contentType": EXCHANGE, "nextPage": "9"}, "AF20031"),
    ],
)
def test_what_is_asked_wrongly_is_refused(feed: Feed, query: dict[str, str], code: str) -> None:
    feed.start()
    assert feed("GET", "content", **query) == (400, code)


@pytest.mark.parametrize("form", ["{:%Y-%m-%dT%H:%M}", "{:%Y-%m-%dT%H:%M:%S}", "{:%Y-%m-%dT%H:%M:%S.%f}+00:00"])
def test_times_have_several_forms(feed: Feed, form: str) -> None:
    """The last is that of a client that others wrote and use."""
    feed.start()
    now = datetime.now(UTC)
    since, until = (form.format(one) for one in (now - timedelta(hours=2), now))
    assert feed("GET", "content", contentType=EXCHANGE, startTime=since, endTime=until) == (200, [])


def test_a_role_that_is_missing_is_a_401_that_names_those_that_are_there(feed: Feed) -> None:
    assert feed.start(DLP) == (401, "AF10001")
    feed.lab.edit("revoke_permission", tenant=CONTOSO, resource="office365_management", permission="ActivityFeed.Read")
    bare = Feed(feed.lab)
    status, _headers, body = feed.lab.call(
        "GET", f"/api/v1.0/{CONTOSO}/activity/feed/subscriptions/list", None, bare.bearer
    )
    assert (status, body["error"]["code"]) == (401, "AF10001")
    assert "The permission set () sent in the request" in body["error"]["message"]


def test_tokens_of_another_tenant_or_api_are_refused(feed: Feed) -> None:
    assert feed("GET", "list", tenant=FABRIKAM) == (400, "AF20010")
    assert feed("GET", "list", tenant="contoso") == (400, "AF20013")
    graph = Feed(feed.lab, scope="https://graph.microsoft.com/.default")
    assert graph("GET", "list")[0] == 401


def test_without_an_audit_log_a_start_is_refused_by_a_text(lab: LabClient) -> None:
    lab.edit("m365_audit", tenant=CONTOSO, on=False)
    feed = Feed(lab)
    status, code = feed.start()
    assert status == 400
    assert f"DataServiceException: Tenant {CONTOSO} does not exist" in code
    assert "AzureManager.cs:line" in code
    assert feed("GET", "list") == (200, [])
    lab.edit("m365_audit", tenant=CONTOSO, on=True)
    assert feed.start()[0] == 200
    assert NORTHWIND in lab.control("GET", "m365")["audit_off"]


def test_a_webhook_has_to_answer(feed: Feed) -> None:
    good = feed.lab.receivers.describe()["generic"]
    hook = {"webhook": {"address": good["url"], "authId": "an id", "expiration": ""}}
    feed.lab.receivers.configure("generic", headers={})
    for answer, expected in (("500", (400, "AF20021")), ("", (200, "enabled"))):
        feed.lab.receivers.configure("generic", answer=answer)
        status, found = feed("POST", "start", contentType=EXCHANGE, body=hook)
        assert (status, found["webhook"]["status"] if status == 200 else found) == expected
    (got,) = feed.lab.receivers.records("generic")[-1:]
    assert set(got["events"][0]) == {"validationCode"}
    assert feed("POST", "start", contentType=EXCHANGE, body={"webhook": {"address": "http://x"}}) == (400, "AF20002")


def test_a_start_without_a_webhook_takes_somebodys_away(feed: Feed) -> None:
    feed.lab.edit("m365_subscribe", tenant=CONTOSO, app=CLIENT_ID, type=EXCHANGE, webhook="https://soar.example/o365")
    assert feed.start() == (200, {"contentType": EXCHANGE, "status": "enabled", "webhook": None})


def test_another_apps_subscriptions_are_not_seen(feed: Feed) -> None:
    feed.lab.edit("m365_subscribe", tenant=CONTOSO, app="another", type=EXCHANGE)
    assert feed.listed() == {}


def test_without_a_length_a_post_is_refused(feed: Feed) -> None:
    trust = ssl.create_default_context(cafile=feed.lab.ca_file)
    bare = http.client.HTTPSConnection(feed.lab.url.removeprefix("https://"), context=trust)
    bare.putrequest("POST", f"/api/v1.0/{CONTOSO}/activity/feed/subscriptions/start?contentType={EXCHANGE}")
    bare.putheader("Authorization", feed.bearer["Authorization"])
    bare.endheaders()
    assert bare.getresponse().status == 411
    bare.close()


def test_four_clouds_have_a_root_each(lab: LabClient) -> None:
    roots = ("manage.office.com", "manage-gcc.office.com", "manage.office365.us", "manage.protection.apps.mil")
    for root in roots:
        assert Feed(lab, PROSEWARE, f"https://{root}/.default")("GET", "list") == (200, [])
