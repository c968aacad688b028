# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take a source out of a collector's tenant file: every module of its role names exactly that, until confirmed."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import ansible.template
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.mssp.onboarding.plugins.module_utils._core import coverage
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module
from ansible_collections.mssp.onboarding.plugins.module_utils._core.result import counts
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import DRIFTED, FAILED, IN_SYNC, UNKNOWN
from ansible_collections.mssp.onboarding.plugins.modules import (
    falcon_api_info,
    falcon_connector,
    falcon_connector_info,
    scp_target,
    scp_target_info,
    sophos_arrival_info,
    syslog_receiver,
    syslog_receiver_info,
    syslog_receiver_preflight_info,
)
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction
from ansible_collections.mssp.onboarding.plugins.plugin_utils._sources import compared
from tests.unit.ansible_tools import ROOT

FIREWALL, SWITCH = "firewall", "switch"
FLOWS = {"arrivals": {"flows": 1, "arrived": 1}, "states": {"flowing": 1}}
TASKS = {"syslog_target": "receiver", "scp_target": "drops", "falcon_siem_connector": "connector"}
ROLES: dict[str, tuple[str, list[Any]]] = {
    "syslog_target": ("sources", [syslog_receiver, syslog_receiver_info, syslog_receiver_preflight_info]),
    "scp_target": ("sources", [scp_target, scp_target_info]),
    "falcon_siem_connector": ("cids", [falcon_connector, falcon_connector_info, falcon_api_info]),
}


def said(status: str = IN_SYNC) -> dict[str, Any]:
    """What a module said on its host."""
    number = counts([status])
    summary = {"capability": "x", "outcome": status, "counts": number, "drift": {}, **FLOWS}
    return {"changed": False, "failed": status == FAILED, "msg": "As it is.", "summary": summary, "problems": []}


