# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wanted is checked once, and all that is wrong is said at once."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from jinja2 import Environment

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.options import CHECK, RULES, Setup, setup
from lab.testing import ROOT

TASKS = ROOT / "roles/umbrella_logs/tasks"
EXPORT = {"bucket": "cisco-managed-eu-central-1", "prefix": "/1234567_ab/"}


def read(**given: Any) -> Setup:
    base = {"api_key": "k", "api_secret": "s", "key_folder": "/keys", "exports": {"contoso": EXPORT}}
    found = ArgumentSpecValidator(dict(CHECK.spec), **RULES).validate({**base, **given})
    assert not found.error_messages
    return setup(found.validated_parameters)


def test_parameters_are_typed() -> None:
    (one,) = read().exports
    assert (one.bucket, one.prefix, one.region) == ("cisco-managed-eu-central-1", "1234567_ab/", "eu-central-1")
    pair = {"access_key_id": "AKIAFIRSTFIRST000000", "secret_access_key": "s" * 40, "created": "1970-01-02"}
    (one,) = read(exports={"contoso": {**EXPORT, **pair}}).exports
    assert (one.created, one.first and one.first.access_key_id) == (86400.0, "AKIAFIRSTFIRST000000")
    own = {"name": "contoso-logs", "region": "eu-central-1", "prefix": "umbrella"}
    found = read(exports={}, bucket=own, aws_access_key_id="AKIA", aws_secret_access_key="s")
    assert found.bucket is not None
    assert (found.bucket.prefix, found.folders[""]) == ("umbrella/", ("dnslogs",))


@pytest.mark.parametrize(
    ("exports", "bucket", "looks"),
    [({"a": 1}, None, ["keys"]), ({}, {"name": "b"}, ["bucket"]), ({"a": 1}, {"name": "b"}, ["keys", "bucket"]),
     ({}, {}, ["keys"])],
)  # fmt: skip
def test_the_role_always_looks_at_something(exports: Any, bucket: Any, looks: list[str]) -> None:
    given = {"umbrella_logs_exports": exports, "umbrella_logs_bucket": bucket}
    tasks = {name: yaml.safe_load((TASKS / f"{name}.yml").read_text())[0]["when"] for name in ("keys", "bucket")}
    assert [name for name, when in tasks.items() if Environment().compile_expression(when)(**given)] == looks


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"api_url": "http://api.umbrella.com"}, "api_url"),
        ({"aws_endpoint_url": "http://s3.example"}, "aws_endpoint_url"),
        ({"exports": {"a b": EXPORT}}, "'a b'"),
        ({"exports": {"a": {"bucket": "x"}}}, "prefix"),
        ({"exports": {"a": {**EXPORT, "bucket": "other"}}}, "region"),
        ({"exports": {"a": {**EXPORT, "prefix": "/"}}}, "prefix"),
        ({"exports": {"a": {**EXPORT, "folders": ["dnslog"]}}}, "folders"),
        ({"exports": {"a": {**EXPORT, "columns": {"dnslog": 5}}}}, "dnslogs"),
        ({"exports": {"a": {**EXPORT, "access_key_id": "AKIA"}}}, "secret_access_key"),
        ({"exports": {"a": {**EXPORT, "created": "yesterday"}}}, "created"),
        (
            {"exports": {"a": {**EXPORT, "access_key_id": "canary/secret", "secret_access_key": "AKIA"}}},
            "access_key_id",
        ),
        ({"aws_endpoint_url": "https://user:canary@s3.example"}, "aws_endpoint_url"),
        ({"rotate_after_days": 90}, "rotate_after_days"),
        ({"key_folder": None}, "key_folder"),
        ({"api_key": None, "api_secret": None}, "api_key"),
        ({"bucket": {"name": "a.b", "region": "eu"}}, "without dots"),
        ({"bucket": {"name": "contoso-logs", "region": "eu-central-1"}}, "aws_access_key_id"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("UMBRELLA_API_KEY", "UMBRELLA_API_SECRET", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(InputError) as caught:
        read(**given)
    assert words in caught.value.message
    assert "canary" not in str(caught.value), "a secret in the wrong place is one all the same"
