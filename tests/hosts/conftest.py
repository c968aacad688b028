"""Booted hosts for the tests of this folder; see nspawn.py for what they are and what they offer."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator

import pytest

from tests.hosts.nspawn import Host, booted_host, why_not

Boot = Callable[[str, str], Host]


def require_hosts() -> None:
    """Skip where hosts cannot be booted, and say why; where CI promised that they can, fail."""
    reason = why_not()
    if reason is None:
        return
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)


@pytest.fixture(scope="module")
def boot() -> Iterator[Boot]:
    """boot(suite, name) gives a booted host; the same suite and name the same host, until the module's tests end."""
    require_hosts()
    hosts: dict[tuple[str, str], Host] = {}
    with contextlib.ExitStack() as stack:

        def get(suite: str, name: str) -> Host:
            if (suite, name) not in hosts:
                hosts[suite, name] = stack.enter_context(booted_host(suite, name))
            return hosts[suite, name]

        yield get