class Host:
    """The tasks of one collector; each run has a folder of its own."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch, role: str) -> None:
        self.root, self.patch, self.role, self.number = root, patch, role, 0
        self.option, self.modules = ROLES[role]
        self.makes = self.modules[0]

    def run(
        self,
        module: Any,
        names: list[str],
        status: str = IN_SYNC,
        check: bool = False,
        state: str = "present",
        **more: Any,
    ) -> dict[str, Any]:
        self.number += 1
        self.patch.setenv("MSSP_EVIDENCE_DIR", str(self.root / f"run{self.number}"))
        declared: Module = module.MODULE

        class Action(EngineAction):
            MODULE = declared._replace(on_host=True)

            def _execute_module(self, *_args: Any, **_kwargs: Any) -> dict[str, Any]:
                return said(status)

        args = {"options_from": self.role, "tenant": "contoso", "state": state}
        name = f"mssp.onboarding.{module.__name__.rpartition('.')[2]}"
        task = SimpleNamespace(args=args, action=name, check_mode=check, diff=False, async_val=0, no_log=False)
        connection = SimpleNamespace(transport="ssh", has_native_async=False, _shell=SimpleNamespace(tmpdir="/tmp/x"))
        variables = {
            "inventory_hostname": "contoso-col1", f"{self.role}_{self.option}": {name: {} for name in names},
            **{f"{self.role}_{option}": value for option, value in more.items()},
        }  # fmt: skip
        templar = Templar(loader=DataLoader(), variables=variables)
        return Action(task, connection, None, DataLoader(), templar, None).run(None, variables)


@pytest.fixture(params=list(ROLES))
def host(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    """A collector with two sources, after a good run."""
    found = Host(tmp_path, monkeypatch, request.param)
    assert found.run(found.makes, [FIREWALL, SWITCH])["coverage"]["missing"] == []
    return found


def test_a_source_out_of_the_file_is_unknown_by_name(host: Host) -> None:
    label = f"{host.option.removesuffix('s')} {FIREWALL}"
    for module in host.modules:
        found = host.run(module, [SWITCH], check=True)
        assert found["summary"]["outcome"] == "unknown", module
        assert found["summary"]["counts"] | {"unknown": 1, "targets": 2} == found["summary"]["counts"]
        assert [one["target"] for one in found["problems"]] == [label], module
        assert f"{host.role}_accept_missing: [{FIREWALL}]" in found["problems"][0]["next_step"]
        assert found["coverage"]["missing"] == [FIREWALL]
        assert label in found["msg"]
        assert found["summary"]["arrivals"] == {"flows": 2, "arrived": 1}, "all have arrived only where none is missing"
        assert found["summary"]["states"] == {"flowing": 1, "unreadable": 1}
        assert found["failed"] is False, "what the role does after it, it still does"
    back = host.run(host.makes, [FIREWALL, SWITCH])
    assert back["problems"] == []


def test_the_host_fails_with_the_verdict_and_not_before(host: Host) -> None:
    """Whatever the role does after it."""
    tasks = yaml.safe_load((ROOT / "roles" / host.role / "tasks" / f"{TASKS[host.role]}.yml").read_text())
    made, lost = tasks[:2]
    assert lost["ansible.builtin.group_by"] == {"key": "mssp_failed"}
    trust = getattr(ansible.template, "trust_as_template", lambda text: text)
    whole, shrunken = (host.run(host.makes, names, check=True) for names in ([FIREWALL, SWITCH], [SWITCH]))
    for found, fails in ((whole, False), (shrunken, True), (said(), False)):
        templar = Templar(loader=DataLoader(), variables={made["register"]: found})
        assert templar.template(trust(f"{{{{ {lost['when']} }}}}")) is fails


def test_a_list_names_each_by_its_kind(tmp_path: Path) -> None:
    """As of the firewalls whose records verify looks for."""
    path = tmp_path / "contoso.sophos_syslog.json"
    coverage.save(path, coverage.Memory({name: coverage.Scope(name, f"firewall {name}") for name in ("hq", "branch")}))
    given = {"firewalls": [{"firewall": "hq"}]}
    found = compared(said(), sophos_arrival_info.MODULE, path, given, [], converges=False, check=False)
    assert (found["summary"]["outcome"], found["coverage"]["missing"]) == ("unknown", ["branch"])
    assert "firewall branch" in found["msg"]
    result = said(FAILED) | {"problems": [{"code": "other"}]}
    worse = compared(result, sophos_arrival_info.MODULE, path, given, [], converges=False, check=False)
    assert worse["summary"]["outcome"] == FAILED, "what is missing hides nothing"
    assert [one["code"] for one in worse["problems"]] == ["Missing", "other"]


def test_it_is_confirmed_by_an_option_and_that_is_kept(host: Host) -> None:
    accepted = host.run(host.modules[1], [SWITCH], accept_missing=[FIREWALL])
    assert accepted["problems"] == []
    for module in host.modules:
        assert host.run(module, [SWITCH])["problems"] == [], "confirmed once is enough"
    (kept,) = (host.root / "coverage").iterdir()
    assert kept.name == f"contoso-col1.{host.role}.json"
    entry = json.loads(kept.read_text())["confirmed"][FIREWALL]
    assert entry["when"]
    assert entry["who"]


@pytest.mark.parametrize("status", [DRIFTED, FAILED])
def test_what_never_was_as_wanted_is_not_missed(host: Host, status: str) -> None:
    host.run(host.makes, [FIREWALL, SWITCH, "misspelt"], status)
    host.run(host.modules[1], [FIREWALL, SWITCH, "misspelt"])
    assert host.run(host.makes, [FIREWALL, SWITCH])["coverage"]["missing"] == []


def test_the_removal_ends_the_memory(host: Host) -> None:
    host.run(host.makes, [FIREWALL], state="absent", check=True)
    assert list((host.root / "coverage").iterdir()), "check mode removes nothing"
    host.run(host.makes, [FIREWALL], state="absent")
    assert list((host.root / "coverage").iterdir()) == []


def test_what_could_not_be_looked_at_is_no_part_that_is_covered(host: Host) -> None:
    found = host.run(host.makes, [FIREWALL, SWITCH], FAILED)
    assert found["coverage"]["states"] == {"unreachable": 2}
    assert host.run(host.makes, [FIREWALL, SWITCH])["coverage"]["states"] == {"covered": 2}


def test_a_removal_that_failed_forgets_nothing(tmp_path: Path) -> None:
    path = tmp_path / "memory.json"

    def after(status: str, **given: Any) -> bool:
        compared(said(status), syslog_receiver.MODULE, path, given, [], converges=True, check=False)
        return path.exists()

    assert after(IN_SYNC, sources={FIREWALL: {}})
    assert after(FAILED, state="absent")
    assert not after(IN_SYNC, state="absent")


def test_sources_of_a_look_that_knows_nothing_are_not_covered(tmp_path: Path) -> None:
    given = {"sources": {FIREWALL: {}}}
    for status in (UNKNOWN, FAILED):
        found = compared(
            said(status), syslog_receiver_info.MODULE, tmp_path / "m", given, [], converges=False, check=False
        )
        assert found["coverage"]["states"] == {"unreachable": 1}
