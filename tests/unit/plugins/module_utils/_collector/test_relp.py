"""RELP: frames to the byte, and a conversation with a scripted server."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.mssp.onboarding.plugins.module_utils._collector import relp
from ansible_collections.mssp.onboarding.plugins.module_utils._collector.relp import Session, frame, read_answer
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError

OPENED = frame(1, "rsp", b"200 OK\nrelp_version=0\nrelp_software=x\ncommands=syslog")


class Sink:
    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data


def session(*answers: bytes) -> tuple[Session, Sink]:
    sink = Sink()
    return Session(sink, io.BytesIO(b"".join(answers))), sink


def test_frames() -> None:
    assert frame(12, "syslog", b"abc\n") == b"12 syslog 4 abc\n\n"
    assert frame(3, "close") == b"3 close 0\n"


@given(st.integers(1, 10**9 - 1), st.binary(max_size=200))
def test_a_frame_reads_back(number: int, data: bytes) -> None:
    answer = read_answer(io.BytesIO(frame(number, "rsp", data)))
    assert (answer.number, answer.command) == (number, "rsp")


def test_a_whole_conversation() -> None:
    talk, sink = session(
        OPENED,
        frame(2, "rsp", b"200 OK"),
        frame(3, "rsp", b"200 OK"),
        frame(4, "rsp"),
        frame(0, "serverclose"),
    )
    talk.open()
    assert len(list(talk.send([b"one", b"two"]))) == 2
    assert talk.acknowledged == 2
    talk.close()
    assert sink.data == frame(1, "open", relp.OFFERS) + b"2 syslog 3 one\n3 syslog 3 two\n4 close 0\n"


def test_no_more_than_the_window_is_sent_without_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relp, "WINDOW", 2)
    talk, sink = session(OPENED, frame(2, "rsp", b"200 OK"))
    talk.open()
    with pytest.raises(NoAnswerError):  # the third frame waits for an answer that never comes
        list(talk.send([b"one", b"two", b"three", b"four"]))
    assert talk.acknowledged == 1
    assert sink.data.endswith(b"\n4 syslog 5 three\n")


def test_numbers_begin_again_after_the_highest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relp, "HIGHEST", 2)
    talk, sink = session(OPENED, frame(2, "rsp", b"200 OK"), frame(1, "rsp", b"200 OK"))
    talk.open()
    list(talk.send([b"one", b"two"]))
    assert b"\n1 syslog 3 two\n" in sink.data


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (frame(1, "rsp", b"500 no syslog here"), RefusedError, "relp_500"),
        (frame(0, "serverclose"), NoAnswerError, "relp_closed"),
        (frame(9, "rsp", b"200 OK"), NoAnswerError, "relp_syntax"),
        (b"", NoAnswerError, "relp_closed"),
        (b"1 rsp 10 200", NoAnswerError, "relp_syntax"),
        (b"HTTP/1.1 400 Bad Request\n", NoAnswerError, "relp_syntax"),
        (b"1 rsp 99999999 x", NoAnswerError, "relp_syntax"),
        (b"x" * 200, NoAnswerError, "relp_syntax"),
    ],
)
def test_every_other_answer_ends_it(answer: bytes, kind: type[Exception], code: str) -> None:
    talk, _sink = session(answer)
    with pytest.raises(kind) as raised:
        talk.open()
    assert raised.value.code == code  # type: ignore[attr-defined]
