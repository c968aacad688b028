"""Northwind has signed, and nothing more: from there to its logs, and back, as the people of both sides do it."""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CLIENT_ID, NORTHWIND, PROSEWARE, ROOT, running_lab
from tests.playbooks.tenant_files import tenant_file
from tests.playbooks.test_azure import Player, Run, recap

# Playbooks that run after the first, in the same run of Ansible.
PREFLIGHT, ONBOARD, DRIFT, VERIFY = (f"mssp.onboarding.{verb}" for verb in ("preflight", "onboard", "drift", "verify"))
ONE, TWO = (f"{NORTHWIND[:-1]}{number}" for number in (1, 2))
SIGNS_IN = "{{ lookup('ansible.builtin.file', mssp_lab_dir ~ '/app.secret') }}"
TOKENS = {
    f"tenant_access_admin_{api}_token": (
        f"{{{{ lookup('ansible.builtin.file', mssp_lab_dir ~ '/admin-northwind.{api}.token') }}}}"
    )
    for api in ("graph", "arm")
}
LIGHTHOUSE = {
    "azure_diagnostics_managing_tenant_id": PROSEWARE,
    "azure_diagnostics_auxiliary_tenant_ids": [],
    "tenant_access_managing_tenant_id": PROSEWARE,
    "tenant_access_permissions": {},
    "tenant_access_subscriptions": [ONE, TWO],
}


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


class Newcomer:
    """A fleet of one tenant, and runs of playbooks on it."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.fleet = folder / "fleet"
        self.player = Player(lab, folder)
        self.page = lab.state_dir / "handover" / "northwind" / "access.html"
        shutil.rmtree(self.page.parent, ignore_errors=True)
        shutil.copytree(ROOT / "inventories/lab", self.fleet)
        shutil.rmtree(self.fleet / "tenants")
        (self.fleet / "tenants").mkdir()
        self.tenant()

    def tenant(self, slug: str = "northwind", **variables: Any) -> None:
        """(Re)write a tenant's file."""
        values = variables
        if slug == "northwind":
            values = {
                "azure_diagnostics_tenant_id": NORTHWIND,
                "azure_diagnostics_client_secret": SIGNS_IN,
                "tenant_access_tenant_id": NORTHWIND,
                "tenant_access_client_secret": SIGNS_IN,
                **variables,
            }
        kept = {name: value for name, value in values.items() if value is not None}
        (self.fleet / "tenants" / f"{slug}.yml").write_text(tenant_file(slug, kept))

    def __call__(self, verb: str, *arguments: str, tokens: tuple[str, ...] = ()) -> Run:
        """tokens: of graph, arm: those that the customer's administrator has given."""
        given = {name: value for name, value in TOKENS.items() if name.split("_")[-2] in tokens}
        (self.folder / "given.yml").write_text(yaml.safe_dump(given))
        return self.player(verb, *arguments, "-e", f"@{self.folder}/given.yml", inventory=str(self.fleet))

    def well(self, verb: str, *arguments: str, tokens: tuple[str, ...] = ()) -> Run:
        run = self(verb, *arguments, tokens=tokens)
        assert run.code == 0, run.out
        return run

    def link(self) -> str:
        found = re.search(r'class="go" href="([^"]+)"', self.page.read_text())
        assert found
        return html.unescape(found[1])

    def by_hand(self) -> None:
        """What the page asks for, done by the customer's administrator without telling anybody."""
        self.lab.consent(self.link())
        for one in (ONE, TWO):
            scope = f"/subscriptions/{one}"
            self.lab.edit("assign_role", tenant=NORTHWIND, role="Monitoring Contributor", scope=scope)


@pytest.fixture
def northwind(shared_lab: LabClient, tmp_path: Path) -> Newcomer:
    shared_lab.reset()
    return Newcomer(shared_lab, tmp_path)


def rows(run: Run) -> dict[str, dict[str, Any]]:
    """summary.json's rows by module."""
    return {row["step"]: row for row in json.loads((run.evidence / "summary.json").read_text())["tenants"]}


def changed(run: Run) -> int:
    return recap(run.out)["northwind"]["changed"]


def access(run: Run) -> str:
    return str(rows(run)["tenant_access_info"]["outcome"])


KINDS = ("diagnosticSettings", "roleAssignments", "registrationAssignments", "servicePrincipals")


def deleted(lab: LabClient) -> list[str]:
    """What kinds of things were deleted, in the order in which that began."""
    paths = [line["path"] for line in lab.requests(5000)["last"] if line["method"] == "DELETE"]
    found = [kind for path in paths for kind in KINDS if f"/{kind}/".casefold() in path.casefold()]
    return list(dict.fromkeys(found))


