"""Errors say what to do; secrets do not get out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError, tls_step
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import Redactor

CANARY = 'canary-"7f3a\\n'


def test_an_error_names_operation_status_code_text_request_and_next_step() -> None:
    error = RefusedError(
        "list x", "no right", code="AuthorizationFailed", status=403, next_step="grant it", request_id="r-1"
    )
    assert str(error) == (
        "Could not list x: HTTP 403, AuthorizationFailed: no right (request r-1). Next step: grant it"
    )
    assert error.problem("t")["target"] == "t"


def test_secrets_are_taken_out_of_nested_data_and_of_json_text() -> None:
    redact = Redactor(CANARY)
    dirty = {"a": [f"x{CANARY}y", {CANARY: 1}], "n": 3}
    assert "7f3a" not in json.dumps(redact(dirty))
    assert "7f3a" not in redact(json.dumps(dirty))
    assert redact(dirty)["n"] == 3


def test_the_longer_of_two_secrets_goes_first() -> None:
    assert Redactor("abcd", "abcdefgh")("abcdefgh") == Redactor("abcdefgh")("abcdefgh")


def test_very_short_values_are_left() -> None:
    assert Redactor("a", "", None)("banana") == "banana"


def failing(error: Exception) -> dict[str, Any]:
    async def engine(params: Any, reporter: Any, redactor: Redactor, *, check: bool, diff: bool) -> dict[str, Any]:
        await asyncio.sleep(0)
        raise error

    return execute(engine, "azure_diagnostics", {}, check=False, diff=False, secrets=["canary-secret"])


def test_a_typed_error_becomes_a_failed_result_of_the_usual_shape() -> None:
    result = failing(RefusedError("sign in", "no", code="X", status=401, next_step="do"))
    assert result["failed"]
    assert not result["changed"]
    assert result["summary"]["outcome"] == "failed"
    assert result["problems"][0]["code"] == "X"
    assert "Next step: do" in result["msg"]


def test_a_defect_is_said_as_one_and_keeps_secrets_in() -> None:
    result = failing(ValueError("canary-secret"))
    assert result["failed"]
    assert "Internal error" in result["msg"]
    assert "canary-secret" not in json.dumps(result)
    assert "Traceback" in result["exception"]


TLS = {
    "Missing Authority Key Identifier": "Python 3.13",
    "Basic Constraints of CA cert not marked critical": "Python 3.13",
    "CA cert does not include key usage extension": "Python 3.13",
    "Missing Subject Key Identifier": "Python 3.13",
    "unable to get local issuer certificate": "ca_file",
    "self-signed certificate in certificate chain": "ca_file",
    "Hostname mismatch, certificate is not valid for 'x'.": "check the URL",
    "certificate has expired": "renew",
    "certificate is not yet valid": "clock",
}


@pytest.mark.parametrize("text", TLS)
def test_a_refused_certificate_is_told_for_what_it_is(text: str) -> None:
    step = tls_step(f"[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: {text} (_ssl.c:1000)")
    assert TLS[text] in step
