"""The hand-over pages in a browser: no request, no complaint, and no fault that axe-core knows."""

from __future__ import annotations

import asyncio
import json
import os
from importlib.resources import files
from pathlib import Path

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._handover import page, steps_page
from tests.pages.browser import program, running, tab
from tests.unit.plugins.plugin_utils._handover.test_handover_page import EVIL, ROLE, STEP, content

if program() is None and not os.environ.get("CI"):
    pytest.skip("needs the Debian package chromium", allow_module_level=True)


HOSTILE = [ROLE | dict.fromkeys(("role", "scope", "why", "command", "revoke"), EVIL)]
PAGES = {
    "access": page(content(roles=HOSTILE, extra=[EVIL]), EVIL, "Proseware"),
    "steps": steps_page([STEP, dict.fromkeys(STEP, EVIL)], EVIL),
}


@pytest.mark.parametrize("name", PAGES)
def test_it_asks_for_nothing_and_axe_core_finds_nothing(tmp_path: Path, name: str) -> None:
    path = tmp_path / "page.html"
    path.write_text(PAGES[name])

    async def work() -> None:
        async with tab(address) as found:
            for dark in (False, True):
                await found.look(900, 900, dark=dark)
                await found.open(path)
                assert found.requests() == [path.as_uri()]
                assert found.complaints() == []
                await found.evaluate((files("axe_core_python") / "axe.min.js").read_text() + ";0")
                told = json.loads(await found.evaluate("axe.run().then(found => JSON.stringify(found.violations))"))
                assert [(fault["id"], [node["html"] for node in fault["nodes"][:3]]) for fault in told] == []
            await found.look(360, 800)
            await found.open(path)
            assert await found.evaluate("document.documentElement.scrollWidth") <= 360

    with running(tmp_path) as address:
        asyncio.run(work())
