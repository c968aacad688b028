# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The XML of SFOS's API: read as a stranger's, written with every value escaped. Pure.

Source: docs.sophos.com, SFOS API; sophosfirewall-python 0.1.68, whose order of checks these are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import urlencode
from xml.parsers import expat
from xml.sax.saxutils import escape, quoteattr  # writes only  # nosec B406

from .._core.errors import OnboardingError, RefusedError, SignInError, malformed

MAX_DEPTH = 32
MAX_ELEMENTS = 200_000
LOGIN_DONE = "Authentication Successful"
# An empty list, which has two spellings and no code.
NONE = ("No. of records Zero.", "Number of records Zero.")
DONE = "2"
API_STEP = "Backup & firmware > API"
# By the code of the outermost layer.
TOP_STEPS = {
    "532": f"let the firewall's administrator enable the API at {API_STEP}",
    "534": "let the firewall's administrator add the address that this machine has towards it to the allowed ones at "
    f"{API_STEP}",
}
LOGIN_STEP = (
    "check username and password before anything is tried again, since further failures lock this machine's address "
    "out; the user stands at Authentication > Users, and needs an administrator's profile with the rights that "
    "preflight names"
)
OTHER_STEP = "see what the text says of the options; if it says nothing, run again, then ask Sophos' support"
Fields = tuple[tuple[str, str], ...]


class Node(NamedTuple):
    """An element."""

    name: str
    attributes: Mapping[str, str]
    children: tuple[Node, ...]
    text: str

    def of(self, name: str) -> list[Node]:
        return [one for one in self.children if one.name == name]


def parse(raw: bytes) -> Node:
    """The root of a document. Raises ValueError for what is none, has a DTD (and so entities), or has no bounds."""
    reader, count = expat.ParserCreate(), 0
    open_nodes: list[list[Any]] = [["", {}, [], ""]]

    def start(name: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if len(open_nodes) > MAX_DEPTH or count > MAX_ELEMENTS:
            raise ValueError("it has too many elements, or too deep ones")
        open_nodes.append([name, attributes, [], ""])

    def end(_name: str) -> None:
        name, attributes, children, text = open_nodes.pop()
        open_nodes[-1][2].append(Node(name, attributes, tuple(children), text.strip()))

    def characters(text: str) -> None:
        open_nodes[-1][3] += text

    def doctype(*_told: Any) -> None:
        raise ValueError("it has a DTD")

    reader.buffer_text = True
    reader.StartElementHandler, reader.EndElementHandler = start, end
    reader.CharacterDataHandler, reader.StartDoctypeDeclHandler = characters, doctype
    try:
        reader.Parse(raw, True)
    except (expat.ExpatError, LookupError) as error:
        raise ValueError(str(error)) from error
    root: Node = open_nodes[0][2][0]
    return root


def fields(node: Node, above: str = "") -> Iterator[tuple[str, str]]:
    """Every leaf beneath an element, by its path, in its order."""
    for child in node.children:
        path = above + child.name
        if child.children:
            yield from fields(child, f"{path}/")
        else:
            yield path, child.text


def elements(held: Iterable[tuple[str, str]]) -> str:
    """The other way round."""
    text = ""
    for name, same in groupby(held, lambda item: item[0].partition("/")[0]):
        inside = [(path.partition("/")[2], value) for path, value in same]
        deeper = [item for item in inside if item[0]]
        parts = [elements(deeper)] if deeper else [escape(value) for _path, value in inside]
        text += "".join(f"<{name}>{part}</{name}>" for part in parts)
    return text


def request(username: str, password: str, inside: str) -> bytes:
    """The body of a request, as a form; the password stands in it."""
    login = f"<Login>{elements((('Username', username), ('Password', password)))}</Login>"
    return urlencode({"reqxml": f"<Request>{login}{inside}</Request>"}).encode()


def get(entity: str) -> str:
    """All of them: a filter gives one fixed record, whatever is asked for."""
    return f"<Get><{entity}></{entity}></Get>"


def put(operation: str, entity: str, held: Fields) -> str:
    return f"<Set operation={quoteattr(operation)}><{entity}>{elements(held)}</{entity}></Set>"


def remove(entity: str, name: str) -> str:
    return f"<Remove><{entity}>{elements((('Name', name),))}</{entity}></Remove>"


def answered(operation: str, root: Node, entity: str, *, written: bool = False) -> list[Node]:
    """The entities of an answer, of which HTTP says nothing: its four layers, in their order.

    written: a write was asked for, which has to say that it is done. Raises RefusedError, SignInError, NoAnswerError.
    """
    if root.name != "Response":
        raise malformed(operation, ValueError(f"its root is {root.name[:40]!r}"))
    for status in root.of("Status"):
        if not status.attributes.get("code", "").startswith(DONE):
            raise refused(operation, status, TOP_STEPS)
    logins = [one.text for login in root.of("Login") for one in login.of("status")]
    if not logins:
        raise malformed(operation, ValueError("it does not say whether the login was a success"))
    if logins != [LOGIN_DONE]:
        step = LOGIN_STEP
        raise SignInError(operation, logins[0] or "no text", code="AuthenticationFailure", next_step=step)
    found = root.of(entity)
    states = [status for one in found for status in one.of("Status") if _is_outcome(one, status)]
    if not found or (states and len(found) > 1) or (written and not states):
        raise malformed(operation, ValueError(f"it says nothing of {entity}"))
    for status in states:
        if not (status.attributes.get("code", "").startswith(DONE) or (not written and status.text in NONE)):
            raise refused(operation, status, {})
    return [] if states else found


def _is_outcome(node: Node, status: Node) -> bool:
    """Whether it says how the request went: an entity, as a firewall rule, may have a field of that name."""
    return "code" in status.attributes or len(node.children) == 1


def refused(operation: str, status: Node, steps: Mapping[str, str]) -> OnboardingError:
    code = status.attributes.get("code", "")
    step = steps.get(code, OTHER_STEP)
    return RefusedError(operation, status.text or "SFOS gave no text", code=code or "Refused", next_step=step)
