# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the app lacks, whose turn it is, and the one next step; the same as asked for on the hand-over page."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import Finding
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph.permissions import RESOURCES
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access import handover
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.tenant_access.rules import (
    Role,
    Seen,
    Wanted,
    judge,
    judge_leaving,
    known,
    remains,
    summary,
)

TENANT, MANAGER, CLIENT = (f"{n}0000000-0000-4000-8000-000000000000" for n in (6, 1, "a"))
ONE, TWO = (f"60000000-0000-4000-8000-00000000000{n}" for n in (1, 2))
GRAPH, DEFENDER = RESOURCES["microsoft_graph"], RESOURCES["windows_defender_atp"]
OFFICE = RESOURCES["office365_management"]
LINK = "https://login.example/consent"
NOW = datetime(2026, 11, 21, tzinfo=UTC)
CUSTOMER, PROVIDER = "customer's administrator", "MSSP's administrator"
AADIAM = Role("Contributor", "/providers/Microsoft.aadiam")


def error(code: str, status: int | None = None) -> OnboardingError:
    return OnboardingError("look", "no", code=code, status=status, next_step="do that")


def wanted(**given: Any) -> Wanted:
    """A tenant that is reached directly, with one permission and two subscriptions, unless told otherwise."""
    values: dict[str, Any] = {
        "tenant_id": TENANT,
        "client_id": CLIENT,
        "managing_tenant_id": "",
        "permissions": {GRAPH: ("SecurityAlert.Read.All",)},
        "subscriptions": (ONE, TWO),
        "role": "Monitoring Contributor",
        "further": (AADIAM,),
        "consent_url": LINK,
    }
    return Wanted(**values | given)


def whole(asked: Wanted) -> Seen:
    """All that is wanted is there."""
    return Seen(
        sign_ins=dict.fromkeys(asked.sign_ins),
        granted={app_id: frozenset(names) for app_id, names in asked.permissions.items()},
        roles=dict.fromkeys(asked.assigned, True),
        delegations=dict.fromkeys(asked.delegated, True),
        providers=dict.fromkeys(asked.subscriptions, "Registered"),
        credentials=({"name": "certificate app.pem", "expires": "2027-11-21T00:00:00+00:00"},),
    )


DIRECT, LIGHTHOUSE = wanted(), wanted(managing_tenant_id=MANAGER, permissions={}, further=())
FIRST = Role("Monitoring Contributor", f"/subscriptions/{ONE}")
ASSIGN = f"az role assignment create --assignee {CLIENT} --role"
DEPLOY = "az deployment sub create --subscription {} --location westeurope --template-file lighthouse.json"
ACCEPT = f"open {LINK} and accept"


@pytest.mark.parametrize(
    ("asked", "checks"),
    [
        (DIRECT, ["sign_in", "credential", "permission", *["role"] * 3, *["provider_registered"] * 2]),
        (LIGHTHOUSE, ["sign_in", "credential", *["delegation"] * 2, *["provider_registered"] * 2]),
    ],
)
def test_nothing_is_missing(asked: Wanted, checks: list[str]) -> None:
    found = judge(asked, whole(asked), NOW)
    assert [finding.check for finding in found] == checks, "in the order of cure"
    assert summary(found, "all")["outcome"] == "in_sync"


