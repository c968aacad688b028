# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab as a booted host sees it: at the same address as here, by a tunnel of SSH, with its CA in the host's store.

The lab listens on loopback only, and its URLs name 127.0.0.1: the host's own loopback must answer there.
"""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from lab.client import LabClient
from tests.hosts.falcon_standin.run import until
from tests.hosts.nspawn import Host

AUTHORITY = "/usr/local/share/ca-certificates/mssp-lab.crt"


@contextlib.contextmanager
def lab_on(host: Host, lab: LabClient) -> Iterator[None]:
    """While the block runs, `lab.crowdstrike.url` works on the host, for clients that trust its CA store."""
    trust(host, lab)
    port = urlsplit(lab.url).port
    command = [*host.ssh[:-1], "-S", "none", "-o", "ExitOnForwardFailure=yes", "-N"]
    command += ["-R", f"127.0.0.1:{port}:127.0.0.1:{port}", host.ssh[-1]]
    tunnel = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    try:
        until(lambda: host.run(f"ss -Htln 'sport = :{port}'").stdout or tunnel.poll() is not None)
        assert tunnel.poll() is None, "there is no tunnel"
        yield
    finally:
        tunnel.terminate()
        tunnel.wait(60)


def trust(host: Host, lab: LabClient) -> None:
    host.run(f"cat > {AUTHORITY} && update-ca-certificates", stdin=Path(lab.ca_file).read_text())


def distrust(host: Host) -> None:
    host.run(f"rm -f {AUTHORITY} && update-ca-certificates --fresh")
