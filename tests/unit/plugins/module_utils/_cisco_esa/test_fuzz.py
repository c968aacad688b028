# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever a command line says: no commit that was not meant, and an end.

Each transcript is the lab's, spoilt at random: cuts, strange questions, lines lost, doubled, swapped and renumbered,
words changed, answers kept otherwise than they were typed. FUZZ says how many; 10,000 take half a minute.
"""

from __future__ import annotations

import os
import random
import re
import time
from typing import Any

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import scripts
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.api import for_release
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.contract import release_of
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.plan import as_planned, found, plan
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.session import Limits, Session
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, OnboardingError
from lab.cisco_esa import screens
from lab.cisco_esa.state import Box

from .boxes import NEW, OLD, SCP, SYSLOG, Memory, box

NUMBER = int(os.environ.get("FUZZ", "200"))
STRANGE = (
    *("Continue? [Y]> ", "Password: ", "\n[]> ", "commit? [Y]> ", "\r\nesa1.example> ", "(Cluster contoso)> "),
    *("1. commit\r\n2. Text Mail Logs\r\n[1]> ", "-Press Any Key For More-", "\x1b[2J\x1b[31m", "\x00\xff\ufffd"),
    *("Please enter the name for the log:\r\n[]> ", "Choose the operation you want to perform:\r\n- NEW - x\r\n[]> "),
    *("Are you sure you want to delete all? [Y]> ", "Changes committed: now\r\n"),
)


class Noise(Memory):
    """A terminal that spoils some of what it shows."""

    def __init__(self, of: Box, chance: random.Random, often: float) -> None:
        super().__init__(of)
        self._chance, self._often, self._received = chance, often, 0

    def receive(self, seconds: float) -> str | None:
        self._received += 1
        assert self._received < 5000
        text = super().receive(seconds)
        if text is None or self._chance.random() > self._often:
            return text
        return self._spoilt(text)

    def _spoilt(self, text: str) -> str:
        chance, lines = self._chance, text.split("\r\n")
        at = chance.randrange(len(lines))
        kind = chance.randrange(8)
        if kind == 0:
            raise NoAnswerError("go on", "cut", code="Cut")
        if kind == 1:
            return text[: chance.randrange(len(text) + 1)]
        if kind == 2:
            return text + chance.choice(STRANGE)
        if kind == 3:
            lines.insert(at, chance.choice(STRANGE))
        elif kind == 4:
            del lines[at]
        elif kind == 5:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        elif kind == 6:
            lines[at] = re.sub(r"\d+", lambda _hit: str(chance.randrange(20)), lines[at])
        else:
            lines[at] = "".join(chance.choice("abc>[]-. ") if chance.random() < 0.1 else sign for sign in lines[at])
        return "\r\n".join(lines)


def one(seed: int) -> str:
    """One appliance, one wish, one transcript: how it ended. Raises AssertionError for a commit that was not meant."""
    chance = random.Random(seed)
    quirks: dict[str, Any] = {
        "pager": chance.choice([0, 0, 5, 20]),
        "spoilt": chance.choice(["", "", "host", "port", "name", "directory", "max_size"]),
        "override": chance.random() < 0.2,
    }
    of = box(chance.choice([OLD, NEW]), chance.choice(["", "contoso"]), **quirks)
    of.shared.config.logs.insert(0, {"name": "mssp_other", "type": "System Logs", "retrieval_method": "FTP Push"})
    wish = chance.choice([SCP, SYSLOG])
    ours = {"name": wish.name, "type": "Cisco Text Mail Logs", "retrieval_method": "SCP Push", "level": "Debug"}
    of.shared.config.logs += chance.choice([[], [ours]])
    before = of.shared.config.copy()
    terminal = Noise(of, chance, chance.choice([0.0, 0.02, 0.1, 0.3]))
    leaving = chance.random() < 0.3
    try:
        session = Session(terminal, Limits(), terminal.clock)
        identity = session.run(scripts.identify())
        release = release_of(identity.version)
        asked = for_release(wish, release)
        session.run(scripts.clustered(identity, scripts.CLUSTER))
        held = found(session.run(scripts.export(release)))
        verdict = plan("esa/log", asked, held, leaving=leaving)
        if not verdict.action:
            return "in_sync"
        answers = {"confirm": "yes"} if leaving else asked.answers()
        action = {"create": "NEW", "update": "EDIT", "delete": "DELETE"}[verdict.action]
        session.run(scripts.write(release, action, wish.name, answers))
        if as_planned(verdict, asked, held, found(session.run(scripts.export(release)))):
            session.close()
            return "not as planned"
        session.run(scripts.commit(release))
        ended = "committed"
    except OnboardingError as error:
        ended = error.code
    for _user, _comment, config in of.shared.commits:
        real = for_release(wish, release_of((int(of.version[:2]), 0, 0, 0)))
        after, start = (found(screens.export(each, of.version)) for each in (config, before))
        action = plan("esa/log", real, start, leaving=leaving)
        assert as_planned(action, real, start, after) == "", (seed, ended)
    assert len(of.shared.commits) <= 1
    return ended


def test_no_transcript_leads_to_a_commit_that_was_not_meant() -> None:
    started = time.monotonic()
    ends = [one(seed) for seed in range(NUMBER)]
    assert time.monotonic() - started < NUMBER * 0.05 + 5
    assert {"committed", "not as planned", "Unexpected", "Cut", "NoPrompt"} <= set(ends)
