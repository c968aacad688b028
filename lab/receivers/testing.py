# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receivers of one's own for a test."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from lab.receivers.client import ReceiversClient
from lab.testing import running


@contextmanager
def running_receivers(*options: str, log: list[str] | None = None) -> Iterator[ReceiversClient]:
    """Receivers on free ports, in a process of their own. `log` gets what they printed, when they have ended."""
    with tempfile.TemporaryDirectory(prefix="mssp-receivers-") as folder:
        ports = [f"--port={name}=0" for name in ("splunk", "azure", "generic", "fluency")]
        with running("lab.receivers", [*ports, *options], folder, "receivers ready", log):
            yield ReceiversClient(folder)
