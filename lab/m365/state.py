# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Microsoft 365: tenants with their audit logs, and subscriptions of apps to them.

MicrosoftDocs/office-365-management-api @8a539d33 (activity-api-reference, troubleshooting). Assumed: what goes for
records that were made before a subscription, that the delay of the first content is the whole of it, all numbers that
a switch sets.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.entra.state import Entra
from lab.kernel.clock import stamp
from lab.kernel.context import Lab, State
from lab.kernel.faults import ELSEWHERE

CONTENT_TYPES = ("Audit.AzureActiveDirectory", "Audit.Exchange", "Audit.SharePoint", "Audit.General", "DLP.All")
HOUR, DAY = 3600.0, 86400.0
KEPT = 7 * DAY
# From one start of a content type to the next; a start so soon after a stop comes to nothing, for days (issue 479).
WAIT = 900.0
DEAD = 2 * DAY


@dataclass(slots=True)
class Blob:
    """Records that became available together. created: world seconds, as the times of records."""

    id: str
    type: str
    created: float
    records: list[dict[str, Any]]
    lost: bool = False  # listed, and no longer there


@dataclass(slots=True)
class Subscription:
    """Of one app of one tenant to one content type. dead: accepted, and never shown."""

    type: str
    status: str
    started: float
    stopped: float = 0.0
    dead: bool = False
    webhook: dict[str, Any] | None = None
    blobs: list[Blob] = field(default_factory=list)

    @property
    def on(self) -> bool:
        return self.status == "enabled" and not self.dead


Key = tuple[str, str, str]  # tenant, app, content type


class M365(State):
    """audit_off: tenants whose unified audit log is off.

    m365_first_delay: seconds from the first start until there may be content; m365_page_size: contents in an answer;
    m365_no_status: content types that are listed without their status, as one is in the reference's own sample;
    m365_elsewhere: which addresses lead to another host, next (of the next page) or content.
    """

    configurable: ClassVar[tuple[str, ...]] = (
        "m365_first_delay",
        "m365_page_size",
        "m365_no_status",
        "m365_elsewhere",
    )

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.entra = lab.of(Entra)
        self.subscriptions: dict[Key, Subscription] = {}
        self.audit_off: set[str] = set()
        self.publishers: set[str] = set()  # in whose name was asked, '' for nobody's
        self.m365_first_delay = 12 * HOUR
        self.m365_page_size = 200
        self.m365_no_status: list[str] = []
        self.m365_elsewhere = ""

    def of(self, tenant: str, app: str) -> list[Subscription]:
        """In the order in which they were started first."""
        return [one for (where, whose, _type), one in self.subscriptions.items() if (where, whose) == (tenant, app)]

    def record(self, tenant: str, type: str, ago: float, lag: float) -> None:
        """Something happens in the tenant, and becomes content of every subscription that is on."""
        if tenant in self.audit_off:
            return
        happened = self.now() - ago
        for (where, _app, held), one in self.subscriptions.items():
            if (where, held) == (tenant, type) and one.on and happened + lag >= one.started:
                created = max(happened + lag, one.started + self.m365_first_delay)
                one.blobs.append(Blob(_id(), type, created, [self._record(tenant, type, happened)]))

    def _record(self, tenant: str, type: str, happened: float) -> dict[str, Any]:
        """CreationTime is shown when it is read, on the clock that clients have then."""
        return {
            "CreationTime": happened,
            "Id": str(uuid.uuid4()),
            "Operation": "LabOperation",
            "OrganizationId": tenant,
            "RecordType": 1,
            "UserId": "user@lab.example",
            "UserType": 0,
            "Workload": type.partition(".")[2],
        }

    def blob(self, tenant: str, app: str, id: str) -> Blob | None:
        return next((blob for one in self.of(tenant, app) for blob in one.blobs if blob.id == id), None)

    def host(self, address: str) -> str:
        return ELSEWHERE if address == self.m365_elsewhere else self.url

    def told(self, seconds: float) -> str:
        """World seconds as the API prints them."""
        return stamp(self.shown(seconds))[:23] + "Z"


def _id() -> str:
    """As the reference's sample looks: digits, and what may stand in a path."""
    return f"{uuid.uuid4().int % 10**28}$audit_lab$emea"
