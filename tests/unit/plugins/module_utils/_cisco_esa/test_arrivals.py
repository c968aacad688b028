# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are an appliance's by name and serial number, records by names; silence is told from what nobody could see."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import arrivals
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import (
    ABSENT,
    FLOWING,
    STALE,
    UNREADABLE,
)

NOW = 1_796_000_000.0
SERIAL = "4202A-1"


def one(**given: Any) -> dict[str, Any]:
    known = {"subscription": "esa1/mssp_mail", "name": "mssp_mail", "filename": "mail", "identified": True}
    told = {"hostname": "esa1.example", "serial_number": SERIAL, "configured": True, "probed": False}
    return {**known, **told, "problem": "", "next_step": "", **given}


@pytest.mark.parametrize(
    ("name", "given", "named"),
    [
        ("mail.esa1.4202A-1.@20261130.s", {}, True),
        ("mail.esa1.4202B-2.@20261130.s", {}, False),
        ("mail.@20261130.s", {"identified": False}, True),
        ("mail.@20261130.s", {}, False),
        ("mailing.4202A-1.s", {}, False),
    ],
)
def test_whose_file_it_is(name: str, given: dict[str, Any], named: bool) -> None:
    assert arrivals.named(name, one(**given)) is named


def test_the_newest_file_and_record_of_each(tmp_path: Path) -> None:
    for at, name in ((5, "5-aa-mail.4202A-1.@1.s"), (9, "9-bb-mail.4202A-1.@2.s"), (12, "12-cc-mail.OTHER.@3.s")):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (at, at))
    assert arrivals.files(str(tmp_path), [one()]) == {"esa1/mssp_mail": 9.0}
    assert arrivals.files(str(tmp_path / "none"), [one()]) == {}
    stamp = "2026-11-30T10:00:00+00:00 192.0.2.1 <22>Nov 30 10:00:00"
    (tmp_path / "all.log").write_text(f"{stamp} esa1.example mssp_mail: Info: MID 1\n{stamp} esa2 mssp_mail: x\n")
    assert list(arrivals.records(str(tmp_path), [one(), one(subscription="esa3/x", hostname="esa3")])) == [
        "esa1/mssp_mail"
    ]


@pytest.mark.parametrize(
    ("given", "newest", "state", "code"),
    [
        ({}, NOW - 60, FLOWING, ""),
        ({"probed": True}, NOW - 5, FLOWING, ""),
        ({"probed": True}, NOW - 60, STALE, "probe_lost"),
        ({"probed": True}, None, STALE, "probe_lost"),
        ({}, NOW - 7200, STALE, ""),
        ({"configured": False}, None, ABSENT, ""),
        ({"configured": None, "problem": "SignIn"}, NOW - 60, FLOWING, ""),
        ({"configured": None, "problem": "SignIn"}, None, UNREADABLE, ""),
    ],
)
def test_states(given: dict[str, Any], newest: float | None, state: str, code: str) -> None:
    found = arrivals.flow(one(**given), newest, NOW - 10, NOW, 3600.0)
    assert (found.state, found.code) == (state, code)
    assert bool(found.next_step) == (state != FLOWING)


@pytest.mark.parametrize(
    ("method", "given", "other", "newest", "state"),
    [
        ("scp_push", {"identified": False}, {"identified": False}, NOW - 60, UNREADABLE),
        ("scp_push", {"identified": False}, {"identified": True}, NOW - 60, UNREADABLE),
        ("scp_push", {"identified": False}, {"identified": False}, None, STALE),
        ("scp_push", {"identified": False}, {"filename": "other"}, NOW - 60, FLOWING),
        ("scp_push", {}, {"identified": False}, NOW - 60, FLOWING),
        ("syslog_push", {}, {"hostname": "esa2.example"}, NOW - 60, FLOWING),
        ("syslog_push", {}, {}, NOW - 60, UNREADABLE),
        ("syslog_push", {"hostname": ""}, {}, None, UNREADABLE),
        ("syslog_push", {"hostname": "", "configured": False}, {}, None, ABSENT),
    ],
)
def test_what_another_appliance_sends_is_no_proof(
    method: str, given: dict[str, Any], other: dict[str, Any], newest: float | None, state: str
) -> None:
    mine, another = one(**given), one(subscription="esa2/mssp_mail", serial_number="4202B-2", **other)
    found = arrivals.flow(mine, newest, NOW - 10, NOW, 3600.0)
    assert arrivals.told_apart(found, mine, [mine, another], method).state == state
