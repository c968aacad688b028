# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""YAML in the style of this repository."""

from __future__ import annotations

from typing import Any

import yaml


class Unsafe(str):
    """A string that Ansible must not template."""


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    """Templates in double quotes, or folded where they are long."""
    style = None if "{{" not in text else '"' if len(text) < 90 else ">"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _unsafe(dumper: _Dumper, text: Unsafe) -> yaml.ScalarNode:
    return dumper.represent_scalar("!unsafe", str(text), style='"')


_Dumper.add_representer(str, _text)
_Dumper.add_representer(Unsafe, _unsafe)


def dump(data: Any, width: int = 100) -> str:
    """Block style, in the given order, with lists indented. A line ends with the first word beyond the width."""
    return yaml.dump(data, Dumper=_Dumper, sort_keys=False, width=width, allow_unicode=True)


def dump_within(data: Any, longest: int = 120) -> str:
    """The same with no line longer than that, as far as its words allow."""
    made = [dump(data, width) for width in (100, 85, 70, 55)]
    return next((text for text in made if max(map(len, text.splitlines())) <= longest), made[-1])
