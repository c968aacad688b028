# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host lacks to become a tenant's receiver. Only reads; what cannot be asked is unknown, not missing."""

from __future__ import annotations

import os
import re
import socket
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from .._core.findings import MISSING, OK, UNKNOWN, Finding, result
from .._host import commands
from . import model, places, system
from .host import CAPABILITY
from .layout import STORAGE, Layout
from .model import Output, Receiver, Source
from .options import DEFAULTS

HOST, PROVIDER = "the host's administrator", "whoever keeps the tenant file"
OPENSSL = "install openssl on the host, then look again"
FAMILIES = {"debian": "Debian", "ubuntu": "Debian", "rhel": "RedHat", "fedora": "RedHat", "centos": "RedHat"}
# By family: is it installed, and can it be; the second answers with text where it can.
PACKAGES = {
    "Debian": (("dpkg-query", "-W", "-f=${db:Status-Status}"), ("apt-cache", "show", "--no-all-versions")),
    "RedHat": (("rpm", "-q"), ("dnf", "-q", "list", "--available")),
}
# What both say, ending with an error, of a package that they do not know; any other error is none about the package.
NOT_OFFERED = re.compile(r"No packages found|No matching Packages", re.IGNORECASE)
CONNECT_SECONDS = 5
APPARMOR = "/sys/kernel/security/apparmor/profiles"
APPARMOR_RULES = "/etc/apparmor.d/local/usr.sbin.rsyslogd"
RENEW_SECONDS = str(30 * 86400)
SOCKET = re.compile(r"^(udp|tcp)\s+\S+\s+\d+\s+\d+\s+(\S+):(\d+)\s+\S+\s*(?:users:\(\((.*)\)\))?", re.MULTILINE)
PROCESS = re.compile(r'"([^"]*)",pid=(\d+)')
EVERYWHERE = {"0.0.0.0", "*", "[::]", ""}  # compared with  # nosec B104


class Bound(NamedTuple):
    """A socket that receives, as C(ss) shows it. process: its program, "" where that is not told."""

    protocol: str
    address: str
    port: int
    process: str
    pid: int


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module's engine; it only reads, with and without check mode."""
    del check, diff
    receiver = model.receiver({**DEFAULTS, **params})
    return result(CAPABILITY, findings(receiver, Layout(receiver.tenant), params["packages"]))


def _finding(check: str, subject: str, wrong: str, who: str, step: str) -> Finding:
    """wrong: what is missing, "" where nothing is."""
    return Finding(check, subject, MISSING, wrong, who, step) if wrong else Finding(check, subject, OK)


def findings(receiver: Receiver, layout: Layout, packages: Iterable[str]) -> list[Finding]:
    """All of them, in the order in which a person would cure them."""
    family = _family(_text("/etc/os-release"))
    found = [*_host(family), *_packages(family, packages), _confinement(layout), *_ports(receiver, layout)]
    strays = places.strays(receiver).items()
    found += [Finding("files", place, MISSING, why, HOST, places.NEXT_STEP) for place, why in strays]
    found += [*_space(receiver), *_clock()]
    return [*found, *_certificate(receiver), *map(_output, receiver.outputs)]


def _text(path: str) -> str:
    return (system.read(os.path.realpath(path)) or ("", 0))[0]


def _family(os_release: str) -> str:
    """Debian, RedHat, or "" where it is neither."""
    said = dict(re.findall(r'^(ID|ID_LIKE)="?([^"\n]*)"?$', os_release, re.MULTILINE))
    words = f"{said.get('ID', '')} {said.get('ID_LIKE', '')}".split()
    return next((FAMILIES[word] for word in words if word in FAMILIES), "")


def _host(family: str) -> Iterator[Finding]:
    wrong = "" if family else "neither of the Debian nor of the RHEL family"
    yield _finding("system", family or "/etc/os-release", wrong, HOST, "take a host of one of these families")
    wrong = "" if os.path.isdir("/run/systemd/system") else "does not run here"
    yield _finding("system", "systemd", wrong, HOST, "take a host that systemd has booted")


