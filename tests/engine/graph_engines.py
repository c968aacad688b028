# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of the Graph engines in this process, against a lab, as Ansible's action would start them."""

from __future__ import annotations

import datetime
from functools import cache
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import capability as application
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.application import (
    options as application_options,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import capability as principal
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.principal import options as principal_options
from lab.client import LabClient
from lab.testing import CLIENT_ID, NORTHWIND, PROSEWARE

GRAPH, O365, DEFENDER = "microsoft_graph", "office365_management", "windows_defender_atp"
WANTED = {GRAPH: ["SecurityAlert.Read.All", "SecurityIncident.Read.All"], O365: ["ActivityFeed.Read"]}
REDIRECT = "https://onboarding.proseware-security.example/consent"
STATE_KEY = "canary-state-key-of-the-link"

ENGINES: dict[str, tuple[Any, str, dict[str, Any]]] = {
    "application": (application.converge, "mssp_application", application_options.MODULE_SPEC),
    "principal": (principal.converge, "entra_service_principal", principal_options.MODULE_SPEC),
}


class Directory:
    """Runs in one tenant; options given here hold for every run unless a run says otherwise. None leaves one out."""

    def __init__(self, lab: LabClient, engine: str, tenant: str, **given: Any) -> None:
        self.lab = lab
        self.engine = engine
        self.given = {
            "tenant_id": tenant,
            "client_id": CLIENT_ID,
            "authority_url": lab.url,
            "graph_url": lab.graph.url,
            "ca_file": lab.ca_file,
            **given,
        }

    def run(self, *, check: bool = False, diff: bool = False, reporter: Any = None, **args: Any) -> dict[str, Any]:
        function, capability, spec = ENGINES[self.engine]
        wanted = {key: value for key, value in {**self.given, **args}.items() if value is not None}
        found = ArgumentSpecValidator(spec, **application_options.RULES).validate(wanted)
        assert not found.error_messages, found.error_messages
        return execute(
            function, capability, dict(found.validated_parameters), check=check, diff=diff,
            secrets=found._no_log_values, reporter=reporter,
        )  # fmt: skip

    def writes(self) -> list[tuple[str, str]]:
        """(method, path) of every request to Graph that writes, since the lab was reset."""
        listed = self.lab.requests(last=5000)["last"]
        return [
            (one["method"], one["path"])
            for one in listed
            if one["path"].startswith("/graph/") and one["method"] != "GET"
        ]


def provider(lab: LabClient, **given: Any) -> Directory:
    """The provider's own tenant, by its administrator."""
    return Directory(lab, "application", PROSEWARE, access_token=lab.admin_token(PROSEWARE, "graph"), **given)


def customer(lab: LabClient, tenant: str = NORTHWIND, **given: Any) -> Directory:
    """A customer's tenant, by the app with its secret."""
    return Directory(lab, "principal", tenant, **{"client_secret": lab.secret, "permissions": WANTED, **given})


@cache
def _key(_name: str, bits: int) -> rsa.RSAPrivateKey:
    """One key a name: to make them is what costs."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


def certificate(path: Path, *, days: int = 365, started: int = 1, bits: int = 2048) -> str:
    """A new PEM file with a certificate and its key; days: until it ends; started: days ago."""
    key = _key(path.stem, bits)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, path.stem)])
    now = datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=started))
        .not_valid_after(now + datetime.timedelta(days=days))
        .sign(key, hashes.SHA256())
    )
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + text)
    return str(path)


def held(lab: LabClient, app: str = f"appId='{CLIENT_ID}'") -> dict[str, Any]:
    """The app as the provider's administrator reads it, certificates by their names."""
    status, found = lab.graph(PROSEWARE, "GET", f"applications({app})")
    assert status == 200, found
    return dict(found)


def counts(result: dict[str, Any]) -> dict[str, int]:
    """Counts that are not zero."""
    return {name: number for name, number in result["summary"]["counts"].items() if number and name != "targets"}
