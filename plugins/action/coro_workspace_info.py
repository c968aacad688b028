# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.coro_workspace_info in Ansible's worker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ansible_collections.mssp.onboarding.plugins.module_utils._coro import capability, options
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = options.WORKSPACE_MODULE_SPEC
    RULES: ClassVar[Mapping[str, Any]] = {}
    CAPABILITY = capability.CoroConnectors.name
    ENGINE = staticmethod(capability.preflight)
