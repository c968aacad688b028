"""Files by legacy SCP and by SFTP: the protocol's bytes, and a real SSH server on loopback."""

from __future__ import annotations

import io
import os
import re
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import paramiko
import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import files, probe
from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    InputError,
    NoAnswerError,
    RefusedError,
)

PASSPHRASE = "canary-passphrase-5d1c"


class Scripted:
    """A sink that gives these bytes as its answers."""

    def __init__(self, answers: bytes) -> None:
        self.answers = io.BytesIO(answers)
        self.data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data

    def recv(self, size: int) -> bytes:
        return self.answers.read(size)


def test_the_bytes_of_two_files() -> None:
    sink = Scripted(b"\0" * 5)
    assert len(list(files.push(sink, [("a.s", b"one"), ("b.s", b"")]))) == 2
    assert sink.data == b"C0644 3 a.s\none\0C0644 0 b.s\n\0"


@pytest.mark.parametrize(
    ("answers", "code", "text"),
    [
        (b"\0\1scp: no room\n", "scp_1", "scp: no room"),
        (b"\2fatal\n", "scp_2", "fatal"),
        (b"\0\0\1late\n", "scp_1", "late"),
        (b"This service allows sftp connections only.\n", "scp_84", "This service allows sftp connections only."),
    ],
)
def test_a_refusal_is_told_in_the_sinks_own_words(answers: bytes, code: str, text: str) -> None:
    with pytest.raises(RefusedError) as raised:
        list(files.push(Scripted(answers), [("a.s", b"one")]))
    assert (raised.value.code, raised.value.message) == (code, text)


def test_the_data_does_not_follow_a_refused_header() -> None:
    sink = Scripted(b"\0\1no\n")
    with pytest.raises(RefusedError):
        list(files.push(sink, [("a.s", b"one")]))
    assert sink.data == b"C0644 3 a.s\n"


def test_a_closed_channel_is_no_yes() -> None:
    with pytest.raises(NoAnswerError):
        list(files.push(Scripted(b"\0\0"), [("a.s", b"one")]))


@pytest.mark.parametrize("name", ["", "a/b", "a\nb"])
def test_names_that_would_break_the_protocol(name: str) -> None:
    with pytest.raises(InputError):
        files.header(name, 1)


# --- a real SSH server


class Session(paramiko.ServerInterface):
    """Lets one key in, and answers «scp -t» with a sink that writes into a folder."""

    def __init__(self, key: paramiko.PKey, folder: Path, code: int) -> None:
        self.key, self.folder, self.code = key, folder, code

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:
        return paramiko.AUTH_SUCCESSFUL if key == self.key else paramiko.AUTH_FAILED

    def get_allowed_auths(self, username: str) -> str:
        return "publickey"

    def check_channel_request(self, kind: str, chanid: int) -> int:
        return paramiko.OPEN_SUCCEEDED

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        (self.folder / "command").write_bytes(command)
        threading.Thread(target=self.sink, args=[channel], daemon=True).start()
        return True

    def sink(self, channel: paramiko.Channel) -> None:
        stream = channel.makefile("rb")
        channel.sendall(b"\0")
        while line := stream.readline():
            _mode, size, name = line.decode().split()
            channel.sendall(b"\0")
            (self.folder / name).write_bytes(stream.read(int(size)))
            stream.read(1)
            channel.sendall(b"\0")
        channel.send_exit_status(self.code)
        with suppress(EOFError, OSError):  # the client may be gone by now
            channel.close()


class Files(paramiko.SFTPServerInterface):
    """Writes new files into the folder of its session."""

    def __init__(self, server: Session, *_more: Any) -> None:
        super().__init__(server)
        self.folder = server.folder

    def open(self, path: str, flags: int, attr: paramiko.SFTPAttributes) -> paramiko.SFTPHandle:
        handle = paramiko.SFTPHandle(flags)
        handle.writefile = open(self.folder / Path(path).name, "xb")  # type: ignore[attr-defined]  # noqa: SIM115
        return handle


