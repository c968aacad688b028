"""Single keys change, and everything else in the file stays as it was."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.config import edit, entries, values

# The traps of the shipped file: two kinds of comments, keys twice, keys that differ in case, values with separators.
SHIPPED = r"""# client_id = not a setting
[Settings]
version = 3
client_id =
; client_secret = nor this
client_secret =
http_proxy =

[Syslog]
header_prefix = CEF:0|CrowdStrike|FalconHost|1.0|
escape_header = "|":"\|","\\":"\\\\"
key_val_delim = =
field_delim =

# about the next section
[FirewallMatchEvent]
cs1 = event.RuleName
cs1 = event.RuleName
Cs1 = event.Other
  indented=a;b
"""


def changed_lines(before: str, after: str) -> list[str]:
    old, new = before.splitlines(), after.splitlines()
    assert len(old) == len(new)
    return [line for was, line in zip(old, new, strict=True) if was != line]


def test_nothing_wanted_changes_nothing() -> None:
    assert edit(SHIPPED, {}) == SHIPPED
    assert edit(SHIPPED, {"Settings": {"version": "3"}, "Syslog": {"key_val_delim": "="}}) == SHIPPED


def test_a_value_changes_in_its_line_and_nowhere_else() -> None:
    after = edit(SHIPPED, {"Settings": {"client_id": "abc"}})
    assert changed_lines(SHIPPED, after) == ["client_id = abc"]


def test_a_key_that_comes_twice_stays_twice() -> None:
    after = edit(SHIPPED, {"FirewallMatchEvent": {"cs1": "'x'"}})
    assert changed_lines(SHIPPED, after) == ["cs1 = 'x'", "cs1 = 'x'"]


def test_keys_are_case_sensitive() -> None:
    after = edit(SHIPPED, {"FirewallMatchEvent": {"Cs1": "y"}})
    assert changed_lines(SHIPPED, after) == ["Cs1 = y"]


@pytest.mark.parametrize("value", [r'a|b"\;#=', "=", r"\1\g<0>", "[Settings]"])
def test_values_are_taken_as_they_are(value: str) -> None:
    after = edit(SHIPPED, {"Settings": {"client_secret": value}})
    assert values(after, "Settings")["client_secret"] == value
    assert changed_lines(SHIPPED, after) == [f"client_secret = {value}"]


def test_an_emptied_value_leaves_its_key() -> None:
    after = edit(SHIPPED, {"Syslog": {"header_prefix": ""}})
    assert changed_lines(SHIPPED, after) == ["header_prefix ="]


def test_a_key_is_of_its_section_only() -> None:
    after = edit(SHIPPED, {"Syslog": {"version": "4"}})
    assert values(after, "Settings")["version"] == "3"
    assert values(after, "Syslog")["version"] == "4"


def test_a_missing_key_ends_its_section() -> None:
    after = edit(SHIPPED, {"Syslog": {"host": "siem"}})
    assert "field_delim =\nhost = siem\n\n# about the next section\n[Firewall" in after
    assert after.replace("host = siem\n", "") == SHIPPED


def test_a_missing_section_ends_the_file() -> None:
    after = edit(SHIPPED.rstrip("\n"), {"Logging": {"verbose_log": "false"}})
    assert after == SHIPPED + "\n[Logging]\nverbose_log = false\n"


def test_a_section_that_comes_twice_gets_a_new_key_once() -> None:
    text = "[A]\nx = 1\n[B]\n[A]\nx = 2\n"
    assert edit(text, {"A": {"y": "3", "x": "4"}}) == "[A]\nx = 4\ny = 3\n[B]\n[A]\nx = 4\n"


def test_line_ends_stay() -> None:
    text = "[A]\r\nx = 1\r\n"
    assert edit(text, {"A": {"x": "2", "y": ""}}) == "[A]\r\nx = 2\r\ny =\r\n"


def test_what_was_edited_is_not_edited_again() -> None:
    wanted = {"Settings": {"client_id": "a", "new": "b"}, "New": {"c": "d"}}
    once = edit(SHIPPED, wanted)
    assert edit(once, wanted) == once


def test_comments_hold_no_keys() -> None:
    assert [key for _number, section, key, _value in entries(SHIPPED) if section == "Settings"] == [
        "version",
        "client_id",
        "client_secret",
        "http_proxy",
    ]
