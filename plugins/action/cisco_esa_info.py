# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Made by scripts/generate: the action of the module of the same name."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.modules.cisco_esa_info import MODULE
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    MODULE = MODULE
