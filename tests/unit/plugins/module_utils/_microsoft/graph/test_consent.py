# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The consent link and what may come back by it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.graph import consent

TENANT, OTHER = "60000000-0000-4000-8000-00000000000a", "20000000-0000-4000-8000-000000000000"
CLIENT, KEY, BACK = "a0000000-0000-4000-8000-00000000000a", "the key", "https://onboarding.example/consented?kept=1"
STATE = consent.state(TENANT, CLIENT, KEY)


def response(**given: str) -> str:
    return "https://onboarding.example/consented?" + urlencode(given)


def test_the_link_asks_this_tenant_for_all_that_the_app_wants() -> None:
    link = urlsplit(consent.link("https://login.example", TENANT, CLIENT, BACK, KEY))
    assert (link.netloc, link.path) == ("login.example", f"/{TENANT}/adminconsent")
    assert parse_qs(link.query) == {"client_id": [CLIENT], "redirect_uri": [BACK], "state": [STATE]}


def test_what_is_not_given_is_not_in_the_link() -> None:
    link = consent.link("https://login.example", TENANT, CLIENT, None, None)
    assert link == f"https://login.example/{TENANT}/adminconsent?client_id={CLIENT}"


def test_the_state_is_the_same_in_every_run_and_another_for_all_else() -> None:
    others = [(OTHER, CLIENT, KEY), (TENANT, OTHER, KEY), (TENANT, CLIENT, "another key")]
    assert consent.state(TENANT.upper(), CLIENT.upper(), KEY) == STATE
    assert len({STATE, *(consent.state(*one) for one in others)}) == 4
    assert STATE.startswith(TENANT)
    assert KEY not in STATE


def test_a_yes_of_this_tenant_is_one() -> None:
    consent.check(response(admin_consent="True", tenant=TENANT.upper(), state=STATE), TENANT, CLIENT, KEY)


STRANGE = "state is not the one"
WRONG = {
    "a forged state": ({"admin_consent": "True", "tenant": TENANT, "state": f"{TENANT}.forged"}, STRANGE),
    "no state": ({"admin_consent": "True", "tenant": TENANT}, STRANGE),
    "the state of another tenant": (
        {"admin_consent": "True", "tenant": TENANT, "state": consent.state(OTHER, CLIENT, KEY)}, STRANGE,
    ),
    "the state of another key": (
        {"admin_consent": "True", "tenant": TENANT, "state": consent.state(TENANT, CLIENT, "x")}, STRANGE,
    ),
    "another tenant": ({"admin_consent": "True", "tenant": OTHER, "state": STATE}, f"one of tenant {OTHER}"),
    "no tenant": ({"admin_consent": "True", "state": STATE}, "one of tenant unknown"),
    "no yes": ({"tenant": TENANT, "state": STATE}, "does not say that consent was given"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_what_is_no_answer_of_ours_is_refused(case: str) -> None:
    given, words = WRONG[case]
    with pytest.raises(InputError, match=words):
        consent.check(response(**given), TENANT, CLIENT, KEY)


def test_a_no_is_told_in_entras_own_words() -> None:
    given = {"error": "access_denied", "error_description": "AADSTS65004: declined", "state": STATE}
    with pytest.raises(RefusedError, match="AADSTS65004: declined") as caught:
        consent.check(response(**given), TENANT, CLIENT, KEY)
    assert caught.value.code == "access_denied"
    assert "ask the customer" in caught.value.next_step


def test_a_no_that_anybody_could_have_made_up_is_not_believed() -> None:
    with pytest.raises(InputError, match="state"):
        consent.check(response(error="access_denied", state="x"), TENANT, CLIENT, KEY)


def test_without_a_key_nothing_can_be_checked() -> None:
    with pytest.raises(InputError, match="without state_key"):
        consent.check(response(admin_consent="True", tenant=TENANT, state=STATE), TENANT, CLIENT, None)


YES = f"https://spa.example/done?admin_consent=True&tenant={TENANT}&state={STATE}"
PASTED = {
    "with the page's title": f"{YES}Sign+in+to+your+account",
    "with the title behind the tenant": f"https://x.example/?admin_consent=True&state={STATE}&tenant={TENANT}Sign in",
    "on two lines": YES.replace("&tenant", "\n  &tenant"),
    "in brackets": f"  <{YES}>\n",
    "its query alone": YES.partition("?")[2],
    "behind a #": YES.replace("?", "#"),
}


@pytest.mark.parametrize("case", PASTED)
def test_an_answer_is_taken_as_people_paste_it(case: str) -> None:
    consent.check(PASTED[case], TENANT, CLIENT, KEY)


def test_a_cancelled_consent_is_told_as_that() -> None:
    with pytest.raises(RefusedError, match="cancelled") as caught:
        consent.check(response(error="access_denied", error_subcode="cancel", state=STATE), TENANT, CLIENT, KEY)
    assert caught.value.code == "access_denied"
