# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pysnc 1.2, which ServiceNow wrote, works against the lab unmodified, and is refused what a table refuses."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.client import LabClient
from lab.servicenow.client import USER
from lab.testing import ROOT, running_lab

PYTHON = ROOT / ".cache" / "peers" / "pysnc" / "bin" / "python"
DRIVER = ROOT / "tests" / "lab" / "servicenow" / "pysnc_driver.py"


@pytest.fixture(scope="module")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


Pysnc = Callable[..., Any]


@pytest.fixture(scope="module")
def pysnc(fleet: LabClient) -> Iterator[Pysnc]:
    """One process for all tests. requests takes an authority that the environment names before the session's own."""
    if not PYTHON.exists():
        pytest.skip("there is no pysnc in .cache/peers/pysnc")
    environment = {**os.environ, "REQUESTS_CA_BUNDLE": str(fleet.ca_file)}
    with subprocess.Popen(
        [PYTHON, DRIVER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as driver:
        assert driver.stdin
        assert driver.stdout

        def call(do: str, user: str = USER, password: str = "", **arguments: Any) -> Any:
            assert driver.stdin
            assert driver.stdout
            given = {
                "url": fleet.url,
                "ca_file": fleet.ca_file,
                "user": user,
                "password": password or fleet.servicenow.password(user),
                "do": do,
                "with": arguments,
            }
            driver.stdin.write(json.dumps(given) + "\n")
            driver.stdin.flush()
            return json.loads(driver.stdout.readline())

        yield call
        driver.stdin.close()


def test_an_incident_lives_and_goes(lab: LabClient, pysnc: Pysnc) -> None:
    made = pysnc("insert", short_description="x" * 200, correlation_id="c:29", urgency="1", impact="1")
    assert (made["state"], made["priority"], len(made["short_description"])) == ("1", "1", 160)
    listed = pysnc("found", query="correlation_idINc:29,c:30^ORDERBYsys_created_on")
    assert [one["number"] for one in listed] == [made["number"]]
    id = made["sys_id"]
    refused = pysnc("update", sys_id=id, state="6")
    assert (refused["error"], "Data Policy" in refused["text"]) == ("RoleException", True)
    assert pysnc("update", sys_id=id, work_notes="hello")["work_notes"] == ""
    closed = pysnc("update", sys_id=id, state="7", close_code="Resolved by caller", close_notes="done")
    assert closed["active"] == "false"
    assert pysnc("update", sys_id=id, state="2")["error"] == "RoleException"
    assert (pysnc("delete", sys_id=id), pysnc("get", sys_id=id)) == (True, False)
    assert lab.servicenow.incidents() == []


def test_a_list_is_read_by_pages_and_a_wrong_condition_keeps_everything(lab: LabClient, pysnc: Pysnc) -> None:
    for number in range(5):
        lab.edit("servicenow_put", table="incident", correlation_id=f"c:{number}", short_description=f"n{number}")
    few = pysnc("found", query="ORDERBYDESCshort_description", batch=2)
    assert [one["short_description"] for one in few] == ["n4", "n3", "n2", "n1", "n0"]
    queries = {"correlation_idSTARTSWITHc:": 5, "correlation_id=c:1^ORcorrelation_id=c:3^state=1": 2, "u_nothing=1": 5}
    assert {query: len(pysnc("found", query=query)) for query in queries} == queries


def test_who_may_not_is_refused_and_what_is_hidden_comes_to_nothing(lab: LabClient, pysnc: Pysnc) -> None:
    assert pysnc("found", password="wrong", query="")["error"] == "AuthenticationException"
    assert pysnc("insert", user="mssp.reader", short_description="x")["error"] == "RoleException"
    assert pysnc("found", query="", table="sys_journal_field")["error"] == "RoleException"
    lab.configure(servicenow_hidden=["incident.correlation_id"])
    assert "correlation_id" not in pysnc("insert", short_description="x", correlation_id="c:29")
    assert lab.servicenow.incidents()[0]["correlation_id"] == ""


def test_a_resolved_parent_resolves_its_children(lab: LabClient, pysnc: Pysnc) -> None:
    parent = pysnc("insert", short_description="parent")["sys_id"]
    pysnc("insert", short_description="child", parent_incident=parent)
    pysnc("update", sys_id=parent, state="6", close_code="Resolved by caller", close_notes="x")
    assert [one["state"] for one in lab.servicenow.incidents()] == ["6", "6"]
