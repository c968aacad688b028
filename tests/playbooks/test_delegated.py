"""The same task delegated to another host runs as a module there, with the same result and no secret shown."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE, ROOT, WORKSPACE, running_lab
from tests import warm

# Not «local» by name, so that the action hands the work over; the module then runs in a process of its own.
CONNECTION = '''
DOCUMENTATION = """
name: jump
short_description: This host, under another name
author: [tests]
description: [This host, under another name.]
extends_documentation_fragment: [connection_pipelining]
"""
from ansible.plugins.connection.local import Connection as Local


class Connection(Local):
    transport = "jump"
'''
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  tasks:
    - ansible.builtin.add_host:
        name: jumphost
        ansible_connection: jump
        ansible_python_interpreter: "{{ ansible_playbook_python }}"
    - mssp.onboarding.azure_diagnostic_settings:
        tenant_id: "{{ tenant }}"
        client_id: "{{ client }}"
        client_secret: "{{ lookup('ansible.builtin.file', secret_file) }}"
        auxiliary_tenant_ids: ["{{ proseware }}"]
        resource_manager_url: "{{ url }}"
        authority_url: "{{ url }}"
        ca_file: "{{ ca_file }}"
        workspace_id: "{{ workspace }}"
      register: run
      delegate_to: "{{ 'jumphost' if delegated | bool else omit }}"
    - ansible.builtin.copy:
        content: "{{ run | to_json }}"
        dest: "{{ result_file }}"
        mode: "0600"
"""


def test_a_delegated_task_is_a_module_with_the_same_result(tmp_path: Path) -> None:
    (tmp_path / "connection").mkdir()
    (tmp_path / "connection" / "jump.py").write_text(CONNECTION)
    (tmp_path / "play.yml").write_text(PLAYBOOK)
    results = {}
    with running_lab() as lab:
        for delegated in (True, False):
            lab.reset()
            variables = {
                "tenant": CONTOSO,
                "client": CLIENT_ID,
                "secret_file": str(Path(lab.state_dir) / "app.secret"),
                "proseware": PROSEWARE,
                "url": lab.url,
                "ca_file": lab.ca_file,
                "workspace": WORKSPACE,
                "delegated": delegated,
                "result_file": str(tmp_path / f"{delegated}.json"),
            }
            done = warm.run(
                [
                    Path(sys.executable).with_name("ansible-playbook"),
                    "-vvv",
                    str(tmp_path / "play.yml"),
                    "-e",
                    json.dumps(variables),
                ],
                cwd=ROOT,
                env={
                    **os.environ,
                    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                    "ANSIBLE_CONNECTION_PLUGINS": str(tmp_path / "connection"),
                    "MSSP_EVIDENCE_ROOT": str(tmp_path),
                },
                timeout=180,
            )
            assert done.returncode == 0, done.stdout + done.stderr
            assert lab.secret not in done.stdout + done.stderr
            results[delegated] = json.loads((tmp_path / f"{delegated}.json").read_text())
            handed_over = "AnsiballZ_azure_diagnostic_settings" in done.stdout
            assert handed_over == delegated
    module, action = results[True], results[False]
    assert module["summary"]["counts"] == action["summary"]["counts"]
    assert module["summary"]["counts"]["corrected"] > 50
    assert {change["target"] for change in module["changes"]} == {change["target"] for change in action["changes"]}
