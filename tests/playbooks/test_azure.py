"""The five verbs on a lab fleet, as a user runs them: what is said, what is written, what the exit code is."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from lab.client import LabClient
from lab.testing import CONTOSO, ROOT, running_lab
from tests import warm

TENANTS = ("contoso", "fabrikam", "tailspin")
VAULT = (
    "/subscriptions/20000000-0000-4000-8000-000000000001/resourceGroups/rg-shop-prod/providers/"
    "Microsoft.Storage/storageAccounts/stshoporders/fileServices/default"
)
OURS = "mssp-onboarding"
ANSIBLE_PLAYBOOK = Path(sys.executable).with_name("ansible-playbook")


class Run(NamedTuple):
    """code: exit code; out: everything that was printed; evidence: the run's folder."""

    code: int
    out: str
    evidence: Path

    @property
    def rows(self) -> dict[str, dict[str, Any]]:
        """summary.json's rows by tenant, without those of Coro, which every tenant of the lab has as well."""
        found = json.loads((self.evidence / "summary.json").read_text())
        return {row["tenant"]: row for row in found["tenants"] if "coro" not in str(row["capability"])}


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: LabClient) -> LabClient:
    shared_lab.reset()
    return shared_lab


class Player:
    """Runs playbooks of the collection, or a file, against a lab, each with an evidence folder of its own."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.number = 0

    def __call__(self, verb: str, *arguments: str, inventory: str = "inventories/lab", **variables: str) -> Run:
        self.number += 1
        evidence = self.folder / f"run-{self.number}"
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "AZURE_"))},
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "MSSP_LAB_URL": self.lab.url,
            "MSSP_LAB_DIR": str(self.lab.state_dir),
            "MSSP_EVIDENCE_DIR": str(evidence),
            **variables,
        }
        done = warm.run(
            [
                Path(sys.executable).with_name("ansible-playbook"),
                "-i",
                inventory,
                verb if verb.endswith(".yml") else f"mssp.onboarding.{verb}",
                *arguments,
            ],
            cwd=ROOT,
            env=environment,
            timeout=180,
        )
        return Run(done.returncode, done.stdout + done.stderr, evidence)


@pytest.fixture
def play(lab: LabClient, tmp_path: Path) -> Player:
    return Player(lab, tmp_path)


def recap(out: str) -> dict[str, dict[str, int]]:
    """Ansible's recap: host -> counter -> number."""
    found = re.findall(r"^(\S+) +: (ok=.*)$", out, re.MULTILINE)
    return {host: {name: int(value) for name, value in re.findall(r"(\w+)=(\d+)", text)} for host, text in found}


def writes(lab: LabClient) -> int:
    return sum(line["count"] for line in lab.requests()["counts"] if line["method"] in ("PUT", "DELETE", "PATCH"))


def shown_settings(lab: LabClient) -> dict[str, Any]:
    return {
        target: {name: value["shown"] for name, value in held.items()}
        for target, held in lab.azure.world()["settings"].items()
        if held
    }


def test_onboard_twice_changes_everything_and_then_nothing(play: Player, lab: LabClient) -> None:
    first = play("onboard")
    assert first.code == 0, first.out
    assert {host: line["changed"] for host, line in recap(first.out).items()} == dict.fromkeys(TENANTS, 2)
    assert all(row["counts"]["corrected"] > 0 for row in first.rows.values())
    before = shown_settings(lab)
    lab.reset_requests()
    second = play("onboard")
    assert second.code == 0, second.out
    assert {host: line["changed"] for host, line in recap(second.out).items()} == dict.fromkeys(TENANTS, 0)
    assert writes(lab) == 0
    assert shown_settings(lab) == before


def test_check_mode_predicts_the_run_and_writes_nothing(play: Player, lab: LabClient) -> None:
    before = shown_settings(lab)
    predicted = play("onboard", "--check", "--diff")
    assert predicted.code == 0, predicted.out
    assert shown_settings(lab) == before
    assert writes(lab) == 0
    real = play("onboard")
    for tenant in TENANTS:
        planned = actions(predicted.evidence / f"{tenant}.azure_diagnostic_settings.jsonl")
        assert planned == actions(real.evidence / f"{tenant}.azure_diagnostic_settings.jsonl")
        assert planned


def actions(path: Path) -> dict[str, tuple[str, dict[str, Any]]]:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    return {line["target"]: (line["action"], line["after"]) for line in lines if "action" in line}


def test_drift_is_reported_then_corrected_and_foreign_settings_are_left(play: Player, lab: LabClient) -> None:
    assert play("onboard").code == 0
    whole = shown_settings(lab)
    lab.drift()
    drifted = shown_settings(lab)
    foreign = {target: held["troubleshooting"] for target, held in drifted.items() if "troubleshooting" in held}
    assert foreign
    report = play("drift", "--diff", "-e", "drift_fail=true")
    assert report.code == 2
    assert shown_settings(lab) == drifted
    assert all(row["outcome"] == "drifted" for row in report.rows.values())
    assert "Correct it with -e drift_correct=true" in report.out
    assert re.search(r"^[-+] +workspace_id: ", report.out, re.MULTILINE)
    corrected = play("drift", "-e", "drift_correct=true")
    assert corrected.code == 0, corrected.out
    after = shown_settings(lab)
    for target, held in whole.items():
        assert after[target][OURS] == held[OURS] if OURS in held else True
    assert {target: held["troubleshooting"] for target, held in after.items() if "troubleshooting" in held} == foreign
    assert play("drift", "-e", "drift_fail=true").code == 0


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("-e", "offboard_confirm=all"),
        ("-e", "offboard_confirm=tenants"),
        ("-e", "offboard_confirm=contosso"),
        ("-l", "contoso"),
        ("-l", "contoso", "-e", "offboard_confirm=tailspin"),
    ],
    ids=["not given", "all", "a group", "a misprint", "a limit is no confirmation", "outside of the limit"],
)
def test_offboard_asks_for_the_tenant_by_name(play: Player, lab: LabClient, arguments: tuple[str, ...]) -> None:
    assert play("onboard").code == 0
    before = shown_settings(lab)
    refused = play("offboard", *arguments)
    assert refused.code != 0
    assert re.search(r"offboard_confirm=\s+and\s+its\s+name", refused.out)
    assert re.search(r"reaches\s+contoso", refused.out)
    assert shown_settings(lab) == before


