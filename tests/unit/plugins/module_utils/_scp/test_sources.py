"""The options of a source: what is taken, and what is said of the rest."""

from __future__ import annotations

import base64
import struct
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import names
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.sources import NUMBERS, checked, public_key, sources


def key(kind: str = "ssh-ed25519", length: int = 64) -> str:
    blob = struct.pack(">I", len(kind)) + kind.encode() + struct.pack(">I", length) + bytes(length)
    return f"{kind} {base64.b64encode(blob).decode()}"


def source(**given: Any) -> dict[str, Any]:
    return {"keys": [key()], "from": ["192.0.2.7"], **given}


def test_defaults() -> None:
    (found,) = sources({"esa": source()}, "contoso", 3)
    assert (found.user, found.max_file_bytes, found.directories) == ("mssp-contoso-esa", 3 * 1024 * 1024, ("/",))


def test_a_long_name_keeps_its_difference() -> None:
    one, two = (names.user_name("a-tenant-of-a-long-name", f"firewall-{end}") for end in ("east", "west"))
    assert (len(one), len(two), one != two) == (32, 32, True)


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_below_zero_is_refused(name: str) -> None:
    given = {**dict.fromkeys(NUMBERS, 0), "legacy_port": 0, "sources": {}, "tenant": "contoso", "max_file_mib": 1}
    assert checked(given) == []
    with pytest.raises(InputError, match=f"{name} is negative"):
        checked({**given, name: -1})


@pytest.mark.parametrize("broken", ["\r\n", "\n", "\r"])
def test_a_key_that_was_broken_into_lines(broken: str) -> None:
    whole = key("ssh-rsa", 200)
    kind, blob = whole.split()
    parts = broken.join(blob[at : at + 64] for at in range(0, len(blob), 64))
    assert public_key(f"{kind} {parts} admin@esa.example.com\n", "esa") == whole


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"keys": [key("ssh-dss")]}, "DSA"),
        ({"keys": ['command="/bin/sh" ' + key()]}, "no type of public key"),
        ({"keys": [key()[:-20]]}, "cut or damaged"),
        ({"keys": ["ssh-rsa " + key().split()[1]]}, "cut or damaged"),
        ({"keys": ["ssh-rsa not!base64"]}, "cut or damaged"),
        ({"keys": []}, "keys and from are needed"),
        ({"from": []}, "keys and from are needed"),
        ({"from": ["192.0.2.7/24"]}, "host bits set"),
        ({"from": ['1.1.1.1",command="x']}, "does not appear to be"),
        ({"from": ["*"]}, "does not appear to be"),
        ({"keys": None}, "NoneType"),
        ({"key": key()}, "key. Supported parameters"),
        ({"max_file_mib": "much"}, "cannot be converted to an int"),
        ({"user": "root\nMatch all"}, "user cannot be"),
        ({"user": "x" * 33}, "user cannot be"),
        ({"directory": "/a/../b"}, "no path leads out"),
        ({"names": ["*.s\n"]}, "names cannot be"),
    ],
)
def test_what_is_refused(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as error:
        sources({"esa": source(**given)}, "contoso", 0)
    assert error.value.next_step


@pytest.mark.parametrize("name", ["../x", "ESA", "", "-esa"])
def test_what_no_source_can_be_called(name: str) -> None:
    with pytest.raises(InputError, match="name cannot be") as error:
        sources({name: source()}, "contoso", 0)
    assert error.value.next_step


@pytest.mark.parametrize("spec", [None, "ssh-rsa AAAA", [source()]])
def test_a_source_without_options(spec: Any) -> None:
    with pytest.raises(InputError, match="it is no dictionary"):
        sources({"esa": spec}, "contoso", 0)


def test_two_of_one_account() -> None:
    with pytest.raises(InputError, match="user x is given twice"):
        sources({"esa": source(user="x"), "fw": source(user="x")}, "contoso", 0)
