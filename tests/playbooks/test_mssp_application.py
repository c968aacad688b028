# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verbs on the provider's own app, as a user runs them; the README's example; no secret in any output."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lab.client import LabClient
from lab.testing import CLIENT_ID, PROSEWARE, ROOT, WORKSPACE, running_lab
from tests import warm
from tests.engine.graph_engines import REDIRECT, WANTED, certificate, held
from tests.playbooks.tenant_files import tenant_file
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_delegated import CONNECTION
from tests.playbooks.test_docs import blocks

README = "roles/mssp_application/README.md"
TOOL = Path(sys.executable).with_name("ansible-playbook")


@pytest.fixture(scope="module")
def shared_lab() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(shared_lab: LabClient) -> LabClient:
    shared_lab.reset()
    return shared_lab


class Provider:
    """The provider's own tenant in a folder of its own, and runs of the collection's playbooks over it."""

    def __init__(self, lab: LabClient, folder: Path) -> None:
        self.lab, self.folder, self.number = lab, folder, 0
        self.token = lab.admin_token(PROSEWARE, "graph")
        self.file = folder / "proseware.yml"
        self.write(
            mssp_application_client_id=CLIENT_ID,
            mssp_application_display_name="proseware-log-onboarding",
            mssp_application_permissions=WANTED,
            mssp_application_redirect_uris=[REDIRECT],
        )

    def write(self, **options: Any) -> None:
        self.options = {
            "mssp_application_tenant_id": PROSEWARE,
            "mssp_application_access_token": "{{ lookup('ansible.builtin.env', 'GRAPH_TOKEN') }}",
            "mssp_application_authority_url": self.lab.url,
            "mssp_application_graph_url": self.lab.graph.url,
            "mssp_application_ca_file": self.lab.ca_file,
            **options,
        }
        self.file.write_text(tenant_file("proseware", self.options))

    def __call__(self, verb: str, *arguments: str, playbook: Path | None = None) -> Run:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "AZURE_", "MSSP_"))}
        done = warm.run(
            [TOOL, "-i", self.file, playbook or f"mssp.onboarding.{verb}", *arguments],
            cwd=ROOT,
            env={
                **clean,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "MSSP_EVIDENCE_DIR": str(evidence),
                "ANSIBLE_CONNECTION_PLUGINS": str(self.folder / "connection"),
                "GRAPH_TOKEN": self.token,
            },
            timeout=180,
        )
        return Run(done.returncode, done.stdout + done.stderr, evidence)

    def row(self, run: Run) -> dict[str, Any]:
        (row,) = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        return dict(row)


@pytest.fixture
def provider(lab: LabClient, tmp_path: Path) -> Provider:
    return Provider(lab, tmp_path)


def flat(run: Run) -> str:
    return re.sub(r"\s+", " ", run.out)


def test_the_verbs_on_an_app_that_is_as_wanted(provider: Provider) -> None:
    for verb in ("preflight", "verify", "drift"):
        done = provider(verb, "-e", "drift_fail=true")
        assert done.code == 0, done.out
        assert recap(done.out)["proseware"]["changed"] == 0
    left = provider("offboard", "-e", "offboard_confirm=proseware")
    assert left.code == 0
    assert f"App {CLIENT_ID} stays" in flat(left)


def test_drift_is_told_and_corrected_as_policy_says(provider: Provider, lab: LabClient) -> None:
    other = {"displayName": "Taken over", "requiredResourceAccess": []}
    lab.graph(PROSEWARE, "PATCH", f"applications(appId='{CLIENT_ID}')", other)
    told = provider("drift", "--diff")
    assert told.code == 0
    assert provider.row(told)["drift"] == {"changed": 1, "missing": 2}
    assert "Taken over" in told.out
    assert held(lab)["displayName"] == "Taken over", "drift alone writes nothing"
    safe = provider("drift", "-e", "drift_correct=true", "-e", "mssp_application_correct=safe")
    assert held(lab)["displayName"] == "Taken over", safe.out
    over = provider("drift", "-e", "drift_correct=true", "-e", "drift_max_changes=2")
    assert over.code != 0
    assert "Nothing was changed here" in over.out
    done = provider("drift", "-e", "drift_correct=true")
    assert held(lab)["displayName"] == "proseware-log-onboarding", done.out


