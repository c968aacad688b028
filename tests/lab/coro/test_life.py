# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The life of a connector: tickets, the retry after two hours, Disconnected, Sync, and copies in child workspaces."""

from __future__ import annotations

from typing import Any

import pytest

from lab.client import LabClient, LabError
from lab.testing import running_lab
from tests.lab.coro.coro_tools import (
    CHILDREN,
    CONNECTORS,
    CONTOSO,
    FORMATS,
    RECEIVERS,
    TAILSPIN,
    Coro,
    body_for,
)

TWO_HOURS = 7200
# Names of a ticket and of its details, as Coro's guide shows them.
TICKET = {"id", "workspaceId", "ticketType", "ticketDetails"}
DETAILS = {"affectedUser", "service", "locations", "emailMetadata", "filesMetadata", "firstEventTime", "lastEventTime",
           "creationTime", "processed", "processedTime", "ticketTrigger"}  # fmt: skip


@pytest.fixture
def contoso(lab: LabClient) -> Coro:
    return Coro(lab, "coro-contoso", CONTOSO)


@pytest.fixture
def tailspin(lab: LabClient) -> Coro:
    return Coro(lab, "coro-tailspin", TAILSPIN)


def statuses(lab: LabClient, workspace: str = CONTOSO) -> dict[str, str]:
    return {name: one["status"] for name, one in lab.coro.connectors(workspace).items()}


# -- tickets ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("format_", FORMATS)
def test_a_ticket_arrives(lab: LabClient, contoso: Coro, format_: str) -> None:
    made = contoso.made(**body_for(lab, format_))
    ticket, deliveries = lab.coro.emit(CONTOSO)
    assert [(one["connector"], one["sent"], one["accepted"]) for one in deliveries] == [(made["id"], True, True)]
    events = lab.receivers.events(RECEIVERS[format_])
    assert [event.get("event", event) for event in events][1:] == [ticket]
    assert (set(ticket), ticket["workspaceId"], set(ticket["ticketDetails"])) == (TICKET, CONTOSO, DETAILS)
    framed = lab.receivers.records(RECEIVERS[format_])[-1]["body"]
    assert framed.startswith({"SPLUNK": '{"event": {', "AZURE_SENTINEL": "[{"}.get(format_, '{"id"'))


def test_a_ticket_of_ones_own_goes_by_every_connector(lab: LabClient, contoso: Coro) -> None:
    contoso.made(**body_for(lab, "GENERIC"))
    contoso.made(**body_for(lab, "FLUENCY", name="two"))
    assert lab.coro.emit(CONTOSO, {"id": "mine"})[0] == {"id": "mine"}
    assert lab.receivers.events("generic")[-1] == lab.receivers.events("fluency")[-1] == {"id": "mine"}
    assert lab.coro.emit(TAILSPIN)[1] == []


# -- down and up again ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        ("401", 401, ""),
        ("500", 500, ""),
        ("redirect", 302, ""),
        ("drop", None, "Disconnected"),
        ("timeout", None, "no answer within 0.2 s"),
    ],
)
def test_down_and_up_again(lab: LabClient, contoso: Coro, answer: str, status: int | None, words: str) -> None:
    made = contoso.made(**body_for(lab, "GENERIC"))
    lab.coro.configure(timeout=0.2 if answer == "timeout" else 60.0)
    lab.receivers.configure("generic", answer=answer)
    assert [one["accepted"] for one in lab.coro.emit(CONTOSO)[1]] == [False]
    held = lab.coro.connectors(CONTOSO)["soc"]
    assert (held["status"], held["lastError"]["status"]) == ("CONNECTED", status)
    assert words in held["lastError"]["body"]
    assert [one["sent"] for one in lab.coro.emit(CONTOSO)[1]] == [False]  # it waits, and has no queue
    lab.advance(TWO_HOURS - 60)
    assert statuses(lab) == {"soc": "CONNECTED"}
    lab.advance(61)
    assert contoso.list()[0]["status"] == "DISCONNECTED"
    status_, refused = contoso.sync(made["id"])
    assert (status_, refused["receiver"]["status"]) == (422, status)
    lab.receivers.configure("generic", answer="")
    lab.advance(5 * TWO_HOURS)
    assert [one["sent"] for one in lab.coro.emit(CONTOSO)[1]] == [False]  # nobody retries twice
    lab.coro.configure(timeout=60.0)
    status_, item = contoso.sync(made["id"])
    assert (status_, item["status"], item["lastError"]) == (200, "CONNECTED", None)
    ticket, _deliveries = lab.coro.emit(CONTOSO)
    assert lab.receivers.events("generic")[-1] == ticket
    assert lab.coro.connectors(CONTOSO)["soc"]["lost"] == 3


