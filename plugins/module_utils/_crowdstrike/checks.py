# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a host may run the connector: its machine, its system and its clock. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from .._core.errors import RefusedError
from .catalog import MACHINES, SUPPORTED


def machine(name: str) -> None:
    """Raises RefusedError for a processor that the connector is not made for."""
    if name not in MACHINES:
        text = f"the connector is made for {', '.join(MACHINES)} only, and this host is {name}"
        raise _refused("machine", text, "take another host")


def system(os_release: Mapping[str, str], allow_unsupported_os: bool) -> None:
    """Raises RefusedError for a system that is not on the vendor's list. os_release: keys of /etc/os-release."""
    name, version = os_release.get("ID", ""), os_release.get("VERSION_ID", "")
    known = SUPPORTED.get(name, ())
    if version in known or version.split(".")[0] in known or allow_unsupported_os:
        return
    listed = "; ".join(f"{system} {', '.join(versions)}" for system, versions in SUPPORTED.items())
    raise _refused(
        "system",
        f"{name or 'unknown'} {version} is not among the systems that the connector is said to support: {listed}",
        "take another host, or set falcon_siem_connector_allow_unsupported_os after asking the vendor",
    )


def clock(synchronised: bool | None) -> None:
    """Raises RefusedError where nothing keeps the clock, or (None) nothing on the host can say whether it is kept."""
    if synchronised:
        return
    unknown = "neither chronyc nor timedatectl can say whether this host's clock is kept"
    text = unknown if synchronised is None else "nothing keeps this host's clock, and the connector needs the true time"
    step = "run chrony or systemd-timesyncd, or set falcon_siem_connector_require_time_sync to false"
    raise _refused("clock", text, step)


def _refused(what: str, text: str, step: str) -> RefusedError:
    operation = f"take this host for the connector ({what}); nothing was changed"
    return RefusedError(operation, text, code=f"{what}_refused", next_step=step)
