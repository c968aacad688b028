# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A name that matches nothing is an error, and never no account at all."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.accounts import chosen
from ansible_collections.mssp.onboarding.plugins.module_utils._duo.client import Account

LITWARE, TWIN, OTHER_TWIN = CHILDREN = [
    Account("DA1", "api-1.duosecurity.com", "Litware"),
    Account("DA2", "api-2.duosecurity.com", "Twin"),
    Account("DA3", "api-3.duosecurity.com", "Twin"),
]


def test_ids_names_and_all() -> None:
    assert chosen(["all"], CHILDREN) == CHILDREN
    assert chosen(["Litware", "DA2", "DA1"], CHILDREN) == [LITWARE, TWIN]


def test_every_wrong_name_is_said() -> None:
    with pytest.raises(InputError) as caught:
        chosen(["Litwear", "Twin"], CHILDREN)
    assert all(word in caught.value.message for word in ("the nearest is 'Litware'", "DA2, DA3"))
    with pytest.raises(InputError, match="none at all"):
        chosen(["x"], [])
