"""The role scp_target on a booted host, and clients that others wrote: OpenSSH's scp, sftp and ssh, and paramiko."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paramiko

from tests import warm
from tests.hosts.nspawn import Host

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOK = ROOT / "tests/hosts/playbooks/scp_target.yml"
SPOOL = "/var/spool/collected"
# What a refused attack may leave: the records of it, and what a system that runs writes anyway.
RECORDS = ("/state/ledger.jsonl", "/state/lock", *(f"/state/session.{number}" for number in range(16)))
RESTLESS = (
    "/proc/",
    "/sys/",
    "/run/",
    "/dev/",
    "/var/log/",
    "/var/lib/systemd/",
    "/tmp/systemd-private",
)
LISTING = (
    "import base64,json,os,sys; f=sys.argv[1];"
    'print(json.dumps({e.name: base64.b64encode(open(e.path,"rb").read()).decode()'
    " for e in sorted(os.scandir(f), key=lambda e: e.name) if e.is_file(follow_symlinks=False)}))"
)


def new_key(path: Path, kind: str = "ed25519") -> str:
    """Makes a key pair; the public one as text."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "test", "-f", path], check=True)
    return path.with_suffix(".pub").read_text(encoding="ascii").strip()


@dataclass
class Drops:
    """One tenant's file drops on a host. folder: of the test; sources: as in the tenant's file."""

    host: Host
    folder: Path
    tenant: str = "contoso"
    sources: dict[str, dict[str, Any]] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    def key(self, source: str) -> Path:
        return self.folder / f"{self.tenant}-{source}"

    def add(self, name: str, kind: str = "ed25519", **options: Any) -> None:
        """A source with a key of its own, used from the host's gateway address unless told otherwise."""
        public = new_key(self.key(name), kind)
        self.sources[name] = {"keys": [public], "from": [self.host.gateway], **options}

    def user(self, source: str) -> str:
        return f"mssp-{self.tenant}-{source}"

    def play(self, entry: str = "main", *flags: str, ok: bool = True, **variables: Any) -> str:
        """Runs one entry point of the role; what ansible-playbook printed. A warning is a failure."""
        inventory = self.folder / "hosts"
        inventory.write_text(self.host.inventory_line + "\n", encoding="utf-8")
        given = {
            "mssp_tenant": self.tenant,
            "entry": entry,
            "scp_target_sources": self.sources,
            "scp_target_min_free_mib": 1,
            **self.options,
            **variables,
        }
        extra = self.folder / f"{self.tenant}.vars.json"
        extra.write_text(json.dumps(given), encoding="utf-8")
        done = ansible("ansible-playbook", "-i", str(inventory), str(PLAYBOOK), "-e", f"@{extra}", *flags)
        assert (done.returncode == 0) is ok, done.stdout + done.stderr
        assert "[WARNING]" not in done.stderr, done.stderr
        return done.stdout

    # Clients.

    def options_of(self, source: str) -> list[str]:
        known = self.host.known_hosts
        shared = ["-F", "/dev/null", "-o", f"UserKnownHostsFile={known}", "-o", "BatchMode=yes"]
        return [*shared, "-o", "IdentitiesOnly=yes", "-o", "ConnectTimeout=60", "-i", str(self.key(source))]

    def login(self, source: str) -> str:
        return f"{self.user(source)}@{self.host.address}"

    def scp(self, source: str, *files: Path, to: str = "/", flags: tuple[str, ...] = ("-O",)) -> Done:
        names = [str(file) for file in files]
        return call("scp", *flags, *self.options_of(source), *names, f"{self.login(source)}:{to}")

    def ssh(self, source: str, *words: str, flags: tuple[str, ...] = ()) -> Done:
        return call("ssh", *flags, *self.options_of(source), self.login(source), *words)

    def raw(self, source: str, data: bytes, command: str = "scp -t .") -> Done:
        """Bytes to the receiving end, as a client that keeps to no rule would send them."""
        return call("ssh", *self.options_of(source), self.login(source), command, given=data)

    def lftp(self, source: str, *commands: str) -> Done:
        connect = f"ssh -a -x -F /dev/null {' '.join(self.options_of(source)[2:])}"
        script = [f"set sftp:connect-program '{connect}'", "set net:max-retries 1", "set net:timeout 20"]
        script += [f"open -u {self.user(source)}, sftp://{self.host.address}", *commands]
        return call("lftp", "--norc", "-c", "; ".join(script))

    def rclone(self, source: str, *words: str | Path) -> Done:
        remote = ["--sftp-host", self.host.address, "--sftp-user", self.user(source), "--retries", "1"]
        remote += ["--sftp-key-file", str(self.key(source))]
        return call("rclone", "--config", "/dev/null", *remote, *words)

    def sftp(self, source: str, batch: str) -> Done:
        return call("sftp", "-q", "-b", "-", *self.options_of(source), self.login(source), given=batch.encode())

    @contextlib.contextmanager
    def paramiko(self, source: str) -> Iterator[paramiko.SFTPClient]:
        client = paramiko.SSHClient()
        client.load_host_keys(str(self.host.known_hosts))
        client.connect(
            self.host.address,
            username=self.user(source),
            key_filename=str(self.key(source)),
            allow_agent=False,
            look_for_keys=False,
            timeout=10,
        )
        try:
            yield client.open_sftp()
        finally:
            client.close()
            # The client does not wait for the other end, where the files that nobody has renamed appear now.
            running = f"pgrep -u {self.user(source)} -f mssp-scp-target"
            self.host.run(f"for i in $(seq 200); do {running} >/dev/null || exit 0; sleep 0.05; done; exit 1")

    # What the host says.

    def base(self, source: str) -> str:
        return f"{SPOOL}/{self.tenant}/{source}"

    def _files(self, folder: str) -> dict[str, bytes]:
        """Plain files of a folder below the source's; asked of the host, as it may be a mount that only it sees."""
        told = self.host.run(f"python3 -c '{LISTING}' {folder}").stdout
        return {name: base64.b64decode(content) for name, content in json.loads(told).items()}

    def ready(self, source: str) -> dict[str, bytes]:
        """Delivered files, by the names that the sender gave them."""
        return {name.split("-", 2)[2]: data for name, data in self._files(f"{self.base(source)}/ready").items()}

    def incoming(self, source: str) -> list[str]:
        return sorted(self._files(f"{self.base(source)}/incoming"))

    def events(self, source: str) -> list[dict[str, Any]]:
        ledger = self._files(f"{self.base(source)}/state").get("ledger.jsonl", b"")
        return [json.loads(line) for line in ledger.splitlines()]

    def refusals(self, source: str) -> list[str]:
        """Codes of what was refused, oldest first."""
        return [event["code"] for event in self.events(source) if event["event"] == "refused"]

    def journal(self) -> str:
        return self.host.run(
            "journalctl --sync; journalctl -q --no-pager -o cat -t mssp-scp-target -t sshd -t sshd-session"
        ).stdout

    @contextlib.contextmanager
    def nothing_new(self) -> Iterator[None]:
        """No file of the host is made or changed in the block, but for the records of it."""
        self.host.run("touch /marker && sleep 0.02")
        yield
        found = self.host.run("find / -xdev -newercm /marker ! -type d ! -path '/proc/*' ! -path '/sys/*' -print")
        changed = [path for path in found.stdout.splitlines() if not path.startswith(RESTLESS)]
        assert [path for path in changed if not path.endswith(RECORDS)] == []

    def still_takes_files(self, source: str) -> None:
        path = self.folder / f"still-{os.urandom(4).hex()}.log"
        path.write_text("still here\n", encoding="ascii")
        sent = self.scp(source, path)
        assert sent.code == 0, sent.said
        assert path.name in self.ready(source)


@dataclass
class Done:
    """The end of a client."""

    code: int
    out: bytes
    said: str


def call(*command: str | Path, given: bytes | None = None) -> Done:
    """Runs a client; stdin is C(given), or nothing."""
    source: dict[str, Any] = {"stdin": subprocess.DEVNULL} if given is None else {"input": given}
    done = subprocess.run(list(map(str, command)), capture_output=True, timeout=120, check=False, **source)
    return Done(done.returncode, done.stdout, done.stderr.decode(errors="replace"))


def ansible(tool: str, *words: str) -> subprocess.CompletedProcess[str]:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}
    command = [str(Path(sys.executable).parent / tool), *words]
    clean |= {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_PIPELINING": "true"}
    # Without the callback that writes evidence: it would be below the current folder, which is the repository's.
    clean["ANSIBLE_CALLBACKS_ENABLED"] = "mssp.onboarding.progress"
    return warm.run(command, cwd=ROOT, env=clean, timeout=600)


def changed(printed: str) -> int:
    """How many tasks of the recap changed something."""
    (number,) = re.findall(r"\bchanged=(\d+)\b", printed)
    return int(number)