def _packages(family: str, packages: Iterable[str]) -> Iterator[Finding]:
    if not family:
        return
    ask, offer = PACKAGES[family]
    for package in packages:
        there = commands.run(*ask, package)
        if there.code == 0 and (family != "Debian" or there.out == "installed"):
            yield Finding("package", package, OK)
            continue
        offered = commands.run(*offer, package)
        if offered.code == 0 and offered.out.strip():
            yield Finding("package", package, OK, "will be installed")
        else:
            step = f"make a repository with {package} known to the host, or install it"
            answered = offered.code == 0 or NOT_OFFERED.search(offered.err)
            detail = "neither installed nor offered by a repository that the host knows"
            asked = f"not installed, and repositories cannot be asked: {offered.err.strip()[:300] or 'no answer'}"
            status, text = (MISSING, detail) if answered else (UNKNOWN, asked)
            yield Finding("package", package, status, text, HOST, step)


# --- confinement


def _confinement(layout: Layout) -> Finding:
    """Whether AppArmor lets rsyslogd read and write where a receiver's files are: Ubuntu confines it from 23.04 on."""
    loaded = re.search(r"^(?:/usr/sbin/)?rsyslogd \(enforce\)", _text(APPARMOR), re.MULTILINE)
    rules = _text(APPARMOR_RULES)
    lacking = [path for path in layout.trees if not re.search(rf"^\s*{re.escape(path)}\S*\s+\S*", rules, re.MULTILINE)]
    lines = ", ".join(f"{path}/** rwk" for path in lacking)
    step = (
        f"add to {APPARMOR_RULES} the lines {lines} (each ends with a comma), and run apparmor_parser -r on its profile"
    )
    wrong = f"AppArmor confines rsyslogd and has no rule for {', '.join(lacking)}" if loaded and lacking else ""
    return _finding("confinement", "rsyslogd", wrong, HOST, step)


# --- ports


def sockets(listed: str) -> list[Bound]:
    """From the output of C(ss -H -lntup)."""
    found = []
    for protocol, address, port, users in SOCKET.findall(listed):
        process = PROCESS.search(users)
        name, pid = (process[1], int(process[2])) if process else ("", 0)
        found.append(Bound(protocol, address.partition("%")[0], int(port), name, pid))
    return found


def taken(source: Source, port: int, bound: Iterable[Bound], mine: int) -> Bound | None:
    """The socket of another process that keeps the source's from being made. mine: pid of the tenant's receiver."""
    shown = f"[{source.address}]" if ":" in source.address else source.address
    for other in bound:
        same = (other.protocol, other.port) == (source.protocol, port)
        if same and other.pid != (mine or -1) and (EVERYWHERE & {other.address, shown} or other.address == shown):
            return other
    return None


def _ports(receiver: Receiver, layout: Layout) -> Iterator[Finding]:
    said = commands.run("ss", "-H", "-lntup")
    pid = int(commands.run("systemctl", "show", "--value", "-p", "MainPID", layout.unit).out.strip() or 0)
    for source, port in ((each, port) for each in receiver.sources for port in each.ports):
        subject = f"{source.protocol} {port} of source {source.name}"
        other = taken(source, port, sockets(said.out), pid)
        if said.code:
            detail = f"cannot be asked: {said.err.strip()}"
            yield Finding("port", subject, UNKNOWN, detail, HOST, "install iproute2, which brings ss")
        elif other:
            who = f"{other.process or 'another process'} (pid {other.pid})" if other.pid else "another process"
            step = "stop what holds it, or give the source another port or address"
            yield Finding("port", subject, MISSING, f"{who} has it at {other.address}", HOST, step)
        else:
            yield Finding("port", subject, OK)


# --- disk and clock


def _space(receiver: Receiver) -> Iterator[Finding]:
    options = receiver.options
    disk = os.statvfs(_existing(STORAGE))
    free, wanted = 100 * disk.f_bavail / max(disk.f_blocks, 1), options["disk_low_percent"]
    step = "extend the disk, or give /var/log/collected one of its own"
    wrong = "" if free > wanted else f"{free:.0f} % free, and below {wanted} % the disk guard stops sources"
    yield _finding("space", STORAGE, wrong, HOST, step)
    modes = [source.queue for source in receiver.sources] + [output.queue for output in receiver.outputs]
    need = sum(mode != "fast" for mode in modes) * options["queue_disk_bytes"]
    folder = "/var/lib/rsyslog"
    disk = os.statvfs(_existing(folder))
    room = disk.f_bavail * disk.f_frsize
    step = "extend the disk, or set syslog_target_queue_disk_bytes lower"
    wrong = "" if room >= need else f"the queues may take {need >> 20} MiB, and {room >> 20} MiB are free"
    yield _finding("space", folder, wrong, HOST, step)


