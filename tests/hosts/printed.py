"""What ansible-playbook printed, read back."""

from __future__ import annotations

import re

BLOCK = re.compile(r"^--- before.*\n(?:(?!--- before)[-+@ \\].*\n)*", re.MULTILINE)


def diffs(printed: str) -> list[str]:
    """The diffs of all hosts, each with what changes and its content, in an order that does not depend on the hosts."""
    return sorted(BLOCK.findall(printed))
