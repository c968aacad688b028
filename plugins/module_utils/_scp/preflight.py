# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a collector must have before the role can work there. Only reads."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from .._core import findings
from .._core.errors import OnboardingError, RefusedError
from .._core.findings import MISSING, OK, UNKNOWN, Finding
from .._core.freshness import Flow
from .._host import selinux
from . import gate, names, sshd, system
from .arrivals import report as flow_report
from .arrivals import ruled, seen
from .desired import PORT_TYPE
from .sources import MIB, Source, sources, tenant_name

TOOLS = ("useradd", "usermod", "userdel", "groupdel", "pkill", "systemctl", "systemd-run", "systemd-tmpfiles", "logger")
INCLUDE = re.compile(r"^\s*Include\s.*sshd_config\.d/\*\.conf", re.IGNORECASE | re.MULTILINE)
OPENSSH = re.compile(r"OpenSSH_(\d+)\.(\d+)")
# OpenSSH's release notes: 8.2 brought Include, 8.5 the keyword PubkeyAcceptedAlgorithms.
NEEDED, NEEDED_FOR_OLD = (8, 2), (8, 5)
PYTHON = "import sys; sys.exit(sys.version_info < (3, 9))"
WHO = "the collector's administrator"


def _found(check: str, subject: str, there: bool, detail: str, next_step: str) -> Finding:
    return Finding(check, subject, OK) if there else Finding(check, subject, MISSING, detail, WHO, next_step)


def _unknown(check: str, subject: str, detail: str, next_step: str) -> Finding:
    return Finding(check, subject, UNKNOWN, detail, WHO, next_step)


