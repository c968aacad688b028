# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CrowdStrike, registered."""

from __future__ import annotations

import time
from collections.abc import Iterator

from lab.crowdstrike import api, control, routes
from lab.crowdstrike.state import CrowdStrike, load
from lab.kernel.registration import Vendor


def _retry(seconds: float) -> dict[str, str]:
    """X-Ratelimit-Retryafter, a Unix time (gofalcon), beside Retry-After (elastic/beats)."""
    return {"Retry-After": str(int(seconds)), "X-Ratelimit-Retryafter": str(int(time.time() + seconds))}


def _files(falcon: CrowdStrike) -> Iterator[tuple[str, str]]:
    for client in falcon.clients.values():
        yield f"falcon-{client.name}.secret", client.secret


VENDOR = Vendor(
    name="crowdstrike",
    state=CrowdStrike,
    load=load,
    segments=frozenset({"oauth2", "sensors"}),
    find=routes.find,
    operations=routes.OPERATIONS,
    shapes={"errors": lambda _code, message, status: api.shape(status, message)},
    throttled=("", "API rate limit exceeded."),
    retry=_retry,
    control={("GET", ""): control.state, ("POST", ""): control.apply},
    advanced=CrowdStrike.notify,
    status=lambda falcon: {"cids": len(falcon.cids), "sessions": len(falcon.sessions)},
    files=_files,
)