class Server:
    """address: (host, port) to connect to; code: with what the sink ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host_key = paramiko.ECDSAKey.generate()
        self.key = paramiko.ECDSAKey.generate()
        self.code = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.transports: list[paramiko.Transport] = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _peer = self.socket.accept()
            except OSError:
                return
            transport = paramiko.Transport(connection)
            self.transports.append(transport)
            transport.add_server_key(self.host_key)
            transport.set_subsystem_handler("sftp", paramiko.SFTPServer, Files)
            transport.start_server(event=threading.Event(), server=Session(self.key, self.folder, self.code))

    def close(self) -> None:
        self.socket.close()
        for transport in self.transports:
            transport.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    (tmp_path / "in").mkdir()
    made = Server(tmp_path / "in")
    made.key.write_private_key_file(str(tmp_path / "key"), PASSPHRASE)
    known(tmp_path, made, made.host_key)
    yield made
    made.close()


def known(folder: Path, server: Server, key: paramiko.PKey) -> None:
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {key.get_name()} {key.get_base64()}\n")


def pushed(server: Server, folder: Path, **more: Any) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in probe.SPEC.items()}
    params |= {
        "transport": "scp",
        "host": "127.0.0.1",
        "port": server.port,
        "user": "drop",
        "private_key_file": str(folder / "key"),
        "private_key_passphrase": PASSPHRASE,
        "known_hosts": str(folder / "known_hosts"),
        "count": 3,
    }
    return execute(probe.run, probe.CAPABILITY, params | more, check=False, diff=False, secrets=[PASSPHRASE])


def read(folder: Path, run_id: str) -> dict[str, Any]:
    params = {name: spec.get("default") for name, spec in probe.SPEC.items()}
    params |= {"state": "read", "path": str(folder), "run_id": run_id, "count": 3, "wait_seconds": 1}
    return execute(probe.run, probe.CAPABILITY, params, check=False, diff=False)


@pytest.mark.parametrize("transport", ["scp", "sftp"])
def test_files_arrive(server: Server, tmp_path: Path, transport: str) -> None:
    sent = pushed(server, tmp_path, transport=transport)
    assert not sent["failed"], sent["msg"]
    assert (sent["probe"]["sent"], sent["probe"]["acknowledged"]) == (3, 3)
    assert len(list(server.folder.glob(f"mssp-probe-{sent['run_id']}-*.s"))) == 3
    assert read(server.folder, sent["run_id"])["probe"]["stored"] == 3


def test_files_are_named_as_the_collector_takes_them(server: Server, tmp_path: Path) -> None:
    sent = pushed(server, tmp_path, file_name="mail.@*.s", count=1)
    assert [path.name for path in server.folder.glob("mail*")] == [f"mail.@mssp-probe-{sent['run_id']}-000000.s"]


def test_the_folder_is_one_word_of_the_command(server: Server, tmp_path: Path) -> None:
    assert not pushed(server, tmp_path, remote_path="/a b;c")["failed"]
    assert (server.folder / "command").read_bytes() == b"scp -t '/a b;c'"


def test_a_sink_that_ends_badly_has_acknowledged_nothing(server: Server, tmp_path: Path) -> None:
    server.code = 1
    sent = pushed(server, tmp_path)
    assert sent["failed"]
    assert sent["problems"][0]["code"] == "scp_exit_1"
    assert sent["probe"]["acknowledged"] is None


def test_an_unknown_or_changed_host_key_stops_it(server: Server, tmp_path: Path) -> None:
    known(tmp_path, server, paramiko.ECDSAKey.generate())
    changed = pushed(server, tmp_path)
    assert changed["problems"][0]["code"] == "host_key"
    (tmp_path / "known_hosts").write_text("")
    unknown = pushed(server, tmp_path)
    assert "not found in known_hosts" in unknown["msg"]
    assert list(server.folder.iterdir()) == []


def test_a_wrong_passphrase_or_key_is_said_without_the_secret(server: Server, tmp_path: Path) -> None:
    wrong = pushed(server, tmp_path, private_key_passphrase="wrong-canary")
    assert wrong["failed"]
    paramiko.ECDSAKey.generate().write_private_key_file(str(tmp_path / "other"))
    other = pushed(server, tmp_path, private_key_file=str(tmp_path / "other"), private_key_passphrase=None)
    assert other["failed"]
    for result in (wrong, other):
        assert re.search(r"sign in to drop@127.0.0.1", result["msg"])
        assert "canary" not in str(result)
        assert not os.listdir(server.folder)
