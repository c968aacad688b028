# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done at the command line, as scripts of dialogue.py. Pure.

Each begins and ends at the prompt. Only commit() commits, and of the others none leads to it.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import NamedTuple

from .._core.errors import NoAnswerError, RefusedError
from .contract import COMMITTED, NOTHING, ROLLED, SERIAL, VERSION, Release, Version
from .dialogue import (
    SHELL,
    Line,
    Screen,
    Script,
    answer,
    at_prompt,
    entry,
    leave,
    offers,
    operation,
    topic_of,
    unchanged_by_others,
    unexpected,
    walk,
)

COMMENT = "mssp.onboarding: log subscriptions"
MACHINE, CLUSTER = "Machine", "Cluster"
KEY = re.compile(r"(ssh-rsa|ssh-ed25519|ecdsa-sha2-nistp\d{3}) +([A-Za-z0-9+/=]+(?:\n[A-Za-z0-9+/=]+)*)")


class Identity(NamedTuple):
    """What `version` says. place: the name that the prompt shows; mode: '' outside of a cluster."""

    version: Version
    serial: str
    place: str
    mode: str


def identify() -> Script[Identity]:
    screen = at_prompt((yield Line("version")))
    version, serial = VERSION.search(screen.text), SERIAL.search(screen.text)
    if not version or not serial:
        raise unexpected(screen, "version tells no version, or no serial number")
    first, second, third, build = map(int, version.groups())
    return Identity((first, second, third, build), serial[1], screen.place, screen.mode)


def clustered(identity: Identity, level: str) -> Script[str]:
    """To the level at which something is done; outside of a cluster there is none. Gives the place that it is at."""
    if not identity.mode or (identity.mode == level and level == CLUSTER):
        return identity.place
    command = "clustermode cluster" if level == CLUSTER else f"clustermode machine {identity.place}"
    screen = at_prompt((yield Line(command)))
    if screen.mode != level:
        raise unexpected(screen, f"the mode is {screen.mode or 'none'} and not {level}")
    return screen.place


def export(release: Release) -> Script[str]:
    """The configuration, passwords masked."""
    screen = yield Line("showconfig")
    for _number in range(2):
        if screen.kind == SHELL:
            break
        topic = topic_of(screen, release)
        value = {"mask": "yes", "include": "no"}.get(topic)
        if value is None:
            raise unexpected(screen, f"{topic} was not expected here")
        screen = yield answer(screen, release, topic, value)
    return at_prompt(screen).text


def public_keys(release: Release) -> Script[list[str]]:
    """The keys by which the appliance signs in where it pushes to."""
    screen = yield from past_mode((yield Line("logconfig")), release)
    screen = yield from operation(screen, release, "HOSTKEYCONFIG")
    screen = yield from operation(screen, release, "USER")
    found = keys_in(screen.text)
    yield from leave(screen, release)
    if not found:
        raise RefusedError(
            "read the appliance's public key",
            "it shows none that OpenSSH takes",
            code="NoKey",
            next_step="have an RSA key made for it by Cisco's support; DSA is no longer taken anywhere",
        )
    return found


def offered(release: Release) -> Script[frozenset[str]]:
    """What the account may choose; nothing is chosen."""
    screen = yield Line("logconfig")
    if screen.kind == SHELL:
        return frozenset()
    screen = yield from past_mode(screen, release)
    words = offers(screen)
    yield from leave(screen, release)
    return words


def past_mode(screen: Screen, release: Release) -> Script[Screen]:
    """Where the settings of this level are another level's, to that one: nothing is overridden."""
    if topic_of(screen, release) == "mode":
        screen = yield answer(screen, release, "mode", "switch")
    return screen


def keys_in(text: str) -> list[str]:
    """Whole keys, «type base64» each, where their lines are broken too."""
    found = []
    for match in KEY.finditer(text):
        blob = match[2].replace("\n", "")
        try:
            data = base64.b64decode(blob, validate=True)
        except (binascii.Error, ValueError):
            continue
        if data[4 : 4 + len(match[1])] == match[1].encode():
            found.append(f"{match[1]} {blob}")
    return found


def write(release: Release, action: str, name: str, answers: Mapping[str, str]) -> Script[frozenset[str]]:
    """NEW, EDIT or DELETE a subscription; nothing of it counts before commit(). Gives what was asked."""
    listed = screen = yield from past_mode((yield Line("logconfig")), release)
    screen = yield from operation(screen, release, action)
    if action != "NEW":
        if topic_of(screen, release) != "log":
            raise unexpected(screen, "the number of the log was to be asked for")
        both = screen if any(name in line for line in screen.text.split("\n")) else listed
        screen = yield Line(entry(both, name))
    if action == "DELETE" and topic_of(screen, release) == "confirm" and f'"{name}"' not in screen.question:
        raise unexpected(screen, f"it is not {name} that is to be deleted")
    screen, asked = yield from walk(screen, release, answers)
    yield from leave(screen, release)
    return asked


def commit(release: Release) -> Script[None]:
    """Raises RefusedError where the appliance says no, NoAnswerError where nobody can say what it did."""
    screen = yield Line("commit", commits=True)
    for topic, value in (("comment", COMMENT), ("rollback", "yes")):
        unchanged_by_others(screen)
        if screen.kind != SHELL and topic_of(screen, release) == topic:
            screen = yield answer(screen, release, topic, value)
    text = at_prompt(screen).text
    if COMMITTED.search(text):
        return
    if NOTHING.search(text):
        raise RefusedError("commit the change", "the appliance has no change to commit", code="NothingToCommit")
    raise NoAnswerError("commit the change", f"it is not said to be committed: {screen.shown()}", code="NotSaid")


def rollover(release: Release, name: str) -> Script[None]:
    """Close the current file and push it: the probe."""
    screen = yield Line("rollovernow")
    if topic_of(screen, release) != "log":
        raise unexpected(screen, "the number of the log was to be asked for")
    screen = at_prompt((yield Line(entry(screen, name))))
    if not ROLLED.search(screen.text):
        raise RefusedError("roll the log over", screen.shown(), code="NotRolledOver")
