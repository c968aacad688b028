# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An answer is read as it is documented, or refused; a secret in it is never thrown away."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.api import FIRST_ROTATION, parse
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.plan import Pair

GOOD = {
    "oldKeyId": "AKIAOLDOLDOLDOLD0000",
    "currentKeyId": "AKIANEWNEWNEWNEW0000",
    "secretAccessKey": "s" * 40,
    "keyCreationDate": "2026-11-29T10:00:00",
}
PAIR = Pair("AKIANEWNEWNEWNEW0000", "s" * 40)


def test_the_pair_is_taken_whatever_else_is_there() -> None:
    assert parse("rotate", GOOD) == PAIR
    for rest in ("oldKeyId", "keyCreationDate"):
        assert parse("rotate", {**GOOD, rest: None}) == PAIR


def test_an_error_within_a_success_is_one() -> None:
    with pytest.raises(RefusedError) as caught:
        parse("rotate", {"status": 200, "error": "Not found IAM key info for orgId: 5", "path": "/iam/rotate-key"})
    assert caught.value.code == FIRST_ROTATION
    with pytest.raises(RefusedError) as caught:
        parse("rotate", {"status": 200, "error": "no"})
    assert caught.value.code == "ErrorIn200"


@pytest.mark.parametrize("field", ["currentKeyId", "secretAccessKey"])
@pytest.mark.parametrize("odd", [True, -1, [], {}, None, "", "a b"])
def test_an_answer_without_a_pair_is_none(field: str, odd: Any) -> None:
    with pytest.raises(NoAnswerError):
        parse("rotate", {**GOOD, field: odd})
    with pytest.raises(NoAnswerError):
        parse("rotate", odd)
