# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What has to be switched on in a tenant by hand, before a permission is of any use there. Pure.

Source: learn.microsoft.com «Turn auditing on or off»: Exchange Online PowerShell or the portal, and nothing for an app.
"""

from __future__ import annotations

from typing import NamedTuple


class Switch(NamedTuple):
    """title: what to do, as a heading; who, where: a menu's path; command: the same by a shell; why; proof: how it is
    seen that it was done."""

    title: str
    who: str
    where: str
    command: str
    why: str
    proof: str

    @property
    def step(self) -> str:
        """The same as one next step."""
        return f"as {self.who}, {self.where}; or by {self.command}; {self.proof}"


AUDIT_LOG = Switch(
    "Turn the audit log on",
    "Organization Management or Compliance Management of Exchange Online",
    "in Microsoft Purview at Audit > Start recording user and admin activity",
    "Set-AdminAuditLogConfig -UnifiedAuditLogIngestionEnabled $true (in Exchange Online PowerShell)",
    "New tenants often have it off, and without it there are no audit records of Exchange, SharePoint and Entra ID.",
    "it counts within an hour, and the next run sees it",
)
# By the permission that needs it.
SWITCHES = {"ActivityFeed.Read": AUDIT_LOG}
