# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of AWS become typed errors; without boto3 the step is said."""

from __future__ import annotations

import asyncio
import sys

import pytest
from botocore.awsrequest import AWSResponse  # type: ignore[import-untyped]
from botocore.compat import HTTPHeaders  # type: ignore[import-untyped]
from botocore.httpsession import URLLib3Session  # type: ignore[import-untyped]

from ansible_collections.mssp.onboarding.plugins.module_utils._aws import session
from ansible_collections.mssp.onboarding.plugins.module_utils._aws.session import Aws, Keys, Place, refusal
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    MissingLibraryError,
    NoAnswerError,
    RefusedError,
)


def test_a_refusal_names_code_status_and_step() -> None:
    error = refusal("list x", {"Error": {"Code": "InvalidAccessKeyId", "Message": "no"}, "ResponseMetadata": {
        "HTTPStatusCode": 403, "RequestId": "R1"}})  # fmt: skip
    assert isinstance(error, RefusedError)
    assert (error.code, error.status, error.request_id) == ("InvalidAccessKeyId", 403, "R1")
    assert error.next_step
    assert isinstance(refusal("x", {"ResponseMetadata": {"HTTPStatusCode": 503}}), NoAnswerError)
    assert refusal("x", {}).code == "NoCode"


@pytest.mark.parametrize("status", [200, 403, 404])
@pytest.mark.parametrize("text", ["", "plain", "<html><p>Please sign in</html>", "<html><body>Sign in</body></html>"])
@pytest.mark.parametrize(("service", "name"), [("s3", "list_buckets"), ("sts", "get_caller_identity")])
def test_a_page_of_a_proxy_is_no_answer(
    monkeypatch: pytest.MonkeyPatch, status: int, text: str, service: str, name: str
) -> None:
    """botocore reads some as an answer with nothing in it, and of others raises what is none of its own errors."""
    page = AWSResponse("https://aws.example", status, HTTPHeaders(), None)
    page._content = text.encode()
    monkeypatch.setattr(URLLib3Session, "send", lambda *_given: page)
    monkeypatch.setattr(session, "ATTEMPTS", 1)
    with pytest.raises(NoAnswerError):
        asyncio.run(Aws(Place("https://aws.example")).call(Keys("k", "s"), service, name, "look"))


def test_a_missing_library_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "boto3", None)
    with pytest.raises(MissingLibraryError) as caught:
        asyncio.run(Aws(Place()).call(Keys("k", "s"), "s3", "list_buckets", "list"))
    assert "pip install boto3" in caught.value.next_step
