"""What tenant files may hold in dictionaries of named things is what the engines take at run time."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.module_utils._coro import options as coro
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import desired as falcon
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options as diagnostics
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import sources as scp
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import model as syslog
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from tests.unit.ansible_tools import ROOT

# Variable -> the spec by which its values are checked at run time.
RUN_TIME = {
    "coro_connectors_connectors": coro.OPEN_SPEC,
    "coro_connectors_secrets": coro.SECRET_SPEC,
    "falcon_siem_connector_cids": falcon.CID_SPEC,
    "falcon_siem_connector_secrets": {name: {"type": "str", "no_log": True} for name in falcon.SECRETS},
    "scp_target_sources": scp.SOURCE_SPEC,
    "syslog_target_sources": syslog.SOURCE_SPEC,
    "syslog_target_outputs": syslog.OUTPUT_SPEC,
    "azure_diagnostics_regional_destinations": {name: {"type": "str"} for name in diagnostics.REGIONAL},
}


def declared() -> dict[str, dict[str, Any]]:
    """Every value spec by its variable."""
    found: dict[str, dict[str, Any]] = {}
    for path in (ROOT / "roles").glob("*/meta/value_specs.yml"):
        found |= yaml.safe_load(path.read_text(encoding="utf-8"))
    return found


def bare(spec: dict[str, Any]) -> dict[str, Any]:
    """A spec without its description, and without what says nothing."""
    kept = {key: value for key, value in spec.items() if key not in ("description", "options") and value is not False}
    if "choices" in spec:
        kept["choices"] = set(spec["choices"])
    if "options" in spec:
        kept["options"] = {name: bare(option) for name, option in spec["options"].items()}
    return kept


@pytest.mark.parametrize("variable", RUN_TIME)
def test_a_value_spec_is_the_engines(variable: str) -> None:
    spec = declared()[variable]
    assert spec["type"] == "dict"
    assert bare(spec)["options"] == {name: bare(option) for name, option in RUN_TIME[variable].items()}


def test_every_dictionary_of_a_role_says_what_is_in_it() -> None:
    open_ones = {name for name, option in load_schema().options.items() if option.type == "dict" and not option.options}
    assert set(declared()) == open_ones
