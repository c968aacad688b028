# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a run before it has begun: its own variables, and what it reaches. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.names import meant, nearest
from ansible_collections.mssp.onboarding.plugins.module_utils._core.options import whole_number
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import Schema

Groups = Mapping[str, Collection[str]]
# Groups of hosts that are ours; see the inventory plugin.
OURS: Final = ("tenants", "collectors", "mssp_failed")
NAMED: Final = 5
# A limit with one of these says itself what it leaves out: an exclusion, an intersection, a list of hosts in a file.
DELIBERATE: Final = frozenset("!&@")
# Variables of a run, which the playbooks themselves read; a role's on_request is one as well.
RUN: Final = (
    *("drift_correct", "drift_fail", "drift_max_changes"),
    *("mssp_max_fail_percentage", "mssp_serial", "mssp_task_seconds"),
    *("offboard_confirm", "onboard_again", "schedule_hosts", "schedule_remove"),
)
# How the names of ours begin, besides those of the roles' options.
PREFIXES: Final = ("drift_", "mssp_", "offboard_", "onboard_", "schedule_", "verify_")
# From here on a name is taken for a slip in one of ours.
ALIKE: Final = 0.9
# Tags that choose all tasks of ours.
EVERYTHING: Final = frozenset({"all", "tagged"})
# A pattern of a limit that is a name, and not a glob, an address or more.
NAME: Final = re.compile(r"[A-Za-z_][\w-]*")
_PERCENT: Final = re.compile(r"(100|[1-9]?[0-9])(\.[0-9]+)?")
_SECONDS: Final = re.compile(r"[1-9][0-9]{0,8}")
_BATCH: Final = re.compile(r"[1-9][0-9]{0,8}|(100|[1-9][0-9]?)%")


def wrong_limits(values: Mapping[str, Any]) -> list[str]:
    """One line for each limit of LIMITS that cannot be what it says: to Ansible, many a slip is no limit."""
    return [f"{name}: {wrong}" for name, find in LIMITS.items() if name in values and (wrong := find(values[name]))]


def nobody(groups: Groups, hosts: Iterable[str]) -> list[str]:
    """One line where none of the hosts is ours."""
    ours = {host for group in OURS for host in groups.get(group, ())}
    if ours.intersection(hosts):
        return []
    return ["this run reaches no tenant: give the fleet's folder by -i, and a limit that one of its tenants is in"]


def left_out(groups: Groups, hosts: Iterable[str], limit: str) -> list[str]:
    """One line for each tenant that the limit takes without a collector of it, which nobody would look at."""
    if not limit or DELIBERATE.intersection(limit):
        return []
    there = set(hosts)
    lines = []
    for tenant in sorted(there.intersection(groups.get("tenants", ()))):
        group = f"tenant_{tenant.replace('-', '_')}"
        if missing := sorted(set(groups.get(group, ())) - there):
            names = ", ".join(missing[:NAMED]) + (" and more" if len(missing) > NAMED else "")
            lines.append(f"the limit takes {tenant} without its collectors ({names}): write -l {tenant},{group}")
    if len(lines) > NAMED:
        lines[NAMED:] = [f"and {len(lines) - NAMED} more tenants"]
    return [*lines, "where that is meant, add :!collectors to the limit"] if lines else []


def unmatched_limits(groups: Groups, limit: str) -> list[str]:
    """One line for each name of the limit that is no host and no group: Ansible warns, and ends well without it."""
    known = {*groups, *groups.get("all", ()), "localhost"}
    return [
        f"--limit {name}: no tenant, host or group is named so{meant(name, known)}"
        for name in re.split("[,:]", limit)
        if NAME.fullmatch(name) and name not in known
    ]


def wrong_tags(tags: Collection[str], known: Collection[str]) -> list[str]:
    """One line for each tag that selects nothing."""
    return [
        f"--tags {tag}: no capability is named so{meant(tag, known)}"
        for tag in tags
        if tag not in known and tag not in EVERYTHING
    ]


def unknown_variables(given: Iterable[str], schema: Schema) -> list[str]:
    """One line for each extra variable that is named as if it were ours, and that nobody reads."""
    known = [*RUN, *filter(None, (role.capability.on_request for role in schema.roles.values())), *schema.options]
    prefixes = (*PREFIXES, *(f"{role}_" for role in schema.roles))
    return [
        f"-e {name}: no such variable{meant(name, known)}"
        for name in sorted(given)
        if name not in known and (name.startswith(prefixes) or nearest(name, known, ALIKE))
    ]


def shared_identities(given: Iterable[str], schema: Schema, groups: Groups, hosts: Iterable[str]) -> list[str]:
    """One line for each extra variable that would give several tenants what each has to have for itself."""
    found = []
    for name in sorted(schema.own.intersection(given)):
        role, _option = schema.places[name]
        tenants = set(groups.get(f"has_{role.name}", ())).intersection(hosts)
        if len(tenants) > 1:
            found.append(f"-e {name}: each tenant has its own, and this run reaches {len(tenants)}")
    return found


def _wrong_number(value: Any) -> str:
    try:
        whole_number(value, "")
    except InputError:
        return "expected a whole number, where 0 lets nothing change; leave it out for no limit"
    return ""


def _wrong_percentage(value: Any) -> str:
    return "" if _PERCENT.fullmatch(str(value).strip()) else "expected a percentage from 0 to 100, without the sign"


def _wrong_batches(value: Any) -> str:
    batches = value if isinstance(value, list | tuple) else [value]
    if batches and all(_BATCH.fullmatch(str(batch).strip()) for batch in batches):
        return ""
    return "expected a number of hosts or a share such as 10%, above 0, or a list of these"


def _wrong_seconds(value: Any) -> str:
    return "" if _SECONDS.fullmatch(str(value).strip()) else "expected a whole number of seconds, above 0"


LIMITS: Final[Mapping[str, Callable[[Any], str]]] = {
    "drift_max_changes": _wrong_number,
    "mssp_max_fail_percentage": _wrong_percentage,
    "mssp_serial": _wrong_batches,
    "mssp_task_seconds": _wrong_seconds,
}
