# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rolling certificates without a gap: what is added, what stays, and when an old one may go."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.policy import ALL
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import plan as plans
from tests.unit.plugins.module_utils._microsoft.graph.builders import (
    NOW,
    SP,
    by_name,
    certificate,
    days,
    held,
    key,
    name_of,
    wanted,
)

OLD, NEW, OTHER = certificate("old"), certificate("new"), certificate("other")


def roll(want: Any, have: Any, *, in_use: str = "", grace: int = 14) -> dict[str, Verdict]:
    return by_name(plans.certificate_parts(want, have, in_use, grace, NOW))


def pending(found: dict[str, Verdict]) -> dict[str, str]:
    return {name: part.action for name, part in found.items() if part.due(ALL)}


def test_a_new_certificate_is_added_and_the_old_one_stays() -> None:
    found = roll([NEW], [key("old", uploaded=-300)])
    assert pending(found) == {name_of(NEW): "create"}
    assert found[name_of(OLD)].status == "in_sync"
    assert "until all wanted ones are there" in found[name_of(OLD)].reason


def test_a_certificate_that_is_there_is_not_added_again() -> None:
    assert pending(roll([NEW], [key("new", uploaded=-1)])) == {}
    assert pending(roll([NEW], [key("new")])) == {}, "whoever added it"


@pytest.mark.parametrize(("uploaded", "goes"), [(-13, False), (-14, True), (-15, True)])
def test_an_old_one_goes_when_the_grace_time_since_the_new_one_is_over(uploaded: float, goes: bool) -> None:
    found = roll([NEW], [key("old", uploaded=-300), key("new", uploaded=uploaded)])
    assert pending(found) == ({name_of(OLD): "delete"} if goes else {})
    if goes:
        assert found[name_of(OLD)].drift == ("superseded",)
    else:
        assert (NOW + days(uploaded + 14)).isoformat() in found[name_of(OLD)].reason


def test_the_grace_time_counts_from_the_last_of_the_new_ones() -> None:
    have = [key("old", uploaded=-300), key("new", uploaded=-100), key("other", uploaded=-3)]
    assert pending(roll([NEW, OTHER], have)) == {}


def test_the_grace_time_of_one_that_others_added_counts_from_its_own_beginning() -> None:
    assert pending(roll([NEW], [key("old", uploaded=-300), key("new", start=-3)])) == {}
    assert pending(roll([NEW], [key("old", uploaded=-300), key("new", start=-20)])) == {name_of(OLD): "delete"}


def test_an_expired_one_goes_at_once() -> None:
    found = roll([NEW], [key("old", uploaded=-300, end=-1), key("new", uploaded=-1)])
    assert pending(found) == {name_of(OLD): "delete"}


KEPT: dict[str, dict[str, Any]] = {
    "others added it": {"have": [key("old", end=-1), key("new", uploaded=-100)]},
    "it signs this run in": {"have": [key("old", uploaded=-300), key("new", uploaded=-100)], "in_use": OLD.thumbprint},
    "the new one is not there": {"have": [key("old", uploaded=-300, end=-1)]},
    "one of two new ones is not there": {
        "want": [NEW, OTHER],
        "have": [key("old", uploaded=-300, end=-1), key("new", uploaded=-100)],
    },
    "the new one is not valid yet": {"have": [key("old", uploaded=-300), key("new", uploaded=-100, start=2)]},
    "the new one is over": {"have": [key("old", uploaded=-300), key("new", uploaded=-100, end=-1)]},
    "none is wanted": {"want": [], "have": [key("old", uploaded=-300, end=-1), key("new", uploaded=-100)]},
}


@pytest.mark.parametrize("case", KEPT)
def test_an_old_one_is_kept_when(case: str) -> None:
    given = {"want": [NEW], "in_use": "", **KEPT[case]}
    found = roll(given["want"], given["have"], in_use=given["in_use"])
    assert "delete" not in pending(found).values()


def test_where_none_is_wanted_certificates_are_not_looked_at() -> None:
    assert roll([], [key("old", uploaded=-300), key("new")]) == {}


