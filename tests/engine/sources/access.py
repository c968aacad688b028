# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from lab.client import LabClient

from ..rights_engines import consented, delegation, role
from ..test_tenant_access import look
from . import Run, Source


def _role(lab: LabClient) -> Run:
    consented(lab)
    return role(lab).run


def _tenant_access(lab: LabClient) -> Run:
    consented(lab)
    return lambda: look(lab)


SOURCES = {
    "role assignment": Source(_role, "re:roleAssignments$"),
    "lighthouse": Source(lambda lab: delegation(lab).run, "re:registrationAssignments$"),
    "tenant access": Source(_tenant_access, "/servicePrincipals"),
}
