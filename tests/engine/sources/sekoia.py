# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from ..test_sekoia_intake import Intakes
from ..test_sekoia_playbook import Sync
from . import Source

SOURCES = {
    "sekoia playbook": Source(lambda lab: Sync(lab).converge, "re:symphony/playbooks$"),
    "sekoia intake": Source(lambda lab: Intakes(lab).converge, "re:conf/intakes$"),
}
