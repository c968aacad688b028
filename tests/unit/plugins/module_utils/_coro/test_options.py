# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""From options to what is wanted: every mistake is said before any request, with its reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._coro import options, profile
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.plan import Policy
from ansible_collections.mssp.onboarding.plugins.module_utils._coro.profile import ASSUMED
from tests.unit.plugins.module_utils._coro.builders import GUID, HOOK, URL, params

SOC = {"soc": {"format": "splunk", "listener_url": URL}}
TOKEN = {"soc": {"authorization": "canary-token"}}
CONFIRMED = {**ASSUMED, "confirmed": True}


def wrong(*args: Any, **more: Any) -> str:
    with pytest.raises(InputError) as caught:
        options.wanted(params(*args, **more))
    assert "canary" not in str(caught.value)
    return caught.value.message


def test_a_connector_with_its_secret() -> None:
    (one,) = options.wanted(params(SOC, TOKEN))
    assert (one.name, one.format, one.fields) == ("soc", "splunk", {"listener_url": URL})
    assert one.secrets == {"authorization": "Splunk canary-token"}


def test_headers_come_from_both_and_the_secret_ones_win() -> None:
    given = {"hook": {"format": "generic", "listener_url": HOOK, "headers": {"X-Customer": "contoso", "X-Key": "open"}}}
    (one,) = options.wanted(params(given, {"hook": {"headers": {"X-Key": "canary"}}}))
    assert one.secrets == {"headers.X-Customer": "contoso", "headers.X-Key": "canary"}
    assert one.headers == {"x-customer", "x-key"}


def test_absent_needs_only_the_name() -> None:
    (one,) = options.wanted(params({"soc": {"state": "absent"}}))
    assert (one.name, one.state, one.format) == ("soc", "absent", "")


def test_offboarding_makes_all_of_them_absent() -> None:
    (one,) = options.wanted(params(SOC, TOKEN, state="absent"))
    assert one.state == "absent"


def test_offboarding_needs_no_secret_and_no_right_option() -> None:
    connectors = {"soc": {"format": "syslog", "connector_id": "7"}, "hook": None, "other": "x"}
    found = options.wanted(params(connectors, {"gone": {"colour": ""}}, state="absent"))
    assert [(one.name, one.state, one.id) for one in found] == [
        ("soc", "absent", "7"),
        ("hook", "absent", ""),
        ("other", "absent", ""),
    ]


@pytest.mark.parametrize(
    ("connectors", "secrets", "reason"),
    [
        ({"soc": {"listener_url": URL}}, {}, "format"),
        ({"soc": {"format": "syslog"}}, {}, "value of format must be one of"),
        ({"soc": {**SOC["soc"], "colour": "red"}}, TOKEN, "colour"),
        ({"soc": {**SOC["soc"], "authorization": "canary"}}, {}, "authorization belongs under secrets"),
        ({"soc": "splunk"}, {}, "must be a dictionary"),
        (SOC, {"soc": "canary"}, "must be a dictionary"),
        (SOC, {"soc": {"autorization": "canary"}}, "secrets take"),
        (SOC, {"soc": {"headers": "canary canary"}}, "secrets take"),
        (SOC, {}, "needs authorization"),
        (SOC, {**TOKEN, "sok": {"token": "canary"}}, "secrets: nothing matches sok (did you mean soc?)"),
        ({" soc": SOC["soc"]}, {}, "name must be"),
        ({"": SOC["soc"]}, {}, "name must be"),
        ({"a\nb": SOC["soc"]}, {}, "name must be"),
        ({"x" * 201: SOC["soc"]}, {}, "name must be"),
    ],
)
def test_mistakes(connectors: dict[str, Any], secrets: dict[str, Any], reason: str) -> None:
    assert reason in wrong(connectors, secrets)


def test_all_mistakes_are_told_at_once() -> None:
    told = wrong({"a": {"format": "splunk"}, "b": {"format": "fluency", "listener_url": HOOK}})
    assert "connector 'a'" in told
    assert "connector 'b'" in told


def test_one_connector_under_two_names_would_change_in_every_run() -> None:
    twins = {name: {**SOC["soc"], "connector_id": "7"} for name in ("soc", "hec")}
    assert "connector_id '7' is given to more than one" in wrong(twins, dict.fromkeys(twins, TOKEN["soc"]))


def test_exclusive_over_nothing_is_refused() -> None:
    assert "would remove all" in wrong({}, exclusive=True)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"api_url": "http://coro.example"}, "api_url must be https"),
        ({"api_url": "https://coro.example/v1"}, "api_url must be https"),
        ({"token_path": "oauth/token"}, "token_path must begin with /"),
        ({"proxy": "http://user:pw@proxy:3128"}, "without a user"),
        ({"proxy": "proxy:3128"}, "proxy must be"),
        ({"workspace": "con toso"}, "workspace must be"),
        ({"workspace": "x\r\nX-Evil: 1"}, "workspace must be"),
        ({"client_id": " "}, "client_id must be"),
    ],
)
def test_identities_that_cannot_be(more: dict[str, Any], reason: str) -> None:
    with pytest.raises(InputError) as caught:
        options.identity(params(SOC, TOKEN, **more))
    assert reason in caught.value.message


@pytest.mark.parametrize(("region", "host"), list(options.REGIONS.items()))
def test_regions(region: str, host: str) -> None:
    assert options.identity(params(api_url=None, region=region, contract_confirmed=True)).api_url == host


