# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The consent page: what it asks, what a click does, what it refuses; clicked by a program and by a browser."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from lab.client import LabClient, LabError
from lab.entra.directory_roles import GRAPH, RESOURCES, ids
from lab.testing import CLIENT_ID, CONTOSO, FABRIKAM, NORTHWIND, PROSEWARE, TAILSPIN
from tests.lab.conftest import ask_token
from tests.lab.graph.graph_tools import OURS, roles
from tests.pages.browser import program, running, tab

REDIRECT = "https://onboarding.proseware-security.example/consent"
STATE = "eyJ0IjoibiJ9.a+b/c=&d"


def link(lab: LabClient, tenant: str = NORTHWIND, form: str = "", **changes: str) -> str:
    """`form`: v2.0/ or nothing; a change to "" leaves the parameter out."""
    query = {"client_id": CLIENT_ID, "redirect_uri": REDIRECT, "state": STATE, **changes}
    text = urlencode({key: value for key, value in query.items() if value})
    return f"{lab.url}/{tenant}/{form}adminconsent?{text}"


def answer(url: str) -> dict[str, str]:
    assert url.startswith(REDIRECT + "?")
    return dict(parse_qsl(urlsplit(url).query))


def want(lab: LabClient, tenant: str, permissions: dict[str, list[str]], kind: str = "Role") -> None:
    """What the application asks for from now on."""
    wanted = [
        {
            "resourceAppId": RESOURCES[key].app_id,
            "resourceAccess": [{"id": ids(RESOURCES[key].app_id, False)[name], "type": kind} for name in names],
        }
        for key, names in permissions.items()
    ]
    assert lab.graph(tenant, "PATCH", OURS, {"requiredResourceAccess": wanted})[0] == 204


def test_accept_makes_the_principal_and_grants_all(lab: LabClient) -> None:
    assert answer(lab.consent(link(lab))) == {"admin_consent": "True", "tenant": NORTHWIND, "state": STATE}
    assert ask_token(lab, NORTHWIND)[0] == 200
    assert roles(lab, NORTHWIND, "microsoft_graph") == ["SecurityAlert.Read.All", "SecurityIncident.Read.All"]
    assert roles(lab, NORTHWIND, "office365_management") == ["ActivityFeed.Read"]


def test_a_grant_shows_in_tokens_some_time_after_it_is_listed(lab: LabClient) -> None:
    lab.configure(token_lag=600)
    lab.consent(link(lab))
    assert roles(lab, NORTHWIND, "microsoft_graph") == []
    lab.advance(601)
    assert roles(lab, NORTHWIND, "microsoft_graph") != []


def test_second_form_grants_one_resource(lab: LabClient) -> None:
    scope = "https://graph.microsoft.com/.default"
    told = answer(lab.consent(link(lab, form="v2.0/", scope=scope)))
    assert told == {"admin_consent": "True", "tenant": NORTHWIND, "state": STATE, "scope": scope}
    assert roles(lab, NORTHWIND, "microsoft_graph") == ["SecurityAlert.Read.All", "SecurityIncident.Read.All"]
    assert roles(lab, NORTHWIND, "office365_management") == []


def test_the_page_for_all_tenants_takes_that_of_who_signs_in(lab: LabClient) -> None:
    told = answer(lab.consent(link(lab, "common", login_hint="admin@fabrikam.example")))
    assert told == {"admin_consent": "True", "tenant": FABRIKAM, "state": STATE}
    with pytest.raises(LabError, match="90002"):
        lab.consent(link(lab, "common"))


def test_cancel_changes_nothing(lab: LabClient) -> None:
    told = answer(lab.consent(link(lab), accept=False))
    assert (told["error"], told["state"]) == ("access_denied", STATE)
    assert told["error_description"].startswith("AADSTS65004: ")
    assert ask_token(lab, NORTHWIND)[1]["error_codes"] == [7000229]


def test_page_alone_changes_nothing(lab: LabClient) -> None:
    status, _headers, page = lab.call("GET", link(lab).removeprefix(lab.url))
    text = page.decode()
    assert status == 200
    for part in ("northwind.example", "proseware-log-onboarding", CLIENT_ID, "ActivityFeed.Read"):
        assert part in text
    assert ask_token(lab, NORTHWIND)[1]["error_codes"] == [7000229]