def test_from_nothing_to_onboarded_and_back(northwind: Newcomer) -> None:
    lab = northwind.lab
    first = northwind.well("bootstrap")
    assert access(first) == "waiting"
    assert changed(first) == 0
    assert "Waiting for the administrator of Northwind. Hand over" in " ".join(first.out.split())
    assert northwind("preflight").code == 2

    back = lab.consent(northwind.link())
    assert back.startswith("https://onboarding.proseware-security.example/consent?admin_consent=True")
    consented = northwind.well("bootstrap", "-e", f"tenant_access_consent_response='{back}'")
    assert access(consented) == "waiting"
    assert f"--assignee {CLIENT_ID} --role" in html.unescape(northwind.page.read_text())

    granted = northwind.well("bootstrap", tokens=("arm",))
    assert (access(granted), changed(granted)) == ("in_sync", 1)
    northwind.well("preflight", ONBOARD, DRIFT, VERIFY, "-e", "drift_fail=true")
    assert changed(northwind.well("bootstrap", ONBOARD, tokens=("arm", "graph"))) == 0

    lab.reset_requests()
    kept = northwind("offboard", "-e", "offboard_confirm=northwind")
    assert kept.code == 2
    assert "Access was not given back" in " ".join(kept.out.split())
    assert access(kept) == "waiting", "the report must not say removed"
    gone = northwind.well("offboard", "-e", "offboard_confirm=northwind", tokens=("arm", "graph"))
    assert (changed(gone), access(gone)) == (2, "in_sync")
    assert deleted(lab) == ["diagnosticSettings", "roleAssignments", "servicePrincipals"]
    again = northwind.well("offboard", "-e", "offboard_confirm=northwind", tokens=("arm", "graph"))
    assert changed(again) == 0
    assert "no longer known" in " ".join(again.out.split())
    assert set(rows(again)) == {"tenant_access_info"}


def test_an_administrators_tokens_do_all_of_it_and_check_mode_does_nothing(northwind: Newcomer) -> None:
    predicted = northwind("bootstrap", "--check", "--diff", tokens=("graph", "arm"))
    assert predicted.code == 0, predicted.out
    assert rows(predicted)["entra_service_principal"]["counts"]["drifted"] == 4
    assert not northwind.page.exists()
    assert access(northwind.well("bootstrap", tokens=("graph", "arm"))) == "in_sync"
    northwind.lab.edit("revoke_permission", tenant=NORTHWIND, resource="office365_management",
                       permission="ActivityFeed.Read")  # fmt: skip
    assert access(northwind.well("drift")) == "waiting"
    assert northwind("drift", "-e", "drift_fail=true").code == 2
    none = northwind("drift", "-e", "drift_correct=true", "-e", "drift_max_changes=0", tokens=("graph",))
    assert (none.code, access(none)) == (2, "waiting")
    budget = northwind("drift", "-e", "drift_correct=true", "-e", "drift_max_changes=1", tokens=("graph",))
    assert (budget.code, access(budget)) == (2, "in_sync"), "its resources, never onboarded, are beyond the budget"
    assert "would change 22 targets, and drift_max_changes is 1" in " ".join(budget.out.split())


def test_what_was_done_by_hand_is_enough(northwind: Newcomer) -> None:
    northwind.well("bootstrap")
    northwind.by_hand()
    done = northwind.well("bootstrap")
    assert (access(done), changed(done)) == ("in_sync", 0)
    assert changed(northwind.well("bootstrap", tokens=("graph", "arm"))) == 0


def test_what_was_half_done_is_finished_by_the_next_run(northwind: Newcomer) -> None:
    path = f"re:/subscriptions/{TWO}/providers/microsoft.authorization/roleassignments/"
    northwind.lab.fault("status", method="PUT", path=path, status=403, code="AuthorizationFailed", count=None)
    half = northwind("bootstrap", tokens=("graph", "arm"))
    assert half.code == 2
    assert rows(half)["entra_service_principal"]["outcome"] == "corrected"
    northwind.lab.clear_faults()
    whole = northwind.well("bootstrap", tokens=("graph", "arm"))
    assert (access(whole), rows(whole)["entra_service_principal"]["outcome"]) == ("in_sync", "in_sync")
    kinds = [row["outcome"] for row in json.loads((whole.evidence / "summary.json").read_text())["tenants"]]
    assert kinds.count("corrected") == 1, "the one role that was refused"


def test_a_tenant_that_waits_is_left_out_and_is_no_failure_of_drift(northwind: Newcomer) -> None:
    run = northwind.well("drift")
    assert set(rows(run)) == {"tenant_access_info"}
    assert access(run) == "waiting"


def test_access_is_kept_while_something_before_it_fails(northwind: Newcomer) -> None:
    northwind.well("bootstrap", ONBOARD, tokens=("graph", "arm"))
    northwind.lab.fault("status", method="DELETE", path="diagnosticsettings", status=403, count=None)
    run = northwind("offboard", "-e", "offboard_confirm=northwind", tokens=("graph", "arm"))
    assert run.code == 2
    assert "Run again when these are well: northwind" in " ".join(run.out.split())
    assert set(rows(run)) == {"azure_diagnostic_settings", "tenant_access_info"}
    northwind.lab.clear_faults()
    northwind.well("offboard", "-e", "offboard_confirm=northwind", tokens=("graph", "arm"))


