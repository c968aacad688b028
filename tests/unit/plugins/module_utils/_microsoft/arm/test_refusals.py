# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource Manager's refusals: each has its cure and its owner, and only a lack of rights is told as one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.findings import CUSTOMER, PROVIDER
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm import refusals
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.arm.refusals import (
    CURES,
    cure,
    error_code_and_text,
    is_gone,
    lacks_right,
    refused,
    unsupported,
)
from tests.unit.plugins.module_utils._microsoft.scripts_of_http import answer

BLOCKED = "<html><head><title>403</title></head><body>The request is blocked.</body></html>"
HELD = "Resource 'x' was disallowed by policy. Reasons: 'no settings'."
MFA = "Resource 'x' was disallowed by policy. Reasons: 'MFA is required'. See https://aka.ms/mfaforazure"
WRAPPED = json.dumps({"code": "InvalidAuthenticationToken", "message": ""})

# Status, code, text; a piece of the step, the owner. None of these is a lack of rights.
NO_LACK: dict[str, tuple[int, str, str, str, str]] = {
    "policy": (403, "RequestDisallowedByPolicy", HELD, "exempt this", CUSTOMER),
    "deny action": (403, "RequestDisallowedByPolicy", "Deletion of 'x' was disallowed by policy", "policy", CUSTOMER),
    "policy in words only": (403, "Forbidden", HELD, "exempt this", CUSTOMER),
    "MFA by Microsoft's policy": (403, "RequestDisallowedByPolicy", MFA, "multi-factor", ""),
    "authentication context": (400, "RoleAssignmentRequestAcrsValidationFailed", "&claims=%7B", "sign in again", ""),
    "Microsoft's own limits": (403, "RequestDisallowedByAzure", "Resource 'x' was disallowed by Azure", "region",
                               CUSTOMER),
    "offer": (403, "DisallowedProvider", "not permitted for the subscription's offer", "offer", CUSTOMER),
    "deny assignment": (403, "DenyAssignmentAuthorizationFailed", "…", "deny assignment", CUSTOMER),
    "deny assignment by the usual code": (
        403, "AuthorizationFailed",
        "The client has permission to perform action 'x', however the access is denied because of the deny assignment "
        "with name 'y'", "deny assignment", CUSTOMER,
    ),
    "lock": (409, "ScopeLocked", "The scope 'x' cannot perform write operation", "remove the lock", CUSTOMER),
    "lock in words only": (409, "Conflict", "the following scope(s) are locked: 'x'", "remove the lock", CUSTOMER),
    "disabled": (409, "ReadOnlyDisabledSubscription", "…", "enable the subscription", CUSTOMER),
    "disabled, 403": (403, "SubscriptionDisabled", "…", "enable the subscription", CUSTOMER),
    "registration": (409, "SubscriptionNotRegistered", "…", "register the resource provider", CUSTOMER),
    "registration of a place": (409, "MissingRegistrationForLocation", "…", "register the resource provider", CUSTOMER),
    "registration in words": (
        403, "Forbidden", "Please register the subscription 'x' with Microsoft.Insights.",
        "az provider register --namespace Microsoft.Insights", CUSTOMER,
    ),
    "feature": (409, "SubscriptionNotRegisteredForFeature", "… is not registered to use", "feature", CUSTOMER),
    "wrong tenant": (401, "InvalidAuthenticationTokenTenant", "…", "managing_tenant_id", PROVIDER),
    "wrong audience": (401, "InvalidAuthenticationTokenAudience", "…", "token of Resource Manager", ""),
    "expired": (401, "ExpiredAuthenticationToken", "…", "fresh token", ""),
    "quota": (403, "QuotaExceeded", "…", "quota", CUSTOMER),
    "hubs": (403, "Forbidden", "SubCode=40300. The maximum number of resources has been reached", "quota", CUSTOMER),
    "role assignments": (400, "RoleAssignmentLimitExceeded", "…", "limit", CUSTOMER),
    "type of principal": (400, "UnmatchedPrincipalType", "…", "principal_type", ""),
    "conflict": (409, "AnotherOperationInProgress", "…", "run again", ""),
    "conflict at Event Hubs": (409, "Conflict", "SubCode=40901. Another conflicting operation is in progress.",
                               "run again", ""),
    "time": (408, "RequestTimeout", "…", "run again", ""),
    "front door": (403, "", BLOCKED, "proxy", ""),
    "front door, 401": (401, "", BLOCKED, "proxy", ""),
    "proxy, 404": (404, "", "Not Found", "proxy", ""),
    "nothing at all": (403, "", "", "proxy", ""),
    "a code nobody knows": (403, "SomethingElse", "not today", "do what the text says", CUSTOMER),
}  # fmt: skip


@pytest.mark.parametrize("case", NO_LACK)
def test_no_grant_is_asked_for_where_none_helps(case: str) -> None:
    status, code, text, piece, owner = NO_LACK[case]
    found = cure(status, code, text)
    assert piece in found.step
    assert found.owner == owner
    assert "grant" not in found.step
    assert not lacks_right(RefusedError("x", text, code=code or f"HTTP{status}", status=status))


RIGHTS = {
    "plain": ("AuthorizationFailed", "does not have authorization to perform action 'x'", "Monitoring Contributor"),
    "linked": ("LinkedAuthorizationFailed", "does not have permission", "Log Analytics Contributor"),
    "hub": ("AuthorizationFailed", "authorization to perform action 'Microsoft.EventHub/x'", "Contributor on the"),
}


