# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The action of every module of ours: plugins/action has a link to this file under each module's name.

Ansible loads an action once in the parent, before it forks, and with it what its module imports. A redirect to one
action would leave that to each fork.
"""

from __future__ import annotations

from importlib import import_module

from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction

if ".plugins.action." in __name__:  # and not read as the file that the links lead to

    class ActionModule(EngineAction):
        MODULE = import_module(__name__.replace(".plugins.action.", ".plugins.modules.")).MODULE
