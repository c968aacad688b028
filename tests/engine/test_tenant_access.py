# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A tenant with every right, and each taken away by itself: one finding, with whose turn it is and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.refusals import CURES
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import capability as lighthouse
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.lighthouse import options as lighthouse_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import capability as principal
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import options as principal_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import capability as role_assignments
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import options as rights_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access import capability as access
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access import options as access_options
from lab.client import LabClient
from lab.testing import CLIENT_ID, NORTHWIND, PROSEWARE

ONE, TWO = (f"{NORTHWIND[:-1]}{number}" for number in (1, 2))
AADIAM = {"role": "Contributor", "scope": "/providers/Microsoft.aadiam"}
PERMISSIONS = {
    "microsoft_graph": ["SecurityAlert.Read.All", "SecurityIncident.Read.All"],
    "office365_management": ["ActivityFeed.Read"],
}
ASSIGN = f"az role assignment create --assignee {CLIENT_ID} --role"
CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"


def options_of(lab: LabClient, **more: Any) -> dict[str, Any]:
    return {
        "tenant_id": NORTHWIND,
        "client_id": CLIENT_ID,
        "client_secret": lab.secret.strip(),
        "authority_url": lab.url,
        "ca_file": lab.ca_file,
        **more,
    }


def run(engine: Any, spec: dict[str, Any], **given: Any) -> dict[str, Any]:
    found = ArgumentSpecValidator(spec).validate(given)
    assert not found.error_messages
    secrets = found._no_log_values
    return execute(engine, "test", found.validated_parameters, check=False, diff=False, secrets=secrets)


def look(lab: LabClient, **more: Any) -> dict[str, Any]:
    given = {"resource_manager_url": lab.url, "graph_url": lab.graph.url, "permissions": PERMISSIONS, **more}
    return run(access.info, access_options.MODULE_SPEC, **options_of(lab, **given))


def grant(lab: LabClient) -> None:
    """As the customer's administrator would: consent by the link, then the roles."""
    lab.consent(look(lab)["consent_url"])
    token = lab.admin_token(NORTHWIND, "arm")
    scopes = [{"role": "Monitoring Contributor", "scope": f"/subscriptions/{one}"} for one in (ONE, TWO)]
    for one in scopes:
        given = options_of(lab, resource_manager_url=lab.url, access_token=token, **one)
        assert not run(role_assignments.converge, rights_options.ROLE_ASSIGNMENT_MODULE_SPEC, **given)["failed"]


@pytest.fixture
def northwind(lab: LabClient) -> LabClient:
    grant(lab)
    return lab


def bad(found: dict[str, Any]) -> list[tuple[str, str, str, str, str]]:
    assert "exception" not in found, found
    keys = ("check", "subject", "status", "who", "next_step")
    return [tuple(one[key] for key in keys) for one in found["findings"] if one["status"] != "ok"]  # type: ignore[misc]


def test_before_anything_is_granted_the_one_thing_to_do_is_to_consent(lab: LabClient) -> None:
    found = look(lab, redirect_uri="https://onboarding.proseware-security.example/consent", state_key="a key")
    url = found["consent_url"]
    assert bad(found) == [("sign_in", NORTHWIND, "missing", CUSTOMER, f"open {url} and accept")]
    assert f"/{NORTHWIND}/adminconsent?" in url
    assert "state=" in url
    assert (found["summary"]["outcome"], found["failed"], found["known"]) == ("waiting", False, False)
    assert [one["state"] for one in found["handover"]["permissions"]] == ["to do"] * 3


def test_all_is_there(northwind: LabClient) -> None:
    found = look(northwind)
    assert bad(found) == []
    assert found["summary"]["outcome"] == "in_sync"
    assert found["subscriptions"] == [ONE, TWO]
    assert {one["state"] for one in found["handover"]["roles"]} == {"done"}


def role_step(scope: str) -> str:
    return f'{ASSIGN} "Monitoring Contributor" --scope {scope}'


