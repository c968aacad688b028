# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Control of the receivers: /_lab/receivers and /_lab/receivers/records."""

from __future__ import annotations

from typing import Any

from lab.kernel.http import Call
from lab.receivers.state import Listening


def describe(listening: Listening, _call: Call, _body: Any) -> Any:
    """What senders must be told."""
    return listening.describe()


def change(listening: Listening, _call: Call, body: Any) -> Any:
    """{"receiver": name, options and secrets}"""
    return listening.receivers.change(body.pop("receiver"), body)


def records(listening: Listening, call: Call, _body: Any) -> Any:
    """?receiver=NAME&last=N: lab.receivers.receiver.Record"""
    return listening.receivers.records(call.query["receiver"], int(call.query.get("last", 100)))
