# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The second sshd, with old algorithms: its file, its unit and its state change together or not at all."""

from __future__ import annotations

import time

from .._core.errors import OnboardingError, RefusedError
from .._host import sockets
from . import gate, names, system
from .plan import DELETE, Change
from .system import run

START_SECONDS = 15.0
SSHD = "/usr/sbin/sshd"


class SecondSshd:
    """Whatever fails while it is changed, all that was changed of it comes back, and it runs as it did before."""

    def __init__(self, tenant: str, port: int) -> None:
        self._port = port
        self._unit = names.legacy_unit(tenant)
        self._config = names.legacy_config(tenant)
        self.keys = (self._config, names.unit_file(self._unit), self._unit)
        self._before: dict[str, bool] | None = None
        self._made: list[Change] = []
        self.undone: list[Change] = []  # what was changed, and then put back

    def apply(self, change: Change) -> None:
        """Raises OnboardingError; what was changed here until then is put back, and in C(undone)."""
        if self._before is None:
            self._before = {"enabled": False, "active": False, **(system.SEE["unit"](self._unit) or {})}
        self._made.append(change)
        try:
            system.apply(change)
            if change.item.kind == "file":
                run("systemctl", "daemon-reload")
            if change.action != DELETE:
                self._use(change)
        except OnboardingError:
            self._back()
            raise

    def _use(self, change: Change) -> None:
        if change.item.key == self._config:
            run(SSHD, "-t", "-f", self._config)
        if change.item.kind == "file":
            if not (self._before or {})["active"]:
                return  # the unit is the next change, and starts it
            run("systemctl", "restart", self._unit)
        self._await()

    def _await(self) -> None:
        """Until it has its port. Only by IPv4, as a host may have no IPv6; sshd stays up with one of the two."""
        since = time.time() - 1
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            shown = run("systemctl", "show", "--property=MainPID,ActiveState", "--value", self._unit).out.split()
            number = next((int(word) for word in shown if word.isdigit()), 0)
            if number and ("tcp", self._port) in sockets.bound(number, {"tcp": "0A"}):
                return
            if "failed" in shown:
                break
            time.sleep(0.2)
        line = ("journalctl", "-q", "-o", "cat", "-u", self._unit, f"--since=@{since:.0f}", "--grep=error|fatal")
        words = run(*line, check=False).out.splitlines()[-3:]
        raise RefusedError(
            f"start the second sshd at port {self._port}; it is as it was before",
            " | ".join(dict.fromkeys(words)) or f"it did not open the port in {START_SECONDS:g} s",
            code="second_sshd",
            next_step="see with «ss -lntp» what else listens there, or set another scp_target_legacy_port",
        )

    def _back(self) -> None:
        before = self._before or {}
        if not before["enabled"]:
            run("systemctl", "disable", "--quiet", self._unit, check=False)
        if not before["active"]:
            run("systemctl", "stop", self._unit, check=False)
        for change in reversed(self._made):
            if change.item.kind == "file":
                gate.restore(change.item.key, change.before)
        self.undone = self._made
        run("systemctl", "daemon-reload", check=False)
        run("systemctl", "reset-failed", self._unit, check=False)
        if before["active"]:
            run("systemctl", "restart", self._unit, check=False)
        if before["enabled"]:
            run("systemctl", "enable", "--quiet", self._unit, check=False)
