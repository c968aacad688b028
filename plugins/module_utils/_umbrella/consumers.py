# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who reads the bucket: pairs in files of AWS' shared credentials, which the SIEM's collectors on this machine read.

Source: docs.aws.amazon.com, «Configuration and credential file settings». Lines of others stay as they are.
"""

from __future__ import annotations

import os
import re

from .._core.errors import RefusedError
from .._host import files
from .plan import Consumer, Pair

SECTION = re.compile(r"\s*\[(?P<name>[^\]]*)\]")
SETTING = re.compile(r"\s*(?P<name>\w+)\s*=\s*(?P<value>.*?)\s*$")
MODE = 0o600


def label(one: Consumer) -> str:
    return f"{one.credentials_file} [{one.profile}]"


def has(one: Consumer, pair: Pair) -> bool:
    """Whether the file has this pair. Raises RefusedError where it cannot be read."""
    return _pair(_read(one).splitlines(), one.profile) == pair


def switch(one: Consumer, pair: Pair) -> None:
    """Write the pair, and nothing else. Raises RefusedError."""
    content = _read(one)
    after = "\n".join(changed(content.splitlines(), one.profile, pair)) + "\n"
    if after == content:
        return
    try:
        held = os.stat(one.credentials_file) if content else None
        mode, owner, group = (
            (held.st_mode & 0o777, held.st_uid, held.st_gid) if held else (MODE, os.geteuid(), os.getegid())
        )
        files.write(one.credentials_file, after, mode, owner, group)
    except OSError as error:
        raise _unusable("write", one, error) from error


def changed(lines: list[str], profile: str, pair: Pair) -> list[str]:
    """The lines with the pair in the profile's section."""
    wanted = {"aws_access_key_id": pair.access_key_id, "aws_secret_access_key": pair.secret_access_key}
    kept: list[str] = []
    section, end = "", None
    for line in lines:
        found, setting = SECTION.match(line), SETTING.match(line)
        if found:
            section = found["name"].strip()
        elif section == profile and setting and setting["name"] in ("aws_access_key_id", "aws_secret_access_key"):
            if setting["name"] not in wanted:  # said twice
                continue
            line = f"{setting['name']} = {wanted.pop(setting['name'])}"
        kept.append(line)
        end = len(kept) if section == profile and line.strip() else end
    rest = [f"{name} = {value}" for name, value in wanted.items()]
    if end is None:
        return [*kept, f"[{profile}]", *rest]
    return [*kept[:end], *rest, *kept[end:]]


def _pair(lines: list[str], profile: str) -> Pair:
    section, held = "", {}
    for line in lines:
        found, setting = SECTION.match(line), SETTING.match(line)
        section = found["name"].strip() if found else section
        if setting and section == profile:
            held[setting["name"]] = setting["value"]
    return Pair(held.get("aws_access_key_id", ""), held.get("aws_secret_access_key", ""))


def _read(one: Consumer) -> str:
    try:
        found = files.read(one.credentials_file)
    except OSError as error:
        raise _unusable("read", one, error) from error
    return found.content if found else ""


def _unusable(verb: str, one: Consumer, error: OSError) -> RefusedError:
    step = "see to the file and its rights, then run again: the new key is kept, and nothing is rotated twice"
    return RefusedError(f"{verb} {label(one)}", error.strerror or str(error), code="ConsumerUnusable", next_step=step)