def test_verify_says_that_the_app_cannot_sign_in_for_long(provider: Provider, lab: LabClient) -> None:
    lab.edit("remove_secret")
    short = provider("verify", "-e", "mssp_application_expiry_days=45")
    assert short.code != 0
    assert "name its file in certificate_paths" in flat(short)


def test_verify_and_preflight_of_an_app_that_is_not_there(provider: Provider) -> None:
    provider.write(mssp_application_permissions=WANTED)
    assert provider("preflight").code == 0, "onboard makes it"
    absent = provider("verify")
    assert absent.code != 0
    assert "run the onboard playbook" in flat(absent)
    provider.write(mssp_application_permissions={"microsoft_graph": ["Nonsense.Read.All"]})
    wrong = provider("preflight")
    assert wrong.code != 0
    assert "correct the name" in flat(wrong)


def test_it_gets_its_roles_on_the_providers_own_side(provider: Provider, lab: LabClient) -> None:
    """By README's example; a second run changes nothing, and without the token nothing is looked at."""
    lab.edit("unassign_role", tenant=PROSEWARE, role="Log Analytics Contributor", scope=WORKSPACE)
    roles = yaml.safe_load(blocks(README, "yaml")[1])
    assert roles["mssp_application_roles"] == [{"role": "Log Analytics Contributor", "scope": WORKSPACE}]
    endpoint = {"mssp_application_resource_manager_url": lab.url}
    provider.write(**provider.options, **roles, **endpoint)
    without = provider("onboard")
    assert without.code == 0, without.out
    assert recap(without.out)["proseware"]["changed"] == 0
    token = "{{ lookup('ansible.builtin.file', '" + str(lab.state_dir / "admin-proseware.arm.token") + "') }}"
    provider.write(**provider.options, mssp_application_arm_access_token=token)
    for expected in (1, 0):
        done = provider("onboard", "-vvvv")
        assert done.code == 0, done.out
        assert recap(done.out)["proseware"]["changed"] == expected
        assert (lab.state_dir / "admin-proseware.arm.token").read_text() not in done.out


def shown_secret(folder: Path) -> Path:
    """A play that forgets no_log."""
    task = {"mssp.onboarding.entra_application": {"tenant_id": PROSEWARE, "access_token": "x", "secret_name": "siem"}}
    play = folder / "shown.yml"
    play.write_text(yaml.safe_dump([{"hosts": "proseware", "gather_facts": False, "tasks": [task]}]))
    return play


def test_a_new_secret_is_in_its_file_and_in_no_output(provider: Provider, lab: LabClient) -> None:
    path = provider.folder / "siem.secret"
    provider.write(**provider.options, mssp_application_secret_name="siem")
    nowhere = provider("onboard")
    assert nowhere.code != 0
    assert "mssp_application_secret_file" in nowhere.out
    assert len(held(lab)["passwordCredentials"]) == 2, "nothing was made"
    provider.write(**provider.options, mssp_application_secret_file=str(path))
    shown = provider("onboard", playbook=shown_secret(provider.folder))
    assert "secret_name needs no_log: true on the task. Nothing was done." in flat(shown)
    assert len(held(lab)["passwordCredentials"]) == 2
    made = provider("onboard", "-vvvv", "--diff")
    assert made.code == 0, made.out
    secret = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert secret.startswith("lab~")
    written = [one.read_text() for one in made.evidence.rglob("*") if one.is_file()]
    for canary in (secret, provider.token):
        assert canary not in made.out
        assert not any(canary in text for text in written)