def test_back_in_time_for_the_retry(lab: LabClient, contoso: Coro) -> None:
    contoso.made(**body_for(lab, "SPLUNK"))
    lab.receivers.configure("splunk", busy=True)
    assert lab.coro.emit(CONTOSO)[1][0]["status"] == 503
    lab.receivers.configure("splunk", busy=False)
    lab.advance(TWO_HOURS + 1)
    item = contoso.list()[0]
    assert (item["status"], item["lastError"]) == ("CONNECTED", None)
    assert lab.coro.emit(CONTOSO)[1][0]["accepted"]


def test_an_edit_reconnects(lab: LabClient, contoso: Coro) -> None:
    made = contoso.made(**body_for(lab, "SPLUNK"))
    lab.coro.set_status(CONTOSO, "soc", "DISCONNECTED")
    assert statuses(lab) == {"soc": "DISCONNECTED"}
    assert contoso.put(made["id"], **body_for(lab, "SPLUNK"))[1]["status"] == "CONNECTED"


def test_the_trap_of_indexer_acknowledgement(lab: LabClient, contoso: Coro) -> None:
    lab.receivers.configure("splunk", ack=True)
    status, answer = contoso.create(**body_for(lab, "SPLUNK"))
    assert (status, answer["receiver"]) == (
        422,
        {"status": 400, "body": '{"text":"Data channel is missing","code":10}'},
    )
    assert "acknowledgement is on" in lab.receivers.records("splunk")[-1]["why"]


# -- a channel and its children ---------------------------------------------------------------------------------------


def test_copies_in_children(lab: LabClient, tailspin: Coro) -> None:
    made = tailspin.made(**body_for(lab, "SPLUNK", applyToAllCustomers=True))
    assert made["applyToAllCustomers"]
    child = tailspin.inside(CHILDREN[0])
    (copy,) = child.list()
    assert (copy["inherited"], copy["channelWorkspaceId"], copy["name"]) == (True, TAILSPIN, "soc")
    assert copy["id"] != made["id"]
    ticket, deliveries = lab.coro.emit(CHILDREN[0])
    assert deliveries[0]["accepted"]
    assert lab.receivers.events("splunk")[-1]["event"] == ticket
    for refused in (child.put(copy["id"], **body_for(lab, "SPLUNK")), child.delete(copy["id"]), child.sync(copy["id"])):
        assert (refused[0], refused[1]["code"]) == (403, "INHERITED")
    tailspin.put(made["id"], **body_for(lab, "SPLUNK", name="siem", applyToAllCustomers=True))
    assert [(one["id"], one["name"]) for one in child.list()] == [(copy["id"], "siem")]
    tailspin.put(made["id"], **body_for(lab, "SPLUNK", name="siem"))
    assert [tailspin.inside(one).list() for one in CHILDREN] == [[], [], []]
    tailspin.put(made["id"], **body_for(lab, "SPLUNK", name="siem", applyToAllCustomers=True))
    assert tailspin.delete(made["id"])[0] == 204
    assert [tailspin.inside(one).list() for one in (TAILSPIN, *CHILDREN)] == [[], [], [], []]


def test_a_copy_has_a_status_of_its_own(lab: LabClient, tailspin: Coro) -> None:
    tailspin.made(**body_for(lab, "SPLUNK", applyToAllCustomers=True))
    lab.coro.set_status(CHILDREN[1], "soc", "DISCONNECTED")
    assert [statuses(lab, one)["soc"] for one in (TAILSPIN, *CHILDREN[:2])] == [
        "CONNECTED",
        "CONNECTED",
        "DISCONNECTED",
    ]


@pytest.mark.parametrize(("switch", "copies"), [("inherit", 1), ("none", 0)])
def test_new_children(lab: LabClient, tailspin: Coro, switch: str, copies: int) -> None:
    tailspin.made(**body_for(lab, "SPLUNK", applyToAllCustomers=True))
    tailspin.made(**body_for(lab, "FLUENCY", name="ours"))
    lab.coro.configure(new_children=switch)
    lab.coro.put_workspace("tailspinnew_Dq1S_b", "Tailspin New", "child", TAILSPIN)
    assert len(tailspin.inside("tailspinnew_Dq1S_b").list()) == copies
    assert tailspin.call("POST", "/v1/workspaces/search", {})[1]["totalElements"] == 4