def _existing(path: str) -> str:
    while not os.path.isdir(path):
        path = os.path.dirname(path)
    return path


def _clock() -> Iterator[Finding]:
    said = commands.run("timedatectl", "show", "--value", "-p", "NTPSynchronized")
    step = "run chrony or systemd-timesyncd: times of receipt are the host's"
    word = said.out.strip()
    if word in ("yes", "no"):
        yield _finding("clock", "NTP", "" if word == "yes" else "the host's clock is not synchronised", HOST, step)
    else:
        detail = f"cannot be asked: {said.err.strip() or said.out.strip() or 'no answer'}"
        yield Finding("clock", "NTP", UNKNOWN, detail, HOST, step)


# --- certificates that are given


def _certificate(receiver: Receiver) -> Iterator[Finding]:
    options = receiver.options
    if not options["tls_certificate"]:
        return
    if commands.run("openssl", "version").code == 127:
        yield Finding("certificate", "openssl", UNKNOWN, "openssl is not there to read it", HOST, OPENSSL)
        return
    before = os.umask(0o077)
    try:
        with tempfile.TemporaryDirectory(prefix="mssp-syslog-") as folder:
            for name in ("ca", "certificate", "key"):
                with open(f"{folder}/{name}", "w", encoding="ascii", errors="replace") as file:
                    file.write(options[f"tls_{name}"].strip() + "\n")
            for check, judge in CERTIFICATE_CHECKS.items():
                detail, step = judge(folder)
                yield _finding(check, "syslog_target_tls_certificate", detail, PROVIDER, step)
    finally:
        os.umask(before)


def _dates(folder: str) -> tuple[str, str]:
    said = commands.run("openssl", "x509", "-in", f"{folder}/certificate", "-noout", "-enddate")
    if said.code:
        return "it cannot be read as a PEM certificate", "give the text from BEGIN to END CERTIFICATE"
    end = said.out.strip().partition("=")[2]
    for seconds, word in (("0", "has ended"), (RENEW_SECONDS, "ends soon")):
        if commands.run("openssl", "x509", "-in", f"{folder}/certificate", "-noout", "-checkend", seconds).code:
            return f"it {word}: {end}", "have it renewed, and give the new one with its key"
    return "", ""


def _key(folder: str) -> tuple[str, str]:
    of_key = commands.run("openssl", "pkey", "-in", f"{folder}/key", "-pubout")
    of_certificate = commands.run("openssl", "x509", "-in", f"{folder}/certificate", "-noout", "-pubkey")
    same = of_key.code == 0 and of_key.out == of_certificate.out
    return ("", "") if same else ("the key is not the certificate's", "give the key that the request was made with")


def _chain(folder: str) -> tuple[str, str]:
    chain = ("-untrusted", f"{folder}/certificate", f"{folder}/certificate")
    said = commands.run("openssl", "verify", "-no_check_time", "-CAfile", f"{folder}/ca", *chain)
    lines = [line for line in said.err.splitlines() if line.startswith("error ")]
    words = lines[-1].partition("lookup: ")[2] if lines else "openssl cannot follow it"
    step = "give the chain after the certificate, and in tls_ca the authority that it ends at"
    return ("", "") if said.code == 0 else (f"it does not lead to tls_ca: {words}", step)


CERTIFICATE_CHECKS: Mapping[str, Callable[[str], tuple[str, str]]] = {
    "certificate dates": _dates,
    "certificate key": _key,
    "certificate chain": _chain,
}


# --- outputs


def _output(output: Output) -> Finding:
    if output.type == "file":
        folder = os.path.dirname(output.path)
        wrong = "" if os.path.isdir(folder) else f"there is no folder {folder}"
        return _finding("output", output.name, wrong, HOST, "make it: the receiver may write in it, but not make it")
    where = f"{output.host}:{output.port}"
    wrong = ""
    try:
        socket.create_connection((output.host, output.port), CONNECT_SECONDS).close()
    except OSError as error:
        wrong = str(error) or "no answer"
    step = f"open the way from the host to {where}, and see that something listens there"
    return _finding("output", f"{output.name} ({where})", wrong, HOST, step)
