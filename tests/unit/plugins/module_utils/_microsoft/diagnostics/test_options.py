# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options: what is refused before anything is sent, and what the wish becomes."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.resources import Target
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import cloud
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.options import GIVEN_SINKS
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.settings.plan import LogChoice
from tests.unit.plugins.module_utils._microsoft.builders import HUB_RULE, STORAGE, WORKSPACE

TENANT, CLIENT = "20000000-0000-4000-8000-000000000000", "a0000000-0000-4000-8000-00000000000a"
GUIDS = [f"{number}0000000-0000-4000-8000-000000000000" for number in range(1, 5)]
BASE = {"tenant_id": TENANT, "client_id": CLIENT, "client_secret": "canary", "workspace_id": WORKSPACE}


def parameters(**given: Any) -> dict[str, Any]:
    found = ArgumentSpecValidator(options.SETTINGS_MODULE_SPEC, **identity_options.IDENTITY_RULES).validate(
        BASE | given
    )
    assert not found.error_messages, found.error_messages
    return dict(found.validated_parameters)


def target(type_: str = "microsoft.keyvault/vaults", location: str = "westeurope") -> Target:
    return Target("/subscriptions/x/y", type_, "x", location=location)


NAMESPACE = HUB_RULE.rpartition("/authorizationRules")[0]
KINDS = {
    "rule of a hub": (
        "event_hub_authorization_rule_id",
        f"{NAMESPACE}/eventhubs/h/authorizationRules/r",
        "not of a hub",
    ),
    "a namespace": ("event_hub_authorization_rule_id", NAMESPACE, "authorization rule of the namespace"),
    "a storage account": ("workspace_id", STORAGE, "id of a workspace"),
    "a workspace": ("storage_account_id", WORKSPACE, "id of a storage account"),
}


@pytest.mark.parametrize("case", KINDS)
def test_a_destination_of_another_kind_is_refused(case: str) -> None:
    """Azure says of the rule of a hub that a right is missing."""
    option, value, words = KINDS[case]
    with pytest.raises(InputError, match=words):
        options.wanted(parameters(**{option: value}))
    if option != "workspace_id":
        with pytest.raises(InputError, match=words):
            options.wanted(parameters(regional_destinations={"westeurope": {option: value}}))


# ---- identity -----------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TENANT_ID", "CLIENT_ID", "CLIENT_SECRET", "CLIENT_CERTIFICATE_PATH", "FEDERATED_TOKEN_FILE",
                 "AUTHORITY_HOST"):  # fmt: skip
        monkeypatch.delenv(f"AZURE_{name}", raising=False)


@pytest.mark.parametrize(
    "two", [("client_secret", "client_certificate_path"), ("client_secret", "federated_token_file")]
)
def test_one_way_to_sign_in(two: tuple[str, str]) -> None:
    spec = {name: identity_options.IDENTITY_SPEC[name] for name in identity_options.IDENTITY_SPEC}
    args = {"tenant_id": TENANT, "client_id": CLIENT, **dict.fromkeys(two, "x")}
    assert ArgumentSpecValidator(spec, **identity_options.IDENTITY_RULES).validate(args).error_messages


def test_a_way_to_sign_in_is_needed() -> None:
    args = {"tenant_id": TENANT, "client_id": CLIENT}
    found = ArgumentSpecValidator(identity_options.IDENTITY_SPEC, **identity_options.IDENTITY_RULES).validate(args)
    assert "one of the following is required" in found.error_messages[0]


def test_environment_variables_are_azure_identitys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("AZURE_TENANT_ID", TENANT), ("AZURE_CLIENT_ID", CLIENT), ("AZURE_CLIENT_SECRET", "canary"),
                        ("AZURE_AUTHORITY_HOST", "login.example")):  # fmt: skip
        monkeypatch.setenv(name, value)
    found = ArgumentSpecValidator(identity_options.IDENTITY_SPEC, **identity_options.IDENTITY_RULES).validate({})
    assert not found.error_messages
    one = identity_options.identity(found.validated_parameters)
    assert (one.tenant_id, one.client_id, one.cloud.authority) == (TENANT, CLIENT, "https://login.example")


