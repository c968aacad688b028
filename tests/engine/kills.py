# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs that really are killed: in a process of their own, by SIGKILL, after which nothing of ours comes."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

import pytest

from lab.client import LabClient

# How long an answer is held back, and so how long a run may take to its write.
SECONDS = 30.0


def unanswered(lab: LabClient, run: Callable[[], Any], **write: Any) -> bool:
    """Killed when the lab has done the write and not answered it; false where the run ends without one.

    Args:
        write: what a fault of the lab matches, see lab/kernel/faults.py.
    """
    lab.fault("slow", seconds=SECONDS, **write)
    child = _forked(run)
    ends = time.monotonic() + SECONDS
    while lab.status()["faults"]:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            assert status == 0
            lab.clear_faults()
            return False
        assert time.monotonic() < ends
        time.sleep(0.01)
    os.kill(child, signal.SIGKILL)
    return os.WIFSIGNALED(os.waitpid(child, 0)[1])


def after(module: Any, name: str, when: int, run: Callable[[], Any]) -> None:
    """Killed right after the call of this number, from one on, of a function of ours."""
    done, calls = getattr(module, name), []

    def killing(*arguments: Any, **named: Any) -> Any:
        calls.append(done(*arguments, **named))
        if len(calls) == when:
            os.kill(os.getpid(), signal.SIGKILL)
        return calls[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, name, killing)
        assert os.WIFSIGNALED(os.waitpid(_forked(run), 0)[1])


def _forked(run: Callable[[], Any]) -> int:
    child = os.fork()
    if child == 0:
        code = 1
        try:
            run()
            code = 0
        finally:
            os._exit(code)
    return child
