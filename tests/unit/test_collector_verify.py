# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom the probes of the role collector_verify trust: what goes through TLS needs the collector's authority."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import ansible.template
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from lab.testing import ROOT

ROLE = ROOT / "roles/collector_verify"
TASKS = {one["name"]: one for one in yaml.safe_load((ROLE / "tasks/syslog.yml").read_text(encoding="utf-8"))}
VARS = yaml.safe_load((ROLE / "vars/main.yml").read_text(encoding="utf-8"))
# Since ansible-core 2.19, what is not trusted is no template.
TRUST = getattr(ansible.template, "trust_as_template", lambda text: text)
SIDES = {"Send from the control node": "ca_data", "Send from the collector itself": "ca_file"}


@pytest.mark.parametrize("side", SIDES)
@pytest.mark.parametrize(
    ("source", "trusts"),
    [
        ({"transport": "tls", "senders": ["192.0.2.1"]}, True),
        ({"transport": "tls", "peers": ["mail.example.net"]}, True),
        ({"transport": "relp", "peers": ["mail.example.net"]}, True),
        ({"transport": "relp"}, False),
        ({"transport": "udp"}, False),
    ],
)
def test_what_goes_through_tls_needs_the_authority(side: str, source: dict[str, Any], trusts: bool) -> None:
    task, given = TASKS[side], VARS | {"item": {"key": "one", "value": source}, "omit": "(none)", "mssp_tenant": "t"}
    read = {"collector_verify__ca": {"content": b64encode(b"PEM").decode()}}
    texts = {name: TRUST(text) if isinstance(text, str) else text for name, text in given.items()}
    own = {name: TRUST(text) for name, text in task["vars"].items()}
    templar = Templar(loader=DataLoader(), variables={**texts, **own, **read})
    found = templar.template(TRUST(task["mssp.onboarding.collector_probe"][SIDES[side]]))
    assert found == (
        {"ca_data": "PEM", "ca_file": "/etc/mssp/syslog/t/tls/ca.pem"}[SIDES[side]] if trusts else "(none)"
    )
