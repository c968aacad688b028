# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.azure_diagnostic_settings in Ansible's worker."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import capability as sweep
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.diagnostics import options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = options.SETTINGS_MODULE_SPEC
    RULES = identity_options.IDENTITY_RULES
    CAPABILITY = sweep.Diagnostics.name
    ENGINE = staticmethod(sweep.converge)
