# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""XML of strangers is bounded, ours is escaped, and an answer of 200 is no success by itself."""

from __future__ import annotations

from urllib.parse import parse_qs
from xml.etree import ElementTree

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    NoAnswerError,
    OnboardingError,
    RefusedError,
    SignInError,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import wire

LOGIN = "<Login><status>Authentication Successful</status></Login>"
WRONG = "<Login><status>Authentication Failure</status></Login>"
WRONG_CODE = "AuthenticationFailure"
E = "SyslogServers"


def answered(inside: str, login: str = LOGIN, *, written: bool = False) -> list[wire.Node]:
    return wire.answered("read", wire.parse(f"<Response>{login}{inside}</Response>".encode()), E, written=written)


def of(inside: str) -> str:
    return f'<{E} transactionid="">{inside}</{E}>'


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no",
        "<a>",
        "<a/><b/>",
        '<?xml version="1.0" encoding="klingon"?><a/>',
        '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>',
        '<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        "<a>&b;</a>",
        "<a>" * 40 + "</a>" * 40,
    ],
)
def test_what_is_no_plain_document_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        wire.parse(text.encode())


def test_elements_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "MAX_ELEMENTS", 3)
    assert wire.parse(b"<a><b/><b/></a>").name == "a"
    with pytest.raises(ValueError, match="too many"):
        wire.parse(b"<a><b/><b/><b/></a>")


@pytest.mark.parametrize(
    "held",
    [
        (),
        (("Name", "a & b <\"'>"),),
        (("Name", "x"), ("LogSettings/Events/AdminEvents", "Enable"), ("LogSettings/IP-MAC", ""), ("Z", "1")),
        (("Twice", "1"), ("Twice", "2")),
        (("A/B", "1"), ("C", "2"), ("A/D", "3")),
    ],
)
def test_fields_come_back_as_they_were(held: wire.Fields) -> None:
    assert tuple(wire.fields(wire.parse(f"<a>{wire.elements(held)}</a>".encode()))) == held


def test_nothing_that_is_given_becomes_an_element() -> None:
    body = wire.request("a</Username>", "p&<>\"'", wire.remove(E, "x</Name><Name>y")).decode()
    sent = ElementTree.fromstring(parse_qs(body)["reqxml"][0])
    assert (sent.findtext("Login/Username"), sent.findtext("Login/Password")) == ("a</Username>", "p&<>\"'")
    assert [one.text for one in sent.iter("Name")] == ["x</Name><Name>y"]


@pytest.mark.parametrize("text", wire.NONE)
def test_an_empty_list_has_two_spellings(text: str) -> None:
    assert answered(of(f"<Status>{text}</Status>")) == []


def test_one_and_several_are_alike() -> None:
    one = of("<Name>a</Name>")
    assert [len(answered(one * number)) for number in (1, 3)] == [1, 3]


def test_a_field_of_the_name_status_is_no_outcome() -> None:
    assert len(answered(of("<Name>a</Name><Status>Enable</Status>"))) == 1


@pytest.mark.parametrize(
    ("inside", "login", "kind", "code"),
    [
        # Each layer goes before those behind it.
        ('<Status code="532">off</Status>' + of("<Name>a</Name>"), "", RefusedError, "532"),
        (
            '<Status code="534">no</Status>',
            WRONG,
            RefusedError,
            "534",
        ),
        ("<Status>odd</Status>", LOGIN, RefusedError, "Refused"),
        (
            of("<Name>a</Name>"),
            WRONG,
            SignInError,
            "AuthenticationFailure",
        ),
        (of("<Name>a</Name>"), "<Login><status></status></Login>", SignInError, WRONG_CODE),
        (of("<Name>a</Name>"), "", NoAnswerError, "BadShape"),
        (
            of("<Name>a</Name>"),
            LOGIN + WRONG,
            SignInError,
            "AuthenticationFailure",
        ),
        (of('<Status code="500">no</Status>'), LOGIN, RefusedError, "500"),
        (of('<Name>a</Name><Status code="500">no</Status>'), LOGIN, RefusedError, "500"),
        (of("<Status>Something else.</Status>"), LOGIN, RefusedError, "Refused"),
        (of("<Name>a</Name>") + of("<Status>No. of records Zero.</Status>"), LOGIN, NoAnswerError, "BadShape"),
        ("", LOGIN, NoAnswerError, "BadShape"),
        ("<FirewallRule/>", LOGIN, NoAnswerError, "BadShape"),
    ],
)
def test_layers_are_read_in_their_order(inside: str, login: str, kind: type[OnboardingError], code: str) -> None:
    with pytest.raises(kind) as caught:
        answered(inside, login)
    assert caught.value.code == code
    assert caught.value.next_step


@pytest.mark.parametrize(("text", "told"), [("Authentication Failure", "Authentication Failure"), ("", "no text")])
def test_what_the_firewall_says_of_a_login_is_told(text: str, told: str) -> None:
    with pytest.raises(SignInError) as caught:
        answered(of("<Name>a</Name>"), f"<Login><status>{text}</status></Login>")
    assert (caught.value.message, caught.value.next_step) == (told, wire.LOGIN_STEP)


def test_menu_paths_are_told() -> None:
    for code in ("532", "534"):
        with pytest.raises(RefusedError) as caught:
            answered(f'<Status code="{code}">no</Status>', "")
        assert "Backup & firmware > API" in caught.value.next_step


def test_a_write_has_to_say_that_it_is_done() -> None:
    assert answered(of('<Status code="200">Configuration applied successfully.</Status>'), written=True) == []
    for text in ("<Name>a</Name>", "<Status>No. of records Zero.</Status>", '<Status code="502">x</Status>'):
        with pytest.raises(OnboardingError):
            answered(of(text), written=True)


def test_another_root_is_no_answer() -> None:
    with pytest.raises(NoAnswerError):
        wire.answered("read", wire.parse(b"<html/>"), E)
