# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.collector_probe in Ansible's worker."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import probe
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = probe.SPEC
    RULES = probe.RULES
    CAPABILITY = probe.CAPABILITY
    ENGINE = staticmethod(probe.run)
