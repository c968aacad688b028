# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the engines of Microsoft 365's activity in this process, against a lab, as Ansible's action would."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.identity.options import IDENTITY_RULES
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity import capability, options
from lab.client import LabClient
from lab.testing import CLIENT_ID, CONTOSO, PROSEWARE

AUDIT = options.FEED_SPEC["content_types"]["default"]


class Feed:
    """Runs on one tenant. folder: of the evidence, None for none."""

    def __init__(self, lab: LabClient, folder: Path | None, tenant: str = CONTOSO) -> None:
        self.lab, self.folder, self.tenant = lab, folder, tenant
        self.given = {
            "tenant_id": tenant,
            "client_id": CLIENT_ID,
            "client_secret": lab.secret,
            "authority_url": lab.url,
            "api_url": lab.url,
            "ca_file": lab.ca_file,
            "publisher_id": PROSEWARE,
        }

    @property
    def memory(self) -> Path:
        assert self.folder
        return self.folder / "coverage" / "customer.m365_activity.starts.json"

    def run(self, engine: Any, spec: dict[str, Any], *, check: bool = False, **given: Any) -> dict[str, Any]:
        if self.folder and "evidence_path" in spec:
            given["evidence_path"] = str(self.folder / "customer.m365.jsonl")
        found = ArgumentSpecValidator(spec, **IDENTITY_RULES).validate({**self.given, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(engine, "m365_activity", found.validated_parameters, check=check, diff=False, secrets=secrets)

    def converge(self, *, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check=check, **given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.verify, options.ACTIVITY_SPEC, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)

    def held(self) -> dict[str, dict[str, Any]]:
        return dict(self.lab.m365.subscriptions(self.tenant))

    def other(self, type: str, **fields: Any) -> None:
        """Another program of the app's has subscribed."""
        self.lab.edit("m365_subscribe", tenant=self.tenant, app=CLIENT_ID, type=type, **fields)

    def asked(self) -> list[dict[str, Any]]:
        return list(self.lab.requests(last=2000)["last"])

    def starts(self) -> int:
        return sum(one["kind"] == "m365.start" for one in self.asked())

    def now(self) -> float:
        """The lab's."""
        return time.time()

    def older(self, seconds: float) -> None:
        """So much later: all that the lab has, and what is remembered here, is so much older."""
        self.lab.advance(seconds)
        held = json.loads(self.memory.read_text())
        shifted = {type: {key: when - seconds for key, when in one.items()} for type, one in held.items()}
        self.memory.write_text(json.dumps(shifted))
