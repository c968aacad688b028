# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import capability as intake
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.intake import options as intake_options
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import capability as playbook
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import options as playbook_options
from lab.client import LabClient

from ..test_sekoia_intake import Intakes
from ..test_sekoia_playbook import Sync
from . import Run, Source


def _playbook(lab: LabClient) -> Run:
    one = Sync(lab)
    one.converge()
    return lambda: one.run(playbook.verify, playbook_options.FLOW_SPEC)


def _intake(lab: LabClient) -> Run:
    one = Intakes(lab)
    one.converge()
    return lambda: one.run(intake.verify, intake_options.FLOW_SPEC)


SOURCES = {
    "sekoia playbook": Source(lambda lab: Sync(lab).converge, "re:symphony/playbooks$"),
    "sekoia playbook, verify": Source(_playbook, "re:symphony/playbooks$"),
    "sekoia intake": Source(lambda lab: Intakes(lab).converge, "re:conf/intakes$"),
    "sekoia intake, verify": Source(_intake, "re:/search/jobs"),
}
