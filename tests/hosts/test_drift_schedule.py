"""Scheduled drift on booted hosts: the five commands of docs/operations.md, the timer, what is told, ansible-pull."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, running_lab
from tests import warm
from tests.hosts.conftest import Boot
from tests.hosts.nspawn import ROOT, Host
from tests.hosts.schedule_tools import (
    ANSIBLE,
    CREDENTIALS,
    SERVICE,
    TIMER,
    Webhook,
    build_artifact,
    changed,
    fleet_on,
    give_debs,
    give_wheels,
    heartbeat,
    lab_on,
    run_service,
    shown,
)
from tests.hosts.syslog_tools import eventually
from tests.playbooks.tenant_files import sections

MADE = (
    "/etc/systemd/system/mssp-drift.service",
    "/etc/systemd/system/mssp-drift-tell@.service",
    "/etc/systemd/system/mssp-drift.timer",
    "/usr/local/sbin/mssp-drift",
    "/etc/mssp-drift.cfg",
)
SCHEDULE = "ANSIBLE_PIPELINING=true /opt/mssp/bin/ansible-playbook mssp.onboarding.schedule -e @/etc/mssp/schedule.yml"
CORRECT = ["-e", "drift_correct=true", "-e", "drift_max_changes=500"]


def blocks(language: str) -> list[str]:
    """The fenced blocks of docs/operations.md in a language."""
    text = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def five_commands() -> list[str]:
    return blocks("sh")[0].splitlines()


class Control:
    """A control host that has been set up by the five commands, the lab behind it and the webhook before it."""

    def __init__(self, host: Host, lab: LabClient, hook: Webhook) -> None:
        self.host, self.lab, self.hook = host, lab, hook
        self.options: dict[str, Any] = {
            "drift_schedule_inventory": "/etc/mssp/fleet",
            "drift_schedule_jitter_seconds": 0,
            "drift_schedule_credentials": CREDENTIALS,
            "drift_schedule_mail_to": "soc@example.com",
            "drift_schedule_webhook_url": hook.url,
            "drift_schedule_webhook_http": True,
        }

    def write(self, **options: Any) -> None:
        self.options |= options
        (self.host.root / "etc/mssp/schedule.yml").write_text(json.dumps(self.options), encoding="utf-8")

    def schedule(self, *arguments: str, **options: Any) -> str:
        self.write(**options)
        return self.host.run(" ".join([SCHEDULE, *arguments]), timeout=180).stdout

    def journal(self) -> str:
        return self.host.run("journalctl --no-pager -o cat -u 'mssp-drift*'").stdout


@pytest.fixture(scope="module")
def control(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Control]:
    host = boot("bookworm", "control1")
    give_debs(host, "python3-venv")
    give_wheels(host)
    archive = build_artifact(tmp_path_factory.mktemp("artifact"))
    (host.root / "root" / archive.name).write_bytes(archive.read_bytes())
    hook = Webhook(host.gateway)
    try:
        with running_lab() as lab, lab_on(host, lab):
            fleet_on(host, lab)
            made = Control(host, lab, hook)
            made.write()
            for command in five_commands():
                host.run(command, timeout=300)
            yield made
    finally:
        hook.close()


def test_the_five_commands_make_a_schedule_that_a_second_time_changes_nothing(control: Control) -> None:
    assert len(five_commands()) == 5
    assert changed(control.schedule()) == 0
    timer = shown(control.host, TIMER, "ActiveState", "UnitFileState", "NextElapseUSecRealtime", "Persistent")
    assert (timer["ActiveState"], timer["UnitFileState"], timer["Persistent"]) == ("active", "enabled", "yes")
    assert timer["NextElapseUSecRealtime"]
    assert "mssp-drift.service" in control.host.run(f"systemctl list-timers {TIMER}").stdout


def test_a_run_tells_of_drift_corrects_it_and_tells_no_more(control: Control) -> None:
    """Nothing is onboarded yet: all of it is drift. The webhook is away at first."""
    mailer = control.host.root / "usr/sbin/sendmail"
    mailer.write_text("#!/bin/sh\ncat > /var/lib/mssp-drift/mail\n", encoding="ascii")
    mailer.chmod(0o755)
    control.hook.answers = [503, 503]
    assert run_service(control.host) == "2", control.journal()
    assert shown(control.host, SERVICE, "Result")["Result"] == "success"
    (message,) = control.hook.messages
    assert (message["exit"], message["meaning"], message["host"]) == ("2", "drift is left", "control1")
    assert message["tenants"] == {"drifted": 3}
    assert heartbeat(control.host)["exit"] == "2"
    assert "mssp-drift: exit 2, drift is left: 3 drift" in control.journal()
    check = control.host.run("mssp-drift-check", check=False)
    assert check.returncode == 1, check.stdout
    mail = control.host.run("cat /var/lib/mssp-drift/mail").stdout
    assert "To: soc@example.com" in mail
    assert "Subject: [mssp-drift] control1: drift is left" in mail

    control.schedule(drift_schedule_arguments=CORRECT, drift_schedule_mail_to="")
    assert run_service(control.host) == "0", control.journal()
    assert [(one["exit"], one["recovered"]) for one in control.hook.messages[1:]] == [("0", 3)]
    assert heartbeat(control.host)["exit"] == "0"
    assert control.host.run("mssp-drift-check").stdout.startswith("MSSP-DRIFT OK")


def test_a_failing_tenant_is_told_and_the_heartbeat_goes_on(control: Control) -> None:
    before = heartbeat(control.host)["completed"]
    control.hook.messages.clear()
    control.lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=403, count=None)
    assert run_service(control.host) == "3", control.journal()
    control.lab.clear_faults()
    assert shown(control.host, SERVICE, "Result")["Result"] == "exit-code"
    (message,) = control.hook.messages
    assert (message["meaning"], message["new"]) == ("some tenants failed or are unknown, all were looked at", 1)
    assert "contoso: azure_diagnostics failed" in message["text"]
    assert heartbeat(control.host)["completed"] != before
    control.host.run("systemctl reset-failed")


def test_two_runs_do_not_meet(control: Control) -> None:
    control.hook.messages.clear()
    before = heartbeat(control.host)
    control.host.run("systemd-run --unit holder flock /var/lib/mssp-drift/lock sleep 300")
    eventually(lambda: control.host.run("flock -n /var/lib/mssp-drift/lock true", check=False).returncode, 30)
    assert run_service(control.host) == "75"
    control.host.run("systemctl stop holder")
    assert heartbeat(control.host) == before
    assert control.hook.messages == []


def test_a_time_that_was_missed_is_made_up_for(control: Control) -> None:
    """The clock of the host is ours, so the timer's memory is made older instead."""
    host = control.host
    host.run(f"systemctl stop {TIMER}; touch -d '3 days ago' /var/lib/systemd/timers/stamp-{TIMER}")
    before = heartbeat(host)["ended"]
    host.run(f"systemctl start {TIMER}")
    assert eventually(lambda: heartbeat(host)["ended"] != before, 90), control.journal()


