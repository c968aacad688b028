# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The five verbs on the lab's Secure Endpoint with a real RabbitMQ, and what clients of others may at its queues.

All of it in one file, for one start of the broker.
"""

from __future__ import annotations

import json
import os
import shutil
import ssl
import stat
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pika
import pytest
import yaml

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint import probe
from ansible_collections.mssp.onboarding.plugins.module_utils._secure_endpoint.plan import Access
from lab.client import LabClient
from lab.secure_endpoint.broker import RabbitMQ
from lab.secure_endpoint.client import CONTOSO, FABRIKAM
from lab.secure_endpoint.rabbitmq import SERVER, Place, running_broker
from lab.testing import ROOT, running_lab
from tests import warm
from tests.playbooks.test_azure import Run, recap
from tests.playbooks.test_coro import TOOL
from tests.playbooks.test_docs import blocks

PASSWORD = "canary-of-the-vault"
NAME = "Proseware SIEM"
TOOLS = ("amqp-get", "amqp-consume", "amqp-declare-queue", "amqp-delete-queue", "amqp-publish")


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    missing = [one for one in (SERVER, *map(shutil.which, TOOLS)) if one is None or not Path(one).exists()]
    if missing and os.environ.get("CI") != "true":
        pytest.skip("needs the Debian packages rabbitmq-server and amqp-tools")
    with running_broker(tmp_path_factory.mktemp("rabbitmq")) as place:
        yield place


@pytest.fixture(scope="module")
def running() -> Iterator[LabClient]:
    with running_lab() as lab:
        yield lab


@pytest.fixture
def lab(running: LabClient, broker: Place) -> Iterator[LabClient]:
    running.reset()
    running.configure(secure_endpoint_broker=broker.told)
    yield running
    running.reset()


@pytest.fixture
def streams(lab: LabClient) -> list[dict[str, Any]]:
    """Two, of one organisation each, with what opens their queues."""
    for client_id in (CONTOSO, FABRIKAM):
        lab.edit("put_secure_endpoint_stream", client_id=client_id, name=NAME)
    return [one for client_id in (CONTOSO, FABRIKAM) for one in lab.secure_endpoint.streams(client_id)]


def opens(one: dict[str, Any], broker: Place, **other: Any) -> Access:
    return Access(one["user"], one["password"], one["queue"], "localhost", broker.port)._replace(**other)


def connected(one: dict[str, Any], broker: Place) -> Any:
    """As the vendor's public samples connect: by a URL without a virtual host."""
    parameters = pika.URLParameters(f"amqps://{one['user']}:{one['password']}@localhost:{broker.port}")
    parameters.ssl_options = pika.SSLOptions(ssl.create_default_context(cafile=str(broker.ca_file)), "localhost")
    return pika.BlockingConnection(parameters)


# --- what is true of a broker, whoever asks


def test_a_look_eats_nothing_and_is_no_reader(lab: LabClient, broker: Place, streams: list[dict[str, Any]]) -> None:
    ours = opens(streams[0], broker)
    assert probe.look(ours, str(broker.ca_file), reads=True) == (0, 0)
    lab.edit("secure_endpoint_event", client_id=CONTOSO, number=3)
    for reads in (True, False, True):
        assert probe.look(ours, str(broker.ca_file), reads=reads) == (3, 0)
    connection = connected(streams[0], broker)
    connection.channel().basic_consume(ours.queue, lambda *_event: None)
    assert probe.look(ours, str(broker.ca_file)).consumers == 1
    connection.close()
    assert probe.look(ours, str(broker.ca_file)) == (3, 0), "what was not acknowledged waits again"


@pytest.mark.parametrize(
    ("other", "code", "status"),
    [
        ({"password": "another-password"}, "ACCESS_REFUSED", 403),
        ({"user": "nobody-at-all"}, "ACCESS_REFUSED", 403),
        ({"queue": "event_stream_999"}, "NOT_FOUND", 404),
    ],
)
def test_a_refusal_is_told_by_the_brokers_code(
    broker: Place, streams: list[dict[str, Any]], other: dict[str, str], code: str, status: int
) -> None:
    with pytest.raises(RefusedError) as caught:
        probe.look(opens(streams[0], broker, **other), str(broker.ca_file))
    assert (caught.value.code, caught.value.status) == (code, status)
    assert "another-password" not in str(caught.value)