def test_an_app_never_loses_its_last_valid_certificate() -> None:
    """Whatever is wanted and held: after what is to be removed a valid one is left, if there was one."""
    ages = [None, -300, -1]
    ends = [-1, 200]
    for want in ([NEW], [NEW, OTHER], [OTHER]):
        for age_old in ages:
            for age_new in ages:
                for end_old in ends:
                    for end_new in ends:
                        have = [key("old", uploaded=age_old, end=end_old), key("new", uploaded=age_new, end=end_new)]
                        gone = {name for name, action in pending(roll(want, have)).items() if action == "delete"}
                        left = [one for one in have if name_of(one) not in gone]
                        assert not {"create", "delete"} <= set(pending(roll(want, have)).values())
                        if any(one.valid(NOW) for one in have):
                            assert any(one.valid(NOW) for one in left), (want, have)


# ---- what is sent ---------------------------------------------------------------------------------------------------


def test_all_that_stay_are_sent_again_since_a_patch_replaces_the_list() -> None:
    app = held(certificates=(key("by hand"), key("old", uploaded=-300, end=-1), key("new", uploaded=-1)))
    parts = [*plans.certificate_parts([NEW], app.certificates, "", 14, NOW), *roll([OTHER], []).values()]
    sent = plans.key_list(app, [part for part in parts if part.due(ALL)], NOW)
    assert [one.get("keyId") for one in sent] == ["key-by hand", "key-new", None]
    assert sent[0]["key"] == app.certificates[0].raw["key"]
    assert "hint" not in sent[0], "what Graph gave as null is not sent"
    assert sent[2] == {
        "type": "AsymmetricX509Cert", "usage": "Verify", "key": "b3RoZXI=",
        "displayName": "mssp.onboarding 2026-11-21T12:00:00Z",
    }  # fmt: skip


def test_nothing_is_sent_where_graph_holds_back_the_content_of_one_that_stays() -> None:
    hidden = key("by hand")._replace(thumbprint="")
    with pytest.raises(ValueError, match="CN=by hand"):
        plans.key_list(held(certificates=(hidden,)), roll([NEW], [hidden]).values(), NOW)


def test_our_mark_is_read_back_and_other_names_are_not_ours() -> None:
    assert key("a", uploaded=-3).uploaded == NOW - days(3)
    for name in ("CN=a", "mssp.onboarding", "mssp.onboarding by hand", "2026-11-21T12:00:00Z", ""):
        assert key("a")._replace(name=name).uploaded is None


def test_the_app_and_its_certificates_are_read_as_graph_gives_them() -> None:
    raw = {
        "keyId": "1", "displayName": "CN=a", "key": "b2xk", "type": "AsymmetricX509Cert", "usage": "Verify",
        "startDateTime": "2026-01-01T00:00:00Z", "endDateTime": "2027-01-01T00:00:00.1234567Z",
    }  # fmt: skip
    body = {
        "id": "object", "appId": "app", "displayName": "SOC", "signInAudience": "AzureADMyOrg",
        "web": {"redirectUris": ["https://b.example", "https://a.example"]},
        "requiredResourceAccess": [{"resourceAppId": "ABC", "resourceAccess": [{"id": "DEF", "type": "Role"}]}],
        "passwordCredentials": [{**raw, "key": None, "displayName": None}],
    }  # fmt: skip
    app = plans.parse(body, {"keyCredentials": [raw]})
    assert app.redirect_uris == ("https://a.example", "https://b.example")
    assert app.access == {"abc": {("def", "Role")}}
    assert (app.certificates[0].thumbprint, app.secrets[0].thumbprint) == (OLD.thumbprint, "")
    assert app.certificates[0].end.isoformat() == "2027-01-01T00:00:00+00:00"


def test_a_whole_plan_adds_the_certificate_and_lasts() -> None:
    app = held(certificates=(key("old", uploaded=-300, end=5),))
    found = plans.plan(wanted(permissions={}), [NEW], app, SP, {}, "", NOW)
    assert pending(by_name(found)) == {name_of(NEW): "create"}
    assert "credentials" not in by_name(found), "what is added lasts"
    gone = held(certificates=(key("old", uploaded=-300, end=100), key("new", uploaded=-20, end=20)))
    told = plans.plan(wanted(permissions={}), [certificate("new", end=20)], gone, SP, {}, "", NOW)
    assert "credentials" in by_name(told), "what is removed does not last"
