# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Consumers' files: the pair, and not a byte of others."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import consumers
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.plan import Consumer, Pair

PAIR = Pair("AKIANEW", "s/3+=cret")
OURS = "aws_access_key_id = AKIANEW\naws_secret_access_key = s/3+=cret\n"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", f"[siem]\n{OURS}"),
        ("[other]\nregion = x\n", f"[other]\nregion = x\n[siem]\n{OURS}"),
        (
            "[siem]\n# ours\naws_access_key_id=AKIAOLD\nregion=eu\naws_secret_access_key = old\n\n[z]\na = b\n",
            "[siem]\n# ours\naws_access_key_id = AKIANEW\nregion=eu\naws_secret_access_key = s/3+=cret\n\n[z]\na = b\n",
        ),
        ("[siem]\nregion = eu\n\n[z]\n", f"[siem]\nregion = eu\n{OURS}\n[z]\n"),
    ],
)
def test_a_profile_gets_the_pair(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "credentials"
    if before:
        file.write_text(before)
        file.chmod(0o640)
    one = Consumer(str(file), "siem")
    assert not consumers.has(one, PAIR)
    consumers.switch(one, PAIR)
    assert file.read_text() == after
    assert file.stat().st_mode & 0o777 == (0o640 if before else 0o600)
    assert consumers.has(one, PAIR)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "credentials").symlink_to("/etc/passwd")
    with pytest.raises(RefusedError):
        consumers.switch(Consumer(str(tmp_path / "credentials"), "siem"), PAIR)