def test_by_lighthouse(northwind: Newcomer) -> None:
    northwind.tenant(**LIGHTHOUSE)
    assert access(northwind.well("bootstrap")) == "waiting"
    template = northwind.page.with_name("lighthouse.json")
    assert json.loads(template.read_text())["resources"]
    page = html.unescape(northwind.page.read_text())
    assert "adminconsent" not in page
    assert f"az deployment sub create --subscription {ONE}" in page
    granted = northwind.well("bootstrap", tokens=("arm",))
    assert access(granted) == "in_sync"
    northwind.well("preflight", ONBOARD, DRIFT, "-e", "drift_fail=true")
    assert changed(northwind.well("bootstrap", tokens=("arm",))) == 0
    northwind.lab.reset_requests()
    northwind.well("offboard", "-e", "offboard_confirm=northwind")
    assert deleted(northwind.lab) == ["diagnosticSettings", "registrationAssignments"]
    assert changed(northwind.well("offboard", "-e", "offboard_confirm=northwind")) == 0


def certificate(folder: Path, name: str) -> Path:
    path = folder / name
    words = ("openssl", "req", "-x509", "-newkey", "rsa:2048", "-noenc", "-days", "90", "-subj", f"/CN={name}")
    subprocess.run([*words, "-keyout", path, "-out", folder / "crt"], check=True, capture_output=True)
    path.write_text(path.read_text() + (folder / "crt").read_text())
    return path


def test_a_certificate_is_rolled_and_no_run_on_the_way_fails(northwind: Newcomer, tmp_path: Path) -> None:
    lab = northwind.lab
    old, new = (str(certificate(tmp_path, name)) for name in ("old.pem", "new.pem"))

    def provider(*paths: str, grace: int) -> None:
        northwind.tenant(
            "proseware",
            mssp_application_tenant_id=PROSEWARE,
            mssp_application_client_id=CLIENT_ID,
            mssp_application_access_token="{{ lookup('ansible.builtin.file', mssp_lab_dir ~ "
            "'/admin-proseware.graph.token') }}",
            mssp_application_authority_url=lab.url,
            mssp_application_graph_url=lab.graph.url,
            mssp_application_ca_file=lab.ca_file,
            mssp_application_certificate_paths=list(paths),
            mssp_application_certificate_grace_days=grace,
            mssp_application_display_name="proseware-log-onboarding",
        )

    def signs_in_with(path: str) -> None:
        secrets = dict.fromkeys(("azure_diagnostics_client_secret", "tenant_access_client_secret"))
        paths = dict.fromkeys(
            ("azure_diagnostics_client_certificate_path", "tenant_access_client_certificate_path"), path
        )
        northwind.tenant(**secrets, **paths)

    def well(*playbooks: str, tokens: tuple[str, ...] = ()) -> None:
        """The provider's step where there is one, then whether customers' runs still work."""
        northwind.well(*playbooks, PREFLIGHT, ONBOARD, tokens=tokens)

    provider(old, grace=14)
    signs_in_with(old)
    well("bootstrap", tokens=("graph", "arm"))
    provider(old, new, grace=14)
    well("bootstrap")
    signs_in_with(new)
    northwind.well("preflight", ONBOARD)
    provider(new, grace=0)
    well("bootstrap")
    signs_in_with(old)
    refused = northwind("preflight", "-l", "northwind")
    assert refused.code == 2
    assert "AADSTS700027" in refused.out, "the old one is gone, so the runs above were those of a roll"


def test_no_secret_gets_out(northwind: Newcomer, tmp_path: Path) -> None:
    """Secrets and tokens of both sides are canaries: no output at the highest verbosity, no file, no page has them."""
    lab = northwind.lab
    runs = [
        northwind("bootstrap", "-vvvv", "--diff"),
        northwind("bootstrap", "-vvvv", "--diff", tokens=("graph", "arm")),
        northwind("preflight", "-vvvv"),
        northwind("offboard", "-vvvv", "-e", "offboard_confirm=northwind", tokens=("graph", "arm")),
    ]
    assert [run.code for run in runs] == [0, 0, 0, 0]
    text = "\n".join(run.out for run in runs)
    kept = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    text += "\n".join(path.read_text(errors="replace") for path in (*kept, northwind.page))
    assert lab.secret.strip() not in text
    assert not re.search(r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}", text), "a token"


def test_the_example_of_the_role_works_as_it_stands(northwind: Newcomer, tmp_path: Path) -> None:
    readme = (ROOT / "roles/tenant_access/README.md").read_text()
    example = re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL)[0]
    (command,) = re.findall(r"^ansible-playbook .*$", readme, re.MULTILINE)[:1]
    folder = tmp_path / "inventories" / "prod"
    shutil.copytree(northwind.fleet, folder)
    (folder / "tenants" / "northwind.yml").write_text(example)
    environment = {"NORTHWIND_CLIENT_SECRET": northwind.lab.secret.strip()}
    verb, *arguments = command.split()[3:]
    inventory = str(tmp_path / command.split()[2])
    done = northwind.player(verb.rpartition(".")[2], *arguments, inventory=inventory, **environment)
    assert done.code == 0, done.out
    assert access(done) == "waiting"