def test_a_queue_of_another_organisation_is_not_read(broker: Place, streams: list[dict[str, Any]]) -> None:
    """Nor is a passive declare of it refused, so that it proves no right to read."""
    theirs = opens(streams[0], broker, queue=streams[1]["queue"])
    assert probe.look(theirs, str(broker.ca_file)) == (0, 0)
    with pytest.raises(RefusedError) as caught:
        probe.look(theirs, str(broker.ca_file), reads=True)
    assert caught.value.code == "ACCESS_REFUSED"


@pytest.mark.parametrize(
    ("other", "trusted", "code"),
    [
        ({}, False, "TLS"),
        ({"host": "localhost.localdomain"}, True, None),
        ({"port": 1}, True, None),
    ],
)
def test_a_broker_that_is_not_reached_is_no_missing_stream(
    broker: Place, streams: list[dict[str, Any]], other: dict[str, Any], trusted: bool, code: str | None
) -> None:
    with pytest.raises(NoAnswerError) as caught:
        probe.look(opens(streams[0], broker, **other), str(broker.ca_file) if trusted else None)
    assert code in (None, caught.value.code)
    assert caught.value.next_step


def test_what_nobody_reads_is_gone_when_its_time_is_over(
    lab: LabClient, broker: Place, streams: list[dict[str, Any]]
) -> None:
    """The vendor's ten days, shortened; they count from when a message comes."""
    ours, ends = opens(streams[0], broker), time.monotonic() + 30
    RabbitMQ(broker.told, ttl=1)
    lab.edit("secure_endpoint_event", client_id=CONTOSO, number=3)
    while probe.look(ours, str(broker.ca_file)).messages and time.monotonic() < ends:
        time.sleep(0.1)
    assert probe.look(ours, str(broker.ca_file)) == (0, 0)
    RabbitMQ(broker.told)
    lab.edit("secure_endpoint_event", client_id=CONTOSO, number=3)
    assert probe.look(ours, str(broker.ca_file)) == (3, 0)


# --- clients that others wrote


def amqp(tool: str, one: dict[str, Any], broker: Place, queue: str, *more: str) -> tuple[int, str, str]:
    """A tool of Debian's amqp-tools, which use another library than we do."""
    url = f"amqps://{one['user']}:{one['password']}@localhost:{broker.port}"
    target = [f"--routing-key={queue}"] if tool == "amqp-publish" else [f"--queue={queue}"]
    done = subprocess.run(
        [tool, f"--url={url}", f"--cacert={broker.ca_file}", *target, *more], capture_output=True, text=True, timeout=30
    )
    return done.returncode, done.stdout, done.stderr


def test_amqp_tools_read_our_queue_and_nothing_else(
    lab: LabClient, broker: Place, streams: list[dict[str, Any]]
) -> None:
    lab.edit("secure_endpoint_event", client_id=CONTOSO)
    ours, theirs = (one["queue"] for one in streams)
    code, out, _error = amqp("amqp-get", streams[0], broker, ours)
    assert (code, json.loads(out)["event_type"]) == (0, "Policy Update")
    more: tuple[str, ...]
    given = ((theirs, ()), (theirs, ("--count=1", "cat")), (ours, ("--durable",)), (ours, ()), (ours, ("--body=x",)))
    for tool, (queue, more) in zip(TOOLS, given, strict=True):
        code, out, error = amqp(tool, streams[0], broker, queue, *more)
        assert (code, "ACCESS_REFUSED" in error) == (1, True), (tool, out, error)


def test_pika_reads_our_queue_as_the_vendors_samples_do(
    lab: LabClient, broker: Place, streams: list[dict[str, Any]]
) -> None:
    lab.edit("secure_endpoint_event", client_id=CONTOSO)
    connection = connected(streams[0], broker)
    channel = connection.channel()
    channel.queue_declare(streams[0]["queue"], passive=True, durable=True)
    frame, _properties, body = next(channel.consume(streams[0]["queue"], inactivity_timeout=20))
    assert json.loads(body)["event_type"] == "Policy Update"
    channel.basic_ack(frame.delivery_tag)
    channel.cancel()
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        channel.queue_declare(streams[0]["queue"], durable=True)
    with pytest.raises(pika.exceptions.ChannelClosedByBroker, match="ACCESS_REFUSED"):
        connection.channel().basic_consume(streams[1]["queue"], lambda *_event: None)
    connection.close()


# --- the five verbs


