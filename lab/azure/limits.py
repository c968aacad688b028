# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ARM's published token buckets and Resource Graph's quota.

Numbers: learn.microsoft.com request-limits-and-throttling, governance/resource-graph/concepts/guidance-for-throttled.
Left out: the global limit of a subscription over all principals (15 times one principal's), and limits of resource
providers, for which no numbers are published.
"""

from __future__ import annotations

from lab.kernel.throttle import Bucket

OPERATION = {"GET": "reads", "HEAD": "reads", "DELETE": "deletes"}  # everything else is "writes"
BUCKETS = {"reads": Bucket(250, 25.0), "writes": Bucket(200, 10.0), "deletes": Bucket(200, 10.0)}
GRAPH_QUERIES, GRAPH_WINDOW = 15, 5.0