def test_a_dead_schedule_is_noticed(control: Control) -> None:
    host = control.host
    age = "import json,sys; b=json.load(open(sys.argv[1])); b['completed']='2026-01-01T00:00:00+00:00'"
    host.run(f"python3 -c \"{age}; json.dump(b, open(sys.argv[1], 'w'))\" /var/lib/mssp-drift/heartbeat.json")
    dead = host.run("mssp-drift-check --max-age 130", check=False)
    assert (dead.returncode, dead.stdout[:19]) == (2, "MSSP-DRIFT CRITICAL")
    host.run("rm /var/lib/mssp-drift/heartbeat.json")
    assert host.run("mssp-drift-check", check=False).returncode == 2


def test_secrets_are_seen_by_the_run_alone(control: Control) -> None:
    host, secret = control.host, control.lab.secret.strip()
    assert host.run("runuser -u mssp-drift -- cat /etc/mssp/lab/app.secret", check=False).returncode != 0
    assert host.run("stat -c '%U %a' /etc/mssp-drift.webhook").stdout == "root 600\n"
    told = control.journal() + host.run("systemctl show 'mssp-drift*'; cat /etc/systemd/system/mssp-*").stdout
    for canary in (secret, "token-of-the-hook"):
        assert canary not in told
        found = host.run("grep -rlaF -f - /var/lib/mssp-drift", stdin=canary, check=False)
        assert (found.returncode, found.stdout) == (1, "")


