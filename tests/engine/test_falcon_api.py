# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Preflight of API clients against the lab's CrowdStrike cloud: every refusal is told from every other."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import http
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import api, catalog, desired
from lab.client import LabClient


class Asked:
    """One run of the preflight. client: name of the API client in the lab."""

    def __init__(self, lab: LabClient, client: str = "contoso", **options: Any) -> None:
        client_id, secret = lab.crowdstrike.client(client)
        cid = {"base_url": lab.url, "client_id": client_id, "app_id": "siem", **options.pop("cid", {})}
        self.secret = options.pop("secret", secret)
        params = {
            "tenant": "contoso",
            "cids": {"main": cid},
            "secrets": {"main": {"client_secret": self.secret}},
            "ca_file": lab.ca_file,
            "time_limit_seconds": 60,
            "clock": time.time(),
            "running": [],
            **options,
        }
        self.result = execute(api.run, catalog.CAPABILITY, params, check=False, diff=False, secrets=[self.secret])

    @property
    def statuses(self) -> dict[str, str]:
        return {finding["check"]: finding["status"] for finding in self.result["findings"]}

    @property
    def bad(self) -> tuple[str, str]:
        """(check, detail) of the one finding that is not ok."""
        [found] = [finding for finding in self.result["findings"] if finding["status"] != "ok"]
        assert found["next_step"]
        assert self.result["summary"]["outcome"] == {"missing": "failed", "unknown": "unknown"}[found["status"]]
        return found["check"], found["detail"]


def test_a_client_that_may(lab: LabClient) -> None:
    asked = Asked(lab)
    assert asked.statuses == {"clock": "ok", "sign_in": "ok", "scope": "ok", "app_id": "ok"}
    assert asked.result["summary"]["outcome"] == "in_sync"
    assert not any(session["reading"] for session in lab.crowdstrike.sessions("contoso"))


def test_without_the_scope(lab: LabClient) -> None:
    check, detail = Asked(lab, "contoso-hosts").bad
    assert (check, detail) == ("scope", "HTTP 403: access denied, authorization failed")


def test_a_wrong_secret(lab: LabClient) -> None:
    asked = Asked(lab, secret="not-the-secret")
    check, detail = asked.bad
    assert check == "sign_in"
    assert detail.startswith("HTTP 403: Failed to issue access token")
    assert "not-the-secret" not in str(asked.result)


def test_a_wrong_client_id(lab: LabClient) -> None:
    assert Asked(lab, cid={"client_id": "f" * 32}).bad[0] == "sign_in"
    assert Asked(lab, cid={"client_id": "short"}).bad[1].startswith("HTTP 400")


def test_an_app_id_in_use(lab: LabClient) -> None:
    lab.crowdstrike.do("occupy", cid="contoso", app_id="siem")
    assert Asked(lab).bad[0] == "app_id"
    assert Asked(lab, running=["main"]).statuses["app_id"] == "ok"


def test_a_clock_that_is_wrong(lab: LabClient) -> None:
    check, detail = Asked(lab, clock=time.time() - 3600).bad
    assert check == "clock"
    assert "behind the cloud's" in detail
    lab.crowdstrike.do("switch", skew=-3600)
    assert "ahead of" in Asked(lab).bad[1]
    assert "clock" not in Asked(lab, clock=None).statuses


def test_patience(lab: LabClient, hasty: list[float]) -> None:
    lab.fault("status", kind="falcon.token", status=503, count=2)
    assert Asked(lab).statuses["sign_in"] == "ok"
    lab.fault("throttle", kind="falcon.discover", seconds=1, count=9)
    check, detail = Asked(lab).bad
    assert check == "scope"
    assert "HTTP 429" in detail


@pytest.mark.parametrize("fault", ["malformed", "truncated", "drop", "empty", "html"])
def test_no_answer_is_unknown_and_not_missing(lab: LabClient, hasty: list[float], fault: str) -> None:
    lab.fault(fault, kind="falcon.discover", count=9)
    asked = Asked(lab)
    assert asked.statuses["sign_in"] == "ok"
    assert asked.bad[0] in ("reach", "scope")
    assert "unknown" in asked.statuses.values()
    assert "missing" not in asked.statuses.values()


@pytest.mark.parametrize(
    ("body", "statuses"),
    [
        ({"resources": None}, {"scope": "ok", "app_id": "missing"}),
        ({"errors": [{"code": 500, "message": "later"}]}, {"scope": "unknown"}),
        ([], {"scope": "unknown"}),
    ],
)
def test_an_answer_without_streams_is_not_one_without_free_streams(
    monkeypatch: pytest.MonkeyPatch, body: Any, statuses: dict[str, str]
) -> None:
    async def send(*_args: Any, **_given: Any) -> http.Answer:
        return http.Answer(200, {}, body)

    monkeypatch.setattr(http, "send", send)
    options = {"tenant": "contoso", "cids": {"main": {"cloud": "us_1", "client_id": "f" * 32}}}
    [cid] = desired.cids(options, None)
    asked = api.Preflight(cid, {"running": []}, Redactor())
    asyncio.run(asked._streams(None, "canary"))
    assert {finding.check: finding.status for finding in asked.findings} == statuses


def test_nobody_answers(lab: LabClient) -> None:
    assert Asked(lab, cid={"base_url": "https://127.0.0.1:9"}).statuses == {"reach": "unknown"}


def test_the_region_that_the_cloud_names(lab: LabClient) -> None:
    options = {"tenant": "contoso", "cids": {"main": {"cloud": "us_1", "client_id": "f" * 32}}}
    [cid] = desired.cids(options, None)
    found = api.Preflight(cid, {}, Redactor())
    found._region("us-1")
    found._region("")
    assert found.findings == []
    found._region("us-2")
    assert found.findings[0].next_step == "set cloud to us_2"


def test_a_certificate_that_is_not_trusted(lab: LabClient) -> None:
    check, detail = Asked(lab, ca_file=None).bad
    assert check == "reach"
    assert "CertificateRefused" in detail
