# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: run_problems
short_description: What is wrong with a run before it has begun
version_added: 0.1.0
author:
  - The mssp.onboarding contributors (@mssp)
description:
  - The playbooks of this collection ask this first, and go no further where it has something to say.
  - An inventory without a tenant of ours, C(--tags) that select nothing, and a C(--limit) that takes a tenant without
    its collectors are problems. A limit that says itself what it leaves out, by C(!), C(&) or C(@file), is none.
  - So are extra variables (C(-e)) that are named as if they were ours and that nobody reads, and those that would give
    several tenants what each has to have for itself, as its tenant id.
  - Looks at the limits of the run, as C(drift_max_changes), C(mssp_max_fail_percentage) and C(mssp_serial), since
    Ansible takes many a typing error in them for no limit.
notes:
  - Takes no terms.
"""

EXAMPLES = r"""
# that: query('mssp.onboarding.run_problems') == []
"""

RETURN = r"""
_raw:
  description: One line for each problem.
  type: list
  elements: str
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.plugins.lookup import LookupBase
from ansible.utils.vars import load_extra_vars

from ansible_collections.mssp.onboarding.plugins.plugin_utils._capabilities import load_capabilities
from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema
from ansible_collections.mssp.onboarding.plugins.plugin_utils._run import (
    LIMITS,
    left_out,
    nobody,
    shared_identities,
    unknown_variables,
    unmatched_limits,
    wrong_limits,
    wrong_tags,
)

COLLECTOR = "collector"


class LookupModule(LookupBase):
    """See DOCUMENTATION."""

    def run(self, terms: Sequence[Any], variables: Mapping[str, Any] | None = None, **kwargs: Any) -> list[str]:
        given = variables or {}
        groups, hosts = given["groups"], given["ansible_play_hosts_all"]
        verb = given.get("play_verb", "")
        capabilities = load_capabilities()
        template = self._templar.template  # type: ignore[union-attr]  # Ansible always gives one
        found = wrong_limits({name: template(given[name]) for name in LIMITS if name in given})
        schema, extra = load_schema(), load_extra_vars(self._loader)  # type: ignore[arg-type]
        found += unknown_variables(extra, schema) + shared_identities(extra, schema, groups, hosts)
        found += wrong_tags(given.get("ansible_run_tags") or (), capabilities) + nobody(groups, hosts)
        limit = str(given.get("ansible_limit") or "")
        found += unmatched_limits(groups, limit)
        if any(one.host == COLLECTOR and verb in one.verbs for one in capabilities.values()):
            found += left_out(groups, hosts, limit)
        return found
