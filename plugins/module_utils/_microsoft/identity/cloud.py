# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Azure clouds and their endpoints."""

from __future__ import annotations

from typing import NamedTuple

from ..._core.errors import InputError


class Cloud(NamedTuple):
    """resource_manager, authority, log_analytics and microsoft_graph are URLs without a trailing slash.

    monitor: the audience of tokens for Logs Ingestion, whose addresses are told by Azure.
    own_authority: the sign-in endpoint is not one that Microsoft publishes, so instance discovery would leave it.
    """

    resource_manager: str
    authority: str
    log_analytics: str
    microsoft_graph: str
    monitor: str = "https://monitor.azure.com"
    own_authority: bool = False

    @property
    def arm_scope(self) -> str:
        return self.resource_manager + "/.default"

    @property
    def logs_scope(self) -> str:
        return self.log_analytics + "/.default"

    @property
    def monitor_scope(self) -> str:
        return self.monitor + "/.default"

    @property
    def graph_scope(self) -> str:
        return self.microsoft_graph + "/.default"


# learn.microsoft.com: «National clouds», «Azure Monitor endpoints by cloud», «National cloud deployments» of Graph.
CLOUDS = {
    "azure_public": Cloud(
        "https://management.azure.com",
        "https://login.microsoftonline.com",
        "https://api.loganalytics.io",
        "https://graph.microsoft.com",
    ),
    "azure_us_government": Cloud(
        "https://management.usgovcloudapi.net",
        "https://login.microsoftonline.us",
        "https://api.loganalytics.us",
        "https://graph.microsoft.us",
        "https://monitor.azure.us",
    ),
    "azure_china": Cloud(
        "https://management.chinacloudapi.cn",
        "https://login.chinacloudapi.cn",
        "https://api.loganalytics.azure.cn",
        "https://microsoftgraph.chinacloudapi.cn",
        "https://monitor.azure.cn",
    ),
}


def resolve(
    name: str,
    resource_manager_url: str | None,
    authority_url: str | None,
    query_url: str | None,
    graph_url: str | None = None,
) -> Cloud:
    """The named cloud with the given endpoints in place of its own; endpoints must be https."""
    cloud = CLOUDS[name]
    given = {
        "resource_manager": resource_manager_url,
        "authority": authority_url,
        "log_analytics": query_url,
        "microsoft_graph": graph_url,
    }
    urls = {field: _https(field, url) for field, url in given.items() if url}
    return cloud._replace(own_authority=bool(authority_url), **urls)


def _https(field: str, url: str) -> str:
    """AZURE_AUTHORITY_HOST is usually a bare host name, so the scheme may be left out."""
    scheme, mark, host = url.rpartition("://")
    if mark and scheme != "https":
        raise InputError("read the options", f"{field}_url must be an https URL, not {url!r}")
    return "https://" + host.rstrip("/")
