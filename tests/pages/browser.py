"""Headless Chromium by its DevTools protocol (https://chromedevtools.github.io/devtools-protocol/), over aiohttp.

Nothing but the browser is needed beside what the collection itself needs. The Debian package is chromium.
"""

from __future__ import annotations

import asyncio
import base64
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import aiohttp

FLAGS = (
    "--headless",
    "--no-sandbox",  # root may run Chromium only so; the pages are ours
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "--force-color-profile=srgb",
)
PATIENCE = 60.0  # seconds


def program() -> str | None:
    return shutil.which("chromium")


class Tab:
    """C(events) holds everything that the browser told since the page was opened, in its order."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._number = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._reader = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                self.events.append(told)
                self._news.set()

    async def call(self, method: str, **params: Any) -> dict[str, Any]:
        self._number += 1
        answer = self._answers[self._number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": self._number, "method": method, "params": params})
        told = await asyncio.wait_for(answer, PATIENCE)
        assert "error" not in told, (method, told)
        result: dict[str, Any] = told["result"]
        return result

    async def open(self, page: Path | str) -> None:
        """Navigate to a file or an address, and wait until it has loaded."""
        self.events.clear()
        await self.call("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        await self._until(lambda: any(event["method"] == "Page.loadEventFired" for event in self.events))

    async def asked_for(self, beginning: str) -> str:
        """Wait until the page has asked for an address that begins so."""
        await self._until(lambda: any(url.startswith(beginning) for url in self.requests()))
        return next(url for url in self.requests() if url.startswith(beginning))

    async def _until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not done():
                self._news.clear()
                await self._news.wait()

    async def evaluate(self, expression: str) -> Any:
        told = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    async def key(self, key: str, code: str = "", number: int = 0, text: str = "") -> None:
        """Press and release a key, as a person would."""
        about = {"key": key, "code": code or key, "windowsVirtualKeyCode": number}
        await self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **about)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **about)

    def leave(self) -> None:
        self._reader.cancel()

    async def type(self, text: str) -> None:
        for char in text:
            await self.key(char, text=char)

    async def look(self, width: int, height: int, *, dark: bool = False) -> None:
        """The size of the window, and what the reader prefers."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])

    async def screenshot(self) -> bytes:
        """What is in the window, as PNG."""
        return base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])

    def requests(self) -> list[str]:
        """Addresses that the page asked for."""
        asked = (event for event in self.events if event["method"] == "Network.requestWillBeSent")
        return [event["params"]["request"]["url"] for event in asked]

    def complaints(self) -> list[dict[str, Any]]:
        """What a person would see in the console, errors of scripts and of the policy among it."""
        said = ("Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded")
        return [event for event in self.events if event["method"] in said]


@contextmanager
def running(folder: Path) -> Iterator[str]:
    """Chromium with an empty profile in the folder; gives the address of its protocol."""
    name = program()
    assert name
    profile = folder / "profile"
    with (folder / "chromium.log").open("w") as log:
        process = subprocess.Popen([name, *FLAGS, f"--user-data-dir={profile}", "about:blank"], stdout=log, stderr=log)
        try:
            yield _address(profile / "DevToolsActivePort", process)
        finally:
            process.terminate()
            process.wait(PATIENCE)


@asynccontextmanager
async def tab(address: str) -> AsyncIterator[Tab]:
    """The one tab of a browser that runs."""
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{address}/json/list") as answer:
            page = next(target for target in await answer.json() if target["type"] == "page")
        async with session.ws_connect(page["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            made = Tab(socket)
            for domain in ("Page", "Runtime", "Network", "Log"):
                await made.call(f"{domain}.enable")
            yield made
            made.leave()


def _address(file: Path, process: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        assert process.poll() is None, "chromium ended; see chromium.log"
        if file.exists() and (lines := file.read_text().split()):
            return f"http://127.0.0.1:{lines[0]}"
        time.sleep(0.05)
    raise TimeoutError("chromium gave no address")