def test_offboard_removes_ours_and_only_ours_of_that_tenant_only(play: Player, lab: LabClient) -> None:
    empty = shown_settings(lab)
    assert play("onboard").code == 0
    lab.drift()
    full = shown_settings(lab)
    done = play("offboard", "-e", "offboard_confirm=contoso")
    assert done.code == 0, done.out
    assert recap(done.out)["contoso"]["changed"] == 2
    after = shown_settings(lab)
    of_contoso = "/subscriptions/20000000-"
    for target in full.keys() | after.keys():
        kept = {name: held for name, held in full.get(target, {}).items() if name != OURS}
        expected = kept if target.startswith(of_contoso) else full[target]
        assert after.get(target, {}) == expected, target
    assert all(name in after[target] for target, held in empty.items() for name in held)
    again = play("offboard", "-e", "offboard_confirm=contoso")
    assert again.code == 0
    assert recap(again.out)["contoso"]["changed"] == 0


def test_one_tenant_by_limit_or_by_its_own_file(play: Player, lab: LabClient) -> None:
    assert set(recap(play("onboard", "-l", "contoso").out)) == {"contoso"}
    alone = play("onboard", inventory="inventories/lab/tenants/contoso.yml")
    assert recap(alone.out)["contoso"]["changed"] == 0
    assert recap(alone.out)["contoso"]["failed"] == 0


def test_a_failing_tenant_leaves_the_others_alone_and_can_be_tried_again(play: Player, lab: LabClient) -> None:
    lab.fault("status", method="GET", path="/subscriptions", tenant=CONTOSO, status=503, count=None)
    broken = play("onboard")
    assert broken.code == 2
    assert broken.rows["contoso"]["outcome"] == "failed"
    assert broken.rows["tailspin"]["outcome"] == "corrected"
    assert broken.rows["fabrikam"]["outcome"] == "corrected"
    lab.clear_faults()
    again = play("onboard", "--limit", f"@{broken.evidence / 'retry'}")
    assert again.code == 0, again.out
    assert set(recap(again.out)) == {"contoso"}


def test_a_refused_target_is_unknown_and_the_rest_is_done(play: Player, lab: LabClient) -> None:
    path = "re:" + re.escape(VAULT) + "/providers/microsoft.insights/diagnosticsettings$"
    lab.fault("status", method="GET", path=path, status=403, code="AuthorizationFailed", count=None)
    run = play("onboard", "-l", "contoso")
    assert run.code == 2
    counts = run.rows["contoso"]["counts"]
    assert counts["unknown"] == 1
    assert counts["corrected"] > 50
    assert OURS not in lab.azure.settings(VAULT)
    assert "Next step" in run.out


def test_preflight_says_what_to_grant_and_verify_when_data_comes(play: Player, lab: LabClient) -> None:
    assert play("preflight").code == 0
    scope = "/subscriptions/20000000-0000-4000-8000-000000000002"
    lab.edit("assign_role", tenant=CONTOSO, role="Monitoring Reader", scope=scope)
    lab.edit("unassign_role", tenant=CONTOSO, role="Monitoring Contributor", scope=scope)
    missing = play("preflight", "-l", "contoso")
    assert missing.code == 2
    assert "az role assignment create" in missing.out
    lab.reset()
    assert play("verify").code == 2, "nothing is onboarded: absent must fail"
    asked = [one["count"] for one in lab.requests()["counts"] if one["kind"] == "logs.query"]
    assert asked == [1], "the tenants of a run ask the workspace that they share once"
    assert play("onboard", "-l", "tailspin").code == 0
    pending = play("verify", "-l", "tailspin")
    assert pending.code == 0, pending.out
    assert re.search(r"tailspin: azure_log_flow: 0 of \d+ flows\n", pending.out)
    lab.advance(3600)
    arrived = play("verify", "-l", "tailspin")
    assert arrived.code == 0
    assert re.search(r"tailspin: azure_log_flow: \d\d of \d+ flows, newest record 20", arrived.out)


def test_no_secret_gets_out(play: Player, lab: LabClient, tmp_path: Path) -> None:
    """The client secret and every token are canaries: no output at the highest verbosity, no file, has them."""
    lab.fault("status", method="GET", path="diagnosticsettings", status=403, count=3)
    watched = []
    for arguments in (
        ("onboard", "-vvvv", "--diff"),
        ("drift", "-vvvv", "--check"),
        ("verify", "-vvvv"),
        ("preflight",),
    ):
        run = play(*arguments)
        assert "contoso" in run.out
        watched.append(run.out)
    lab.fault("status", method="POST", path="/oauth2/", status=401, count=None)
    watched.append(play("onboard", "-vvvv").out)
    watched += [
        path.read_text(errors="replace") for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()
    ]
    text = "\n".join(watched)
    assert lab.secret not in text
    assert not re.search(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}", text), "a token"
    assert "BEGIN PRIVATE KEY" not in text
    assert "BEGIN RSA PRIVATE KEY" not in text
