# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scenarios that are only a size, as texts of the form of the files beside.

`spread:10000x50` is 10,000 resources evenly over 50 subscriptions, `skewed:3000+20x50` one subscription of 3,000 and 20
of 50; `channel:500` is a Coro channel with 500 children. They have one customer tenant, BENCH. `fleet:1000x20` is 1,000
customer tenants (`fleet_tenant`) of 20 resources in one subscription each, and a Coro channel with as many children.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

FLEET = Path(__file__).parent / "fleet.yml"
BENCH = "50000000-0000-4000-8000-000000000000"
Text = dict[str, Any]


def make(size: str, fleet: Text) -> Text | None:
    """None for what is no size. `fleet` is the text of fleet.yml, whose MSSP they all have."""
    if match := re.fullmatch(r"spread:(\d+)x(\d+)", size):
        total, count = int(match[1]), int(match[2])
        return _text(fleet, {BENCH: [total // count + (n < total % count) for n in range(count)]})
    if match := re.fullmatch(r"skewed:(\d+)\+(\d+)x(\d+)", size):
        return _text(fleet, {BENCH: [int(match[1]), *[int(match[3])] * int(match[2])]})
    if match := re.fullmatch(r"fleet:(\d+)x(\d+)", size):
        count = int(match[1])
        return _text(fleet, {fleet_tenant(n): [int(match[2])] for n in range(count)}) | {"coro": _channel(count)}
    if match := re.fullmatch(r"channel:(\d+)", size):
        return _text(fleet, {BENCH: []}) | {"coro": _channel(int(match[1]))}
    return None


def fleet_tenant(number: int) -> str:
    """The tenant id of a generated fleet's tenant, counted from 0."""
    return f"6{number:07d}-0000-4000-8000-000000000000"


def _text(fleet: Text, customers: dict[str, list[int]]) -> Text:
    """The MSSP's side of the fleet scenario, and customer tenants: id to the sizes of their subscriptions."""
    proseware = fleet["tenants"][0]
    slugs = {tenant: f"bench{number or ''}" for number, tenant in enumerate(customers)}
    return {
        "tenants": [
            proseware,
            *({"slug": slug, "id": tenant, "domain": f"{slug}.example"} for tenant, slug in slugs.items()),
        ],
        "apps": [{**fleet["apps"][0], "consented": ["proseware", *slugs.values()]}],
        "subscriptions": [sub for sub in fleet["subscriptions"] if sub["tenant"] == "proseware"],
        "roles": [role for role in fleet["roles"] if proseware["id"][:24] in role["scopes"][0]],
        "generated": [{"tenant": id_, "name": slugs[id_], "sizes": sizes} for id_, sizes in customers.items()],
    }


def _channel(children: int) -> Text:
    """A channel workspace `bench_0000_u` with so many children, and the client `coro-bench` for all of it."""
    below = [
        {"id": f"bench{n:05d}_{n:04X}_b", "name": f"Customer {n:05d}", "type": "child", "parent": "bench_0000_u"}
        for n in range(1, children + 1)
    ]
    return {
        "workspaces": [{"id": "bench_0000_u", "name": "Bench", "type": "channel"}, *below],
        "clients": [{"id": "coro-bench", "workspace": "bench_0000_u"}],
    }
