# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A write is of what is found at that moment: what was planned before, and is no longer so, was not done."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import api, capability, scripts
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.options import Appliance, Setup
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.plan import target
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import DRIFTED
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from lab.cisco_esa.state import Box

from .boxes import SYSLOG, box, session

HERE = Appliance("esa1", "esa1.example", 22, "4202ABCDEF")
SETUP = Setup((HERE,), "mssp", "secret", "", "", None, (SYSLOG,), receiver=True)
CREATE = Verdict(target("esa1", SYSLOG.name), DRIFTED, ("missing",), action="create", after=SYSLOG)


class Way:
    """The way to one appliance, in this process."""

    def __init__(self, at: Box) -> None:
        self.at = at

    async def run(self, _appliance: Appliance, work: Any) -> Any:
        opened = session(self.at)
        return work(opened, opened.run(scripts.identify()))


def made_meanwhile(**fields: str) -> Box:
    found = box()
    log = {"name": SYSLOG.name, "type": "Cisco Text Mail Logs", "level": "Information"}
    to = {"retrieval_method": "Syslog Push", "hostname": "192.0.2.9", "port": "6514", "transport": "TCP"}
    found.shared.config.logs.append({**log, **to, "facility": "local3", **fields})
    return found


def apply(at: Box) -> Any:
    client: Any = capability.Client(Way(at), {}, {})  # type: ignore[arg-type]
    verdict = CREATE._replace(subject=capability.Subject(HERE, SYSLOG))
    return asyncio.run(capability.CiscoEsaLogs().apply(client, SETUP, verdict))


def test_what_somebody_made_otherwise_meanwhile_is_not_told_as_corrected() -> None:
    at = made_meanwhile(level="Warning")
    with pytest.raises(RefusedError, match="to update by now") as raised:
        apply(at)
    assert raised.value.code == "ChangedMeanwhile"
    assert at.shared.commits == []


def test_what_is_in_the_way_by_now_is_drift_that_stays() -> None:
    done = apply(made_meanwhile(type="System Logs"))
    assert (done.status, done.verdict.drift) == (DRIFTED, ("type",))
    assert apply(made_meanwhile()).status == "in_sync"


@pytest.mark.parametrize(("fields", "so"), [({}, True), ({"type": "System Logs"}, False), ({"level": "Debug"}, False)])
def test_a_commit_without_an_answer_is_done_only_where_all_is_as_wanted(fields: dict[str, str], so: bool) -> None:
    way: Any = Way(made_meanwhile(**fields))
    assert asyncio.run(api._is_so(way, HERE, SETUP, SYSLOG, CREATE)) is so
