# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs mssp.onboarding.azure_role_assignment in Ansible's worker."""

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity import options as identity_options
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import capability as role_assignments
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.rights import options as rights_options
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction


class ActionModule(EngineAction):
    SPEC = rights_options.ROLE_ASSIGNMENT_MODULE_SPEC
    RULES = identity_options.ADMINISTRATOR_RULES
    CAPABILITY = role_assignments.RoleAssignment.name
    ENGINE = staticmethod(role_assignments.converge)
