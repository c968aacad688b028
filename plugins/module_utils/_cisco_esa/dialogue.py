# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialogue with a command line that asks: what a screen is, and what is answered to it. Pure.

A script is a generator: it gives a line and gets the next screen. It answers nothing that it does not know, and chooses
by the label that stands in the same screen. Who runs it (session.py) ends the session at any error, and what is not
committed ends with it.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Mapping
from typing import NamedTuple, TypeVar

from .._core.errors import OnboardingError, RefusedError
from .contract import BEGINS, CHOICE, LABELS, LINES, OPERATION, PENDING, TEXT, YES_NO, Release

T = TypeVar("T")
SHELL, QUESTION = "shell", "question"
ANSI = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|[()][A-Z0-9]|[=>78])")
PAGER = re.compile(r"-Press Any Key For More-\s*\Z")
ASKED = re.compile(r"(?P<asked>.*)\[[^\[\]]*\]> ?\Z")
PROMPT = re.compile(
    r"(?:\((?P<mode>Machine|Cluster|Group) (?P<place>[^()]+)\)|(?P<host>[A-Za-z0-9][A-Za-z0-9.-]*))> ?\Z"
)
# Of what is asked for in several lines there is no mark but the words.
OPEN = re.compile(r"press enter on a blank line to finish\.?\r?\n\Z", re.IGNORECASE)
ITEM = re.compile(r"^\s*(\d+)\.\s+(.*?)\s*$")
ENTRY = re.compile(r'^\s*(\d+)\.\s+"?([A-Za-z0-9_.-]+)"?(?:\s|$)')
BULLET = re.compile(r"^\s*- ([A-Z]+) - ")
CONTROL = re.compile(r"[^\x20-\x7e]")
SHOWN_TEXT = 400
MOST_MENUS = 4
MOST_STEPS = 200
NEXT_STEP = "nothing was committed; report the text of this screen with the appliance's release"


class Unexpected(OnboardingError):
    """A screen that this collection does not know, or that does not offer what is wanted: the session is over."""

    NEXT_STEP = NEXT_STEP


class Pending(RefusedError):
    """Others have changes that a commit would include."""

    NEXT_STEP = "have them committed or cleared by whoever made them, then run again; nothing was committed"


class Line(NamedTuple):
    """What is typed. commits: whether it may begin a commit; one alone does."""

    text: str
    commits: bool = False


class Screen(NamedTuple):
    """All that was written since the last line was sent. place: of a prompt, the machine's or the cluster's name."""

    text: str
    kind: str
    mode: str = ""
    place: str = ""

    @property
    def question(self) -> str:
        """The last paragraph of words: neither an item of a list, nor what stands above it."""
        words: list[str] = []
        for line in reversed(self.text.split("\n")):
            if not line.strip() or ITEM.match(line) or BULLET.match(line):
                if words:
                    break
            else:
                words.insert(0, line.strip())
        return " ".join(words)

    @property
    def last_line(self) -> str:
        return next((line.strip() for line in reversed(self.text.split("\n"))
                     if line.strip() and not ITEM.match(line) and not BULLET.match(line)), "")  # fmt: skip

    def shown(self) -> str:
        """For a person: the end of it, in one line, without what a terminal obeys."""
        return CONTROL.sub(" ", " ".join(self.text.split()))[-SHOWN_TEXT:]


Script = Generator[Line, Screen, T]


def clean(text: str) -> str:
    return ANSI.sub("", text).replace("\r", "")


def screen_of(text: str) -> Screen | None:
    """The screen, where it ends in something that waits for us; None while more is to come."""
    if OPEN.search(text[-SHOWN_TEXT:]):
        return Screen(text.rstrip("\n"), QUESTION)
    above, line, last = text.rpartition("\n")
    if found := ASKED.match(last):
        return Screen(f"{above}{line}{found['asked']}", QUESTION)
    if found := PROMPT.match(last):
        return Screen(above, SHELL, mode=found["mode"] or "", place=found["place"] or found["host"])
    return None


def unexpected(screen: Screen, why: str) -> Unexpected:
    return Unexpected("go on in the command line", f"{why}; the screen ends in: {screen.shown()}", code="Unexpected")


def unchanged_by_others(screen: Screen) -> None:
    """Raises Pending with what the appliance says of whom."""
    if found := PENDING.search(screen.text):
        line = screen.text[screen.text.rfind("\n", 0, found.start()) + 1 : found.end()]
        raise Pending("commit the change", CONTROL.sub("?", line.strip())[:SHOWN_TEXT], code="PendingChanges")


