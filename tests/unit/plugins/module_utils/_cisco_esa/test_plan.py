# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is equal, what is ours, and what is to be done."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.contract import release_of, vulnerable
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.plan import (
    Found,
    Subscription,
    as_planned,
    found,
    plan,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import BLOCKED, DRIFTED, IN_SYNC
from lab.cisco_esa import screens
from lab.cisco_esa.state import Config

from .boxes import HOST_KEY, SCP, SCP_FIELDS, SYSLOG

KEYS = {"192.0.2.9": (HOST_KEY,)}
OURS = Subscription("mssp_mail", SCP_FIELDS)


def held(*subscriptions: Subscription, keys: dict[str, tuple[str, ...]] | None = None) -> Found:
    return Found(subscriptions, KEYS if keys is None else keys)


def changed(name: str = "mssp_mail", **fields: str) -> Subscription:
    return Subscription(name, {**SCP_FIELDS, **fields})


@pytest.mark.parametrize(
    ("subscriptions", "status", "action", "drift"),
    [
        ((), DRIFTED, "create", ("missing",)),
        ((OURS,), IN_SYNC, "", ()),
        # The same by value, written otherwise.
        ((changed(rollover_interval="90m", max_size="10240K"),), IN_SYNC, "", ()),
        ((changed(log_level="warning"),), DRIFTED, "update", ("log_level",)),
        ((changed(host="192.0.2.66"),), DRIFTED, "update", ("host",)),
        ((changed(method="ftp_push"),), DRIFTED, "update", ("method",)),
        ((changed(host_key_check="no"),), DRIFTED, "update", ("host_key_check",)),
        ((changed(type="system"),), BLOCKED, "", ("type",)),
        ((OURS, OURS), BLOCKED, "", ("duplicate",)),
    ],
)
def test_verdicts(subscriptions: tuple[Subscription, ...], status: str, action: str, drift: tuple[str, ...]) -> None:
    verdict = plan("esa/mssp_mail", SCP, held(*subscriptions), leaving=False)
    assert (verdict.status, verdict.action, verdict.drift) == (status, action, drift)


def test_another_host_key_would_stop_the_push_and_is_drift() -> None:
    verdict = plan("t", SCP, held(OURS, keys={"192.0.2.9": ("ssh-ed25519 other",)}), leaving=False)
    assert (verdict.action, verdict.drift) == ("update", ("host_key",))


def test_a_level_that_was_not_asked_for_at_a_rollover_is_drift_too() -> None:
    wish = SCP._replace(fields={key: text for key, text in SCP_FIELDS.items() if key != "rollover_interval"})
    assert plan("t", wish, held(OURS), leaving=False).drift == ("rollover_interval",)


def test_what_is_not_ours_is_neither_changed_nor_removed() -> None:
    theirs = changed("mail_logs", host="192.0.2.66")
    wish = SCP._replace(name="mail_logs")
    blocked = plan("t", wish, held(theirs), leaving=False)
    assert (blocked.status, blocked.drift) == (BLOCKED, ("foreign",))
    assert "scp_push to 192.0.2.66" in blocked.reason
    assert plan("t", wish, held(theirs), leaving=True).action == ""
    assert plan("t", wish, held(changed("mail_logs")), leaving=True).action == "delete"


def test_what_may_have_been_ours_is_not_told_as_gone_where_nobody_says_where_it_was_to_send() -> None:
    wish = SCP._replace(name="soc_mail", fields={"type": "mail"})
    left = plan("t", wish, held(changed("soc_mail")), leaving=True)
    assert (left.status, left.action, left.drift) == (BLOCKED, "", ("foreign",))
    assert plan("t", wish, held(), leaving=True).status == IN_SYNC
    assert plan("t", wish._replace(name="mssp_mail"), held(OURS), leaving=True).action == "delete"


def test_a_second_subscription_of_the_type_is_told() -> None:
    assert "pushed by soc, too" in plan("t", SCP, held(OURS, changed("soc")), leaving=False).reason


@pytest.mark.parametrize("action", ["create", "delete"])
def test_only_what_was_planned_may_be_committed(action: str) -> None:
    before, after = (held(), held(OURS)) if action == "create" else (held(OURS), held())
    verdict = plan("t", SCP, before, leaving=action == "delete")
    assert as_planned(verdict, SCP, before, after) == ""
    assert as_planned(verdict, SCP, before, before)
    assert "other subscriptions" in as_planned(verdict, SCP, before, held(*after.subscriptions, changed("audit")))


@pytest.mark.parametrize(
    "text",
    ["", "<log_subscriptions>", "<log_subscriptions><a></log_subscriptions><log_host_keys></log_host_keys>",
     '<log_subscriptions><!ENTITY a "b"></log_subscriptions><log_host_keys></log_host_keys>'],
)  # fmt: skip
def test_an_export_of_another_shape_is_an_error_and_not_an_empty_list(text: str) -> None:
    with pytest.raises(NoAnswerError):
        found(text)


def test_an_export_is_read() -> None:
    log = {"name": "a", "type": "IronPort Text Mail Logs", "retrieval_method": "Syslog Push", "transport": "TCP"}
    read = found(screens.export(Config([log], {"h": ["k 1", "k 2"]}), "14.2.0-620"))
    assert read.subscriptions == (Subscription("a", {"type": "mail", "method": "syslog_push", "transport": "tcp"}),)
    assert read.host_keys == {"h": ("k 1", "k 2")}


@pytest.mark.parametrize(
    ("version", "bad"),
    [((14, 2, 0, 620), True), ((15, 5, 5, 13), True), ((15, 5, 5, 14), False), ((16, 0, 4, 301), True),
     ((16, 0, 4, 302), False), ((16, 1, 0, 1), True), ((16, 5, 0, 779), True), ((16, 5, 0, 780), False),
     ((17, 0, 0, 1), False)],
)  # fmt: skip
def test_releases_without_the_cure(version: tuple[int, int, int, int], bad: bool) -> None:
    assert vulnerable(version) is bad


def test_a_release_asks_as_the_last_one_before_it_that_is_known() -> None:
    assert release_of((15, 0, 0, 0)).since == (15, 0, 0, 0)
    assert "identifiers" not in release_of((14, 99, 0, 0)).topics


def test_what_is_answered_to_syslog_has_no_key_in_it() -> None:
    answers: dict[str, Any] = SYSLOG.answers()
    assert answers["transport"] == "tcp"
    assert "host_key_check" not in answers
