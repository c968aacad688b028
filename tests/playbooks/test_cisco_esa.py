# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role where records go by syslog, and its preflight; by SCP it runs on a booted host, in tests/hosts."""

from __future__ import annotations

import os
from pathlib import Path

import yaml

from lab.testing import ROOT, running_lab
from tests import warm
from tests.playbooks.test_azure import Run
from tests.playbooks.test_coro import TOOL
from tests.playbooks.test_docs import blocks

# Drift compares, corrects as onboard would, and asks nothing of the collector where records come by syslog.
HERE = ("-l", "contoso:!collectors", "-edrift_correct=true")


def test_a_source_of_syslog_target_makes_it_syslog(tmp_path: Path) -> None:
    with running_lab() as lab:
        state = lab.cisco_esa.state()
        tenant = yaml.safe_load(blocks(ROOT / "roles/cisco_esa_logs/README.md", "yaml")[0])
        tenant["cisco_esa"]["appliances"]["esa1"] |= {"host": "127.0.0.1", "port": state["port"]}
        del tenant["sources"]["cisco_esa_logs"]["public_key_file"]
        source = {"transport": "tcp", "senders": ["192.0.2.25"]}
        tenant["collectors"]["collector1"] = {
            "ansible_host": "203.0.113.10",
            "syslog_target": {"sources": {"esa": source}},
        }
        (tmp_path / "contoso.yml").write_text(yaml.safe_dump(tenant))
        (tmp_path / "known_hosts").write_text(lab.cisco_esa.known_hosts())

        def run(verb: str) -> Run:
            evidence = tmp_path / f"evidence-{verb}"
            clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))}
            done = warm.run(
                [TOOL, "-i", tmp_path / "contoso.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *HERE],
                cwd=ROOT,
                env={
                    **clean,
                    "CISCO_ESA_PASSWORD": state["password"],
                    "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                    "ANSIBLE_HOME": str(tmp_path / "home"),
                    "MSSP_EVIDENCE_DIR": str(evidence),
                },
                timeout=180,
            )
            left = "".join(path.read_text() for path in evidence.rglob("*") if path.is_file())
            assert state["password"] not in done.stdout + done.stderr + left
            return Run(done.returncode, done.stdout + done.stderr, evidence)

        made = run("drift")
        assert made.code == 0, made.out
        log = lab.cisco_esa.log("mssp_mail")
        assert log is not None
        assert [log[field] for field in ("retrieval_method", "hostname", "port", "transport", "facility")] == [
            *("Syslog Push", "203.0.113.10", "514", "TCP", "mail"),
        ]
        # Its release is without the cure, which is said by a task that fails.
        told = run("preflight")
        assert told.code != 0
        assert "CVE-2026-76461" in told.out
