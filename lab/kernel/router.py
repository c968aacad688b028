# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A table of routes for vendors whose paths are plain: `Table({("GET", "/v1/things/{id}"): Operation(...)})`."""

from __future__ import annotations

import re
from collections.abc import Mapping

from lab.kernel.http import Call
from lab.kernel.registration import Operation


class Table:
    """Paths match in any case; what stands for `{name}` goes to `call.args` as the client spelled it."""

    def __init__(self, routes: Mapping[tuple[str, str], Operation]) -> None:
        self.operations = tuple(routes.values())
        self._fixed = {(method, path.lower()): found for (method, path), found in routes.items() if "{" not in path}
        self._open = [(method, _pattern(path), found) for (method, path), found in routes.items() if "{" in path]

    def find(self, call: Call) -> Operation | None:
        found = self._fixed.get((call.method, call.low))
        if found is not None:
            return found
        for method, pattern, operation in self._open:
            match = pattern.fullmatch(call.path) if method == call.method else None
            if match:
                call.args = match.groupdict()
                return operation
        return None


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"\{(\w+)\}", path)
    return re.compile("".join(f"(?P<{part}>[^/]+)" if n % 2 else re.escape(part) for n, part in enumerate(parts)), re.I)