def _programs(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    python = params["python"]
    good = os.path.exists(python) and system.run(python, "-I", "-c", PYTHON, check=False).code == 0
    step = "install Python 3.9 or newer there, or set scp_target_python"
    yield _found("python", python, good, "it is not there, or older than 3.9", step)
    absent = [tool for tool in TOOLS if shutil.which(tool, path="/usr/sbin:/usr/bin:/sbin:/bin") is None]
    step = f"install the packages that bring {', '.join(absent)}"
    yield _found("programs", ", ".join(absent or TOOLS), not absent, "they are not installed", step)


def version(said: str, wanted: Sequence[Source]) -> Finding:
    """said: what sshd answers when it is asked for its version, whether it knows the question or not."""
    least = NEEDED_FOR_OLD if any(source.legacy_keys or source.legacy_transport for source in wanted) else NEEDED
    found = OPENSSH.search(said)
    if found is None:
        return _unknown("sshd version", "sshd", "it does not say which OpenSSH it is", "see that OpenSSH is installed")
    text = ".".join(map(str, least))
    good = (int(found[1]), int(found[2])) >= least
    return _found("sshd version", found[0], good, f"{text} is needed", f"bring OpenSSH to {text} or newer")


def _sshd(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    asked = system.run("/usr/sbin/sshd", "-V", check=False)
    yield version(asked.err + asked.out, wanted)
    with open(names.SSHD_CONFIG, encoding="utf-8", errors="replace") as stream:
        included = INCLUDE.search(stream.read()) is not None
    line = f"Include {names.DROP_INS}/*.conf"
    step = f"put «{line}» at the top of {names.SSHD_CONFIG}"
    yield _found("sshd include", line, included, f"{names.SSHD_CONFIG} does not have it", step)
    try:
        told = sshd.effective(system.run("/usr/sbin/sshd", "-T").out)
    except OnboardingError as error:
        step = "mend the host's own sshd configuration first; nothing of ours is in it yet"
        yield _unknown("sshd configuration", names.SSHD_CONFIG, error.message, step)
        return
    yield from judged(told, wanted)


def judged(told: sshd.Effective, wanted: Sequence[Source]) -> Iterator[Finding]:
    """What sshd -T says of the host, as far as file drops need it."""
    sftp = any(value.startswith("sftp ") for value in told.get("subsystem", ()))
    step = "put «Subsystem sftp internal-sftp» into sshd's configuration"
    yield _found("sshd subsystem", "sftp", sftp, "SFTP is switched off", step)
    for source in wanted:
        if out := sshd.shut_out(told, source):
            step = "leave it out of that list, or set another user for the source"
            yield _found("sign-in", source.user, False, f"the host has {out}", step)
    for restriction in sshd.restrictions(told):
        yield Finding("sign-in", f"the host has {restriction}; our accounts are let in by their own block", OK)


def keyless(wanted: Sequence[Source]) -> Iterator[Finding]:
    """A source whose keys come from what is onboarded first: no fault, and nothing can arrive before."""
    step = "run onboard for what pushes to it, which writes the file that its keys are read from"
    for source in wanted:
        if not source.keys:
            yield Finding(
                "key", source.name, OK, f"{source.name} has no key yet, so that nothing can arrive", WHO, step
            )


def _accounts(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    owners = system.owners()
    yield from keyless(wanted)
    for source in wanted:
        foreign = str((system.SEE["account"](source.user) or {}).get("foreign", ""))
        if owners.get(source.user, params["tenant"]) != params["tenant"]:
            foreign = names.TAKEN
        yield _found("account", source.user, not foreign, foreign, "set another user for the source")
    if group := params["reader_group"]:
        step = "make the group on the collector"
        yield _found("group", group, system.group_exists(group), "there is no such group", step)


def _space(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    path = names.SPOOL
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    free, least = shutil.disk_usage(path).free // MIB, params["min_free_mib"]
    step = "give it more space, or lower scp_target_min_free_mib"
    yield _found("space", path, free > least, f"{free} MiB are free, and {least} have to stay so", step)


def listening(table: str) -> set[int]:
    """Ports of the lines in the form of /proc/net/tcp that are in state LISTEN (0A)."""
    rows = [line.split() for line in table.splitlines()[1:]]
    return {int(row[1].rpartition(":")[2], 16) for row in rows if len(row) > 3 and row[3] == "0A"}


def _port(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    port = params["legacy_port"]
    if not port:
        return
    taken: set[int] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(FileNotFoundError), open(table, encoding="ascii") as stream:
            taken |= listening(stream.read())
    ours = (system.SEE["unit"](names.legacy_unit(params["tenant"])) or {}).get("active", False)
    step = "see with «ss -lntp» what listens there, or set another scp_target_legacy_port"
    yield _found("port", f"tcp {port}", ours or port not in taken, "another process listens there", step)


def label(port: int, listed: str) -> Finding:
    """The role labels the port where SELinux does not let sshd have it; whose it was until then is worth to know."""
    found = selinux.type_of(f"tcp {port}", listed)
    detail = "" if found == PORT_TYPE else f"will be labelled {PORT_TYPE}{f', and is {found} now' if found else ''}"
    return Finding("selinux", f"tcp {port}", OK, detail)


def _selinux(params: Mapping[str, Any], wanted: Sequence[Source]) -> Iterator[Finding]:
    """Has not run on a booted host with SELinux yet."""
    if not (params["legacy_port"] and selinux.runs()):
        return
    try:
        yield label(params["legacy_port"], selinux.listed())
    except RefusedError as error:
        step = "install policycoreutils-python-utils, or let onboard do it"
        yield _unknown("selinux", "semanage", error.message or "it does not answer", step)


CHECKS: Sequence[Callable[[Mapping[str, Any], Sequence[Source]], Iterator[Finding]]] = (
    _programs,
    _sshd,
    _accounts,
    _space,
    _port,
    _selinux,
)


def looked_at(params: Mapping[str, Any], wanted: Sequence[Source]) -> list[Finding]:
    """All checks; one that cannot look is a finding of its own, and the others go on."""
    found: list[Finding] = []
    for check in CHECKS:
        try:
            found += check(params, wanted)
        except (OSError, OnboardingError) as error:
            name = check.__name__.strip("_")
            found.append(_unknown(name, "this host", str(error), "let Ansible become root, and see that sshd is there"))
    return found


async def run(params: Mapping[str, Any], reporter: Any, redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module scp_target_info."""
    tenant = tenant_name(params["tenant"])
    wanted = sources(params["sources"], tenant, 0)
    if params["what"] == "preflight":
        return {**findings.result(names.CAPABILITY, looked_at(params, wanted)), "flows": []}
    return flow_report([_arrivals(tenant, source, params["stale_hours"]) for source in wanted], time.time())


def _arrivals(tenant: str, source: Source, stale_hours: int) -> Flow:
    """A source that still sends is not well when its account may do more than send, or is about to be shut out."""
    found = seen(source.name, names.config(source.user), names.base(tenant, source.name), stale_hours)
    if not os.path.exists(names.config(source.user)):
        return found
    try:
        return ruled(found, gate.unruled(source))
    except OnboardingError as error:
        return ruled(found, "", error.message)