# what is taken away -> the one finding; {url}: the link for consent
RIGHTS: dict[str, tuple[dict[str, Any], tuple[str, str, str, str]]] = {
    "the app itself": (
        {"edit": "remove_principal", "tenant": NORTHWIND},
        ("sign_in", NORTHWIND, CUSTOMER, "open {url} and accept"),
    ),
    "the app, switched off": (
        {"edit": "disable_principal", "tenant": NORTHWIND},
        ("sign_in", NORTHWIND, CUSTOMER, CURES["AADSTS7000112"].step),
    ),
    **{
        f"permission {name}": (
            {"edit": "revoke_permission", "tenant": NORTHWIND, "resource": resource, "permission": name},
            ("permission", f"{resource} {name}", CUSTOMER, "open {url} and accept"),
        )
        for resource, names in PERMISSIONS.items()
        for name in names
    },
    **{
        f"the role on {one}": (
            {
                "edit": "unassign_role",
                "tenant": NORTHWIND,
                "role": "Monitoring Contributor",
                "scope": f"/subscriptions/{one}",
            },
            ("role", f"Monitoring Contributor on /subscriptions/{one}", CUSTOMER, role_step(f"/subscriptions/{one}")),
        )
        for one in (ONE, TWO)
    },
    "the registration": (
        {"edit": "unregister", "subscription": TWO},
        (
            "provider_registered",
            TWO,
            CUSTOMER,
            f"az provider register --namespace Microsoft.Insights --subscription {TWO}",
        ),
    ),
}


@pytest.mark.parametrize("right", RIGHTS)
def test_one_right_less_is_one_finding(northwind: LabClient, right: str) -> None:
    edit, (check, subject, who, step) = RIGHTS[right]
    northwind.edit(**edit)
    found = look(northwind, subscriptions=[ONE, TWO])
    expected = (check, subject, "missing", who, step.format(url=found["consent_url"]))
    assert bad(found) == [expected]
    assert (found["summary"]["outcome"], found["failed"]) == ("waiting", False)
    assert found["summary"]["counts"]["waiting"] == 1


def test_the_role_on_the_directorys_own_scope(northwind: LabClient) -> None:
    found = look(northwind, roles=[AADIAM])
    assert [one[:4] for one in bad(found)] == [
        ("role", "Contributor on /providers/Microsoft.aadiam", "missing", CUSTOMER)
    ]
    assert "elevateAccess" in bad(found)[0][4]
    northwind.edit("assign_role", tenant=NORTHWIND, role="Contributor", scope="/providers/Microsoft.aadiam")
    assert bad(look(northwind, roles=[AADIAM])) == []


@pytest.mark.parametrize(("edit", "code"), [("expire_secret", "AADSTS7000222"), ("remove_secret", "AADSTS7000215")])
def test_what_the_app_signs_in_with_is_the_providers_turn(northwind: LabClient, edit: str, code: str) -> None:
    northwind.edit(edit)
    found = look(northwind)
    assert [one[:4] for one in bad(found)] == [("sign_in", NORTHWIND, "missing", PROVIDER)]
    assert code in found["findings"][0]["detail"]
    assert found["summary"]["outcome"] == "failed"
    assert found["known"], "no directory has said that it does not know the app"


def test_an_api_that_the_tenant_does_not_have(northwind: LabClient) -> None:
    wanted = {"12345678-0000-4000-8000-000000000000": ["Read.All"]}
    ((check, subject, status, who, step),) = bad(look(northwind, permissions=wanted))
    assert (check, subject, status, who) == ("permission", next(iter(wanted)), "missing", CUSTOMER)
    assert "license or set up" in step


def test_an_administrators_token_shows_what_the_app_cannot_see_yet(lab: LabClient) -> None:
    lab.consent(look(lab)["consent_url"])
    blind = look(lab)
    assert blind["subscriptions"] == []
    assert [one[1] for one in bad(blind)] == ["Monitoring Contributor on /subscriptions/<subscription id>"]
    found = look(lab, access_token=lab.admin_token(NORTHWIND, "arm"))
    assert found["subscriptions"] == [ONE, TWO]
    assert [one[4] for one in bad(found)] == [role_step(f"/subscriptions/{one}") for one in (ONE, TWO)]


def test_what_the_administrator_may_not_read_is_unknown_and_not_missing(lab: LabClient) -> None:
    """The refusal is theirs: it says nothing of what the app has."""
    lab.consent(look(lab)["consent_url"])
    lab.fault("status", kind="role_assignments.list", status=403, code="AuthorizationFailed", count=None)
    found = look(lab, access_token=lab.admin_token(NORTHWIND, "arm"))
    assert [one[2] for one in bad(found)] == ["unknown", "unknown"]
    assert found["summary"]["outcome"] == "unknown"