# what is not there -> check, subject, status, who, next step
MISSING: list[tuple[Wanted, dict[str, Any], tuple[str, str, str, str, str]]] = [
    (DIRECT, {"sign_ins": {TENANT: error("AADSTS700016")}}, ("sign_in", TENANT, "missing", CUSTOMER, ACCEPT)),
    (DIRECT, {"sign_ins": {TENANT: error("AADSTS7000229")}}, ("sign_in", TENANT, "missing", CUSTOMER, ACCEPT)),
    (DIRECT, {"sign_ins": {TENANT: error("AADSTS7000222")}}, ("sign_in", TENANT, "missing", PROVIDER, "do that")),
    (DIRECT, {"sign_ins": {TENANT: error("Timeout")}}, ("sign_in", TENANT, "unknown", PROVIDER, "do that")),
    (LIGHTHOUSE, {"sign_ins": {MANAGER: error("AADSTS700016")}},
     ("sign_in", MANAGER, "missing", PROVIDER, "do that")),
    (DIRECT, {"granted": {GRAPH: frozenset()}},
     ("permission", "microsoft_graph SecurityAlert.Read.All", "missing", CUSTOMER, ACCEPT)),
    (DIRECT, {"granted": {GRAPH: error("AADSTS500011")}},
     ("permission", "microsoft_graph", "missing", CUSTOMER,
      "license or set up the service behind microsoft_graph in this tenant, or take it out of permissions")),
    (DIRECT, {"granted": {GRAPH: error("Timeout")}},
     ("permission", "microsoft_graph", "unknown", PROVIDER, "do that")),
    (DIRECT, {"roles": {FIRST: False}},
     ("role", f"Monitoring Contributor on /subscriptions/{ONE}", "missing", CUSTOMER,
      f'{ASSIGN} "Monitoring Contributor" --scope /subscriptions/{ONE}')),
    (DIRECT, {"roles": {FIRST: error("AuthorizationFailed", 403)}},
     ("role", f"Monitoring Contributor on /subscriptions/{ONE}", "missing", CUSTOMER,
      f'{ASSIGN} "Monitoring Contributor" --scope /subscriptions/{ONE}')),
    (DIRECT, {"roles": {FIRST: error("HTTP500", 500)}},
     ("role", f"Monitoring Contributor on /subscriptions/{ONE}", "unknown", PROVIDER, "do that")),
    (DIRECT, {"roles": {AADIAM: False}},
     ("role", "Contributor on /providers/Microsoft.aadiam", "missing", CUSTOMER,
      '(1) az rest --method post --url "/providers/Microsoft.Authorization/elevateAccess?api-version=2016-07-01" '
      f'(2) {ASSIGN} "Contributor" --scope /providers/Microsoft.aadiam '
      '(3) az role assignment delete --assignee ADMINISTRATOR --role "User Access Administrator" --scope /')),
    (LIGHTHOUSE, {"delegations": {TWO: False}}, ("delegation", TWO, "missing", CUSTOMER, DEPLOY.format(TWO))),
    (LIGHTHOUSE, {"delegations": {TWO: error("InvalidAuthenticationTokenTenant", 401)}},
     ("delegation", TWO, "missing", CUSTOMER, DEPLOY.format(TWO))),
    (LIGHTHOUSE, {"delegations": {TWO: error("SubscriptionNotFound", 404)}},
     ("delegation", TWO, "missing", CUSTOMER, DEPLOY.format(TWO))),
    (DIRECT, {"providers": {TWO: "NotRegistered"}},
     ("provider_registered", TWO, "missing", CUSTOMER,
      f"az provider register --namespace Microsoft.Insights --subscription {TWO}")),
    (DIRECT, {"providers": {TWO: error("HTTP500", 500)}},
     ("provider_registered", TWO, "unknown", PROVIDER, "do that")),
    (DIRECT, {"subscriptions": error("HTTP500", 500)}, ("subscriptions", TENANT, "unknown", PROVIDER, "do that")),
    (DIRECT, {"credentials": ({"name": "certificate app.pem", "expires": "2026-12-04T00:00:00+00:00"},)},
     ("credential", "certificate app.pem", "missing", PROVIDER,
      "put a new one beside it with the playbook mssp.onboarding.bootstrap on your own tenant, then use it here")),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "gone", "expected"), MISSING)
def test_each_missing_right_is_one_finding_with_its_next_step(
    asked: Wanted, gone: dict[str, Any], expected: tuple[str, str, str, str, str]
) -> None:
    seen = whole(asked)
    for field, value in gone.items():
        held = getattr(seen, field)
        seen = seen._replace(**{field: {**held, **value} if isinstance(held, dict) else value})
    bad = [finding for finding in judge(asked, seen, NOW) if finding.status != "ok"]
    assert [(f.check, f.subject, f.status, f.who, f.next_step) for f in bad] == [expected]


def test_only_what_the_customer_alone_can_cure_is_waited_for() -> None:
    def outcome(*findings: Finding) -> tuple[str, int, int, int]:
        told = summary(findings, "all")
        return told["outcome"], told["counts"]["waiting"], told["counts"]["failed"], told["counts"]["unknown"]

    theirs = Finding("role", "x", "missing", who=CUSTOMER)
    ours = Finding("credential", "x", "missing", who=PROVIDER)
    dark = Finding("role", "y", "unknown", who=CUSTOMER)
    assert outcome(theirs) == ("waiting", 1, 0, 0)
    assert outcome(theirs, ours) == ("failed", 1, 1, 0)
    assert outcome(theirs, dark) == ("unknown", 1, 0, 1)
    assert outcome(ours) == ("failed", 0, 1, 0)


