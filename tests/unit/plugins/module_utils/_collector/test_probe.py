"""The probe on loopback: every syslog transport, refusals, and what a result says."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import probe, senders
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.records import body, find
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.relp import frame
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from tests.unit.ansible_tools import ROOT, run
from tests.unit.plugins.module_utils._collector.certificates import make_certificate

PASSPHRASE = "canary-passphrase-93ab"
RUN = "0123456789abcdef"
Serve = Callable[[socket.socket], bytes]


def probed(*, check: bool = False, **options: Any) -> dict[str, Any]:
    """The engine's result for these options and the defaults of all others."""
    params = {name: spec.get("default") for name, spec in probe.SPEC.items()} | {"rate": 0.0, "timeout": 5.0}
    given = {"host": "127.0.0.1", "count": 5, **options}
    return execute(probe.run, probe.CAPABILITY, params | given, check=check, diff=False, secrets=[PASSPHRASE])


class Peer:
    """One listening socket; data: all that came on its one connection, once C(wait) returns."""

    def __init__(self, serve: Serve) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._serve = serve
        self.data = b""
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        with suppress(OSError), self._socket:
            connection, _peer = self._socket.accept()
            with connection:
                connection.settimeout(5)
                self.data = self._serve(connection)

    def wait(self) -> bytes:
        self._thread.join(10)
        return self.data


def everything(connection: socket.socket) -> bytes:
    data = b""
    while more := connection.recv(65536):
        data += more
    return data


def numbers(run_id: str, data: bytes) -> list[int]:
    return [record.number for record in find(run_id, data)]


@pytest.mark.parametrize("framing", ["octet_counted", "lf"])
@pytest.mark.parametrize("form", ["rfc5424", "rfc3164"])
def test_tcp(framing: str, form: str) -> None:
    peer = Peer(everything)
    sent = probed(transport="tcp", port=peer.port, framing=framing, format=form)
    data = peer.wait()
    assert (sent["failed"], sent["changed"], sent["probe"]["sent"]) == (False, False, 5)
    assert sent["probe"]["stored"] is None
    assert numbers(sent["run_id"], data) == [0, 1, 2, 3, 4]
    assert data.startswith(b"<134>") == (framing == "lf")
    assert data.endswith(b"\n") == (framing == "lf")
    assert (b">1 " in data) == (form == "rfc5424")


def test_udp_is_one_datagram_per_record_from_the_named_address() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink:
        sink.bind(("127.0.0.1", 0))
        sink.settimeout(5)
        sent = probed(transport="udp", port=sink.getsockname()[1], source_address="127.0.0.9", size=1000)
        came = [sink.recvfrom(65536) for _each in range(5)]
    assert sent["sender"] == "127.0.0.9"
    assert {peer[0] for _data, peer in came} == {"127.0.0.9"}
    assert [numbers(sent["run_id"], data) for data, _peer in came] == [[0], [1], [2], [3], [4]]


def closed_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as gone:
        gone.bind(("127.0.0.1", 0))
        return int(gone.getsockname()[1])


@pytest.mark.parametrize("transport", ["udp", "tcp", "relp"])
def test_where_nothing_listens_the_probe_fails(transport: str) -> None:
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    sent = probed(transport=transport, port=closed_port(kind))
    assert sent["failed"]
    assert "Connection refused" in sent["problems"][0]["message"]
    assert "listens" in sent["problems"][0]["next_step"]
    assert sent["summary"]["counts"]["failed"] == 1


def test_a_closed_port_is_heard_of_after_the_only_datagram() -> None:
    assert probed(transport="udp", port=closed_port(socket.SOCK_DGRAM), count=1)["failed"]


def test_relp_counts_what_was_acknowledged() -> None:
    def serve(connection: socket.socket) -> bytes:
        stream = connection.makefile("rb")
        data = b""
        while True:
            number, command, length = (relp_word(stream) for _each in range(3))
            text = stream.read(int(length))
            data += text + b"\n"
            if int(length):
                stream.read(1)
            connection.sendall(frame(int(number), "rsp", b"200 OK"))
            if command == b"close":
                return data

    peer = Peer(serve)
    sent = probed(transport="relp", port=peer.port)
    assert numbers(sent["run_id"], peer.wait()) == [0, 1, 2, 3, 4]
    assert (sent["probe"]["sent"], sent["probe"]["acknowledged"]) == (5, 5)


def relp_word(stream: Any) -> bytes:
    word = b""
    while (byte := stream.read(1)) not in (b" ", b"\n"):
        word += byte
    return word


# --- TLS