def test_secrets_are_known_as_such() -> None:
    found = ArgumentSpecValidator(options.SETTINGS_MODULE_SPEC, **identity_options.IDENTITY_RULES).validate(BASE)
    assert found._no_log_values == {"canary"}


@pytest.mark.parametrize("option", ["tenant_id", "client_id", "managing_tenant_id"])
def test_ids_are_guids(option: str) -> None:
    with pytest.raises(InputError, match=f"{option} must be a GUID, not 'contoso'"):
        identity_options.identity(parameters(**{option: "contoso"}))


def test_auxiliary_tenants_are_guids() -> None:
    with pytest.raises(InputError, match="auxiliary_tenant_ids must be GUIDs"):
        identity_options.identity(parameters(auxiliary_tenant_ids=["proseware"]))


def test_at_most_three_auxiliary_tenants() -> None:
    assert len(identity_options.identity(parameters(auxiliary_tenant_ids=GUIDS[:3])).auxiliary) == 3
    with pytest.raises(InputError, match="has 4; Azure takes 3"):
        identity_options.identity(parameters(auxiliary_tenant_ids=GUIDS))


def test_the_managing_tenant_is_signed_in_to() -> None:
    assert identity_options.identity(parameters()).sign_in == TENANT
    one = identity_options.identity(parameters(managing_tenant_id=GUIDS[0]))
    assert (one.sign_in, one.tenant_id) == (GUIDS[0], TENANT)


@pytest.mark.parametrize("name", list(cloud.CLOUDS))
def test_clouds_have_their_own_endpoints(name: str) -> None:
    one = identity_options.identity(parameters(cloud=name)).cloud
    assert not one.own_authority
    assert one.arm_scope == one.resource_manager + "/.default"
    assert all(url.startswith("https://") and not url.endswith("/") for url in one[:3])


@pytest.mark.parametrize("option", ["resource_manager_url", "authority_url", "log_analytics_url"])
def test_endpoints_are_https(option: str) -> None:
    with pytest.raises(InputError, match="must be an https URL"):
        identity_options.identity(parameters(**{option: "http://127.0.0.1"}))


def test_an_authority_of_ones_own_is_not_looked_up_at_microsoft() -> None:
    one = identity_options.identity(parameters(authority_url="https://127.0.0.1:1/")).cloud
    assert (one.authority, one.own_authority) == ("https://127.0.0.1:1", True)


# ---- the wish -----------------------------------------------------------------------------------------------------


def test_defaults() -> None:
    base = options.wanted(parameters()).base
    assert (base.name, dict(base.sinks)) == ("mssp-onboarding", {"workspace_id": WORKSPACE})
    assert (base.metrics, base.table, base.present) == (frozenset(), None, True)
    assert (base.satisfied_by_any, base.adopt, base.exact) == (True, False, False)
    assert options.wanted(parameters()).desired(target()).logs == LogChoice("alllogs")


def test_a_destination_is_needed_to_onboard_and_not_to_remove() -> None:
    with pytest.raises(InputError, match="no destination is given"):
        options.wanted(parameters(workspace_id=None))
    assert not options.wanted(parameters(workspace_id=None, state="absent")).base.present


@pytest.mark.parametrize("kind", list(GIVEN_SINKS))
@pytest.mark.parametrize("value", ["law-sentinel", "/subscriptions/x/resourceGroups/rg", "https://x"])
def test_destinations_are_resource_ids(kind: str, value: str) -> None:
    with pytest.raises(InputError, match=f"{kind} must be a resource id"):
        options.wanted(parameters(**{kind: value}))


@pytest.mark.parametrize("name", ["", "a/b", "a?b", "a%b", "x" * 261])
def test_names_that_a_setting_cannot_have(name: str) -> None:
    with pytest.raises(InputError, match="is not a name"):
        options.wanted(parameters(name=name))


