# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What sshd is told, and whether it understood. Pure.

Which keywords may stand in a Match block: sshd_config(5). C(HostKeyAlgorithms), C(KexAlgorithms), C(Ciphers) and
C(MACs) may not, which is why old appliances need an sshd of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network

from .._host.firewall import Opening
from . import names
from .sources import Source

NOTE = "# Made by mssp.onboarding, role scp_target, for tenant {tenant}. Changes here are put back by the next run.\n"

# What sshd -T must say of each of our accounts; the same words, in its own case, are the Match block.
RULES = (
    ("AuthenticationMethods", "publickey"),
    ("PubkeyAuthentication", "yes"),
    ("PasswordAuthentication", "no"),
    ("KbdInteractiveAuthentication", "no"),
    ("ForceCommand", names.LAUNCHER),
    ("ChrootDirectory", "none"),
    ("DisableForwarding", "yes"),
    ("AllowTcpForwarding", "no"),
    ("AllowStreamLocalForwarding", "no"),
    ("AllowAgentForwarding", "no"),
    ("X11Forwarding", "no"),
    ("PermitTunnel", "no"),
    ("GatewayPorts", "no"),
    ("PermitTTY", "no"),
    ("PermitUserRC", "no"),
    ("MaxSessions", "4"),
    ("ClientAliveInterval", "60"),
    ("ClientAliveCountMax", "3"),
    ("LogLevel", "VERBOSE"),
    # In place of the host's list: LD_PRELOAD and its kin would run code before our program starts.
    ("AcceptEnv", names.NO_VARIABLE),
)
# Older than the set that sshd offers today, in the order in which they are better than nothing.
OLD = (
    ("KexAlgorithms", "+diffie-hellman-group14-sha1,diffie-hellman-group-exchange-sha1,diffie-hellman-group1-sha1"),
    ("HostKeyAlgorithms", "+ssh-rsa"),
    ("Ciphers", "+aes256-cbc,aes128-cbc,3des-cbc"),
    ("MACs", "+hmac-sha1,hmac-sha1-96"),
    # Of the whole instance: a client that asks for server-sig-algs (RFC 8308) is told this before it says who it is.
    ("PubkeyAcceptedAlgorithms", "+ssh-rsa"),
)

EXEMPT_NOTE = (
    "# Made by mssp.onboarding, role scp_target: where Ansible comes from, and whom the host had named before.\n"
)
EXEMPT = "PerSourcePenaltyExemptList"

# sshd becomes the account that signs in and puts its unprivileged part into an empty root, so it starts as root with
# these capabilities and these system calls; what it starts may write nothing but what a source drops, and logs.
HARDENED = f"""\
CapabilityBoundingSet=CAP_SETUID CAP_SETGID CAP_SYS_CHROOT CAP_NET_BIND_SERVICE CAP_KILL CAP_SYS_RESOURCE
CapabilityBoundingSet=CAP_AUDIT_WRITE CAP_AUDIT_CONTROL
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=-{names.SPOOL} -/var/log
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
ProtectProc=invisible
ProcSubset=pid
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
MemoryDenyWriteExecute=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service chroot
UMask=0077
"""

Effective = Mapping[str, Sequence[str]]


def match_block(source: Source) -> str:
    """AllowUsers and AllowGroups admit this one account on a host that admits others by name; they say nothing of
    anybody else, since they stand in its own block."""
    lines = [
        f"Match User {source.user}",
        f"AllowUsers {source.user}",
        f"AllowGroups {source.user}",
        f"AuthorizedKeysFile {names.keys(source.user)}",
        *(f"{keyword} {value}" for keyword, value in RULES),
    ]
    if source.legacy_keys:
        lines.append("PubkeyAcceptedAlgorithms +ssh-rsa")
    return "\n    ".join(lines) + "\n"


def drop_in(tenant: str, sources: Iterable[Source]) -> str:
    blocks = "".join(match_block(source) for source in sources)
    return f"{NOTE.format(tenant=tenant)}{blocks}Match all\n"


def legacy_config(tenant: str, sources: Sequence[Source], port: int, host_keys: Iterable[str]) -> str:
    """An sshd of its own for appliances that know no key exchange of today; nobody else can sign in there."""
    lines = [
        f"Port {port}",
        *(f"HostKey {path}" for path in host_keys),
        "PidFile none",
        "UsePAM yes",
        "PermitRootLogin no",
        "LoginGraceTime 30",
        "MaxStartups 10:30:30",
        f"AllowUsers {' '.join(source.user for source in sources)}",
        "Subsystem sftp internal-sftp",  # never started: it only lets the request reach ForceCommand
        *(f"{keyword} {value}" for keyword, value in OLD),
    ]
    blocks = "".join(match_block(source) for source in sources)
    return NOTE.format(tenant=tenant) + "\n".join(lines) + "\n" + blocks