@pytest.mark.parametrize(("level", "number"), [("never", 0), ("safe", 1), ("all", 1)])
def test_what_a_run_with_an_administrators_token_can_grant_is_correctable(level: str, number: int) -> None:
    found = [Finding(check, "x", "missing", who=CUSTOMER) for check in ("role", "provider_registered")]
    told = summary(found, level)
    assert told["correctable"] == {"safe": number, "all": number}
    assert told["drift"] == {"role": 1, "provider_registered": 1}


@pytest.mark.parametrize(
    ("asked", "check", "subject", "step"),
    [
        (DIRECT, "role", "Monitoring Contributor on /subscriptions/<subscription id>",
         f'{ASSIGN} "Monitoring Contributor" --scope "/subscriptions/<subscription id>"'),
        (LIGHTHOUSE, "subscriptions", TENANT,
         "ask the customer for the ids of the subscriptions, and name them in subscriptions"),
    ],
)  # fmt: skip
def test_no_subscription_is_seen(asked: Wanted, check: str, subject: str, step: str) -> None:
    blind = asked._replace(subscriptions=())
    (bad,) = [f for f in judge(blind, whole(blind), NOW) if f.status != "ok"]
    assert (bad.check, bad.subject, bad.next_step) == (check, subject, step)
    locked = Seen(sign_ins=dict.fromkeys(blind.sign_ins, error("AADSTS700016")))
    assert [f.check for f in judge(blind, locked, NOW)] == ["sign_in"], "the one cure comes first"


def test_what_is_extra_or_retired_is_told_and_fails_nobody() -> None:
    asked = wanted(permissions={DEFENDER: ("AdvancedQuery.Read.All",)}, further=(), subscriptions=(ONE,))
    seen = whole(asked)._replace(granted={DEFENDER: frozenset({"AdvancedQuery.Read.All", "Machine.Read.All"})})
    found = judge(asked, seen, NOW)
    told = {f.subject: f.detail for f in found if f.check == "permission"}
    assert "ThreatHunting.Read.All" in told["windows_defender_atp AdvancedQuery.Read.All"]
    assert told["windows_defender_atp Machine.Read.All"] == "unexpected: granted, and not asked for"
    assert summary(found, "all")["outcome"] == "in_sync"
    page = handover.content(asked, seen, found)
    assert page["extra"] == ["windows_defender_atp Machine.Read.All"]
    assert "ThreatHunting.Read.All" in page["permissions"][0]["retired"]


def test_a_permission_that_needs_a_switch_asks_for_it() -> None:
    """No interface lets an app turn the audit log on, nor tells whether it is."""
    for names, expected in ((("ActivityFeed.Read",), ["Turn the audit log on"]), (("ServiceHealth.Read",), [])):
        asked = wanted(permissions={OFFICE: names})
        page = handover.content(asked, whole(asked), [])
        assert [one["title"] for one in page["switches"]] == expected


@pytest.mark.parametrize(
    ("error_code", "is_known"), [("AADSTS700016", False), ("AADSTS7000229", False), ("AADSTS7000222", True)]
)
def test_whether_the_directory_knows_the_app(error_code: str, is_known: bool) -> None:
    assert known(DIRECT, Seen(sign_ins={TENANT: error(error_code)})) is is_known
    assert known(DIRECT, Seen(sign_ins={TENANT: None}))


@pytest.mark.parametrize(
    ("asked", "seen", "expected"),
    [
        (DIRECT, Seen(sign_ins={TENANT: error("AADSTS700016")}), ("given_back", "ok", "")),
        (DIRECT, Seen(sign_ins={TENANT: None}), ("given_back", "missing", f"az ad sp delete --id {CLIENT}")),
        (DIRECT, Seen(sign_ins={TENANT: error("AADSTS7000222")}), ("sign_in", "missing", "do that")),
        (DIRECT, Seen(sign_ins={TENANT: error("Timeout")}), ("sign_in", "unknown", "do that")),
        (LIGHTHOUSE, Seen(sign_ins={MANAGER: None}), ("given_back", "ok", "")),
        (LIGHTHOUSE, whole(LIGHTHOUSE), ("given_back", "missing", "the provider ends a delegation itself")),
    ],
)
def test_whether_access_was_given_back(asked: Wanted, seen: Seen, expected: tuple[str, str, str]) -> None:
    (found,) = judge_leaving(asked, seen, NOW)
    assert (found.check, found.status) == expected[:2]
    assert found.next_step.endswith(expected[2])


