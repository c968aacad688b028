# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sekoia.io's API: who may ask, and what is answered; and the HTTP intake.

Paths, fields, lists and statuses: docs.sekoia.io and meshroom 0.3.4. Assumed: codes and words of errors, the list of
trigger configurations, community_uuid in lists, tags in the list of playbooks, fields of runs beside status, started_at
and node_runs, a search job that is done at once, the newest event first, and that a playbook's definition is refused
where its nodes have no type or lead nowhere.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from lab.kernel.registration import Operation
from lab.kernel.router import Table
from lab.sekoia import access, intakes, playbooks
from lab.sekoia.state import DISABLED, ENABLED

API, SYMPHONY, CONF = "/api/v1", "/api/v1/symphony", "/api/v1/sic/conf"


def _known(kind: str, handler: Any, permission: str = "") -> Operation:
    return Operation(f"sekoia.{kind}", handler, partial(access.enter, permission=permission))


_READ, _WRITE = "SYMPHONY_READ_PLAYBOOKS", "SYMPHONY_WRITE_PLAYBOOKS"


def _crud(of: str, path: str) -> dict[tuple[str, str], Operation]:
    one = f"{path}/{{uuid}}"
    return {
        ("GET", path): _known(f"{of}.list", partial(playbooks.configurations, of=of), _READ),
        ("POST", path): _known(f"{of}.create", partial(playbooks.create_configuration, of=of), _WRITE),
        ("GET", one): _known(f"{of}.get", partial(playbooks.configuration, of=of), _READ),
        ("PATCH", one): _known(f"{of}.update", partial(playbooks.change_configuration, of=of), _WRITE),
        ("DELETE", one): _known(f"{of}.delete", partial(access.delete, of=of), _WRITE),
    }


_PLAYBOOKS, _JOBS = f"{SYMPHONY}/playbooks", f"{CONF}/events/search/jobs"
_INTAKES = f"{CONF}/intakes"
ROUTES = Table(
    {
        ("GET", f"{API}/me"): _known("me", access.me),
        ("GET", f"{API}/apiauth/auth/validate"): _known("validate", access.me),
        ("GET", f"{API}/communities"): _known("communities", access.communities),
        ("GET", _PLAYBOOKS): _known("playbooks.list", playbooks.playbooks, _READ),
        ("POST", _PLAYBOOKS): _known("playbooks.create", playbooks.create_playbook, _WRITE),
        ("GET", f"{_PLAYBOOKS}/{{uuid}}"): _known("playbooks.get", playbooks.playbook, _READ),
        ("PATCH", f"{_PLAYBOOKS}/{{uuid}}"): _known("playbooks.update", playbooks.change_playbook, _WRITE),
        ("DELETE", f"{_PLAYBOOKS}/{{uuid}}"): _known(
            "playbooks.delete", partial(access.delete, of="playbooks"), _WRITE
        ),
        ("POST", f"{_PLAYBOOKS}/{{uuid}}/activate"): _known(
            "playbooks.activate", partial(playbooks.switch, status=ENABLED), _WRITE
        ),
        ("POST", f"{_PLAYBOOKS}/{{uuid}}/deactivate"): _known(
            "playbooks.deactivate", partial(playbooks.switch, status=DISABLED), _WRITE
        ),
        **_crud("triggers", f"{SYMPHONY}/trigger-configurations"),
        **_crud("modules", f"{SYMPHONY}/module-configurations"),
        ("POST", f"{SYMPHONY}/trigger-configurations/{{uuid}}"): _known("triggers.emit", playbooks.emit, _WRITE),
        ("GET", f"{SYMPHONY}/modules/{{uuid}}"): _known("module", playbooks.module, _READ),
        ("GET", f"{SYMPHONY}/playbook-runs"): _known("runs.list", playbooks.runs, _READ),
        ("GET", f"{SYMPHONY}/playbook-runs/{{uuid}}"): _known("runs.get", playbooks.run, _READ),
        ("GET", f"{SYMPHONY}/node-runs/{{uuid}}"): _known("runs.node", playbooks.node_run, _READ),
        ("GET", f"{API}/sic/alerts"): _known("alerts.list", playbooks.alerts, "SIC_READ_ALERTS"),
        ("GET", f"{API}/sic/alerts/{{uuid}}"): _known("alerts.get", playbooks.alert, "SIC_READ_ALERTS"),
        ("POST", f"{API}/sic/alerts/{{uuid}}/comments"): _known(
            "alerts.comment", playbooks.comment, "SIC_COMMENT_ALERTS"
        ),
        ("GET", _INTAKES): _known("intakes.list", intakes.intakes, "SIC_READ_INTAKES"),
        ("POST", _INTAKES): _known("intakes.create", intakes.create_intake, "SIC_WRITE_INTAKES"),
        ("GET", f"{_INTAKES}/{{uuid}}"): _known("intakes.get", intakes.intake, "SIC_READ_INTAKES"),
        ("PATCH", f"{_INTAKES}/{{uuid}}"): _known("intakes.update", intakes.change_intake, "SIC_WRITE_INTAKES"),
        ("DELETE", f"{_INTAKES}/{{uuid}}"): _known(
            "intakes.delete", partial(access.delete, of="intakes"), "SIC_WRITE_INTAKES"
        ),
        ("GET", f"{CONF}/entities"): _known("entities.list", intakes.entities, "SIC_READ_ENTITIES"),
        ("POST", f"{CONF}/entities"): _known("entities.create", intakes.create_entity, "SIC_WRITE_INTAKES"),
        ("GET", f"{CONF}/generation-modes"): _known("generation_modes", intakes.generation_modes),
        ("GET", f"{API}/ingest/formats"): _known("formats", intakes.formats),
        ("POST", _JOBS): _known("search.create", intakes.search, "SIC_READ_EVENTS"),
        ("GET", f"{_JOBS}/{{uuid}}"): _known("search.get", intakes.job, "SIC_READ_EVENTS"),
        ("GET", f"{_JOBS}/{{uuid}}/events"): _known("search.events", intakes.job_events, "SIC_READ_EVENTS"),
        ("POST", intakes.INTAKE): Operation("sekoia.receive", intakes.receive),
        ("POST", f"{intakes.INTAKE}/plain"): Operation("sekoia.receive_plain", intakes.receive),
        ("POST", f"{intakes.INTAKE}/batch"): Operation("sekoia.receive_batch", intakes.receive_batch),
    }
)