@pytest.fixture(scope="module")
def pki(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pki")
    authority = make_certificate(folder, "ca", None)
    make_certificate(folder, "collector", authority)
    make_certificate(folder, "probe", authority, PASSPHRASE.encode())
    make_certificate(folder, "stranger", None)
    return folder


def tls_peer(pki: Path) -> Peer:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=pki / "ca.pem")
    context.load_cert_chain(pki / "collector.pem", pki / "collector.key")
    context.verify_mode = ssl.CERT_REQUIRED

    def serve(connection: socket.socket) -> bytes:
        with context.wrap_socket(connection, server_side=True) as link:
            return everything(link)

    return Peer(serve)


def certificates(pki: Path) -> dict[str, Any]:
    files = {"client_cert": str(pki / "probe.pem"), "client_key": str(pki / "probe.key")}
    return {"transport": "tls", "ca_file": str(pki / "ca.pem"), "client_key_passphrase": PASSPHRASE, **files}


def test_tls_with_a_clientmake_certificate(pki: Path) -> None:
    as_text = {**certificates(pki), "ca_file": None, "ca_data": (pki / "ca.pem").read_text()}
    for options in (certificates(pki), as_text):
        peer = tls_peer(pki)
        sent = probed(**options, port=peer.port)
        assert not sent["failed"], sent["msg"]
        assert numbers(sent["run_id"], peer.wait()) == [0, 1, 2, 3, 4]


def test_a_name_that_is_not_the_address(pki: Path) -> None:
    peer = tls_peer(pki)
    assert not probed(**certificates(pki), port=peer.port, server_name="collector")["failed"]
    assert numbers(RUN, peer.wait()) == []
    wrong = probed(**certificates(pki), port=tls_peer(pki).port, server_name="other.example.net")
    assert (wrong["problems"][0]["code"], wrong["probe"]["sent"]) == ("tls_server", 0)


@pytest.mark.parametrize(
    "given", [{"client_cert": None, "client_key": None, "client_key_passphrase": None}, "stranger"]
)
def test_a_collector_that_refuses_our_certificate_is_a_failure_although_writing_works(pki: Path, given: Any) -> None:
    if given == "stranger":
        names = {"client_cert": str(pki / "stranger.pem"), "client_key": str(pki / "stranger.key")}
        given = {**names, "client_key_passphrase": None}
    sent = probed(**{**certificates(pki), **given}, port=tls_peer(pki).port)
    assert sent["failed"]
    assert sent["problems"][0]["code"] == "tls_refused"
    assert sent["probe"]["sent"] == 0


def test_a_collector_that_we_do_not_know_gets_nothing(pki: Path) -> None:
    peer = tls_peer(pki)
    sent = probed(**{**certificates(pki), "ca_file": str(pki / "stranger.pem")}, port=peer.port)
    assert sent["problems"][0]["code"] == "tls_server"
    assert peer.wait() == b""


def test_a_wrong_passphrase_is_said_without_asking_and_without_the_passphrase(pki: Path) -> None:
    for wrong in ("wrong-canary", None):
        sent = probed(**{**certificates(pki), "client_key_passphrase": wrong}, port=1)
        assert "a certificate or key cannot be used" in sent["msg"]
        assert "canary" not in json.dumps(sent)