@pytest.mark.parametrize("url", [None, "https://api.secure-eu.coro.net", "https://CORO.NET", "https://x.coro.net.:443"])
def test_an_assumed_contract_is_not_tried_on_coro(url: str | None) -> None:
    with pytest.raises(InputError) as caught:
        options.identity(params(api_url=url))
    assert caught.value.code == "ContractNotConfirmed"
    assert options.identity(params(api_url=url, contract_confirmed=True))
    assert options.identity(params(api_url=url, profile=CONFIRMED)).profile.confirmed


@pytest.mark.parametrize("url", ["https://coro.example", "https://notcoro.net", "https://coro.net.example"])
def test_other_hosts_need_no_confirmation(url: str) -> None:
    assert options.identity(params(api_url=url)).api_url == url


def test_policy() -> None:
    made = options.setup(params(SOC, TOKEN, exclusive=True, reconnect=True, same_destination="allow")).policy
    assert made == Policy(exclusive=True, reconnect=True, both_allowed=True)
    assert options.setup(params(SOC, TOKEN)).policy == Policy()
    assert options.setup(params(SOC, TOKEN, exclusive=True, state="absent")).policy == Policy(), "offboard"


def test_the_retired_api_is_warned_of_once_with_what_to_use() -> None:
    one = {"format": "azure_sentinel", "workspace_id": GUID}
    secrets = {"primary_key": "c2VjcmV0"}
    wanted = options.wanted(params({"a": one, "b": one}, {"a": secrets, "b": secrets}))
    (warning,) = options.warnings(wanted)
    assert "2026-09-14" in warning
    assert "generic" in warning
    assert options.warnings(options.wanted(params({"a": {**one, "state": "absent"}}))) == []
    assert options.warnings(options.wanted(params(SOC, TOKEN))) == []


def test_where_fingerprints_are_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MSSP_EVIDENCE_DIR", raising=False)
    on_create = {"update_secret": "on_create", "fingerprint_dir": str(tmp_path)}
    assert options.fingerprint_dir(params(SOC, TOKEN, **on_create)) is None
    on_change = {"update_secret": "on_change"}
    assert options.fingerprint_dir(params(SOC, TOKEN, fingerprint_dir=str(tmp_path), **on_change)) == tmp_path
    assert options.fingerprint_dir(params(SOC, TOKEN, **on_change)) is None, "no evidence is kept"
    monkeypatch.setenv("MSSP_EVIDENCE_DIR", str(tmp_path / "run"))
    assert options.fingerprint_dir(params(SOC, TOKEN, **on_change)) == tmp_path / "fingerprints"


def test_one_connector_is_a_tenant_with_just_this_one() -> None:
    given = params(SOC, TOKEN, exclusive=True) | dict.fromkeys({**options.OPEN_SPEC, **options.SECRET_SPEC})
    given |= {"name": "soc", **SOC["soc"], "authorization": "Splunk canary", "allow_http": False, "state": "synced"}
    given |= {"apply_to_all_customers": False}
    made = options.tenant_params(given)
    assert made["exclusive"] is False
    (one,) = options.wanted(made)
    assert (one.name, one.state, one.secrets) == ("soc", "synced", {"authorization": "Splunk canary"})


def test_secrets_are_known_without_the_word_before_them() -> None:
    secrets = {"soc": {"authorization": "Splunk canary1"}, "hook": {"headers": {"A": "Bearer canary2", "B": "canary3"}}}
    assert options.bare_secrets(params({**SOC, "hook": {}}, secrets)) == ["canary1", "canary2"]


class TestProfile:
    def test_the_built_in_one_is_whole_and_assumed(self) -> None:
        assert not profile.profile(None).confirmed

    @pytest.mark.parametrize(
        ("changed", "reason"),
        [
            ({"version": 2}, "version must be 1"),
            ({"extra": 1}, "unknown keys: extra"),
            ({"fields": {"id": "id"}}, "fields must have the keys"),
            ({"formats": {**ASSUMED["formats"], "syslog": "S"}}, "formats must have the keys"),
            ({"statuses": ["CONNECTED"]}, "statuses must have the keys"),
            ({"errors": {"name_taken": "NAME_TAKEN"}}, "errors must have the keys"),
            ({"confirmed": "yes"}, "confirmed must be true or false"),
            ({"page_size": 0}, "page_size"),
            ({"unsent_secret": "maybe"}, "unsent_secret must be one of"),
            ({"operations": {**ASSUMED["operations"], "list": {"method": "GET", "path": "v1"}}}, "operations.list"),
            ({"operations": {**ASSUMED["operations"], "delete": {"method": "DELETE", "path": "/v1"}}}, "{id}"),
        ],
    )
    def test_a_wrong_one_says_what_is_wrong(self, changed: dict[str, Any], reason: str) -> None:
        with pytest.raises(InputError) as caught:
            profile.profile({**ASSUMED, **changed})
        assert reason in caught.value.message

    def test_a_missing_key(self) -> None:
        with pytest.raises(InputError, match="missing keys: fields"):
            profile.profile({key: value for key, value in ASSUMED.items() if key != "fields"})

    def test_ids_cannot_leave_their_place_in_a_path(self) -> None:
        assert profile.profile(None).path("delete", "a/../b?c") == ("DELETE", "/v1/siem-connectors/a%2F..%2Fb%3Fc")