def topic_of(screen: Screen, release: Release) -> str:
    """The one topic of the question. Raises Unexpected for none, and for two."""
    if screen.kind != QUESTION:
        raise unexpected(screen, "a question was expected, and there is a prompt")
    words = (screen.question, screen.last_line)
    found = [name for name, topic in release.topics.items() if any(topic.pattern.search(text) for text in words)]
    if len(found) != 1:
        raise unexpected(screen, "this question is not known" if not found else f"it may be any of {', '.join(found)}")
    return found[0]


def _numbers(screen: Screen) -> dict[str, str]:
    """Label to its number; of a list that has a number or a label twice nothing is chosen."""
    items = [(found[1], " ".join(found[2].split())) for line in screen.text.split("\n") if (found := ITEM.match(line))]
    if len({number for number, _label in items}) < len(items) or len({label for _number, label in items}) < len(items):
        raise unexpected(screen, "the list has an entry twice")
    return {label: number for number, label in items}


def choice(screen: Screen, topic: str, word: str) -> str:
    """The number of the one label that means the word."""
    labels = tuple(one.casefold() for one in LABELS[topic][word])
    begins = topic in BEGINS
    numbers = {label.casefold(): number for label, number in _numbers(screen).items()}
    fits = [number for label, number in numbers.items() if (label.startswith(labels) if begins else label in labels)]
    if len(fits) != 1:
        raise unexpected(screen, f"{len(fits)} entries of the list are {' or '.join(LABELS[topic][word])}")
    return fits[0]


def entry(screen: Screen, name: str) -> str:
    """The number of the log of that name, exactly, in the list above."""
    found = [hit[1] for line in screen.text.split("\n") if (hit := ENTRY.match(line)) and hit[2] == name]
    if len(found) != 1:
        raise unexpected(screen, f"{len(found)} logs of the list are named {name}")
    return found[0]


def answer(screen: Screen, release: Release, topic: str, value: str) -> Line:
    """The line for a value, in our words. Raises Unexpected where the screen does not offer it."""
    kind = release.topics[topic].kind
    rendered = {
        CHOICE: lambda: choice(screen, topic, value),
        YES_NO: lambda: {"yes": "Y", "no": "N"}[value],
        LINES: lambda: f"{value}\n",
        TEXT: lambda: value,
    }[kind]()
    return Line(rendered)


def walk(screen: Screen, release: Release, answers: Mapping[str, str]) -> Script[tuple[Screen, frozenset[str]]]:
    """Answer each question once, until the menu is there again; gives that screen, and what was asked.

    Raises Unexpected for a question that has no answer here, and for one that comes again: it was not taken.
    """
    asked: list[str] = []
    while (topic := topic_of(screen, release)) != OPERATION:
        if topic in asked:
            raise unexpected(screen, f"the answer to {topic} was not taken")
        if topic not in answers:
            raise unexpected(screen, f"{topic} was not expected here")
        asked.append(topic)
        screen = yield answer(screen, release, topic, answers[topic])
    return screen, frozenset(asked)


def offers(screen: Screen) -> frozenset[str]:
    return frozenset(found[1] for line in screen.text.split("\n") if (found := BULLET.match(line)))


def operation(screen: Screen, release: Release, word: str) -> Script[Screen]:
    """Choose an operation of a menu by its word, which it has to offer."""
    if topic_of(screen, release) != OPERATION:
        raise unexpected(screen, "a menu was expected")
    offered = offers(screen)
    if word not in offered:
        text = f"the menu does not offer {word}, only {', '.join(sorted(offered)) or 'nothing'}"
        step = "give the account the role of an administrator"
        raise RefusedError(f"choose {word}", text, code="NotOffered", next_step=step)
    return (yield Line(word))


def leave(screen: Screen, release: Release) -> Script[Screen]:
    """Out of the menus, by empty lines, which change nothing there."""
    for _number in range(MOST_MENUS):
        if screen.kind == SHELL:
            return screen
        if topic_of(screen, release) != OPERATION:
            raise unexpected(screen, "a menu was expected")
        screen = yield Line("")
    raise unexpected(screen, "the menu does not end")


def at_prompt(screen: Screen) -> Screen:
    if screen.kind != SHELL:
        raise unexpected(screen, "a prompt was expected")
    return screen