def test_openssl_is_never_left_to_ask_on_the_terminal(pki: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[Any] = []
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", lambda _context, *files: given.append(files))
    probed(**{**certificates(pki), "client_key_passphrase": None}, port=closed_port(socket.SOCK_STREAM))
    assert [files[2] for files in given] == [""]


def test_passphrases_are_marked_as_secrets() -> None:
    marked = {name for name, spec in probe.SPEC.items() if spec.get("no_log")}
    assert marked == {"client_key_passphrase", "private_key_passphrase"}


# --- what is not sent


def test_check_mode_sends_and_reads_nothing(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(senders, "send", lambda *_given: pytest.fail("sent"))
    sent = probed(check=True, transport="tcp", port=1, evidence_path=str(tmp_path / "evidence"))
    assert (sent["failed"], sent["probe"]["sent"]) == (False, 0)
    assert sent["msg"].startswith("Would send 5 records to 127.0.0.1:1 by tcp")
    assert not probed(check=True, state="read", run_id=RUN, path=str(tmp_path / "none"))["failed"]
    assert list(tmp_path.iterdir()) == []


def test_a_sender_that_the_collector_does_not_take_sends_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "send", lambda *_given: pytest.fail("sent"))
    sent = probed(transport="tcp", port=1, senders=["10.1.0.0/16", "192.0.2.1"])
    assert (sent["failed"], sent["summary"]["outcome"], sent["summary"]["counts"]["unknown"]) == (False, "unknown", 1)
    assert "from 10.1.0.0/16, 192.0.2.1 only, and this host sends from 127.0.0.1" in sent["msg"]


@pytest.mark.parametrize(
    ("address", "networks", "may"),
    [
        ("10.1.2.3", [], True),
        ("10.1.2.3", ["10.1.0.0/16"], True),
        ("10.2.2.3", ["10.1.0.0/16", "10.2.2.3"], True),
        ("10.2.2.4", ["10.1.0.0/16", "10.2.2.3"], False),
        ("::1", ["0.0.0.0/0"], False),
        ("fe80::1%eth0", ["fe80::/10"], True),
    ],
)
def test_who_may_send(address: str, networks: list[str], may: bool) -> None:
    assert senders.may_send(address, networks) is may


@pytest.mark.parametrize(
    "wrong",
    [
        {"count": 0},
        {"count": 10**7},
        {"size": 127},
        {"size": 65_001},
        {"rate": -1.0},
        {"run_id": "../x"},
        {"hostname": "a b"},
        {"hostname": "a\nb"},
        {"senders": ["nowhere"]},
    ],
)
def test_options_that_cannot_be_right(wrong: dict[str, Any]) -> None:
    sent = probed(transport="udp", port=9, **wrong)
    assert sent["failed"]
    assert sent["problems"][0]["code"] == "InputError"


def test_pace() -> None:
    peer = Peer(everything)
    sent = probed(transport="tcp", port=peer.port, rate=20.0)
    times = [record.at for record in find(sent["run_id"], peer.wait())]
    assert 0.19 <= times[-1] - times[0] < 2


def test_an_end_in_the_middle_tells_how_much_was_sent() -> None:
    peer = Peer(lambda connection: connection.recv(1))
    sent = probed(transport="tcp", port=peer.port, count=20_000, size=2000)
    assert sent["failed"]
    assert 0 < sent["probe"]["sent"] < 20_000


# --- reading back


def test_loss_fails_and_names_the_records(tmp_path: Path) -> None:
    lines = [b"<134>1 - " + body(RUN, number, 1000.0, 200) for number in (0, 1, 3)]
    (tmp_path / "x.log").write_bytes(b"\n".join([*lines, lines[0], lines[1][:-9], b""]))
    result = probed(state="read", run_id=RUN, path=str(tmp_path), wait_seconds=0.0)
    assert result["failed"]
    assert result["problems"][0]["code"] == "lost"
    assert "2 records are not stored (2, 4)" in result["problems"][0]["message"]
    assert result["msg"].startswith(f"3 of 5 records are stored beneath {tmp_path}: 2 lost, 2 duplicated")
    assert result["summary"]["outcome"] == "failed"


def test_records_that_are_cut_short_fail(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(body(RUN, 0, 1000.0, 200)[:150] + b"\n")
    result = probed(state="read", run_id=RUN, path=str(tmp_path), count=1, wait_seconds=0.0)
    assert (result["failed"], result["problems"][0]["code"]) == (True, "truncated")


def test_a_store_that_cannot_be_read_is_a_failure_of_its_own(tmp_path: Path) -> None:
    result = probed(state="read", run_id=RUN, path=str(tmp_path / "none"), wait_seconds=0.0)
    assert [problem["code"] for problem in result["problems"]] == ["not_readable", "lost"]


def test_evidence(tmp_path: Path) -> None:
    (tmp_path / "x.log").write_bytes(body(RUN, 0, 1000.0, 200) + b"\n")
    path = tmp_path / "evidence.jsonl"
    result = probed(state="read", run_id=RUN, path=str(tmp_path / "x.log"), count=1, evidence_path=str(path))
    assert result["evidence"] == str(path)
    assert json.loads(path.read_text())["probe"]["stored"] == 1


# --- inside of Ansible


def ansible(*options: str) -> str:
    given = " ".join(options)
    said = run(
        "ansible",
        "-i",
        "localhost,",
        "-c",
        "local",
        "localhost",
        "-vvv",
        "-m",
        "mssp.onboarding.collector_probe",
        "-a",
        given,
        cwd=ROOT,
    )
    assert PASSPHRASE not in said
    return said


@pytest.fixture
def sink() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as held:
        held.bind(("127.0.0.1", 0))
        yield held.getsockname()[1]


def test_a_task_sends_and_hides_its_secrets(sink: int) -> None:
    secret = f"client_key_passphrase={PASSPHRASE} private_key_passphrase={PASSPHRASE} client_cert=/none"
    said = ansible(f"transport=udp host=127.0.0.1 port={sink} count=3 {secret}")
    assert "outcome: in_sync" in said
    assert "Sent 3 of 3 records" in said
