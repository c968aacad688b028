# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.entra_diagnostic_settings in Ansible's worker."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import capability as entra_logs
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.entra_logs import options as entra_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = entra_options.ENTRA_MODULE_SPEC
    RULES = identity_options.ADMINISTRATOR_RULES
    CAPABILITY = entra_logs.EntraLogs.name
    ENGINE = staticmethod(entra_logs.converge)
