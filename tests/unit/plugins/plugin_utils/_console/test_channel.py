"""Telling progress never blocks, never raises, never mixes lines, and costs next to nothing."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.progress import (
    CHANNEL_VARIABLE,
    FAILURES_TOLD,
    Channel,
    Progress,
    Reporter,
    Sender,
    clean,
    decode,
    encode,
)

ONE = Progress("contoso", "azure_diagnostics", "apply", 120, 60, 20, 10, 3, 1.5)


@pytest.fixture
def channel() -> Iterator[Channel]:
    made = Channel()
    yield made
    if CHANNEL_VARIABLE in os.environ:
        made.close()


def writer() -> int:
    return int(os.environ[CHANNEL_VARIABLE].partition(":")[0])


def test_what_is_sent_arrives(channel: Channel) -> None:
    send = Sender()
    send(ONE)
    send(Progress("fabrikam", "azure_diagnostics", failure="403"))
    assert channel.read() == [ONE, Progress("fabrikam", "azure_diagnostics", failure="403")]
    assert channel.read() == []


def test_a_forked_worker_reaches_its_parent(channel: Channel) -> None:
    child = os.fork()
    if child == 0:
        Sender()(ONE)
        os._exit(0)
    os.waitpid(child, 0)
    assert channel.read() == [ONE]


def test_without_a_channel_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CHANNEL_VARIABLE, raising=False)
    Sender()(ONE)


@pytest.mark.parametrize("named", ["", "x", "7", "999999:1", "-1:1", f"{10**30}:1", "0x3:1"])
def test_a_channel_that_makes_no_sense_is_none(named: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CHANNEL_VARIABLE, named)
    send = Sender()
    assert send.descriptor() is None
    send(ONE)


def test_a_full_pipe_drops_and_does_not_wait(channel: Channel) -> None:
    send = Sender()
    begun = time.monotonic()
    for _ in range(20_000):
        send(ONE)
    assert time.monotonic() - begun < 60
    heard = channel.read()
    assert 1000 < len(heard) < 20_000
    assert set(heard) == {ONE}
    send(ONE)
    assert channel.read() == [ONE]


def test_a_closed_pipe_is_silence(channel: Channel) -> None:
    send = Sender()
    send(ONE)
    named = os.environ[CHANNEL_VARIABLE]
    channel.close()
    os.environ[CHANNEL_VARIABLE] = named  # a worker has its own copy
    try:
        send(ONE)
    finally:
        del os.environ[CHANNEL_VARIABLE]


def test_a_pipe_without_reader_is_silence(channel: Channel) -> None:
    with open(os.devnull, "rb") as nothing:
        os.dup2(nothing.fileno(), channel._reader)
    with pytest.raises(BrokenPipeError):
        os.write(writer(), b"x")
    Sender()(ONE)


def test_another_file_with_the_same_number_is_not_written_to(channel: Channel, tmp_path: os.PathLike[str]) -> None:
    path = os.path.join(tmp_path, "precious")
    file = os.open(path, os.O_WRONLY | os.O_CREAT)
    kept = os.dup(writer())
    try:
        os.dup2(file, writer())
        Sender()(ONE)
        assert os.path.getsize(path) == 0
    finally:
        os.dup2(kept, writer())
        os.close(kept)
        os.close(file)


def test_a_line_that_came_in_two_parts_is_one(channel: Channel) -> None:
    line = encode(ONE)
    os.write(writer(), line + line[:20])
    assert channel.read() == [ONE]
    os.write(writer(), line[20:])
    assert channel.read() == [ONE]


def test_what_is_no_line_of_ours_is_left_out(channel: Channel) -> None:
    os.write(writer(), b'nonsense\n{"tenant": 1}\n[1,2]\n\xff\xfe\n' + encode(ONE))
    assert channel.read() == [ONE]


@pytest.mark.parametrize("letter", ["x", "\x1b", "\x00", '"', "\\", "é", "漢", "😀", "\ud800"])
def test_no_text_makes_a_line_longer_than_is_atomic(letter: str) -> None:
    line = encode(Progress(letter * 9999, letter * 9999, letter * 9999, failure=letter * 9999))
    assert len(line) <= select.PIPE_BUF
    assert line.count(b"\n") == 1
    assert decode(line) is not None


def test_text_becomes_one_printable_line() -> None:
    assert clean("a\n b\t\x1b[31mc\u202e", 80) == "a b ?[31mc?"
    assert clean("abcdef", 4) == "abc…"


def test_telling_costs_less_than_20_microseconds(channel: Channel) -> None:
    send, costs = Sender(), []
    for _ in range(5):
        begun = time.process_time()
        for _ in range(1000):
            send(ONE)
        costs.append((time.process_time() - begun) / 1000)
        channel.read()
    assert min(costs) < 20e-6


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def told() -> list[Progress]:
    return []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def reporter(told: list[Progress], clock: Clock) -> Reporter:
    return Reporter("contoso", "azure_diagnostics", send=told.append, clock=clock, every=0.2)


def test_a_thousand_updates_a_second_are_five_lines(told: list[Progress], clock: Clock, reporter: Reporter) -> None:
    for number in range(1000):
        clock.now = 100 + number / 1000
        reporter.update(done=number)
    assert [round(progress.done, -1) for progress in told] == [0, 200, 400, 600, 800]


def test_a_new_phase_is_told_at_once_and_the_rest_stays_as_it_was(told: list[Progress], reporter: Reporter) -> None:
    reporter.update(phase="observe", total=120)
    reporter.update(phase="observe", done=120)
    reporter.update(phase="apply", planned=20)
    assert told == [
        Progress("contoso", "azure_diagnostics", "observe", total=120),
        Progress("contoso", "azure_diagnostics", "apply", total=120, done=120, planned=20),
    ]


def test_a_failure_is_told_at_once_and_once(told: list[Progress], reporter: Reporter) -> None:
    reporter.update(done=3)
    reporter.failure("403 on a")
    reporter.failure("403 on a")
    assert [(progress.failure, progress.done) for progress in told] == [("", 3), ("403 on a", 3)]


def test_ten_thousand_failures_are_a_handful_of_lines(told: list[Progress], reporter: Reporter) -> None:
    for number in range(10_000):
        reporter.failure(f"403 on {number}")
    assert len(told) == FAILURES_TOLD + 1
    assert "evidence" in told[-1].failure
