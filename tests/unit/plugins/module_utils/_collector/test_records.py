"""Records: written to the byte, known again, and dressed and framed as the RFCs say."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._collector.records import (
    FACILITIES,
    FORMATS,
    MAX_SIZE,
    MIN_SIZE,
    SEVERITIES,
    Style,
    body,
    dress,
    find,
    line_feed,
    new_run,
    octet_counted,
    seal,
)

RUN = "0123456789abcdef"
AT = 1_763_719_200.25  # 2025-11-21T10:00:00.25Z


@given(st.integers(0, 10**6), st.integers(MIN_SIZE, 5000))
def test_a_record_is_found_as_it_was_made(number: int, size: int) -> None:
    text = body(RUN, number, AT, size)
    assert len(text) == size
    (found,) = find(RUN, b"anything " + text + b"\n")
    assert found == (number, AT, None, True)


def test_the_smallest_size_holds_the_longest_head() -> None:
    assert len(body(RUN, 10**6, 10.0**10, MIN_SIZE)) == MIN_SIZE
    assert len(str(MAX_SIZE)) <= 8


@given(st.integers(1, 100))
def test_a_record_that_lost_its_end_is_not_whole(cut: int) -> None:
    text = body(RUN, 7, AT, 256)[:-cut]
    assert [record.whole for record in find(RUN, text)] == [False]


def test_a_record_that_lost_its_middle_is_not_whole() -> None:
    text = body(RUN, 7, AT, 256).replace(b"xxxx", b"", 1)
    assert [record.whole for record in find(RUN, text)] == [False]


def test_another_run_is_not_ours() -> None:
    other = new_run()
    assert re.fullmatch("[0-9a-f]{16}", other)
    assert list(find(RUN, body(other, 1, AT, 128))) == []


@pytest.mark.parametrize(
    "stamp", ["2025-11-21T10:00:01.5+00:00", "2025-11-21T11:00:01.500000+01:00", "2025-11-21T10:00:01.5Z"]
)
def test_a_line_that_says_when_it_was_received_is_believed(stamp: str) -> None:
    stamp = re.sub(r"\.5(?=[Z+])", ".500000", stamp)
    lines = b"noise\n" + stamp.encode() + b" 10.0.0.1 <134>1 - " + body(RUN, 3, AT, 128) + b"\n"
    assert [record.received for record in find(RUN, lines)] == [AT + 1.25]


def test_the_senders_own_time_is_not_taken_for_the_time_of_arrival() -> None:
    line = b"2025-11-21T10:00:01.500000+00:00 mssp-probe mssp-probe: " + body(RUN, 3, AT, 128)
    assert [record.received for record in find(RUN, line)] == [None]


def test_rfc5424() -> None:
    text = dress(Style("rfc5424", "local4", "warning", "fw1"), b"text", AT)
    assert text == b"<164>1 2025-11-21T10:00:00.250000Z fw1 mssp-probe - - - text"


def test_rfc3164() -> None:
    text = dress(Style("rfc3164", "kern", "emerg", "fw1"), b"text", AT - 12 * 86400)
    assert text == b"<0>Nov  9 10:00:00 fw1 mssp-probe: text"


def test_priorities_are_those_of_the_rfc() -> None:
    assert len(SEVERITIES) == 8
    assert [FACILITIES.index(name) for name in ("kern", "authpriv", "ftp", "local0", "local7")] == [0, 10, 11, 16, 23]


@given(st.lists(st.binary(max_size=300), max_size=5))
def test_counted_frames_can_be_told_apart_whatever_is_in_them(messages: list[bytes]) -> None:
    stream = b"".join(map(octet_counted, messages))
    back = []
    while stream:
        length, _space, rest = stream.partition(b" ")
        back.append(rest[: int(length)])
        stream = rest[int(length) :]
    assert back == messages


def test_line_feed() -> None:
    assert line_feed(b"a") == b"a\n"


def stored(style: str, change: bytes = b"", to: bytes = b"", text: bytes = b"") -> list[bool]:
    """Whether the record is whole after a byte of it became another on the way to the store."""
    message = seal(dress(Style(style, "local0", "info", "fw1"), text or body(RUN, 1, AT, 200), AT))
    assert change in message
    line = b"2025-11-21T10:00:01.500000+00:00 10.0.0.1 " + message.replace(change, to, 1) + b"\n"
    return [record.whole for record in find(RUN, b"before\n" + line + line)]


@pytest.mark.parametrize("style", FORMATS)
def test_each_shape_is_held_against_what_was_sent_byte_for_byte(style: str) -> None:
    assert stored(style) == [True, True]
    assert stored(style, b"fw1", b"fw2") == [False, False]
    assert stored(style, b"xxx;", b"xxx; ") == [False, False], "what stands behind it is no part of it"


@pytest.mark.parametrize(
    ("style", "change", "to"),
    [("leef", b"\t", b"#011"), ("leef", b"\xc3", b"?"), ("cef", b"\\|", b"|"), ("cef", b"CEF:0|", b""),
     ("key_value", b'user="a\\b"', b'user="ab"'), ("csv", b",,  ,", b",, ,"), ("csv", b'""', b'"')],
)  # fmt: skip
def test_what_receivers_do_to_records_is_told(style: str, change: bytes, to: bytes) -> None:
    assert stored(style, change, to) == [False, False]


def test_a_file_holds_the_text_alone() -> None:
    text = seal(body(RUN, 1, AT, 200))
    assert [record.whole for record in find(RUN, text + b"\n")] == [True]
    assert [record.whole for record in find(RUN, text.replace(b"xx;", b"yx;") + b"\n")] == [False]
    assert [record.whole for record in find(RUN, text + b" \n")] == [False]


def test_a_store_that_keeps_another_form_is_judged_by_the_text() -> None:
    message = seal(dress(Style("rfc3164", "local0", "info", "fw1"), body(RUN, 1, AT, 200), AT))
    line = message.replace(b"<134>", b"") + b"\n"
    assert [record.whole for record in find(RUN, line)] == [True]
