# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: whole_number
short_description: The number that a limit stands for, or an error
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - Unlike P(ansible.builtin.int#filter), which takes whatever is no number for 0, this refuses it, so that a limit with
    a typing error is not taken for another limit or for none.
options:
  _input:
    description: A whole number that is 0 or more, or its digits as a string.
    type: raw
    required: true
"""

EXAMPLES = r"""
# that: total <= drift_max_changes | mssp.onboarding.whole_number
"""

RETURN = r"""
_value:
  description: The number.
  type: int
"""

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleFilterError

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.options import whole_number


def of_limit(value: Any) -> int:
    """See DOCUMENTATION."""
    try:
        return whole_number(value, "this limit")
    except InputError as error:
        raise AnsibleFilterError(error.message) from None


class FilterModule:
    """See DOCUMENTATION."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"whole_number": of_limit}
