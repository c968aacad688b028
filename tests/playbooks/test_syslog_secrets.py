"""The key of a syslog receiver in nothing that a run prints; in check mode, which changes nothing on this machine."""

from __future__ import annotations

from pathlib import Path

from tests.unit.ansible_tools import ROOT, run

CANARIES = [f"canary{number}pQ7xNq3vWz" for number in range(3)]
KEY = "\n".join(["-----BEGIN PRIVATE KEY-----", *CANARIES, "-----END PRIVATE KEY-----", ""])
PLAY = """
- hosts: localhost
  gather_facts: false
  vars:
    ansible_become: false
    ansible_python_interpreter: "{{ ansible_playbook_python }}"
    mssp_tenant: canary
    syslog_target_sources:
      proxies: {transport: tls, port: 16514, peers: [proxy.example]}
    syslog_target_tls_ca: CA
    syslog_target_tls_certificate: CERTIFICATE
    syslog_target_tls_key: "{{ lookup('ansible.builtin.file', 'key.pem') }}"
  tasks:
    - ansible.builtin.include_role:
        name: mssp.onboarding.syslog_target
        tasks_from: receiver.yml
    - block:
        - ansible.builtin.include_role:
            name: mssp.onboarding.syslog_target
            tasks_from: preflight.yml
      rescue:
        - ansible.builtin.debug:
            msg: this machine is no collector
"""


def test_a_given_key_is_shown_nowhere(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_text(KEY, encoding="ascii")
    (tmp_path / "play.yml").write_text(PLAY, encoding="utf-8")
    settings = {"ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "MSSP_EVIDENCE_ROOT": str(tmp_path / "evidence")}
    options = ("-i", "localhost,", "-c", "local", "--check", "--diff", "-vvvv")
    printed = run("ansible-playbook", *options, tmp_path / "play.yml", cwd=ROOT, **settings)
    assert "+(a new secret)" in printed
    assert "the key is not the certificate's" in " ".join(printed.split())
    kept = "".join(path.read_text(errors="replace") for path in (tmp_path / "evidence").rglob("*") if path.is_file())
    assert not [canary for canary in CANARIES if canary in printed + kept]
