# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from collections.abc import Callable

from lab.client import LabClient

from ..m365_engines import AUDIT, Feed
from . import Run, Source


def _m365(verb: str) -> Callable[[LabClient], Run]:
    def prepare(lab: LabClient) -> Run:
        one = Feed(lab, None)
        if verb != "converge":
            lab.configure(m365_first_delay=0)
            one.converge()
            lab.m365.record(one.tenant, *AUDIT)
        return getattr(one, verb)  # type: ignore[no-any-return]

    return prepare


SOURCES = {
    "m365": Source(_m365("converge"), "re:subscriptions/list$"),
    "m365, verify": Source(_m365("verify"), "re:subscriptions/content$"),
    "m365, preflight": Source(_m365("preflight"), "re:subscriptions/list$"),
}
