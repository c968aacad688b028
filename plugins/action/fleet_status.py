# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.fleet_status in Ansible's worker."""

from __future__ import annotations

from typing import Any, ClassVar

from ansible_collections.mssp.onboarding.plugins.module_utils._fleet import status
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = status.SPEC
    RULES: ClassVar[dict[str, Any]] = {}
    CAPABILITY = status.CAPABILITY
    ENGINE = staticmethod(status.run)
