# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Sophos engines in this process, against the lab."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import capability, options, wire
from lab.client import LabClient
from lab.sophos.client import BRANCH, HEADQUARTERS, USERNAME

from .engines import log

# A port that nobody listens at, so that what the lab sends is lost.
RECEIVER = {"address": "127.0.0.1", "port": 9}
OURS = options.NAME
LOGIN = "<Login><status>Authentication Successful</status></Login>"


class Sophos:
    """The engines on one or both of contoso's firewalls."""

    def __init__(self, lab: LabClient, *hosts: str) -> None:
        self.lab = lab
        self.given: dict[str, Any] = {
            "firewalls": {
                {HEADQUARTERS: "hq", BRANCH: "branch"}[host]: {
                    "host": host,
                    "port": lab.sophos.port,
                    "serial_number": lab.sophos.state(host)["serial"],
                }
                for host in hosts
            },
            "username": USERNAME,
            "password": lab.sophos.state(HEADQUARTERS)["password"],
            "passwords": {"branch": lab.sophos.state(BRANCH)["password"]} if BRANCH in hosts else {},
            "ca_file": lab.ca_file,
            "receiver": RECEIVER,
        }

    def run(self, engine: Any, spec: dict[str, Any], check: bool = False, **given: Any) -> dict[str, Any]:
        found = ArgumentSpecValidator(spec).validate({**self.given, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(engine, "sophos_syslog", found.validated_parameters, check=check, diff=True, secrets=secrets)

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)


@pytest.fixture
def sophos(lab: LabClient) -> Sophos:
    return Sophos(lab, HEADQUARTERS)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def checks(found: dict[str, Any]) -> dict[str, str]:
    return {one["check"]: one["status"] for one in found["findings"]}


def kinds(lab: LabClient) -> list[str]:
    return [one["kind"].removeprefix("sophos.") for one in log(lab) if one["kind"].startswith("sophos.")]


def test_two_firewalls_through_their_life(lab: LabClient) -> None:
    """One shows several servers, one the local store alone; each has its own release's log settings, all on."""
    both = Sophos(lab, HEADQUARTERS, BRANCH)
    others = {host: {k: v for k, v in lab.sophos.servers(host).items() if k != OURS} for host in (HEADQUARTERS, BRANCH)}
    assert outcome(both.converge(check=True)) == (True, "drifted")
    assert OURS not in lab.sophos.servers()
    assert outcome(both.converge()) == (True, "corrected")
    for host in (HEADQUARTERS, BRANCH):
        assert lab.sophos.on(OURS, host) == lab.sophos.on("Local", host)
    assert "ThreatFeeds/MDRThreatFeeds" in lab.sophos.on(OURS, BRANCH)
    again = both.converge()
    assert outcome(again) == (False, "in_sync")
    assert again["summary"]["requests"] == {"Get SyslogServers": 2}
    assert [(one["firewall"], one["configured"], one["probed"]) for one in again["firewalls"]] == [
        ("hq", True, True),
        ("branch", True, True),
    ]
    assert outcome(both.converge(state="absent", receiver=None)) == (True, "corrected")
    assert outcome(both.converge(state="absent")) == (False, "in_sync")
    assert others == {host: lab.sophos.servers(host) for host in (HEADQUARTERS, BRANCH)}


@pytest.mark.parametrize("resets", [True, False])
@pytest.mark.parametrize(
    ("path", "value", "drift"),
    [
        ("ServerAddress", "192.0.2.1", "address"),
        ("EnableSecureConnection", "Enable", "secure_connection"),
        ("LogSettings/IPS/Anomaly", "Disable", "categories"),
    ],
)
def test_drift_is_corrected_and_unknown_leaves_stay(
    sophos: Sophos, resets: bool, path: str, value: str, drift: str
) -> None:
    sophos.lab.configure(sophos_update_resets=resets)
    sophos.converge()
    before = sophos.lab.sophos.servers()[OURS]
    sophos.lab.edit("change_sophos_server", host=HEADQUARTERS, name=OURS, path=path, value=value)
    found = sophos.converge()
    assert (outcome(found), found["summary"]["drift"]) == ((True, "corrected"), {drift: 1})
    assert sophos.lab.sophos.servers()[OURS] == before


def test_what_is_on_beyond_the_wish_is_told_and_left(sophos: Sophos) -> None:
    sophos.converge()
    found = sophos.converge(server={"categories": ["Events"]})
    assert (outcome(found), codes(found)) == ((False, "in_sync"), ["more_categories"])
    assert found["problems"][0]["warning"], "what is as wanted is told as that in the table, too"


def test_a_leaf_that_is_lacking_is_a_finding_and_the_rest_is_done(sophos: Sophos) -> None:
    wish = {"categories": ["Events", "ZeroDayProtection"]}
    found = sophos.converge(server=wish)
    assert (outcome(found), codes(found)) == ((True, "corrected"), ["missing"])
    assert "ZeroDayProtection" in found["problems"][0]["message"]
    assert sophos.lab.sophos.on(OURS) == {f"Events/{one}Events" for one in ("Admin", "Authentication", "System")}
    assert codes(sophos.converge(server=wish)) == ["not_offered"]


def test_a_firewall_out_of_the_file_is_unknown_by_name_until_confirmed(lab: LabClient, tmp_path: Path) -> None:
    both, one = Sophos(lab, HEADQUARTERS, BRANCH), Sophos(lab, HEADQUARTERS)
    kept = {"evidence_path": str(tmp_path / "contoso.sophos.jsonl")}
    assert both.converge(**kept)["coverage"]["states"] == {"covered": 2}
    for verb in (one.converge, one.preflight):
        found = verb(**kept)
        assert (found["summary"]["outcome"], found["coverage"]["missing"]) == ("unknown", ["branch"])
        assert "sophos_syslog_accept_missing: [branch]" in found["msg"]
    assert one.converge(**kept, accept_missing=["branch"])["summary"]["outcome"] == "in_sync"
    lab.edit("change_sophos_firewall", host=HEADQUARTERS, api_enabled=False)
    (part,) = one.converge(**kept)["coverage"]["parts"]
    assert (part["name"], part["state"]) == ("firewall hq", "unreachable")


def test_a_firewall_that_was_not_asked_in_time_is_not_left_out(sophos: Sophos) -> None:
    wanted = options.setup(ArgumentSpecValidator(options.CONVERGE_SPEC).validate(sophos.given).validated_parameters)
    (told,) = capability.SophosSyslog().outputs(None, wanted, [])["firewalls"]  # type: ignore[arg-type]
    assert (told["firewall"], told["configured"], bool(told["problem"])) == ("hq", None, True)


def test_five_others_are_refused_by_name_before_any_write(sophos: Sophos) -> None:
    for number in range(4):
        sophos.lab.edit("put_sophos_server", host=HEADQUARTERS, name=f"other{number}")
    found = sophos.converge()
    assert (outcome(found), codes(found)) == ((False, "drifted"), ["limit"])
    assert all(name in found["problems"][0]["message"] for name in ("auditor", "other0", "other3"))
    assert kinds(sophos.lab) == ["servers.get"]
    assert checks(sophos.preflight())["server"] == "missing"


@pytest.mark.parametrize("state", ["present", "absent"])
def test_the_local_store_is_never_touched(sophos: Sophos, state: str) -> None:
    before = sophos.lab.sophos.servers()
    assert codes(sophos.converge(server={"name": "Local"}, state=state)) == ["local_entry"]
    assert sophos.lab.sophos.servers() == before


@pytest.mark.parametrize(
    ("change", "check", "step"),
    [
        ({"api_enabled": False}, "api_enabled", "Backup & firmware > API"),
        ({"address_allowed": False}, "address_allowed", "Backup & firmware > API"),
        ({"password": "changed"}, "sign_in", "Authentication > Users"),
    ],
)
def test_who_may_not_ask_has_a_finding_of_its_own_and_one_try(
    sophos: Sophos, change: dict[str, Any], check: str, step: str
) -> None:
    sophos.lab.edit("change_sophos_firewall", host=HEADQUARTERS, **change)
    found = sophos.preflight()
    assert checks(found) == {check: "missing"}
    assert step in found["findings"][0]["next_step"]
    assert kinds(sophos.lab) == ["servers.get"]
    found = sophos.converge()
    assert outcome(found) == (False, "unknown")
    assert [(one["configured"], bool(one["problem"]), bool(one["next_step"])) for one in found["firewalls"]] == [
        (None, True, True)
    ]
    assert kinds(sophos.lab) == ["servers.get"] * 2


def test_nothing_is_sent_twice_before_the_password_was_taken(sophos: Sophos, hasty: list[float]) -> None:
    """A lost answer may have been a refusal, of which some lock the address out."""
    sophos.lab.fault("drop_after", kind="sophos.servers.get", count=None)
    assert outcome(sophos.converge()) == (False, "unknown")
    assert kinds(sophos.lab) == ["servers.get"]


def test_preflight_tells_authority_and_silent_rules(sophos: Sophos) -> None:
    tls = {"receiver": {**RECEIVER, "transport": "tls"}}
    found = sophos.preflight(**tls)
    logging = {"rule_logging": "ok", "inspection_logging": "ok"}
    assert checks(found) == {"sign_in": "ok", "server": "ok", "authority": "missing", **logging}
    assert "Note: 1 of 2 firewall rules of hq log nothing: Guests" in found["msg"]
    assert "Note: 1 of 2 SSL/TLS inspection rules of hq log nothing: Banks" in found["msg"]
    assert all(tick in found["msg"] for tick in ("tick Log firewall traffic", "tick Log connections"))
    assert "ca.pem" in found["msg"]
    sophos.lab.edit("import_sophos_authority", host=HEADQUARTERS, name="mssp", pem="")
    assert sophos.preflight(**tls)["summary"]["outcome"] == "in_sync"
    sophos.lab.edit("change_sophos_firewall", host=HEADQUARTERS, rules={}, inspections={})
    found = sophos.preflight()
    assert checks(found) == {"sign_in": "ok", "server": "ok", **logging}
    assert "Note" not in found["msg"]


@pytest.mark.parametrize(
    ("kind", "entity", "check", "exempts"),
    [
        (
            "rules",
            "FirewallRule",
            "rule_logging",
            ("<Status>Disable</Status>", "<Status>Enable</Status><PolicyType>HTTPBased</PolicyType>"),
        ),
        ("inspections", "SSLTLSInspectionRule", "inspection_logging", ("<Enable>No</Enable>",)),
    ],
)
def test_rules_that_need_no_tick_are_not_named_and_unread_ones_are_unknown(
    sophos: Sophos, kind: str, entity: str, check: str, exempts: tuple[str, ...]
) -> None:
    raw = f"<Response>{LOGIN}<{entity}>{{}}</{entity}></Response>"
    for exempt in exempts:
        sophos.lab.configure(sophos_raw={f"sophos.{kind}.get": raw.format(f"<Name>a</Name>{exempt}")})
        (found,) = [one for one in sophos.preflight()["findings"] if one["check"] == check]
        assert (found["status"], found["next_step"]) == ("ok", "")
    sophos.lab.configure(sophos_raw={f"sophos.{kind}.get": raw.format('<Status code="529">no</Status>')})
    assert checks(sophos.preflight())[check] == "unknown"


def test_a_lost_answer_to_a_write_is_looked_for(sophos: Sophos) -> None:
    sophos.lab.fault("drop_after", kind="sophos.servers.set")
    assert outcome(sophos.converge()) == (True, "corrected")
    assert kinds(sophos.lab).count("servers.set") == 1
    sophos.lab.edit("remove_sophos_server", host=HEADQUARTERS, name=OURS)
    sophos.lab.fault("drop", kind="sophos.servers.set")
    assert outcome(sophos.converge())[1] == "failed"


@pytest.mark.parametrize(
    ("kind", "inside", "code"),
    [
        ("set", '<Status code="500">Operation failed.</Status>', "500"),
        ("set", "<Status>fine</Status>", "Refused"),
        ("set", '<Status code="200">Configuration applied successfully.</Status>', "NotTaken"),
        ("remove", '<Status code="500">Operation failed.</Status>', "500"),
        ("remove", '<Status code="200">Configuration applied successfully.</Status>', "StillThere"),
    ],
)
def test_what_calls_itself_done_is_read_back(sophos: Sophos, kind: str, inside: str, code: str) -> None:
    """The lab does what is asked; what it then shows is as if it had not."""
    sophos.converge()
    before = sophos.lab.sophos.servers()[OURS]
    if kind == "set":
        sophos.lab.edit("change_sophos_server", host=HEADQUARTERS, name=OURS, path="Port", value="1")
        before = sophos.lab.sophos.servers()[OURS]
    shown = wire.elements((("Name", OURS), *_flat(before)))
    sophos.lab.configure(
        sophos_raw={
            f"sophos.servers.{kind}": f"<Response>{LOGIN}<SyslogServers>{inside}</SyslogServers></Response>",
            "sophos.servers.get": f"<Response>{LOGIN}<SyslogServers>{shown}</SyslogServers></Response>",
        }
    )
    found = sophos.converge(state="absent" if kind == "remove" else "present")
    assert (outcome(found)[1], codes(found)) == ("failed", [code])


def _flat(tree: dict[str, Any], above: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in tree.items():
        if isinstance(value, dict):
            found += _flat(value, f"{above}{name}/")
        elif name != "Name":
            found.append((above + name, value))
    return found


@pytest.mark.parametrize(
    "text",
    [
        '<!DOCTYPE a [<!ENTITY x "y"><!ENTITY z "&x;&x;&x;">]><Response>&z;</Response>',
        "<a>" * 40 + "</a>" * 40,
        "<html><body>Login</body></html>",
        "{}",
        "",
        f"<Response>{LOGIN}</Response>",
        f"<Response>{LOGIN}<SyslogServers><Port>1</Port></SyslogServers></Response>",
    ],
)
def test_hostile_or_odd_xml_is_unknown_and_nothing_written(sophos: Sophos, text: str) -> None:
    sophos.lab.configure(sophos_raw={"sophos.servers.get": text})
    found = sophos.converge()
    assert (outcome(found), "exception" in found) == ((False, "unknown"), False)
    assert kinds(sophos.lab) == ["servers.get"]


def test_secrets_of_any_characters_are_kept_and_told_nowhere(sophos: Sophos) -> None:
    password = "canary & <b>\"'ö+%"
    sophos.lab.edit("change_sophos_firewall", host=HEADQUARTERS, password=password)
    assert outcome(sophos.converge(password=password)) == (True, "corrected")
    echoed = f"<Response><Status code='500'>{wire.escape(password)}</Status></Response>"
    sophos.lab.configure(sophos_raw={"sophos.servers.get": echoed})
    found = sophos.converge(password=password)
    assert codes(found) == ["500"]
    assert "canary" not in str(found)


def test_names_are_escaped(sophos: Sophos) -> None:
    name = "a & b <c> \"'"
    assert outcome(sophos.converge(server={"name": name})) == (True, "corrected")
    assert name in sophos.lab.sophos.servers()
    assert outcome(sophos.converge(server={"name": name}, state="absent")) == (True, "corrected")


def test_present_needs_a_receiver(sophos: Sophos) -> None:
    found = sophos.converge(receiver=None)
    assert (found["failed"], kinds(sophos.lab)) == (True, [])


@pytest.mark.parametrize(("verb", "state"), [("converge", "unreachable"), ("preflight", "waiting")])
def test_a_firewall_that_nobody_could_ask_is_not_covered(lab: LabClient, verb: str, state: str) -> None:
    both = Sophos(lab, HEADQUARTERS, BRANCH)
    assert getattr(both, verb)()["coverage"]["states"] == {"covered": 2}
    lab.edit("change_sophos_firewall", host=BRANCH, api_enabled=False)
    assert getattr(both, verb)()["coverage"]["states"] == {state: 1, "covered": 1}
