# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Connectors, wishes and options, of which a test says only what matters to it."""

from __future__ import annotations

from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._coro import options
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.connectors import Connector, Wanted

URL = "https://hec.soc.example:8088/services/collector"
HOOK = "https://tickets.soc.example/hooks/coro"
GUID = "6c1a7e52-0b3f-4d5e-9a41-2f8b0c9d7e10"


def connector(name: str = "soc", **given: Any) -> Connector:
    """A Splunk connector as Coro shows it."""
    made = Connector(id=f"id-{name}", name=name, format="splunk", fields={"listener_url": URL})
    return made._replace(**given)


def want(name: str = "soc", **given: Any) -> Wanted:
    """The same connector as it is wanted."""
    made = Wanted(name, "splunk", {"listener_url": URL}, {"authorization": "Splunk canary-token"})
    return made._replace(**given)


def params(connectors: dict[str, Any] | None = None, secrets: dict[str, Any] | None = None, **more: Any) -> Any:
    """Parameters of a task over these connectors, checked as Ansible checks them."""
    given = {
        "client_id": "coro-contoso",
        "client_secret": "canary-secret",
        "workspace": "contoso_Qx7d_b",
        "api_url": "https://coro.example",
        "connectors": connectors or {},
        "secrets": secrets or {},
        **more,
    }
    found = ArgumentSpecValidator(options.TENANT_MODULE_SPEC).validate(given)
    assert not found.error_messages, found.error_messages
    return dict(found.validated_parameters)