LOGS: dict[str, tuple[dict[str, Any], str, LogChoice]] = {
    "default": ({"default": {"category_group": "audit"}}, "microsoft.web/sites", LogChoice("audit")),
    "no default": ({"sql": {"category_group": "audit"}}, "microsoft.web/sites", LogChoice("alllogs")),
    "family": ({"sql": {"category_group": "audit"}}, "microsoft.sql/servers/databases", LogChoice("audit")),
    "type before family": (
        {"key_vault": {"category_group": "audit"}, "Microsoft.KeyVault/vaults": {"categories": ["AuditEvent"]}},
        "microsoft.keyvault/vaults", LogChoice("", frozenset({"auditevent"})),
    ),
    "in any case": ({"default": {"category_group": "ALLLOGS"}}, "microsoft.web/sites", LogChoice("alllogs")),
}  # fmt: skip


@pytest.mark.parametrize("case", LOGS)
def test_logs(case: str) -> None:
    given, type_, choice = LOGS[case]
    assert options.wanted(parameters(logs=given)).desired(target(type_)).logs == choice


BAD_LOGS: dict[str, tuple[dict[str, Any], str]] = {
    "unknown family": ({"keyvault": {"category_group": "audit"}}, "known are default, activity_log"),
    "unknown group": ({"default": {"category_group": "everything"}}, "allLogs or audit"),
    "both": ({"default": {"category_group": "audit", "categories": ["A"]}}, "either"),
    "neither": ({"default": {}}, "either"),
    "no dictionary": ({"default": "audit"}, "either"),
    "no categories": ({"default": {"categories": []}}, "either"),
    "categories that are no names": ({"default": {"categories": [1]}}, "either"),
}


@pytest.mark.parametrize("case", BAD_LOGS)
def test_bad_logs(case: str) -> None:
    given, words = BAD_LOGS[case]
    with pytest.raises(InputError, match=words):
        options.wanted(parameters(logs=given))


# ---- regions ------------------------------------------------------------------------------------------------------

REGIONAL = {
    "West Europe": {"storage_account_id": STORAGE},
    "northeurope": {"event_hub_authorization_rule_id": HUB_RULE, "event_hub_name": "north"},
}


def test_a_region_has_its_own_destinations_beside_the_workspace() -> None:
    wish = options.wanted(parameters(regional_destinations=REGIONAL))
    assert dict(wish.desired(target()).sinks) == {"workspace_id": WORKSPACE, "storage_account_id": STORAGE}
    north = wish.desired(target(location="northeurope"))
    assert (north.event_hub_name, north.sinks["event_hub_authorization_rule_id"]) == ("north", HUB_RULE)


def test_a_region_without_one_is_a_gap() -> None:
    wish = options.wanted(parameters(regional_destinations=REGIONAL)).desired(target(location="uksouth"))
    assert "uksouth" in wish.destination_gap
    assert dict(wish.sinks) == {"workspace_id": WORKSPACE}


def test_a_destination_for_all_regions_closes_the_gap() -> None:
    given = parameters(regional_destinations=REGIONAL, storage_account_id=STORAGE)
    assert options.wanted(given).desired(target(location="uksouth")).destination_gap == ""


def test_without_a_region_it_is_global() -> None:
    wish = options.wanted(parameters(regional_destinations={"global": {"storage_account_id": STORAGE}}))
    assert wish.desired(target(location="")).destination_gap == ""
    assert wish.desired(target(location="global")).destination_gap == ""


@pytest.mark.parametrize(
    "given", [{}, {"workspace_id": WORKSPACE}, {"storage_account_id": "st"}, "st", {"storage_account_id": None}]
)
def test_bad_regions(given: Any) -> None:
    with pytest.raises(InputError, match=r"regional_destinations\[westeurope\]"):
        options.wanted(parameters(regional_destinations={"westeurope": given}))
