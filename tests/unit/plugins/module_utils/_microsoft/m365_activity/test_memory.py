# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is remembered of the starts: whole or told, and changed by a run that may."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.memory import Memory
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.plan import Known


def test_one_run_knows_what_the_other_did(tmp_path: Path) -> None:
    evidence = str(tmp_path / "contoso.m365_subscriptions.jsonl")
    Memory(evidence, writes=True).keep(**{"Audit.Exchange": Known(started=1.0, last=2.0)})
    assert Memory(evidence.replace("subscriptions", "activity_info"), writes=True).of("Audit.Exchange").started == 1.0
    assert Memory(str(tmp_path / "fabrikam.m365.jsonl"), writes=True).known == {}


def test_what_is_known_already_is_not_written_again(tmp_path: Path) -> None:
    held = Memory(str(tmp_path / "contoso.m365.jsonl"), writes=True)
    held.keep(**{"Audit.Exchange": Known(started=1.0)})
    (kept,) = (tmp_path / "coverage").iterdir()
    kept.unlink()
    held.keep(**{"Audit.Exchange": Known(started=1.0)})
    assert not kept.exists()


def test_a_check_changes_nothing_and_without_evidence_nothing_is_kept(tmp_path: Path) -> None:
    evidence = str(tmp_path / "contoso.m365.jsonl")
    Memory(evidence, writes=False).keep(**{"Audit.Exchange": Known(started=1.0)})
    assert list(tmp_path.iterdir()) == []
    assert Memory(evidence, writes=True).kept
    assert not Memory("", writes=True).kept


@pytest.mark.parametrize("text", ["{", "[]", '{"Audit.Exchange": {"started": "soon"}}', '{"Audit.Exchange": {"x": 1}}'])
def test_what_cannot_be_read_is_not_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "coverage").mkdir()
    (tmp_path / "coverage" / "contoso.m365_activity.starts.json").write_text(text)
    with pytest.raises(OnboardingError) as caught:
        Memory(str(tmp_path / "contoso.m365.jsonl"), writes=True)
    assert (caught.value.code, bool(caught.value.next_step)) == ("StartsUnknown", True)
