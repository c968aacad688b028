# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's Umbrella says what Cisco's documents say; its keys are real ones of moto's IAM, for boto3 unmodified."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from lab.client import LabClient
from lab.testing import running_lab
from lab.umbrella.client import CONTOSO, CONTOSO_KEY, LITWARE, PROSEWARE_KEY, WINGTIP
from tests.moto import MANAGED, moto

ROTATE = "/admin/v2/iam/rotateKey"


@pytest.fixture(scope="module")
def fleet() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(fleet: LabClient) -> LabClient:
    fleet.reset()
    return fleet


def sign_in(lab: LabClient, key: str, child: str = "", secret: str = "") -> tuple[int, Any]:
    pair = f"{key}:{secret or lab.umbrella.secret(key)}"
    headers = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    headers |= {"X-Umbrella-OrgId": child} if child else {}
    status, _headers, body = lab.call("POST", "/auth/v2/token", b"grant_type=client_credentials", headers=headers)
    return status, body


def bearer(lab: LabClient, key: str, child: str = "") -> dict[str, str]:
    return {"Authorization": "Bearer " + sign_in(lab, key, child)[1]["access_token"]}


def test_tokens_are_of_an_organization_or_of_its_child(lab: LabClient) -> None:
    assert sign_in(lab, CONTOSO_KEY, secret="wrong")[0] == 401
    assert sign_in(lab, CONTOSO_KEY, LITWARE)[0] == 403
    assert sign_in(lab, PROSEWARE_KEY, LITWARE)[1]["expires_in"] == 3600
    token = bearer(lab, CONTOSO_KEY)
    lab.advance(3601)
    status, _headers, body = lab.call("POST", ROTATE, headers=token)
    assert (status, body) == (400, {"error": "invalid_request"})


def test_a_rotation_needs_its_scope_and_the_first_one_by_hand(lab: LabClient) -> None:
    assert lab.call("POST", ROTATE)[0] == 401
    status, _headers, body = lab.call("POST", ROTATE, headers=bearer(lab, PROSEWARE_KEY, WINGTIP))
    assert (status, body["status"], body["path"]) == (400, 400, "/iam/rotate-key")
    assert body["error"] == f"Not found IAM key info for org {WINGTIP}."
    lab.configure(umbrella_error_in_200=True)
    status, _headers, body = lab.call("POST", ROTATE, headers=bearer(lab, PROSEWARE_KEY, WINGTIP))
    assert (status, "secretAccessKey" in body) == (200, False)
    lab.edit("change_umbrella_key", key=CONTOSO_KEY, scopes=["reports"])
    assert lab.call("POST", ROTATE, headers=bearer(lab, CONTOSO_KEY))[0] == 403


def test_five_rotations_a_second_and_no_more(lab: LabClient) -> None:
    token = bearer(lab, CONTOSO_KEY)
    assert [lab.call("POST", ROTATE, headers=token)[0] for _one in range(7)].count(429) >= 1


def test_a_new_key_is_one_of_iam_and_ends_the_old_one(lab: LabClient) -> None:
    aws = moto()
    aws.user(f"umbrella-{CONTOSO}", MANAGED)
    lab.umbrella.attach(aws.url, *aws.keys, CONTOSO)
    old = lab.umbrella.organization(CONTOSO)
    status, _headers, body = lab.call("POST", ROTATE, headers=bearer(lab, CONTOSO_KEY))
    assert (status, set(body)) == (200, {"oldKeyId", "currentKeyId", "secretAccessKey", "keyCreationDate"})
    assert body["oldKeyId"] == old["key"]
    new = aws.client("s3", body["currentKeyId"], body["secretAccessKey"])
    assert new.list_objects_v2(Bucket=MANAGED, Prefix="none/")["KeyCount"] == 0
    for key, secret, code in (
        (old["key"], old["secret"], "InvalidAccessKeyId"),
        (body["currentKeyId"], "x" * 40, "SignatureDoesNotMatch"),
    ):
        with pytest.raises(Exception, match=code):
            aws.client("s3", key, secret).list_objects_v2(Bucket=MANAGED, Prefix="none/")
