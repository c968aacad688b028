# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a playbook is switched on and off: the contract profile, which is data, since public sources differ.

POST .../activate stands in notes of an agent's skill, which call it verified; PATCH with a status in two versions of a
third party's console. Sekoia.io's own page has the operation in its title only. So the ways are tried in their order,
and the status that the playbook has afterwards is what counts. What the vendor confirms takes its place by C(profile).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ..._core.errors import InputError

VERSION = 1
METHODS = ("POST", "PATCH", "PUT")
PLAYBOOK = "/v1/symphony/playbooks/{uuid}"
ASSUMED: Mapping[str, Any] = {
    "version": VERSION,
    "confirmed": False,
    "enable": [
        {"method": "POST", "path": f"{PLAYBOOK}/activate"},
        {"method": "PATCH", "path": PLAYBOOK, "body": {"status": "enabled"}},
    ],
    "disable": [
        {"method": "POST", "path": f"{PLAYBOOK}/deactivate"},
        {"method": "PATCH", "path": PLAYBOOK, "body": {"status": "disabled"}},
    ],
    # Words of the playbook's status, and of its status_tags, which say that it cannot start.
    "enabled": ["enabled"],
    "issues": ["configuration_issues", "partially_activated", "trigger_crashed"],
}


class Way(NamedTuple):
    method: str
    path: str
    body: Mapping[str, Any] | None = None

    @property
    def words(self) -> str:
        return f"{self.method} {self.path}"


class Profile(NamedTuple):
    """A checked profile; fields as in ASSUMED."""

    confirmed: bool
    enable: tuple[Way, ...]
    disable: tuple[Way, ...]
    enabled: frozenset[str]
    issues: frozenset[str]


def profile(given: Mapping[str, Any] | None) -> Profile:
    """The given profile, or the built-in one. Raises InputError."""
    data = given or ASSUMED
    if data.get("version") != VERSION:
        raise _wrong(f"version must be {VERSION}, not {data.get('version')!r}")
    if set(data) != set(ASSUMED):
        raise _wrong(f"it must have the keys {', '.join(ASSUMED)}, and no others")
    if not isinstance(data["confirmed"], bool):
        raise _wrong("confirmed must be true or false")
    return Profile(
        data["confirmed"],
        _ways(data, "enable"),
        _ways(data, "disable"),
        frozenset(_words(data, "enabled")),
        frozenset(_words(data, "issues")),
    )


def _ways(data: Mapping[str, Any], name: str) -> tuple[Way, ...]:
    found = [Way(**one) for one in _list(data, name) if isinstance(one, Mapping) and set(one) <= set(Way._fields)]
    good = all(one.method in METHODS and str(one.path).startswith("/") and "{uuid}" in one.path for one in found)
    if not found or not good or len(found) < len(data[name]):
        raise _wrong(f"{name} must be a list of method ({', '.join(METHODS)}), path with {{uuid}}, and body")
    return tuple(found)


def _words(data: Mapping[str, Any], name: str) -> Sequence[str]:
    found = _list(data, name)
    if not all(isinstance(one, str) for one in found):
        raise _wrong(f"{name} must be a list of words")
    return found


def _list(data: Mapping[str, Any], name: str) -> list[Any]:
    found = data[name]
    if not isinstance(found, list):
        raise _wrong(f"{name} must be a list")
    return found


def _wrong(text: str) -> InputError:
    return InputError("read the contract profile", text, code="BadProfile")
