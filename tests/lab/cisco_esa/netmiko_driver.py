# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs in the environment of netmiko: in each session of stdin's (JSON) types line by line once there is a
prompt, and says what it saw.

netmiko has no driver for AsyncOS; its general one waits for whatever pattern it is given.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from netmiko import ConnectHandler

ASKS = r"(?:\[[^\[\]]*\]> ?|[a-z0-9.]+> ?)$"

given: dict[str, Any] = json.load(sys.stdin)


def session(lines: list[str]) -> list[str]:
    with ConnectHandler(device_type="terminal_server", host="127.0.0.1", **given["to"]) as shell:
        shell.read_until_pattern(ASKS)
        return [shell.send_command(line, expect_string=ASKS, strip_prompt=False) for line in lines]


json.dump([session(lines) for lines in given["sessions"]], sys.stdout)
