# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a collector must have before the role can work there. Only reads."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._core.entry import COUNTS
from .._core.errors import OnboardingError
from . import names, sshd, system
from .arrivals import report as flow_report
from .arrivals import seen
from .sources import MIB, Source, sources, tenant_name

OK, MISSING, UNKNOWN = "ok", "missing", "unknown"
TOOLS = ("useradd", "usermod", "userdel", "groupdel", "pkill", "systemctl", "systemd-run", "systemd-tmpfiles", "logger")
INCLUDE = re.compile(r"^\s*Include\s.*sshd_config\.d/\*\.conf", re.IGNORECASE | re.MULTILINE)
VERSION = "import sys; sys.exit(sys.version_info < (3, 9))"
WHO = "the collector's administrator"

Finding = dict[str, str]


def _finding(check: str, subject: str, status: str, next_step: str = "") -> Finding:
    step = "" if status == OK else next_step
    return {"check": check, "subject": subject, "status": status, "who": "" if status == OK else WHO, "next_step": step}


def _found(check: str, subject: str, there: bool, next_step: str) -> Finding:
    return _finding(check, subject, OK if there else MISSING, next_step)


def _programs(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    python = params["python"]
    good = os.path.exists(python) and system.run(python, "-I", "-c", VERSION, check=False).returncode == 0
    yield _found("python", python, good, "install Python 3.9 or newer there, or set scp_target_python")
    absent = [tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    yield _found("programs", ", ".join(absent or TOOLS), not absent, f"install what brings {', '.join(absent)}")


def _sshd(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    with open(names.SSHD_CONFIG, encoding="utf-8", errors="replace") as stream:
        included = INCLUDE.search(stream.read()) is not None
    line = f"Include {names.DROP_INS}/*.conf"
    yield _found("sshd include", line, included, f"put «{line}» at the top of {names.SSHD_CONFIG}")
    try:
        told = sshd.effective(system.run("/usr/sbin/sshd", "-T").stdout)
    except OnboardingError as error:
        step = "mend the host's own sshd configuration first; nothing of ours is in it yet"
        yield _finding("sshd configuration", error.message, UNKNOWN, step)
        return
    sftp = any(value.startswith("sftp ") for value in told.get("subsystem", ()))
    yield _found("sshd subsystem", "sftp", sftp, "put «Subsystem sftp internal-sftp» into sshd's configuration")
    for source in wanted:
        out = sshd.shut_out(told, source)
        if out:
            yield _finding("sign-in", f"{source.user}: {out}", MISSING, "leave it out of that list, or set its user")
    for restriction in sshd.restrictions(told):
        yield _finding("sign-in", f"the host has {restriction}; our accounts are let in by their own block", OK)


def _accounts(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    for source in wanted:
        seen_account = system.SEE["account"](source.user) or {}
        foreign = str(seen_account.get("foreign", ""))
        yield _found("account", foreign or source.user, not foreign, "set another user for the source")
    group = params["reader_group"]
    if group:
        yield _found("group", group, system.group_exists(group), "make the group on the collector")


def _space(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    path = names.SPOOL
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    free = shutil.disk_usage(path).free // MIB
    there = free > params["min_free_mib"]
    yield _found("space", f"{path}: {free} MiB free", there, "give it more space, or lower scp_target_min_free_mib")


CHECKS: Sequence[Callable[[Mapping[str, Any], Sequence[Source]], Iterator[Finding]]] = (
    _programs,
    _sshd,
    _accounts,
    _space,
)


def findings(params: Mapping[str, Any], wanted: Sequence[Source]) -> list[Finding]:
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(params, wanted)
        except OSError as error:
            found.append(_finding(check.__name__.strip("_"), str(error), UNKNOWN, "let Ansible become root"))
    return found


def _report(found: Sequence[Finding]) -> dict[str, Any]:
    bad = [finding for finding in found if finding["status"] != OK]
    counts = dict.fromkeys(COUNTS, 0)
    for finding in found:
        counts[{OK: "ok", MISSING: "failed", UNKNOWN: "unknown"}[finding["status"]]] += 1
    counts["targets"] = len(found)
    told = " ".join(f"{finding['check']}: {finding['subject']}; {finding['next_step']}." for finding in bad)
    return {
        "changed": False,
        "failed": False,
        "msg": told or "The collector has all that file drops need.",
        "summary": {
            "capability": names.CAPABILITY,
            "outcome": "partial" if bad else "ok",
            "counts": counts,
            "drift": {},
        },
        "changes": [],
        "problems": [],
        "findings": list(found),
        "flows": [],
        "evidence": "",
    }


async def run(params: Mapping[str, Any], reporter: Any, scrubber: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module scp_target_info."""
    tenant = tenant_name(params["tenant"])
    wanted = sources(params["sources"], tenant, 0)
    if params["what"] == "preflight":
        return _report(findings(params, wanted))
    return flow_report(
        [
            seen(source.name, names.config(source.user), names.base(tenant, source.name), params["stale_hours"])
            for source in wanted
        ]
    )
