# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a tenant's receiver lies on a host. No path belongs to two tenants. Pure."""

from __future__ import annotations

from dataclasses import dataclass

STORAGE = "/var/log/collected"


@dataclass(frozen=True)
class Layout:
    """Paths and names of one tenant. /var/lib/rsyslog and /var/log have SELinux labels that rsyslogd may write to."""

    tenant: str

    @property
    def label(self) -> str:
        """Of the openings in the host's firewall."""
        return f"mssp-syslog-{self.tenant}"

    @property
    def unit(self) -> str:
        return f"{self.label}.service"

    @property
    def guard_unit(self) -> str:
        return f"mssp-syslog-{self.tenant}-guard"

    @property
    def config(self) -> str:
        return f"/etc/mssp/syslog/{self.tenant}"

    @property
    def main_file(self) -> str:
        return f"{self.config}/rsyslog.conf"

    @property
    def trees(self) -> tuple[str, ...]:
        """Folders in which rsyslogd reads and writes for any tenant, for a host that confines it."""
        return ("/etc/mssp/syslog", "/var/lib/rsyslog/mssp", STORAGE, "/run/mssp-syslog")

    @property
    def limits(self) -> str:
        """Rules of nftables that limit the tenant's connections while the receiver runs."""
        return f"{self.config}/limits.nft"

    @property
    def limits_table(self) -> str:
        return f"{self.label}-limits"

    @property
    def tls(self) -> str:
        return f"{self.config}/tls"

    @property
    def work(self) -> str:
        return f"/var/lib/rsyslog/mssp/{self.tenant}"

    @property
    def queues(self) -> str:
        return f"{self.work}/queues"

    @property
    def requests(self) -> str:
        """Keys whose certificates the control node has not signed yet."""
        return f"{self.work}/requests"

    @property
    def table(self) -> str:
        """The lookup table by which the guard stops intake."""
        return f"{self.work}/guard-table.json"

    @property
    def guard_state(self) -> str:
        return f"{self.work}/guard-state.json"

    @property
    def seen(self) -> str:
        """What verify saw when it last looked, so that it tells what came since."""
        return f"{self.work}/seen.json"

    @property
    def applied(self) -> str:
        """Digest of the configuration that the running receiver was started with."""
        return f"{self.work}/applied"

    @property
    def labels(self) -> str:
        """Ports that were labelled in SELinux for this receiver."""
        return f"{self.work}/selinux-ports.json"

    @property
    def storage(self) -> str:
        return f"{STORAGE}/{self.tenant}"

    @property
    def own_log(self) -> str:
        """What the receiver says about itself: kept apart from sources, whose names start with a letter or digit."""
        return f"{self.storage}/_collector/rsyslog.log"

    @property
    def stats(self) -> str:
        return f"{self.storage}/_collector/stats.log"

    @property
    def run(self) -> str:
        return f"/run/mssp-syslog/{self.tenant}"

    @property
    def alarm_socket(self) -> str:
        return f"{self.run}/alarm"

    def last_lines(self, source: str) -> str:
        """Socket by which the guard hands on the last lines of a source's files."""
        return f"{self.run}/last-{source}"

    def source_folder(self, source: str) -> str:
        return f"{self.storage}/{source}"