def legacy_unit(tenant: str) -> str:
    path = names.legacy_config(tenant)
    return f"""{NOTE.format(tenant=tenant)}[Unit]
Description=SSH with old algorithms for the file drops of {tenant}
After=network.target

[Service]
RuntimeDirectory=sshd
RuntimeDirectoryPreserve=yes
ExecStartPre=/usr/sbin/sshd -t -f {path}
ExecStart=/usr/sbin/sshd -D -f {path}
ExecReload=/usr/sbin/sshd -t -f {path}
ExecReload=/bin/kill -HUP $MAINPID
KillMode=process
Restart=on-failure
{HARDENED}
[Install]
WantedBy=multi-user.target
"""


def keys_file(tenant: str, source: Source) -> str:
    start = f'restrict,from="{",".join(source.senders)}",command="{names.LAUNCHER}"'
    lines = [f"{start} {key} {source.name}\n" for key in source.keys]
    return NOTE.format(tenant=tenant) + "".join(lines)


def openings(sources: Iterable[Source], ports: Iterable[int], legacy_port: int) -> set[Opening]:
    """What the host's firewall has to let in. ports: of the host's own sshd."""
    return {
        Opening("tcp", port, ip_network(sender))
        for source in sources
        for sender in source.senders
        for port in (*ports, *([legacy_port] if legacy_port and source.legacy_transport else []))
    }


def effective(text: str) -> dict[str, list[str]]:
    """What C(sshd -T) printed: keyword in small letters -> its values."""
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        keyword, _blank, value = line.strip().partition(" ")
        if keyword:
            found.setdefault(keyword.lower(), []).append(value.strip())
    return found


def misunderstood(told: Effective, source: Source) -> list[str]:
    """What sshd will do otherwise than we said for this account, as «keyword value»."""
    wanted = [*RULES, ("AuthorizedKeysFile", names.keys(source.user))]
    return [
        f"{keyword} {' '.join(told[keyword.lower()])}"
        for keyword, value in wanted
        if keyword.lower() in told and [value.lower()] != [found.lower() for found in told[keyword.lower()]]
    ] + ([] if told.get("forcecommand") else ["ForceCommand none"])


def shut_out(told: Effective, source: Source) -> str:
    """The list of the host that keeps this account out, or ""."""
    for keyword in ("denyusers", "denygroups"):
        for value in told.get(keyword, ()):
            if any(fnmatchcase(source.user, pattern.partition("@")[0]) for pattern in value.split()):
                return f"{keyword} {value}"
    return ""


def not_admitted(told: Effective, user: str, groups: Sequence[str], port: str) -> str:
    """Why this user could not sign in at this port, as far as the host's lists say; "" if they can."""

    def named(keyword: str, values: Sequence[str]) -> bool:
        patterns = [word.partition("@")[0] for line in told.get(keyword, ()) for word in line.split()]
        return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)

    for keyword, values in (("denyusers", [user]), ("denygroups", groups)):
        if named(keyword, values):
            return f"{keyword} {' '.join(told[keyword])}"
    for keyword, values in (("allowusers", [user]), ("allowgroups", groups)):
        if told.get(keyword) and not named(keyword, values):
            return f"{keyword} {' '.join(told[keyword])}"
    if user == "root" and told.get("permitrootlogin") == ["no"]:
        return "permitrootlogin no"
    if port not in told.get("port", [port]):
        return f"port {' '.join(told['port'])}"
    return ""


def exempt(told: Effective, client: str, *, ours: bool) -> str:
    """Our file with those whom sshd never turns away for what others did from their address; "" where none is needed.

    A source with a wrong key earns penalties for its address (OpenSSH 9.8 and later), which may be a gateway that
    Ansible comes by, too. The keyword may stand once, and in no Match block, so what the host has is taken over.

    Args:
        told: of sshd -T.
        client: where Ansible comes from, "" where that is this host itself.
        ours: whether the file is there already.
    """
    listed = [word for value in told.get(EXEMPT.lower(), ()) for word in value.split(",") if word != "none"]
    if EXEMPT.lower() not in told or not (ours or client) or (not ours and _covered(client, listed)):
        return ""
    wanted = listed if not client or _covered(client, listed) else [*listed, client]
    return f"{EXEMPT_NOTE}{EXEMPT} {','.join(sorted(set(wanted)))}\n" if wanted else ""


def _covered(client: str, listed: Iterable[str]) -> bool:
    """By an address or a network; a list with other patterns is none that we can read, and is only added to."""
    for word in listed:
        with suppress(ValueError):
            if ip_address(client) in ip_network(word, strict=False):
                return True
    return False


def restrictions(told: Effective) -> list[str]:
    """The host's own lists of who may sign in, as «keyword value»."""
    keywords = ("allowusers", "allowgroups", "denyusers", "denygroups")
    return [f"{keyword} {value}" for keyword in keywords for value in told.get(keyword, ())]