def test_a_schedule_goes_as_it_came(control: Control) -> None:
    assert changed(control.schedule("-e", "schedule_remove=true")) > 0
    left = control.host.run(f"ls -d {' '.join(MADE)} /etc/mssp-drift.webhook 2>/dev/null; true").stdout
    assert left == ""
    assert control.host.run(f"systemctl is-active {TIMER}", check=False).stdout == "inactive\n"
    assert control.host.run("ls /var/lib/mssp-drift/evidence/latest/summary.json").returncode == 0
    assert changed(control.schedule("-e", "schedule_remove=true")) == 0


Play = Callable[..., str]


@pytest.fixture(scope="module")
def far(boot: Boot, tmp_path_factory: pytest.TempPathFactory) -> tuple[Host, Play]:
    """A Debian 13 on which the role is played by SSH."""
    host = boot("trixie", "control2")
    folder = tmp_path_factory.mktemp("far")
    (folder / "hosts").write_text(host.inventory_line + "\n", encoding="utf-8")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_", "AZURE_"))}

    def play(*arguments: str) -> str:
        line = ["-i", folder / "hosts", "mssp.onboarding.schedule", "-e", f"schedule_hosts={host.name}"]
        done = warm.run(
            [ANSIBLE / "ansible-playbook", *line, "-e", "drift_schedule_inventory=/etc/mssp/fleet", *arguments],
            cwd=ROOT,
            env={**kept, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_PIPELINING": "true"},
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return host, play


def test_units_are_confined_and_the_role_can_be_foretold(far: tuple[Host, Play]) -> None:
    host, play = far
    assert changed(play("--check")) > 0
    assert host.run(f"ls {' '.join(MADE)} 2>/dev/null", check=False).stdout == ""
    play()
    assert changed(play()) == 0
    verified = host.run("systemd-analyze verify /etc/systemd/system/mssp-drift*")
    assert "mssp-drift" not in verified.stderr, verified.stderr
    readme = (ROOT / "roles/drift_schedule/README.md").read_text(encoding="utf-8")
    for unit in (SERVICE, "mssp-drift-tell@.service"):
        said = host.run(f"systemd-analyze security --no-pager {unit.replace('@', '@success')}").stdout
        score = re.findall(r"Overall exposure level for \S+: ([\d.]+) ", said)[0]
        assert float(score) < 3
        assert re.search(rf"`{unit}` {score} ", readme), f"{unit} {score}"


@pytest.fixture(scope="module")
def collector(boot: Boot, control: Control) -> Host:
    """A collector with the same software, and a repository of its own tenant on its disk."""
    host = boot("bookworm", "contoso-log1")
    give_debs(host, "git")
    host.run("apt-get install --yes --no-install-recommends git", timeout=180)
    for path in ("opt/mssp", "usr/share/ansible"):
        subprocess.run(["cp", "-a", control.host.root / path, host.root / path], check=True)
    sources = {"firewall": {"transport": "udp", "port": 5514, "senders": [host.gateway]}}
    wanted: dict[str, Any] = {"syslog_target_sources": sources, "syslog_target_correct": "safe"}
    wanted |= {"drift_schedule_repository": "file:///srv/fleet.git", "drift_schedule_inventory": "inventories/contoso"}
    wanted |= {"drift_schedule_arguments": CORRECT, "drift_schedule_jitter_seconds": 0}
    files = {
        "local.yml": blocks("yaml")[2],
        "inventories/contoso/fleet.yml": "plugin: mssp.onboarding.tenants\n",
        "inventories/contoso/tenants/contoso.yml": json.dumps(
            {
                "plugin": "mssp.onboarding.tenants",
                "slug": "contoso",
                "name": "Contoso",
                "collectors": {host.name: sections(wanted)},
            }
        ),
    }
    for name, text in files.items():
        path = host.root / "srv/fleet" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    git = "git -c user.name=soc -c user.email=soc@example.com"
    host.run(f"cd /srv/fleet && git init -qb main && git add . && {git} commit -qm first")
    host.run("git clone -q --bare /srv/fleet /srv/fleet.git && chown -R root:root /srv/fleet.git")
    limit = f"-i /srv/fleet/inventories/contoso -e schedule_hosts={host.name} -e ansible_connection=local"
    host.run(f"/opt/mssp/bin/ansible-playbook mssp.onboarding.schedule {limit}", timeout=180)
    return host


def test_a_collector_puts_itself_right_without_a_control_host(collector: Host) -> None:
    receiver = "/etc/systemd/system/mssp-syslog-contoso.service"
    host = collector
    assert run_service(host) == "0"
    assert host.run("systemctl is-active mssp-syslog-contoso.service").stdout == "active\n"
    assert heartbeat(host)["exit"] == "0"
    host.run(f"systemctl stop mssp-syslog-contoso; rm {receiver}; mv /srv/fleet.git /srv/away.git")
    play = "-i /srv/fleet/inventories/contoso -e ansible_connection=local mssp.onboarding.drift -e drift_correct=true"
    setting = "ANSIBLE_CONFIG=/etc/mssp-drift.cfg MSSP_EVIDENCE_ROOT=/var/tmp/evidence"
    never = f"{setting} mssp-drift /opt/mssp/bin/ansible-playbook {play} -e syslog_target_correct=never"
    assert host.run(never, check=False, timeout=180).returncode == 2
    assert host.run(f"ls {receiver}", check=False).returncode != 0
    assert run_service(host) == "0"
    assert host.run("systemctl is-active mssp-syslog-contoso.service").stdout == "active\n"
    said = host.run("journalctl --no-pager -o cat -u mssp-drift").stdout
    assert said.count("mssp-drift: exit 0, clean") == 2, said
    assert "Continuing with (forced) run of playbook" in said


def test_a_collector_runs_signed_commits_only(collector: Host) -> None:
    """Whoever can write to the repository is root on the collector; ansible-pull --force runs what it cannot verify."""
    host = collector
    host.run("rm -rf /srv/fleet.git && git clone -q --bare /srv/fleet /srv/fleet.git")
    host.run("mkdir -p /etc/mssp; ssh-keygen -q -t ed25519 -N '' -f /etc/mssp/soc")
    key = " ".join(host.run("cat /etc/mssp/soc.pub").stdout.split()[:2])
    (host.root / "etc/mssp/signers.json").write_text(json.dumps({"drift_schedule_signers": [f"soc {key}"]}), "utf-8")
    limit = f"-i /srv/fleet/inventories/contoso -e schedule_hosts={host.name} -e ansible_connection=local"
    host.run(f"/opt/mssp/bin/ansible-playbook mssp.onboarding.schedule {limit} -e @/etc/mssp/signers.json", timeout=180)
    assert run_service(host) == "1"
    assert "has no signature of a key in" in host.run("journalctl --no-pager -o cat -u mssp-drift").stdout
    git = "git -c user.name=soc -c user.email=soc@example.com -c gpg.format=ssh -c user.signingkey=/etc/mssp/soc"
    host.run(f"cd /srv/fleet && {git} commit -qS --allow-empty -m signed && git push -q /srv/fleet.git main")
    assert run_service(host) == "0"
    host.run("mv /srv/fleet.git /srv/gone.git")
    assert run_service(host) == "0"
