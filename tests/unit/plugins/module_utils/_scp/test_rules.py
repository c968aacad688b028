"""What a sender may write into a name, a path and a log."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._scp.host.rules import (
    Paths,
    Refused,
    components,
    file_name,
    shown,
    temporary,
)

ANY = st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass"))
PATHS = Paths(["/upload", "/var/log/esa"], ["*.s", "*.log"])


@given(ANY)
def test_a_name_that_is_taken_is_one_plain_component(raw: bytes) -> None:
    try:
        name = file_name(raw)
    except Refused:
        return
    assert re.fullmatch(r"[\w@+=,:%~][\w.@+=,:%~-]{0,179}", name, re.ASCII)
    assert name.encode() == raw


@given(ANY)
def test_a_path_names_the_one_directory_or_a_file_in_it(raw: bytes) -> None:
    try:
        name = PATHS.name_in(raw)
    except Refused:
        return
    if name is not None:
        assert file_name(name.encode(), ["*.s", "*.log"]) == name
        assert raw.split(b"/")[-1] == name.encode()
    assert b".." not in raw.split(b"/")


@given(ANY)
def test_what_is_shown_is_printable_and_bounded(raw: bytes) -> None:
    text = shown(raw)
    assert text.isascii()
    assert text.isprintable()
    assert '"' not in text
    assert len(text) <= 120 * 10 + 3


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", "name"),
        (b".", "dotfile"),
        (b"..", "path"),
        (b".bashrc", "dotfile"),
        (b"a/b", "path"),
        (b"/etc/passwd", "path"),
        (b"-rf", "name"),
        (b"a b", "name"),
        (b"a\nb", "name"),
        (b"a\n", "name"),
        (b"a\x1b[31m", "name"),
        (b"a\x00", "name"),
        ("ä.log".encode(), "name"),
        (b"$(id)", "name"),
        (b"a*", "name"),
        (b"x" * 181, "name"),
        (b"mail.c", "pattern"),
    ],
)
def test_names_that_are_refused(raw: bytes, code: str) -> None:
    with pytest.raises(Refused) as refused:
        file_name(raw, ["*.s"])
    assert refused.value.code == code


def test_names_of_appliances() -> None:
    for name in ("mail_logs.@20261121T103000.s", "fw-1_2026-11-21,10:30.log.gz", "x" * 180):
        assert file_name(name.encode()) == name


@pytest.mark.parametrize(
    "raw", [b"", b".", b"/", b"./", b"//", b"incoming", b"/upload", b"upload/", b"/var/log/esa//", b"~", b"~/"]
)
def test_names_of_the_directory(raw: bytes) -> None:
    assert PATHS.name_in(raw) is None
    assert PATHS.is_directory(raw)


@pytest.mark.parametrize(
    "raw", [b"/etc/x.log", b"x.log/", b"/upload/x/y.log", b"/var/log/x.log", b"~root/x.log", b"~/upload/x.log"]
)
def test_other_directories(raw: bytes) -> None:
    with pytest.raises(Refused) as refused:
        PATHS.name_in(raw)
    assert refused.value.code == "path"


def test_a_parent_can_be_looked_at_and_not_written_to() -> None:
    assert PATHS.is_directory(b"/var/log")
    assert not PATHS.is_directory(b"/etc")
    assert components(b"/var/./log//esa") == ("var", "log", "esa")
    assert PATHS.canonical(b"a//b/.") == b"/a/b"


def test_home_is_the_directory() -> None:
    assert PATHS.name_in(b"~/x.log") == "x.log"
    assert (PATHS.canonical(b"~"), PATHS.canonical(b"~/x.log")) == (b"/", b"/x.log")


@given(ANY)
def test_a_temporary_name_is_one_plain_component_too(raw: bytes) -> None:
    try:
        name = file_name(raw, ["*.log"], final=False)
    except Refused:
        return
    assert re.fullmatch(r"\.?[\w@+=,:%~][\w.@+=,:%~-]{0,179}", name, re.ASCII)
    assert name.endswith(".log") or temporary(name)


@pytest.mark.parametrize("name", [".bashrc", ".in.", "-x.tmp", ".in.a b", "x.tmp/", "a/x.tmp", ".in./x"])
def test_no_name_comes_in_as_a_temporary_one(name: str) -> None:
    with pytest.raises(Refused):
        file_name(name.encode(), final=False)
