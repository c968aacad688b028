# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A client of Microsoft Graph that others wrote works against the lab: Office365-REST-Python-Client (MIT)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from office365.directory.key_credential import KeyCredential
from office365.graph_client import GraphClient
from office365.runtime.client_request_exception import ClientRequestException

from lab.client import LabClient
from lab.entra.directory_roles import GRAPH
from lab.kernel.ca import Identity, make_app
from lab.testing import CLIENT_ID, NORTHWIND, PROSEWARE, TAILSPIN
from tests.lab.graph.graph_tools import entry, proof, roles, signed_in

Connect = Callable[[str], GraphClient]


class Session(requests.Session):
    """The client knows the addresses of Microsoft's clouds only."""

    def __init__(self, lab: LabClient) -> None:
        super().__init__()
        self.lab, self.verify, self.trust_env = lab, lab.ca_file, False

    def request(self, method: str, url: str, *rest: Any, **more: Any) -> requests.Response:  # type: ignore[override]
        return super().request(method, url.replace("https://graph.microsoft.com", self.lab.graph.url), *rest, **more)


@pytest.fixture
def connect(lab: LabClient) -> Connect:
    """connect(tenant): a client with the token of the tenant's administrator."""

    def make(tenant: str) -> GraphClient:
        token = lab.admin_token(tenant, "graph")
        client = GraphClient(lambda: {"token_type": "Bearer", "access_token": token})
        return client.with_transport(session=Session(lab))

    return make


def test_application(connect: Connect) -> None:
    client = connect(PROSEWARE)
    made = client.applications.add("made-by-another", signInAudience="AzureADMultipleOrgs").execute_query()
    found = client.applications.get_by_app_id(made.app_id).get().execute_query()
    assert (found.display_name, found.sign_in_audience) == ("made-by-another", "AzureADMultipleOrgs")
    secret = made.add_password("by hand").execute_query()
    assert secret.value.secretText
    made.remove_password(secret.value.keyId).execute_query()
    made.delete_object().execute_query()
    with pytest.raises(ClientRequestException, match="does not exist"):
        client.applications.get_by_app_id(made.app_id).get().execute_query()


def test_certificate(lab: LabClient, connect: Connect, registered: Identity) -> None:
    """Added by a PATCH of the list as it was read, without the keys; then rolled by proof."""
    second, third = make_app("second"), make_app("third")
    app = connect(PROSEWARE).applications.get_by_app_id(CLIENT_ID).get().execute_query()
    pem = second.certificate.public_bytes(serialization.Encoding.PEM)
    start, end = second.certificate.not_valid_before_utc, second.certificate.not_valid_after_utc
    app.add_certificate(pem, "second", start, end).execute_query()
    assert (signed_in(lab, registered), signed_in(lab, second)) == (0, 0)
    wanted = {name: value for name, value in entry(third).items() if name in ("type", "usage", "key")}
    added = app.add_key(KeyCredential(**wanted), None, proof(lab, second)).execute_query()
    assert signed_in(lab, third) == 0
    app.remove_key(added.value.keyId, proof(lab, second)).execute_query()
    assert signed_in(lab, third) == 700027


def test_grant(lab: LabClient, connect: Connect) -> None:
    client = connect(NORTHWIND)
    client.service_principals.add(CLIENT_ID).execute_query()
    graph = client.service_principals.get_by_app_id(GRAPH)
    graph.grant_application_permissions(CLIENT_ID, "SecurityAlert.Read.All").execute_query()
    assert roles(lab, NORTHWIND, "microsoft_graph") == ["SecurityAlert.Read.All"]
    again = client.service_principals.get_by_app_id(GRAPH)
    again.revoke_application_permissions(CLIENT_ID, "SecurityAlert.Read.All").execute_query()
    assert roles(lab, NORTHWIND, "microsoft_graph") == []


def test_it_reads_what_the_lab_refuses(lab: LabClient, connect: Connect) -> None:
    with pytest.raises(ClientRequestException) as caught:
        connect(TAILSPIN).service_principals.add(CLIENT_ID).execute_query()
    assert caught.value.code == "Request_MultipleObjectsWithSameKeyValue"


def test_pages(lab: LabClient, connect: Connect) -> None:
    lab.configure(page_size=2)
    found = connect(NORTHWIND).service_principals.get_all().execute_query()
    assert len(found) == 4
