# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rotation is killed (SIGKILL) at each of its steps: a key is never lost that the next run does not tell of.

Steps are what a kill can come between: the file's bytes, its name, the folder's, the request and AWS' answers.
MSSP_UMBRELLA_KILLS says how many times all of them are tried; else those are, once, that leave something else behind.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._host import files
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import api, consumers
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.plan import DAY
from lab.client import LabClient

from .test_umbrella import Tenant, drift, outcome

ROUNDS = int(os.environ.get("MSSP_UMBRELLA_KILLS", "0"))
MOST = 60


class Killer:
    """Ends this process before the call of this number: what is after one is before the next."""

    def __init__(self, at: int) -> None:
        self.left = at

    def before(self, made: Callable[..., Any]) -> Callable[..., Any]:
        def called(*arguments: Any, **named: Any) -> Any:
            if self.left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            self.left -= 1
            return made(*arguments, **named)

        return called


def armed(killer: Killer, patch: pytest.MonkeyPatch) -> None:
    calls = [(files.os, "rename"), (api, "rotate"), (api, "listing"), (consumers, "switch")]
    for module, name in [*calls, *([(files.os, "fsync")] if ROUNDS else [])]:
        patch.setattr(module, name, killer.before(getattr(module, name)))


def killed(tenant: Tenant, at: int) -> bool:
    """A run in a process of its own, which ends at that step; whether it came to it."""
    child = os.fork()
    if child == 0:
        with pytest.MonkeyPatch.context() as patch:
            armed(Killer(at), patch)
            tenant.converge()
        os._exit(0)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


@pytest.fixture
def tenant(lab: LabClient, tmp_path: Path) -> Tenant:
    made = Tenant(lab, tmp_path)
    lab.configure(throttle=False)
    made.export["consumers"] = [{"credentials_file": str(tmp_path / "credentials"), "profile": "siem"}]
    return made


def tell(tenant: Tenant, old: str) -> str:
    """What the run after a killed one says, and whether it is true."""
    before = tenant.rotations()
    found, kept = tenant.converge(), tenant.kept()
    if kept["asked"]:
        # The one gap, between the request and the file: it is told, with the key and whether that works.
        assert (drift(found), tenant.rotations()) == (["answer_lost"], before)
        works = "still works" if tenant.current() == old else "works no longer"
        assert f"{old} {works}" in found["problems"][0]["message"]
        return "told"
    assert outcome(found)[1] in ("corrected", "in_sync")
    assert (kept["access_key_id"], kept["proven"]) == (tenant.current(), True)
    assert tenant.current() in (tenant.folder / "credentials").read_text()
    return "finished"


def test_a_kill_at_any_step_loses_no_key_untold(tenant: Tenant) -> None:
    seen = []
    for _round in range(ROUNDS or 1):
        for at in range(MOST):
            tenant.keep(created=time.time() - 80 * DAY)
            (tenant.folder / "credentials").unlink(missing_ok=True)
            before, old = tenant.rotations(), tenant.current()
            if not killed(tenant, at):
                break
            seen.append(tell(tenant, old))
            # Killed and finished or told: one rotation at most, and never a second.
            assert tenant.rotations() - before <= 1, at
    # Told is only what ends between the request's note and its answer: everything later is finished.
    assert 1 <= seen.count("told") / (ROUNDS or 1) <= (2 if ROUNDS else 1)
    assert len(seen) >= (15 * ROUNDS or 8)
