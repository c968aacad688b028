# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Cisco ESA engines in this process, against the lab: real SSH, two releases, a cluster behind Cisco's proxy."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path
from typing import Any

import paramiko
import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import arrivals, capability, options
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from lab.cisco_esa.client import ALONE, FIRST, SECOND, USERNAME
from lab.client import LabClient

from .drop import Drop

PROXY, LOG = "f4-ssh.iphmx.example", "mssp_mail"
MAIL = {LOG: {"type": "mail"}}


class Esa:
    """The engines on contoso's appliances."""

    def __init__(self, lab: LabClient, folder: Path, **appliances: dict[str, Any]) -> None:
        self.lab, self.folder = lab, folder
        known = folder / "known_hosts"
        known.write_text(lab.cisco_esa.known_hosts())
        self.given: dict[str, Any] = {
            "appliances": appliances,
            "username": USERNAME,
            "password": lab.cisco_esa.state()["password"],
            "known_hosts": str(known),
            "subscriptions": MAIL,
            "screen_seconds": 3.0,
            "receiver": {
                "method": "scp_push",
                "address": "127.0.0.1",
                "port": 9,
                "user": "mssp-contoso-esa",
                "directory": "/upload",
                "host_keys": ["ssh-ed25519 " + "A" * 68],
            },
        }

    def run(self, engine: Any, spec: dict[str, Any], check: bool = False, **given: Any) -> dict[str, Any]:
        found = ArgumentSpecValidator(spec).validate({**self.given, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(engine, "cisco_esa_logs", found.validated_parameters, check=check, diff=True, secrets=secrets)

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.CONVERGE_SPEC, check, **given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.ACCESS_SPEC, **given)


def appliance(lab: LabClient, box: str) -> dict[str, Any]:
    state = lab.cisco_esa.state(box)
    return {"host": "127.0.0.1", "port": state["port"], "serial_number": state["serial"]}


@pytest.fixture
def esa(lab: LabClient, tmp_path: Path) -> Esa:
    return Esa(lab, tmp_path, esa=appliance(lab, ALONE))


@pytest.fixture
def cluster(lab: LabClient, tmp_path: Path) -> Esa:
    found = Esa(lab, tmp_path, one=appliance(lab, FIRST), two=appliance(lab, SECOND))
    lab.edit("change_esa", box=FIRST, password=found.given["password"])
    lab.edit("change_esa", box=SECOND, password=found.given["password"])
    return found


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def codes(found: dict[str, Any]) -> list[str]:
    return [one["code"] for one in found["problems"]]


def checks(found: dict[str, Any]) -> dict[str, str]:
    return {one["check"]: one["status"] for one in found["findings"]}


def test_an_appliance_that_stands_alone_through_its_life(esa: Esa) -> None:
    lab, before = esa.lab, esa.lab.cisco_esa.state()
    predicted = esa.converge(check=True)
    assert outcome(predicted) == (True, "drifted")
    assert not {"NEW", "EDIT"} & set(lab.cisco_esa.state()["lines"])
    made = esa.converge()
    assert outcome(made) == (True, "corrected")
    assert made["diff"] == predicted["diff"]
    assert made["public_keys"][0].startswith("ssh-rsa AAAA")
    log = lab.cisco_esa.log(LOG)
    assert log
    assert (log["retrieval_method"], log["rollover_interval"]) == ("SCP Push", "15m")
    again = esa.converge()
    assert (outcome(again), again["summary"]["requests"]) == ((False, "in_sync"), {"session": 1})
    lab.edit("put_esa_log", box=ALONE, name="audit", type="System Logs", retrieval_method="FTP Push")
    lab.edit("change_esa_log", box=ALONE, name=LOG, level="Warning")
    drifted = esa.converge()
    assert (outcome(drifted), drifted["summary"]["drift"]) == ((True, "corrected"), {"log_level": 1})
    assert outcome(esa.converge(state="absent")) == (True, "corrected")
    assert outcome(esa.converge(state="absent", receiver=None)) == (False, "in_sync")
    after = lab.cisco_esa.state()
    assert after["names"] == ["audit", *before["names"]]
    assert len(after["commits"]) == 3


def test_a_cluster_is_written_once_and_looked_at_machine_by_machine(cluster: Esa) -> None:
    made = cluster.converge()
    assert outcome(made) == (True, "corrected")
    assert made["summary"]["counts"]["corrected"] == 1
    assert [len(cluster.lab.cisco_esa.state(box)["commits"]) for box in (FIRST, SECOND)] == [1, 1]
    cluster.lab.edit("behave_esa", box=FIRST, cut="version")
    half = cluster.converge()
    assert [(one["subscription"], one["configured"]) for one in half["logs"]] == [
        (f"one/{LOG}", None),
        (f"two/{LOG}", True),
    ]
    assert half["public_keys"] == []
    cluster.lab.edit("change_esa", box=SECOND, password="another")
    cluster.lab.edit("behave_esa", box=FIRST, cut="")
    # The account that is locked out is its appliance's, whose logs nobody looked at.
    locked = cluster.preflight()
    assert locked["coverage"]["states"] == {"waiting": 1, "covered": 1}
    assert locked["coverage"]["parts"][0]["name"] == f"{LOG} of two"


@pytest.mark.parametrize(
    ("quirks", "code"),
    [
        ({"pending": ["alice"]}, "PendingChanges"),
        ({"extra": "filename"}, "Unexpected"),
        ({"spoilt": "directory"}, "NotAsPlanned"),
        ({"cut": "commit"}, "Cut"),
        ({"operator": True}, "NotOffered"),
    ],
)
def test_whatever_is_not_expected_commits_nothing(esa: Esa, quirks: dict[str, Any], code: str) -> None:
    esa.lab.edit("behave_esa", box=ALONE, **quirks)
    found = esa.converge()
    assert (found["failed"], codes(found)) == (True, [code])
    assert esa.lab.cisco_esa.state()["commits"] == []


def test_a_commit_whose_answer_is_lost_is_read_and_not_repeated(esa: Esa) -> None:
    esa.lab.edit("behave_esa", box=ALONE, cut="committed")
    assert outcome(esa.converge()) == (True, "corrected")
    assert len(esa.lab.cisco_esa.state()["commits"]) == 1


def test_one_that_hangs_does_not_hold_up_the_run(esa: Esa) -> None:
    esa.lab.edit("behave_esa", box=ALONE, hang="showconfig")
    started = time.monotonic()
    found = esa.converge(time_limit_seconds=1, screen_seconds=60.0)
    assert (found["failed"], found["summary"]["outcome"]) == (True, "unknown")
    assert time.monotonic() - started < 10
    assert codes(esa.converge(screen_seconds=0.5)) == ["NoPrompt"]


def test_another_serial_number_or_host_key_is_another_appliance(esa: Esa) -> None:
    esa.lab.edit("change_esa", box=ALONE, serial="4202OTHER0000")
    assert checks(esa.preflight()) == {"serial_number": "missing"}
    assert codes(esa.converge()) == ["OtherSerialNumber"]
    sign_ins = esa.lab.cisco_esa.state()["sign_ins"]
    known = Path(esa.given["known_hosts"])
    known.write_text(f"[127.0.0.1]:{esa.given['appliances']['esa']['port']} {_some_key()}\n")
    assert codes(esa.converge()) == ["HostKeyChanged"]
    known.write_text("")
    unknown = esa.preflight()
    assert checks(unknown) == {"host_key": "missing"}
    assert f"[127.0.0.1]:{esa.given['appliances']['esa']['port']} ecdsa-sha2-nistp256 AAAA" in unknown["msg"]
    # No password goes to whoever has another key.
    assert esa.lab.cisco_esa.state()["sign_ins"] == sign_ins


def _some_key() -> str:
    key = paramiko.ECDSAKey.generate()
    return f"{key.get_name()} {key.get_base64()}"


def test_a_wrong_password_is_missing_and_not_told(esa: Esa) -> None:
    found = esa.preflight(password="canary-5ecret")
    assert checks(found) == {"account": "missing"}
    assert "canary-5ecret" not in str(found)


def test_a_key_that_ssh_does_not_know_is_told(esa: Esa, tmp_path: Path) -> None:
    place = tmp_path / "x25519"
    encoding = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    place.write_bytes(X25519PrivateKey.generate().private_bytes(*encoding))
    found = esa.converge(private_key_file=str(place))
    assert (codes(found), "exception" in found) == (["KeyFile"], False)


def test_preflight_tells_the_release_and_what_goes_by_ftp(esa: Esa) -> None:
    esa.lab.edit("put_esa_log", box=ALONE, name="audit", type="System Logs", retrieval_method="FTP Push")
    found = esa.preflight()
    assert checks(found) == {"account": "ok", "right": "ok", "release": "missing", "ftp_push": "ok"}
    assert "CVE-2026-76461" in found["msg"]
    assert "audit go by FTP" in found["msg"]


def test_through_ciscos_proxy_the_case_and_the_account_prove_themselves(cluster: Esa, tmp_path: Path) -> None:
    lab, place = cluster.lab, tmp_path / "proxy.key"
    key = paramiko.ECDSAKey.generate()
    key.write_private_key_file(str(place))
    port = lab.cisco_esa.proxy_port
    for one, box in (("one", FIRST), ("two", SECOND)):
        cluster.given["appliances"][one] |= {"host": box, "port": 22}
    cluster.given["ssh_proxy"] = {"host": "127.0.0.1", "port": port, "private_key_file": str(place)}
    waiting = cluster.preflight()
    assert checks(waiting) == {"support_case": "missing"}
    assert f"{key.get_name()} {key.get_base64()}" in waiting["msg"]
    assert len(waiting["problems"]) == 1
    lab.edit("admit_esa_key", key=f"{key.get_name()} {key.get_base64()}")
    assert checks(cluster.preflight(password="wrong")) == {"account": "missing"}
    assert cluster.preflight()["summary"]["outcome"] == "in_sync"
    assert outcome(cluster.converge()) == (True, "corrected")


def test_a_file_of_each_machine_arrives_at_the_collector(cluster: Esa, tmp_path: Path) -> None:
    """OpenSSH's scp pushes to a server that has the appliances' keys, whose host key they pinned."""
    with Drop(tmp_path) as drop:
        cluster.given["receiver"] |= {"port": drop.port, "host_keys": [drop.host_key]}
        drop.keys = cluster.converge()["public_keys"]
        since = time.time()
        asked = cluster.converge(correct="never", probe=True)
        assert [one["probed"] for one in asked["logs"]] == [True, True]
        found = look(str(drop.ready), asked["logs"], since)
        assert [(one["source"], one["state"]) for one in found["flows"]] == [
            (f"one/{LOG}", "flowing"),
            (f"two/{LOG}", "flowing"),
        ]
        # A collector with another host key gets nothing, and that is seen.
        cluster.lab.edit("pin_esa_host_key", box=FIRST, host="127.0.0.1", keys=[_some_key()])
        drifted = cluster.converge(correct="never", probe=True)
        assert drifted["summary"]["drift"] == {"host_key": 2}
        assert [one["probed"] for one in drifted["logs"]] == [False, False]


def look(path: str, logs: list[dict[str, Any]], since: float, **given: Any) -> dict[str, Any]:
    given = {"path": path, "method": "scp_push", "subscriptions": logs, "since": since, "wait_seconds": 10.0, **given}
    found = ArgumentSpecValidator(arrivals.SPEC).validate(given)
    assert not found.error_messages, found.error_messages
    return execute(arrivals.run, "cisco_esa_logs", found.validated_parameters, check=False, diff=False)


def test_openssh_works_at_the_labs_appliance(esa: Esa, tmp_path: Path) -> None:
    """A client that others wrote."""
    state, asked = esa.lab.cisco_esa.state(), tmp_path / "askpass"
    asked.write_text(f"#!/bin/sh\necho {state['password']}\n")
    asked.chmod(0o700)
    done = subprocess.run(
        ["ssh", "-F", "/dev/null", "-tt", "-o", f"UserKnownHostsFile={esa.given['known_hosts']}",
         "-p", str(state["port"]), f"{USERNAME}@127.0.0.1"],
        input="version\nexit\n", capture_output=True, text=True, check=False, timeout=20,
        env={**os.environ, "SSH_ASKPASS": str(asked), "SSH_ASKPASS_REQUIRE": "force"},
    )  # fmt: skip
    assert f"Serial #: {state['serial']}" in done.stdout