@pytest.mark.parametrize(("switch", "status"), [("own", 201), ("none", 403)])
def test_connectors_of_a_child_itself(lab: LabClient, tailspin: Coro, switch: str, status: int) -> None:
    lab.coro.configure(child_connectors=switch)
    child = tailspin.inside(CHILDREN[0])
    assert child.create(**body_for(lab, "SPLUNK"))[0] == status
    assert child.create(**body_for(lab, "SPLUNK", name="all", applyToAllCustomers=True))[0] in (422, 403)


def test_a_removed_channel_takes_its_children_along(lab: LabClient, tailspin: Coro) -> None:
    tailspin.made(**body_for(lab, "SPLUNK", applyToAllCustomers=True))
    lab.coro.remove_workspace(TAILSPIN)
    assert {one for one in lab.coro.state()["workspaces"] if one.startswith("tailspin")} == set()
    assert tailspin.call("GET", CONNECTORS)[0] == 403


# -- edits by the console ---------------------------------------------------------------------------------------------


def test_console_edits(lab: LabClient, contoso: Coro) -> None:
    far = {"listenerUrl": "https://siem.example/hook", "headers": [{"name": "X-Key", "value": "v"}]}
    id_ = lab.coro.put_connector(CONTOSO, "portal", "GENERIC", status="DISCONNECTED", **far)
    (item,) = contoso.list()
    assert (item["id"], item["status"], item["listenerUrl"]) == (id_, "DISCONNECTED", far["listenerUrl"])
    lab.coro.rename_connector(CONTOSO, "portal", "other")
    assert lab.coro.connectors(CONTOSO)["other"]["stored"]["headers"] == far["headers"]
    lab.coro.put_connector(CONTOSO, "other", "GENERIC", **far)
    assert [one["name"] for one in contoso.list()] == ["other"]
    lab.coro.remove_connector(CONTOSO, "other")
    assert contoso.list() == []
    lab.reset()
    assert lab.coro.state()["switches"]["unique_names"]


@pytest.mark.parametrize(
    "deed",
    [
        {"do": "dance"},
        {"do": "configure", "blank_secrets": "keep"},
        {"do": "configure", "unique_names": "no"},
        {"do": "configure", "blank_secret": "forget"},
        {"do": "configure", "rate": True},
        {"do": "set_status", "workspace": CONTOSO, "name": "none", "status": "CONNECTED"},
        {"do": "put_connector", "workspace": CONTOSO, "name": "x", "type": "SPLUNK"},
        {"do": "put_connector", "workspace": "nowhere", "name": "x", "type": "SPLUNK"},
        {"do": "put_workspace", "id": "x_1_b", "name": "X", "type": "child"},
        {"do": "put_workspace", "id": "x_1_b", "name": "X", "type": "child", "parent": CONTOSO},
        {"do": "put_workspace", "id": CONTOSO, "name": "X", "type": "channel"},
    ],
)
def test_wrong_deeds_are_refused(lab: LabClient, deed: dict[str, Any]) -> None:
    with pytest.raises(LabError):
        lab.control("POST", "coro", deed)


def test_wrong_options_of_receivers_are_refused(lab: LabClient) -> None:
    for options in ({"receiver": "splunk", "speed": 1}, {"receiver": "qradar"}):
        with pytest.raises(LabError):
            lab.control("POST", "receivers", options)


def test_a_channel_of_any_size() -> None:
    with running_lab("channel:120") as lab:
        bench = Coro(lab, "coro-bench", "bench_0000_u")
        found = [bench.call("POST", "/v1/workspaces/search", {"page": n, "pageSize": 100})[1] for n in range(2)]
        assert [len(page["items"]) for page in found] == [100, 20]
        bench.made(**body_for(lab, "SPLUNK", applyToAllCustomers=True))
        assert bench.inside(found[1]["items"][-1]["id"]).list()[0]["inherited"]
        status = lab.status()
        assert (status["coro"]["workspaces"], status["coro"]["connectors"]) == (121, 121)