def test_a_token_of_another_tenant_ends_it(lab: LabClient) -> None:
    found = look(lab, access_token=lab.admin_token(PROSEWARE, "arm"))
    assert found["failed"]
    assert "WrongTenant" in found["msg"]


@pytest.mark.parametrize("action", ["status", "malformed", "html"])
def test_what_could_not_be_read_is_unknown_and_not_missing(
    northwind: LabClient, hasty: list[float], action: str
) -> None:
    fields = {"status": 500} if action == "status" else {}
    northwind.fault(action, method="GET", path="/subscriptions", count=None, **fields)
    found = look(northwind)
    assert {one[2] for one in bad(found)} == {"unknown"}
    assert found["summary"]["outcome"] == "unknown"


@pytest.mark.parametrize("action", ["throttle", "drop", "slow", "truncated"])
def test_what_passes_by_itself_is_waited_out(northwind: LabClient, hasty: list[float], action: str) -> None:
    northwind.fault(action, method="GET", path="/subscriptions", count=1)
    assert bad(look(northwind)) == []


def test_by_lighthouse_each_subscription_is_a_delegation(lab: LabClient) -> None:
    managed = {"managing_tenant_id": PROSEWARE, "permissions": {}, "subscriptions": [ONE, TWO]}
    found = look(lab, **managed)
    assert [one[:4] for one in bad(found)] == [("delegation", one, "missing", CUSTOMER) for one in (ONE, TWO)]
    token = lab.admin_token(NORTHWIND, "arm")
    for one in (ONE, TWO):
        given = options_of(lab, resource_manager_url=lab.url, access_token=token, subscription_id=one, name="Proseware")
        done = run(
            lighthouse.converge,
            lighthouse_options.DELEGATION_MODULE_SPEC,
            **given,
            managing_tenant_id=PROSEWARE,
            wait_seconds=30,
        )
        assert not done["failed"], done["msg"]
    assert bad(look(lab, **managed)) == []
    lab.edit("remove_delegation", subscription=ONE)
    ((check, subject, _status, _who, step),) = bad(look(lab, **managed))
    assert (check, subject) == ("delegation", ONE)
    assert step.startswith("az deployment sub create --subscription")


def test_whether_access_was_given_back(northwind: LabClient) -> None:
    there = look(northwind, state="absent")
    assert (there["known"], there["summary"]["outcome"], len(there["roles"])) == (True, "waiting", 2)
    token = northwind.admin_token(NORTHWIND, "graph")
    given = options_of(northwind, graph_url=northwind.graph.url, access_token=token, state="absent")
    assert run(principal.converge, principal_options.MODULE_SPEC, **given)["changed"]
    gone = look(northwind, state="absent")
    assert (gone["known"], gone["summary"]["outcome"], bad(gone)) == (False, "in_sync", [])


def test_what_an_app_without_a_role_reaches(northwind: LabClient) -> None:
    assert look(northwind, state="absent")["reaches"]
    token = northwind.admin_token(NORTHWIND, "arm")
    for one in (ONE, TWO):
        scope = f"/subscriptions/{one}"
        northwind.edit("unassign_role", tenant=NORTHWIND, role="Monitoring Contributor", scope=scope)
    for given in ({}, {"access_token": token}):
        found = look(northwind, state="absent", **given)
        assert (found["known"], found["reaches"]) == (True, False), "what the administrator sees does not count"
    northwind.fault("status", method="GET", path="/subscriptions", status=403, count=None)
    assert look(northwind, state="absent")["reaches"], "what could not be read is no such answer"


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"subscriptions": ["northwind-dev"]}, "subscriptions must be ids"),
        ({"roles": [{"role": "Reader"}]}, "each of roles must have role and scope"),
        ({"roles": [{"role": "Reader", "scope": "subscriptions/x"}]}, "each of roles must have role and scope"),
        ({"permissions": {"graph": ["X"]}}, "permissions has the key 'graph'"),
        ({"role": "Monitoring Contributer", "subscriptions": [ONE]}, "no role has this name"),
    ],
)
def test_options_that_cannot_be_right(northwind: LabClient, given: dict[str, Any], text: str) -> None:
    found = look(northwind, **given)
    assert found["failed"]
    assert text in found["msg"]