@pytest.mark.parametrize("case", RIGHTS)
def test_a_lack_of_rights_is_told_as_one(case: str) -> None:
    code, text, piece = RIGHTS[case]
    assert piece in cure(403, code, text).step
    assert lacks_right(RefusedError("x", text, code=code, status=403))


def test_a_claims_challenge_is_read_from_its_header() -> None:
    challenge = 'Bearer error="insufficient_claims", claims="eyJ"'
    body = {"error": {"code": "InvalidAuthenticationToken", "message": "…"}}
    error = refused("write x", answer(401, body, WWW_Authenticate=challenge))
    assert "multi-factor" in error.next_step


def test_a_refusal_carries_its_owner() -> None:
    body = {"error": {"code": "RequestDisallowedByPolicy", "message": HELD}}
    assert refused("write x", answer(403, body)).owner == CUSTOMER


@pytest.mark.parametrize("code", ["ResourceTypeNotSupported", "ResourceProviderNotSupported", "BadRequest"])
def test_what_takes_no_settings_is_known_by_code_or_words(code: str) -> None:
    text = "" if code != "BadRequest" else "Resource type 'x' does not support diagnostic settings."
    assert unsupported(RefusedError("x", text, code=code, status=400))
    assert not unsupported(RefusedError("x", "", code="BadRequest", status=400))
    assert not unsupported(RefusedError("x", text, code=code, status=500))


def test_only_azures_own_word_says_that_a_thing_is_gone() -> None:
    assert is_gone(RefusedError("x", "", code="ResourceNotFound", status=404))
    assert not is_gone(RefusedError("x", "", code="HTTP404", status=404))
    assert not is_gone(NoAnswerError("x", "", code="ResourceNotFound", status=404))


@pytest.mark.parametrize("row", CURES, ids=range(len(CURES)))
def test_no_row_is_hidden_by_those_before_it(row: refusals.Cure) -> None:
    """Each code of the table finds its own row."""
    for code in row.codes:
        for status in row.statuses or (400,):
            assert cure(status, code, "") == row


BODIES: dict[str, tuple[Any, tuple[str, str]]] = {
    "nested": ({"error": {"code": "C", "message": "T"}}, ("C", "T")),
    "flat": ({"code": "C", "message": "T"}, ("C", "T")),
    "json in text": (
        {"error": {"code": "X", "message": json.dumps({"error": {"code": "C", "message": "T"}})}},
        ("C", "T"),
    ),
    "json in text, flat": ({"code": "X", "message": json.dumps({"code": "C", "message": "T"})}, ("C", "T")),
    "json in text, empty": ({"code": "Conflict", "message": WRAPPED}, ("InvalidAuthenticationToken", "")),
    "json behind words": ({"code": "X", "message": 'Failed. {"code": "C", "message": "T"}'}, ("C", "T")),
    "a brace that is no json": ({"code": "C", "message": "{T"}, ("C", "{T")),
    "json in text without a code": ({"code": "C", "message": '{"a": 1}'}, ("C", '{"a": 1}')),
    "json too deep": ({"code": "C", "message": '{"a":' * 9000}, ("C", '{"a":' * 9000)),
    "nulls": ({"error": {"code": None, "message": None}}, ("", "")),
    "an error that is a text": ({"error": "T"}, ("", "T")),
    "html": ("<html>T</html>", ("", "<html>T</html>")),
    "nothing": (None, ("", "")),
    "a list": ([1], ("", "")),
}


@pytest.mark.parametrize("case", BODIES)
def test_every_shape_of_an_error_parses(case: str) -> None:
    body, expected = BODIES[case]
    assert error_code_and_text(body) == expected


def test_a_wrapped_error_without_a_text_has_its_cure() -> None:
    """Azure/ALZ-Bicep#565, Enterprise-Scale#1712."""
    error = refused("write x", answer(409, {"code": "Conflict", "message": WRAPPED}))
    assert "az provider register --namespace Microsoft.Insights" in error.next_step
    assert error.message == "Azure gave no text"


def test_a_refusal_carries_azures_words_and_the_request_id() -> None:
    body = {"code": "Conflict", "message": "Data sink 'x' is already used"}
    error = refused("write x", answer(409, body, x_ms_request_id="id-1"))
    assert (error.status, error.code, error.request_id) == (409, "Conflict", "id-1")
    assert str(error).startswith("Could not write x: HTTP 409, Conflict: Data sink 'x' is already used (request id-1).")
    assert "on_conflict" in error.next_step


def test_a_refusal_without_words() -> None:
    error = refused("read x", answer(418, None))
    assert (error.code, error.message) == ("HTTP418", "Azure gave no text")
    assert error.next_step


TEXTS = {
    "The subscription is not registered to use microsoft.insights": "az provider register",
    "however the current tenant 'x' is not authorized to access linked subscription 'y'": "auxiliary_tenant_ids",
    "Data sink 'x' is already used in diagnostic setting 'y'": "on_conflict",
    "The limit of 5 diagnostic settings was reached.": "no longer needed",
    "Resources should be in the same region.": "regional_destinations",
}


@pytest.mark.parametrize("text", TEXTS)
def test_words_that_say_more_than_the_code(text: str) -> None:
    assert TEXTS[text] in cure(409, "LinkedAuthorizationFailed", text).step
