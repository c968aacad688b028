"""Real Debian hosts for tests: systemd-nspawn boots them, each in a network namespace of its own, SSH drives them.

    with booted_host("bookworm", "collector1") as host:
        host.run("systemctl is-system-running")      # as root by SSH; CompletedProcess with text
        host.address                                 # IPv4 address of the host
        host.gateway, host.senders                   # our addresses on its network, to bind a sending socket to
        host.ssh_key, host.known_hosts, host.ssh     # files, and the argument list of a ready ssh command
        host.root                                    # its root folder, as seen from here
        host.inventory_line                          # «collector1 ansible_host=…», user ansible with sudo

In pytest take the fixture C(boot) of conftest.py: C(host = boot("bookworm", "collector1")); it skips where `why_not()`
gives a reason, and fails there under CI=true. A suite's base is made once by debootstrap, from the mirror that this
machine's apt uses, and kept in .cache/hosts/<suite>; a host is an overlay on it. Hosts are offline: apt
in them installs only what lies in the base's package cache (OPTIONAL_PACKAGES and all that is already installed).

Everything of a host carries a slot's number (namespace, veth, cgroup, folder), and a process holds the slot's lock as
long as it uses it. So what a killed run left behind is found, and removed, by the next user of the slot.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "hosts"
STATE = Path("/run/mssp-hosts")
SUITES = ("bookworm", "trixie")
TOOLS = ("debootstrap", "systemd-nspawn", "ip", "ssh", "ssh-keygen")
PACKAGES = (
    *("systemd", "systemd-sysv", "dbus", "python3", "python3-apt", "openssh-server", "sudo", "iproute2", "nftables"),
    *("rsyslog", "rsyslog-gnutls", "rsyslog-relp", "logrotate", "ca-certificates", "openssl"),
)
OPTIONAL_PACKAGES = ("rsyslog-gnutls", "rsyslog-relp")  # a test may remove them and see them installed again
SLOTS = 32
SENDERS = (11, 12, 13, 14)  # last octets of our further addresses on a host's network
BOOT_SECONDS = 60
CGROUPS = (Path("/sys/fs/cgroup/systemd"), Path("/sys/fs/cgroup/unified"), Path("/sys/fs/cgroup"))


class HostError(Exception):
    """A host could not be made or booted; the text says why."""


def why_not() -> str | None:
    """Why this machine cannot boot hosts, or None when it can."""
    if os.geteuid() != 0:
        return "booted hosts need root"
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    return f"booted hosts need {', '.join(missing)}" if missing else None


@dataclass(frozen=True)
class Host:
    """A booted host. suite: Debian's code name; slot: number in the names of all that belongs to it."""

    name: str
    suite: str
    slot: int
    root: Path

    @property
    def state(self) -> Path:
        return STATE / str(self.slot)

    @property
    def address(self) -> str:
        return f"10.213.{self.slot}.2"

    @property
    def gateway(self) -> str:
        return f"10.213.{self.slot}.1"

    @property
    def senders(self) -> list[str]:
        return [f"10.213.{self.slot}.{last}" for last in SENDERS]

    @property
    def ssh_key(self) -> Path:
        return self.state / "key"

    @property
    def known_hosts(self) -> Path:
        return self.state / "known_hosts"

    @property
    def ssh_options(self) -> list[str]:
        return [
            *("-F", "/dev/null", "-o", f"UserKnownHostsFile={self.known_hosts}", "-o", "StrictHostKeyChecking=yes"),
            *("-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", "-o", "ConnectTimeout=60"),
            *("-o", f"ControlPath={self.state}/cp-%C"),
        ]

    @property
    def ssh(self) -> list[str]:
        """A command that runs its further arguments on the host as root."""
        shared = ["-o", "ControlMaster=auto", "-o", "ControlPersist=60", "-o", "LogLevel=ERROR"]
        return ["ssh", *self.ssh_options, *shared, "-i", str(self.ssh_key), f"root@{self.address}"]

    @property
    def inventory_line(self) -> str:
        return (
            f"{self.name} ansible_host={self.address} ansible_user=ansible ansible_become=true"
            f" ansible_ssh_timeout=60 ansible_ssh_private_key_file={self.ssh_key}"
            f" ansible_ssh_common_args='{' '.join(self.ssh_options)}'"
        )

    def run(
        self, command: str, *, check: bool = True, timeout: float = 60, stdin: str | None = None
    ) -> subprocess.CompletedProcess[str]:
        """A shell command on the host as root; a failure is a HostError with its output, unless check is false."""
        given = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        done = subprocess.run(
            [*self.ssh, command], text=True, capture_output=True, timeout=timeout, check=False, **given
        )
        if check and done.returncode:
            raise HostError(f"{self.name}: «{command}» ended with {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done


@contextlib.contextmanager
def booted_host(suite: str, name: str) -> Iterator[Host]:
    """A host that answers by SSH and whose systemd has started; gone when the block ends."""
    reason = why_not()
    if reason:
        raise HostError(reason)
    base = base_of(suite)
    with _slot() as slot:
        host = Host(name, suite, slot, CACHE / "run" / f"{slot}-{os.getpid()}")
        nspawn: subprocess.Popen[bytes] | None = None
        try:
            _clone(base, host)
            _connect(host)
            nspawn = _start(host)
            _await(host, nspawn)
            yield host
        finally:
            _close_ssh(host)
            _clean(slot)
            if nspawn is not None:
                nspawn.wait(10)


# --- the base of a suite


def mirror() -> str:
    """The Debian mirror that this machine's apt is set to."""
    line = ["apt-get", "indextargets", "--format", "$(ORIGIN) $(REPO_URI)", "Created-By: Packages"]
    found = subprocess.run(line, capture_output=True, text=True, check=True).stdout.split("\n")
    sites = [words.split()[1] for words in found if words.startswith("Debian ") and "security" not in words]
    return sites[0] if sites else "http://deb.debian.org/debian/"


def base_of(suite: str) -> Path:
    """The folder of the suite's base, made when it is not there or made of other packages."""
    CACHE.mkdir(parents=True, exist_ok=True)
    stamp = hashlib.sha256(" ".join((suite, *PACKAGES)).encode()).hexdigest()
    base, mark = CACHE / suite, CACHE / f"{suite}.stamp"
    with open(CACHE / f"{suite}.lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not base.is_dir() or not mark.is_file() or mark.read_text(encoding="ascii") != stamp:
            _make_base(suite, base)
            mark.write_text(stamp, encoding="ascii")
        if not _lists(suite).is_dir():
            _shorten_lists(base, _lists(suite))
    return base


def _lists(suite: str) -> Path:
    """The folder of the lists of packages that a host of this suite gets instead of the mirror's."""
    return CACHE / f"{suite}.lists"


def _shorten_lists(base: Path, folder: Path) -> None:
    """A host can install only what its base has, and apt reads 170 packages much faster than 63,000."""
    status = (base / "var/lib/dpkg/status").read_text(encoding="utf-8")
    names = set(re.findall(r"^Package: (.*)$", status, re.MULTILINE))
    part = folder.with_suffix(".part")
    part.mkdir(exist_ok=True)
    for path in (base / "var/lib/apt/lists").glob("*_Packages"):
        packages = path.read_text(encoding="utf-8").split("\n\n")
        kept = [text for text in packages if text.partition("\n")[0].removeprefix("Package: ") in names]
        (part / path.name).write_text("\n\n".join([*kept, ""]), encoding="utf-8")
    part.replace(folder)


def give_all_lists(host: Host) -> None:
    """For a host that is to install what its base does not have."""
    for path in (CACHE / host.suite / "var/lib/apt/lists").glob("*_Packages"):
        shutil.copy(path, host.root / "var/lib/apt/lists" / path.name)


def _make_base(suite: str, base: Path) -> None:
    shutil.rmtree(base, ignore_errors=True)
    shutil.rmtree(_lists(suite), ignore_errors=True)
    log = CACHE / f"{suite}.log"
    line = ["debootstrap", "--variant=minbase", f"--include={','.join(PACKAGES)}", suite, str(base), mirror()]
    with open(log, "wb") as output:
        done = subprocess.run(line, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise HostError(f"debootstrap of {suite} failed, see {log}: {log.read_text(errors='replace')[-500:]}")
    (base / "etc/resolv.conf").unlink(missing_ok=True)  # debootstrap's copy of this machine's; hosts are offline
    (base / "etc/resolv.conf").write_text("", encoding="ascii")
    (base / "etc/machine-id").write_text("", encoding="ascii")
    (base / "etc/hosts").write_text("127.0.0.1 localhost\n", encoding="ascii")
    add = ["chroot", str(base), "useradd", "--create-home", "--shell", "/bin/bash", "ansible"]
    subprocess.run(add, check=True, capture_output=True)
    sudoers = base / "etc/sudoers.d/ansible"
    sudoers.write_text("ansible ALL=(ALL) NOPASSWD: ALL\n", encoding="ascii")
    sudoers.chmod(0o440)


# --- one host


def _clone(base: Path, host: Host) -> None:
    host.root.parent.mkdir(parents=True, exist_ok=True)
    (host.state / "root").write_text(str(host.root), encoding="utf-8")
    _copy(base, host.root)
    shutil.copytree(_lists(host.suite), host.root / "var/lib/apt/lists", dirs_exist_ok=True)
    (host.root / "etc/hostname").write_text(f"{host.name}\n", encoding="ascii")
    # In a container imklog finds a kernel log that it may open but not read, and spins on it.
    rsyslog = host.root / "etc/rsyslog.conf"
    rsyslog.write_text(re.sub(r"(?m)^(module.*imklog)", r"#\1", rsyslog.read_text("utf-8")), encoding="utf-8")
    with open(host.root / "etc/hosts", "a", encoding="ascii") as hosts:
        hosts.write(f"127.0.1.1 {host.name}\n")
    _run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "throw-away", "-f", str(host.ssh_key))
    public = host.ssh_key.with_suffix(".pub").read_text(encoding="ascii")
    for home, owner in (("root", 0), ("home/ansible", (host.root / "home/ansible").stat().st_uid)):
        folder = host.root / home / ".ssh"
        folder.mkdir(mode=0o700, exist_ok=True)
        (folder / "authorized_keys").write_text(public, encoding="ascii")
        for path in (folder, folder / "authorized_keys"):
            os.chown(path, owner, owner)
    server = (host.root / "etc/ssh/ssh_host_ed25519_key.pub").read_text(encoding="ascii").split()
    host.known_hosts.write_text(f"{host.address} {server[0]} {server[1]}\n", encoding="ascii")


def _copy(base: Path, root: Path) -> None:
    """A layer over the base, or a real copy (seconds instead of none) where the kernel has no overlay for it."""
    layers = root.with_name(f"{root.name}.layers")
    for folder in (layers / "upper", layers / "work", root):
        folder.mkdir(parents=True)
    options = f"lowerdir={base},upperdir={layers / 'upper'},workdir={layers / 'work'}"
    line = ["mount", "-t", "overlay", "overlay", "-o", options, str(root)]
    if subprocess.run(line, capture_output=True, stdin=subprocess.DEVNULL, check=False).returncode:
        _run("cp", "-a", "--reflink=auto", f"{base}/.", str(root))


def _connect(host: Host) -> None:
    """A namespace for the host, and a pair of interfaces between it and ours."""
    name = _label(host.slot)
    _run("ip", "netns", "add", name)
    _run("ip", "link", "add", name, "type", "veth", "peer", "name", "host0", "netns", name)
    for address in (host.gateway, *host.senders):
        _run("ip", "address", "add", f"{address}/24", "dev", name)
    _run("ip", "link", "set", name, "up")
    _run("ip", "-n", name, "address", "add", f"{host.address}/24", "dev", "host0")
    for device in ("lo", "host0"):
        _run("ip", "-n", name, "link", "set", device, "up")
    _run("ip", "-n", name, "route", "add", "default", "via", host.gateway)


def _start(host: Host) -> subprocess.Popen[bytes]:
    """systemd-nspawn in a cgroup of its own: without register it would share «payload» with its neighbours."""
    label = _label(host.slot)
    groups = [path / label for path in CGROUPS if (path / "cgroup.procs").exists()]
    for group in groups:
        group.mkdir(exist_ok=True)
    join = "".join(f"echo $$ > {group}/cgroup.procs; " for group in groups)
    nspawn = [
        *("systemd-nspawn", "--quiet", f"--directory={host.root}", f"--machine={label}", f"--hostname={host.name}"),
        *("--register=no", "--keep-unit", "--boot", f"--network-namespace-path=/run/netns/{label}"),
        "--capability=CAP_NET_ADMIN",  # over its own namespace only
        *("--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe"),
    ]
    with open(host.state / "console.log", "wb") as console:
        return subprocess.Popen(
            ["sh", "-c", join + 'exec "$@"', "sh", *nspawn],
            env={**os.environ, "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )


def _await(host: Host, nspawn: subprocess.Popen[bytes]) -> None:
    """Until SSH answers and systemd has started everything."""
    console = host.state / "console.log"
    until = time.monotonic() + BOOT_SECONDS
    state = ""
    while time.monotonic() < until:
        if nspawn.poll() is not None:
            raise HostError(f"{host.name} ended while booting:\n{console.read_text(errors='replace')[-2000:]}")
        with contextlib.suppress(subprocess.TimeoutExpired):
            done = host.run("systemctl is-system-running", check=False, timeout=10)
            state = done.stdout.strip() or done.stderr.strip()
            if state in {"running", "degraded"}:
                return
        time.sleep(0.2)
    raise HostError(f"{host.name} did not boot in {BOOT_SECONDS} s ({state}):\n{console.read_text()[-2000:]}")


def _close_ssh(host: Host) -> None:
    """End the shared connections, Ansible's too: a later host may have the same address."""
    for socket in host.state.glob("cp-*"):
        line = ["ssh", "-F", "/dev/null", "-o", f"ControlPath={socket}", "-O", "exit", "host"]
        subprocess.run(line, capture_output=True, stdin=subprocess.DEVNULL, check=False)


# --- slots


def _label(slot: int) -> str:
    return f"mssphost{slot}"


@contextlib.contextmanager
def _slot() -> Iterator[int]:
    """A free slot, empty, and locked while the block runs."""
    for slot in range(SLOTS):
        folder = STATE / str(slot)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with open(STATE / f"{slot}.lock", "w", encoding="ascii") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            _clean(slot)
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            yield slot
            return
    raise HostError(f"all {SLOTS} slots for booted hosts are taken")


def _clean(slot: int) -> None:
    """Remove all that belongs to the slot, whoever left it there."""
    folder, label = STATE / str(slot), _label(slot)
    _kill(label)
    if Path(f"/sys/class/net/{label}").exists():
        _run("ip", "link", "delete", label)
    if Path(f"/run/netns/{label}").exists():
        _run("ip", "netns", "delete", label)
    with contextlib.suppress(OSError):
        root = Path((folder / "root").read_text(encoding="utf-8"))
        if root.parent.name == "run" and root.name.startswith(f"{slot}-"):
            while root.is_mount():
                _run("umount", "--lazy", str(root))
            shutil.rmtree(root)
            shutil.rmtree(root.with_name(f"{root.name}.layers"), ignore_errors=True)
            root.with_name(f".#{root.name}.lck").unlink(missing_ok=True)
    for group in [path / label for path in CGROUPS]:
        for inner, _folders, _files in os.walk(group, topdown=False):
            with contextlib.suppress(OSError):
                os.rmdir(inner)
    shutil.rmtree(folder, ignore_errors=True)


def _kill(label: str) -> None:
    """End every process of the host: systemd-nspawn's own end does not always reach the host's init."""
    end = time.monotonic() + 20
    while left := _members(label):
        if time.monotonic() > end:
            raise HostError(f"processes of {label} outlive SIGKILL: {sorted(left)}")
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.05)


def _members(label: str) -> set[int]:
    """Process ids in the host's cgroups, zombies left out: they have ended and wait for whoever started them."""
    found = set()
    for top in [path / label for path in CGROUPS]:
        for path in top.rglob("cgroup.procs"):
            with contextlib.suppress(OSError):
                found |= {int(line) for line in path.read_text(encoding="ascii").split()}
    return {pid for pid in found if _state(pid) not in {"Z", "X", ""}}


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        raise HostError(f"«{' '.join(command)}» ended with {done.returncode}: {done.stderr.strip()}")