def test_by_lighthouse_whether_a_subscription_is_delegated() -> None:
    gone, dark = error("InvalidAuthenticationTokenTenant", 401), error("HTTP500", 500)
    for delegations, is_known in (
        ({}, False),
        ({ONE: gone, TWO: error("SubscriptionNotFound", 404)}, True),
        ({ONE: gone, TWO: dark}, True),
        ({ONE: gone, TWO: False}, True),  # another role
        ({ONE: True}, True),
    ):
        assert known(LIGHTHOUSE, Seen(sign_ins={MANAGER: None}, delegations=delegations)) is is_known
    assert known(LIGHTHOUSE, Seen(sign_ins={MANAGER: None}, subscriptions=dark)), "the list could not be read"
    assert known(LIGHTHOUSE, Seen(sign_ins={MANAGER: error("Timeout")}))


def test_the_page_asks_for_the_same_with_what_is_done() -> None:
    asked = wanted()
    seen = whole(asked)._replace(roles={**dict.fromkeys(asked.assigned, True), FIRST: False})
    page = handover.content(asked, seen, judge(asked, seen, NOW))
    assert page["consent_url"] == LINK
    assert page["consent_state"] == "done"
    assert {(one["scope"], one["state"]) for one in page["roles"]} == {
        (f"/subscriptions/{ONE}", "to do"),
        (f"/subscriptions/{TWO}", "done"),
        ("/providers/Microsoft.aadiam", "done"),
    }
    assert "changes nothing else" in page["roles"][0]["why"]
    assert "Global Administrator" in page["roles"][2]["why"]
    assert [one["state"] for one in page["providers"]] == ["done", "done"]


def test_the_page_before_anything_is_known() -> None:
    asked = wanted(subscriptions=(), further=())
    seen = Seen(sign_ins={TENANT: error("AADSTS700016")})
    page = handover.content(asked, seen, judge(asked, seen, NOW))
    assert page["consent_state"] == "to do"
    assert [one["command"] for one in page["roles"]] == [
        f'{ASSIGN} "Monitoring Contributor" --scope "/subscriptions/<subscription id>"'
    ]
    assert page["permissions"][0]["state"] == "to do"


def test_by_lighthouse_no_consent_is_asked_for_without_permissions() -> None:
    seen = Seen(sign_ins={MANAGER: None})
    page = handover.content(LIGHTHOUSE, seen, judge(LIGHTHOUSE, seen, NOW))
    assert page["consent_url"] == ""
    assert [one["subscription"] for one in page["delegations"]] == [ONE, TWO]
    assert page["roles"] == []


def test_by_lighthouse_consent_outlasts_the_last_delegation() -> None:
    asked = wanted(managing_tenant_id=MANAGER)
    refused = dict.fromkeys(asked.delegated, error("InvalidAuthenticationTokenTenant", 401))
    left = whole(asked)._replace(delegations=refused)
    assert remains(asked, left)
    assert [one.status for one in judge_leaving(asked, left, NOW)] == ["missing"]
    gone = Seen(sign_ins={MANAGER: None}, delegations=refused)
    assert not remains(LIGHTHOUSE, gone)


NO_ANSWER = {
    "a lack of rights": error("AuthorizationFailed", 403),
    "a proxy's 403": error("HTTP403", 403),
    "a proxy's 404": error("HTTP404", 404),
    "a fault": error("HTTP500", 500),
}


@pytest.mark.parametrize("case", NO_ANSWER)
def test_only_azures_own_word_says_that_nothing_is_delegated_any_more(case: str) -> None:
    seen = Seen(sign_ins={MANAGER: None}, delegations=dict.fromkeys(LIGHTHOUSE.delegated, NO_ANSWER[case]))
    assert known(LIGHTHOUSE, seen)
    assert {one.status for one in judge_leaving(LIGHTHOUSE, seen, NOW)} == {"unknown"}


@pytest.mark.parametrize("case", ["a proxy's 403", "a proxy's 404"])
def test_a_proxys_answer_is_no_missing_role(case: str) -> None:
    asked = wanted()
    seen = whole(asked)
    seen = seen._replace(roles=dict.fromkeys(seen.roles, NO_ANSWER[case]))
    assert {one.status for one in judge(asked, seen, NOW) if one.check == "role"} == {"unknown"}
