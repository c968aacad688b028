"""The live line and what Ansible prints never share a line of the terminal."""

from __future__ import annotations

import io
import os
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._console.terminal import Screen, can_redraw

ERASE = "\r\x1b[K"


class Display:
    """What of Ansible's Display a Screen uses."""

    def __init__(self, stream: io.TextIOWrapper) -> None:
        self._lock, self._stream = threading.RLock(), stream

    def display(self, msg: str, newline: bool = True, **kwargs: Any) -> None:
        if not kwargs.get("log_only"):
            self._stream.write(msg + "\n" * newline)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def pipe() -> Iterator[tuple[int, io.TextIOWrapper]]:
    reader, writer = os.pipe()
    with os.fdopen(writer, "w", encoding="utf-8") as stream:
        yield reader, stream
    os.close(reader)


def shown(pipe: tuple[int, io.TextIOWrapper]) -> str:
    pipe[1].flush()
    return os.read(pipe[0], 65536).decode()


def test_output_comes_after_the_line_is_erased(pipe: tuple[int, io.TextIOWrapper]) -> None:
    display = Display(pipe[1])
    screen = Screen(display, pipe[1])
    screen.draw("1/3 tenants")
    screen.draw("1/3 tenants")
    display.display("ok: [contoso]")
    display.display("ok: [fabrikam]")
    screen.draw("2/3 tenants")
    screen.close()
    assert shown(pipe) == f"{ERASE}1/3 tenants{ERASE}ok: [contoso]\nok: [fabrikam]\n{ERASE}2/3 tenants{ERASE}"


def test_no_line_is_drawn_behind_an_unfinished_one(pipe: tuple[int, io.TextIOWrapper]) -> None:
    display = Display(pipe[1])
    screen = Screen(display, pipe[1])
    display.display("Password: ", newline=False)
    screen.draw("1/3 tenants")
    display.display("only logged", log_only=True)
    screen.draw("1/3 tenants")
    display.display("")
    screen.draw("2/3 tenants")
    assert shown(pipe) == f"Password: \n{ERASE}2/3 tenants"


def test_afterwards_display_is_as_it_was(pipe: tuple[int, io.TextIOWrapper]) -> None:
    display = Display(pipe[1])
    screen = Screen(display, pipe[1])
    assert "display" in vars(display)
    screen.close()
    assert "display" not in vars(display)


def test_another_wrapper_is_left_in_place(pipe: tuple[int, io.TextIOWrapper]) -> None:
    display = Display(pipe[1])
    screen = Screen(display, pipe[1])
    display.display = other = lambda *a, **k: None  # type: ignore[method-assign]
    screen.close()
    assert display.display is other


def test_a_worker_neither_draws_nor_erases(pipe: tuple[int, io.TextIOWrapper]) -> None:
    display = Display(pipe[1])
    screen = Screen(display, pipe[1])
    screen.draw("1/3 tenants")
    screen._pid += 1
    display.display("proxied")
    assert shown(pipe) == f"{ERASE}1/3 tenantsproxied\n"


def test_where_a_line_can_be_drawn_over() -> None:
    assert can_redraw(Terminal(), {"TERM": "xterm"})
    assert can_redraw(Terminal(), {})
    assert not can_redraw(Terminal(), {"TERM": "dumb"})
    assert not can_redraw(Terminal(), {"TERM": "xterm", "AWX_ISOLATED_DATA_DIR": "/x"})
    assert not can_redraw(io.StringIO(), {"TERM": "xterm"})