def test_second_consent_adds_what_is_new_and_takes_nothing(lab: LabClient) -> None:
    want(lab, PROSEWARE, {"microsoft_graph": ["ThreatHunting.Read.All"]})
    lab.consent(link(lab, CONTOSO))
    granted = ["SecurityAlert.Read.All", "SecurityIncident.Read.All", "ThreatHunting.Read.All"]
    assert roles(lab, CONTOSO, "microsoft_graph") == granted


def test_delegated_permissions_give_an_app_nothing(lab: LabClient) -> None:
    want(lab, PROSEWARE, {"microsoft_graph": ["SecurityAlert.Read.All"]}, kind="Scope")
    lab.consent(link(lab))
    assert roles(lab, NORTHWIND, "microsoft_graph") == []


def test_ids_of_home_are_names_in_another_cloud(lab: LabClient) -> None:
    want(lab, PROSEWARE, {"microsoft_graph": ["ThreatHunting.Read.All"]})
    lab.consent(link(lab, TAILSPIN))
    assert "ThreatHunting.Read.All" in roles(lab, TAILSPIN, "microsoft_graph")


def test_tenant_by_domain_and_default_redirect(lab: LabClient) -> None:
    told = answer(lab.consent(link(lab, "northwind.example", redirect_uri="", state="")))
    assert told == {"admin_consent": "True", "tenant": NORTHWIND}


def test_service_that_the_tenant_has_not(lab: LabClient) -> None:
    want(lab, PROSEWARE, {"windows_defender_atp": ["Alert.Read.All"]})
    with pytest.raises(LabError, match=r"AADSTS650052: .*WindowsDefenderATP.*lacks a service principal"):
        lab.consent(link(lab, FABRIKAM))
    assert ask_token(lab, FABRIKAM)[1]["error_codes"] == [7000229]
    lab.consent(link(lab))
    assert roles(lab, NORTHWIND, "windows_defender_atp") == ["Alert.Read.All"]


@pytest.mark.parametrize(
    ("tenant", "form", "changes", "code"),
    [
        (NORTHWIND, "", {"redirect_uri": "https://evil.example/"}, 50011),
        (NORTHWIND, "", {"redirect_uri": REDIRECT + "/"}, 50011),
        (NORTHWIND, "", {"client_id": CLIENT_ID.replace("a0", "b0")}, 700016),
        (NORTHWIND, "", {"client_id": ""}, 700016),
        ("nobody.example", "", {}, 90002),
        ("common", "", {}, 90002),
        (NORTHWIND, "v2.0/", {}, 900144),
        (NORTHWIND, "v2.0/", {"scope": "https://unknown.example/.default"}, 500011),
    ],
)
def test_links_that_are_refused(lab: LabClient, tenant: str, form: str, changes: dict[str, str], code: int) -> None:
    with pytest.raises(LabError, match=f"AADSTS{code}: "):
        lab.consent(link(lab, tenant, form, **changes))


def test_application_of_one_tenant_is_not_found(lab: LabClient) -> None:
    assert lab.graph(PROSEWARE, "PATCH", OURS, {"signInAudience": "AzureADMyOrg"})[0] == 204
    with pytest.raises(LabError, match="AADSTS700016: "):
        lab.consent(link(lab))
    assert ask_token(lab, CONTOSO)[1]["error_codes"] == [700016]
    assert ask_token(lab, PROSEWARE)[0] == 200


def test_permission_that_nobody_offers(lab: LabClient) -> None:
    wanted = [{"resourceAppId": GRAPH, "resourceAccess": [{"id": NORTHWIND, "type": "Role"}]}]
    lab.graph(PROSEWARE, "PATCH", OURS, {"requiredResourceAccess": wanted})
    with pytest.raises(LabError, match="AADSTS650053: "):
        lab.consent(link(lab))


# -- in a browser -----------------------------------------------------------------------------------------------------


@pytest.mark.skipif(program() is None and not os.environ.get("CI"), reason="needs the Debian package chromium")
def test_person_clicks(lab: LabClient, tmp_path: Path) -> None:
    async def visit(address: str) -> str:
        async with tab(address) as page:
            await page.call(
                "Security.setIgnoreCertificateErrors", ignore=True
            )  # the profile does not know the lab's CA
            await page.open(link(lab))
            await page.evaluate("[...document.querySelectorAll('button')].find(b => b.innerText == 'Accept').click()")
            return await page.asked_for(REDIRECT)

    with running(tmp_path) as address:
        told = answer(asyncio.run(visit(address)))
    assert told == {"admin_consent": "True", "tenant": NORTHWIND, "state": STATE}
    assert roles(lab, NORTHWIND, "office365_management") == ["ActivityFeed.Read"]
