# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counts the requests of the small sources for each object of theirs, against the lab.

scripts/bench sources prints a Markdown table in some seconds. Numbers of requests do not depend on the machine.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import capability as esa
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import options as esa_options
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import capability as duo
from ansible_collections.mssp.onboarding.plugins.module_utils._duo import options as duo_options
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import capability as sophos
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import options as sophos_options
from lab.cisco_esa.client import ALONE
from lab.client import LabClient
from lab.duo.client import PROSEWARE_KEY
from lab.sophos.client import BRANCH, HEADQUARTERS, USERNAME
from lab.testing import running_lab

HEADINGS = ["source", "object", "run", "objects", "requests", "requests/object"]
CHILDREN = ["Litware", "Fourth Coffee"]
Runs = Mapping[str, tuple[Any, Mapping[str, Any], Mapping[str, Any]]]


def duo_runs(lab: LabClient) -> Runs:
    """Child accounts of the provider's; the keys are what a run with return_secrets has told."""
    given = {
        "api_host": lab.duo.host,
        "integration_key": PROSEWARE_KEY,
        "secret_key": lab.duo.secret(PROSEWARE_KEY),
        "child_accounts": CHILDREN,
        "ca_file": lab.ca_file,
    }
    reads = {name: given[name] for name in given if name in duo_options.ACCESS_SPEC}
    return {
        "preflight": (duo.preflight, duo_options.ACCESS_SPEC, reads),
        "onboard": (duo.converge, duo_options.CONVERGE_SPEC, given),
        "onboard again": (duo.converge, duo_options.CONVERGE_SPEC, given),
        "verify": (duo.verify, duo_options.FLOW_SPEC, given),
        "offboard": (duo.converge, duo_options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def sophos_runs(lab: LabClient) -> Runs:
    """Both firewalls; what verify asks of them is a run that writes nothing."""
    firewalls = {
        host: {"host": host, "port": lab.sophos.port, "serial_number": lab.sophos.state(host)["serial"]}
        for host in (HEADQUARTERS, BRANCH)
    }
    given = {
        "firewalls": firewalls,
        "username": USERNAME,
        "passwords": {host: lab.sophos.state(host)["password"] for host in firewalls},
        "ca_file": lab.ca_file,
        "receiver": {"address": "127.0.0.1", "port": 9, "transport": "tls"},
    }
    return {
        "preflight": (sophos.preflight, sophos_options.ACCESS_SPEC, given),
        "onboard": (sophos.converge, sophos_options.CONVERGE_SPEC, given),
        "onboard again": (sophos.converge, sophos_options.CONVERGE_SPEC, given),
        "verify": (sophos.converge, sophos_options.CONVERGE_SPEC, {**given, "correct": "never"}),
        "offboard": (sophos.converge, sophos_options.CONVERGE_SPEC, {**given, "state": "absent"}),
    }


def esa_runs(lab: LabClient, folder: Path) -> Runs:
    """An appliance that stands alone; a request is a session at its command line."""
    state, known = lab.cisco_esa.state(ALONE), folder / "known_hosts"
    known.write_text(lab.cisco_esa.known_hosts(), encoding="ascii")
    reads = {
        "appliances": {"esa": {"host": "127.0.0.1", "port": state["port"], "serial_number": state["serial"]}},
        "username": state["username"],
        "password": state["password"],
        "known_hosts": str(known),
        "subscriptions": {"mssp_mail": {"type": "mail"}},
        "screen_seconds": 5.0,
        "receiver": {
            "method": "scp_push",
            "address": "127.0.0.1",
            "port": 9,
            "user": "drop",
            "directory": "/upload",
            "host_keys": ["ssh-ed25519 " + "A" * 68],
        },
    }
    return {
        "preflight": (esa.preflight, esa_options.ACCESS_SPEC, reads),
        "onboard": (esa.converge, esa_options.CONVERGE_SPEC, reads),
        "onboard again": (esa.converge, esa_options.CONVERGE_SPEC, reads),
        "verify": (esa.converge, esa_options.CONVERGE_SPEC, {**reads, "correct": "never", "probe": True}),
        "offboard": (esa.converge, esa_options.CONVERGE_SPEC, {**reads, "state": "absent"}),
    }


def rows(lab: LabClient, source: str, kind: str, objects: int, runs: Runs) -> list[list[str]]:
    found = []
    for name, (engine, spec, given) in runs.items():
        params = ArgumentSpecValidator(dict(spec)).validate(dict(given)).validated_parameters
        result = execute(engine, source, params, check=False, diff=False)
        if result["failed"]:
            raise SystemExit(f"{source}, {name}: {result['msg']}")
        requests = sum(result["summary"]["requests"].values())
        found.append([source, kind, name, f"{objects}", f"{requests}", f"{requests / objects:.1f}"])
    return found


def main() -> None:
    with running_lab() as lab, tempfile.TemporaryDirectory() as folder:
        table = [
            *rows(lab, "duo_logs", "child account", len(CHILDREN), duo_runs(lab)),
            *rows(lab, "sophos_syslog", "firewall", 2, sophos_runs(lab)),
            *rows(lab, "cisco_esa_logs", "subscription (session)", 1, esa_runs(lab, Path(folder))),
        ]
    for line in (HEADINGS, ["---"] * len(HEADINGS), *table):
        print("| " + " | ".join(line) + " |")