class Fleet:
    """One tenant, of the README's example; only where Secure Endpoint is, and its authority, are the lab's."""

    def __init__(self, lab: LabClient, broker: Place, folder: Path) -> None:
        self.lab, self.folder, self.number, self.told = lab, folder, 0, ""
        (folder / "tenants").mkdir()
        text = blocks(ROOT / "roles/secure_endpoint_stream/README.md", "yaml")[0]
        (folder / "tenants" / "contoso.yml").write_text(text)
        authorities = folder / "authorities.pem"
        authorities.write_text(Path(lab.ca_file).read_text() + broker.ca_file.read_text())
        given = {"api_urls": lab.secure_endpoint.urls, "ca_file": str(authorities)}
        fleet = {"plugin": "mssp.onboarding.tenants", "defaults": {"secure_endpoint": given}}
        (folder / "fleet.yml").write_text(yaml.safe_dump(fleet))
        self.file = folder / "secure-endpoint-contoso.json"

    def __call__(self, verb: str, *arguments: str) -> Run:
        self.number += 1
        evidence = self.folder / "evidence" / f"run-{self.number}"
        clean = {key: text for key, text in os.environ.items() if not key.startswith(("ANSIBLE_", "MSSP_"))}
        done = warm.run(
            [TOOL, "-i", self.folder / "fleet.yml", f"mssp.onboarding.{verb}", "-vvv", "--diff", *arguments],
            cwd=ROOT,
            env={
                **clean,
                "SECURE_ENDPOINT_API_KEY": self.lab.secure_endpoint.key(CONTOSO),
                "HANDOVER": str(self.folder),
                "HANDOVER_VAULT_PASSWORD": PASSWORD,
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_HOME": str(self.folder / "home"),
                "MSSP_EVIDENCE_DIR": str(evidence),
            },
            timeout=180,
        )
        # What a run says and leaves behind, for the canaries.
        self.told += done.stdout + done.stderr
        self.told += "".join(path.read_text() for path in evidence.parent.rglob("*") if path.suffix.startswith(".json"))
        return Run(done.returncode, done.stdout + done.stderr, evidence)

    def check(self, verb: str, code: int, changed: bool, outcome: str, *arguments: str) -> Run:
        run = self(verb, *arguments)
        assert run.code == code, run.out
        assert bool(recap(run.out)["contoso"]["changed"]) == changed, run.out
        (row,) = json.loads((run.evidence / "summary.json").read_text())["tenants"]
        assert (row["capability"], row["outcome"]) == ("secure_endpoint_stream", outcome), run.out
        return run

    def kept(self) -> dict[str, Any]:
        """What was kept, by Ansible's own tool."""
        password = self.folder / "password"
        password.write_text(PASSWORD)
        command = [TOOL.with_name("ansible-vault"), "view", "--vault-password-file", password, self.file]
        (one,) = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)["streams"]
        return dict(one)


def test_the_verbs_run(lab: LabClient, broker: Place, tmp_path: Path) -> None:
    fleet = Fleet(lab, broker, tmp_path)
    fleet.check("preflight", 0, False, "in_sync")
    fleet.check("onboard", 0, True, "corrected")
    (made,) = lab.secure_endpoint.streams()
    assert stat.S_IMODE(fleet.file.stat().st_mode) == 0o600
    kept = fleet.kept()
    assert (kept["name"], kept["user_name"], kept["password"]) == (NAME, made["user"], made["password"])
    fleet.check("onboard", 0, False, "in_sync")
    # The SIEM reads by what was kept, and an event that happens arrives there.
    reader = connected({"user": kept["user_name"], "password": kept["password"]}, broker)
    channel = reader.channel()
    arrived: list[bytes] = []
    channel.basic_consume(kept["queue_name"], lambda *event: arrived.append(event[3]), auto_ack=True)
    lab.edit("secure_endpoint_event", client_id=CONTOSO)
    reader.process_data_events(time_limit=5)
    assert [json.loads(one)["event_type"] for one in arrived] == ["Policy Update"]
    fleet.check("verify", 0, False, "in_sync")
    reader.close()
    # Somebody narrows the stream.
    lab.drift()
    fleet.check("drift", 0, True, "corrected", "-edrift_correct=true")
    assert lab.secure_endpoint.streams() == [made]
    fleet.check("offboard", 0, True, "corrected", "-eoffboard_confirm=contoso")
    assert (lab.secure_endpoint.streams(), fleet.file.exists()) == ([], False)
    with pytest.raises(RefusedError):
        probe.look(opens(made, broker), str(broker.ca_file))
    # What is no secret is told.
    assert made["queue"] in fleet.told
    for secret in (PASSWORD, made["password"], lab.secure_endpoint.key(CONTOSO)):
        assert secret not in fleet.told