def test_a_delegated_task_does_the_same(provider: Provider, lab: LabClient) -> None:
    """On another host the module runs, not the action."""
    (provider.folder / "connection").mkdir()
    (provider.folder / "connection" / "jump.py").write_text(CONNECTION)
    options = {
        name.removeprefix("mssp_application_"): f"{{{{ {name} }}}}"
        for name in provider.options
        if name != "mssp_application_client_id"
    }
    jump = {"name": "jumphost", "ansible_connection": "jump",
            "ansible_python_interpreter": "{{ ansible_playbook_python }}"}  # fmt: skip
    tasks = [
        {"ansible.builtin.add_host": jump},
        {"mssp.onboarding.entra_application": {**options, "secret_name": "siem"}, "delegate_to": "jumphost",
         "no_log": True, "register": "app"},
        {"ansible.builtin.debug": {"msg": "made {{ app.app_id }}, {{ app.client_secret | length > 20 }}"}},
    ]  # fmt: skip
    play = provider.folder / "play.yml"
    play.write_text(yaml.safe_dump([{"hosts": "proseware", "gather_facts": False, "tasks": tasks}]))
    done = provider("", "-vvvv", playbook=play)
    assert done.code == 0, done.out
    app = held(lab, "uniqueName='mssp-onboarding'")
    assert f"made {app['appId']}, True" in flat(done)
    assert provider.token not in done.out
    assert "lab~" not in done.out


def test_the_readmes_example_works_as_it_stands(provider: Provider, tmp_path: Path) -> None:
    """But for the folder of the certificate and the lab's endpoints; the commands make the one and use the other."""
    (tmp_path / "mssp").mkdir()
    content = yaml.safe_load(blocks(README, "yaml")[0].replace("/etc/mssp/", f"{tmp_path}/mssp/"))
    openssl, playbooks = blocks(README, "sh")
    subprocess.run(["sh", "-ec", openssl.replace("/etc/mssp/", f"{tmp_path}/mssp/")], check=True, capture_output=True)
    options = content["sources"]["mssp_application"]
    provider.write(**{f"mssp_application_{name}": value for name, value in options.items()})
    assert content["azure"] == {"tenant_id": PROSEWARE}
    verbs = re.findall(r"^ansible-playbook .* mssp\.onboarding\.(\w+)$", playbooks, re.MULTILINE)
    assert verbs == ["onboard", "verify"]
    for verb in verbs:
        done = provider(verb)
        assert done.code == 0, done.out
    app = held(provider.lab, "uniqueName='mssp-onboarding'")
    assert app["displayName"] == "Proseware SOC"
    assert len(app["keyCredentials"]) == 1


def test_the_task_of_the_readme_lets_the_app_read_itself_and_roll(provider: Provider, tmp_path: Path) -> None:
    """The app that is there has no right but those that customers consent to."""
    task = yaml.safe_load(blocks(README, "yaml")[2])[0]
    here = {name: provider.options[f"mssp_application_{name}"] for name in ("authority_url", "graph_url", "ca_file")}
    task["mssp.onboarding.entra_service_principal"] |= here
    play = provider.folder / "play.yml"
    play.write_text(
        yaml.safe_dump(
            [
                {
                    "hosts": "proseware",
                    "gather_facts": False,
                    "vars": {"app_id": CLIENT_ID, "graph_token": "{{ mssp_application_access_token }}"},
                    "tasks": [task],
                }
            ]
        )
    )
    assert provider("", playbook=play).code == 0
    own = {
        **{key: value for key, value in provider.options.items() if not key.endswith("access_token")},
        "mssp_application_client_certificate_path": provider.lab.certificate_path,
        "mssp_application_certificate_paths": [certificate(tmp_path / "next.pem")],
    }
    provider.write(**own, mssp_application_access_token=None)
    done = provider("onboard")
    assert done.code == 0, done.out
    assert len(held(provider.lab)["keyCredentials"]) == 2
