"""Errors say what to do; secrets do not get out."""

from __future__ import annotations

import asyncio
import base64
import html
import json
import re
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError, tls_step
from ansible_collections.mssp.onboarding.plugins.module_utils._core.redaction import MASK, Redactor

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


# Every kind of character that a secret may have: Entra's old ones, keys in base64, what people type.
CANARIES = [
    "lab~canary.urlsafe-0_1",
    "CANARY secret/+&%é=",
    "q+/9a8b7c6d5e4f3g2==",
    "<tag attr='x' b=\"y\">",
    "back\\slash\ttab",
    "päss-wörd-€-字",
    "a!b(c)d*e'f;g:h@i,j?k#l[m]",
]
BASIC = "client-id:"


def _travels(secret: str) -> dict[str, str]:
    return {
        "plain": secret,
        "json": json.dumps({"s": secret}),
        "json with its letters": json.dumps({"s": secret}, ensure_ascii=False),
        "json in json": json.dumps(json.dumps({"s": secret})),
        "form": urlencode({"client_secret": secret}),
        "url": f"https://x.example/?s={quote(secret)}",
        "url, nothing safe": quote(secret, safe=""),
        "url in small letters": re.sub("%..", lambda code: code[0].lower(), quote(secret, safe="")),
        "html": f"<b>{html.escape(secret)}</b>",
        "html, no quotes": html.escape(secret, quote=False),
        "python": repr({"s": secret}),
        "base64": base64.b64encode(secret.encode()).decode(),
        "base64, url": base64.urlsafe_b64encode(secret.encode()).decode(),
        "basic": base64.b64encode(f"{BASIC}{secret}".encode()).decode(),
        "basic, one more": base64.b64encode(f"{BASIC}x{secret}".encode()).decode(),
        "basic, two more": base64.b64encode(f"{BASIC}xy{secret}z".encode()).decode(),
    }


@pytest.mark.parametrize("secret", CANARIES)
def test_a_secret_is_known_in_every_form_in_which_it_travels(secret: str) -> None:
    redact = Redactor(secret)
    for way, text in _travels(secret).items():
        assert MASK in redact(f"the other side said: {text}."), way
    assert redact("nothing of it here") == "nothing of it here"


@pytest.mark.parametrize("after", ["", "…", "...", ". Next step: x", " (request r-1). Next step: x"])
@pytest.mark.parametrize("length", [8, 12, 20])
def test_a_secret_that_was_cut_off_is_hidden_in_the_text_of_an_error(length: int, after: str) -> None:
    secret = "canaryA1b2C3d4E5f6G7h8"
    text = f"proxy said client_secret={secret[:length]}{after}"
    shown = Redactor(secret)({"message": text, "msg": f"Could not x: {text}"})
    assert secret[:length] not in json.dumps(shown)
    assert shown["message"].endswith(after)


def test_what_only_begins_like_a_secret_stays() -> None:
    redact = Redactor("contoso-siem-key-of-2026")
    assert redact({"name": "contoso-siem"}) == {"name": "contoso-siem"}
    assert redact({"message": "contoso-siem-eu is gone"}) == {"message": "contoso-siem-eu is gone"}


def test_secrets_go_before_a_text_is_cut() -> None:
    secret = "canary-secret-" + "x" * 50
    shown = Redactor(secret)({"message": "y" * 980 + secret + "z" * 5000})["message"]
    assert (len(shown), "canary" in shown) == (1000, False)


STEERING = {
    "title": "\x1b]0;OWNED\x07",
    "colours": "\x1b[2J\x9b31m",
    "GitHub": "x\n::error::owned",
    "GitHub, indented": "x\n  \t::set-output name=x::y",
    "GitHub, at once": "::add-mask::x",
    "Azure Pipelines": "name ##vso[task.setvariable variable=x]y",
    "Azure Pipelines, short": "##[error]x",
    "TeamCity": "##teamcity[buildStop]",
    "return": "safe\rowned",
    "direction": "a\u202eb\u2066c\u200fd",
    "other line ends": "a\x85b\u2028::error::c",
    "nothing": "a\x00b\x7f",
    "half": "a\ud800b",
}


@pytest.mark.parametrize("case", STEERING)
def test_nothing_that_leaves_steers_who_reads_it(case: str) -> None:
    text = STEERING[case]
    shown = json.dumps(Redactor()({"msg": text, text: [text]}), ensure_ascii=False)
    plain = Redactor()(text)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2060-\u206f\u200f\ud800-\udfff]", plain + shown)
    assert not re.search(r"^\s*::|##\w*\[", plain, re.MULTILINE)
    assert text not in shown


@pytest.mark.parametrize("text", ["a\nb\tc", "naïve 字 €", "## heading", "std::vector", "2001:db8::1", "C:\\x"])
def test_honest_text_stays(text: str) -> None:
    assert Redactor()(text) == text


def test_why_a_part_is_not_looked_at_is_cut_after_its_secrets_are_gone() -> None:
    secret = "s3cr3t-" + "0123456789abcdef" * 20
    told = Redactor(secret)({"parts": [{"why": f"HTTP 400: you sent {secret}"}, {"why": f"you sent {secret[:60]}"}]})
    finding = f"listed t: you sent {secret[:60]}. customer's administrator: ask\nNote: more"
    assert "0123" not in json.dumps([told, Redactor(secret)({"msg": finding})])
    assert len(Redactor()({"why": "x" * 5000})["why"]) == 200
