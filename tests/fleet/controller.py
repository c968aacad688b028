"""A stand-in for a controller's API (/api/v2): it keeps objects and answers as the modules of awx.awx expect.

Source: awx.awx 24.6.1, plugins/module_utils/controller_api.py. It judges no field; a real controller does.
"""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

TOKEN = "a-token-of-the-stand-in"
JOB_TEMPLATES = ("job_templates", "projects", "inventory_sources", "workflow_job_templates")


class Store:
    """objects: {kind: {id: object}}; links: {path of a relation: ids}; writes: (method, path) in order."""

    def __init__(self) -> None:
        self.objects: dict[str, dict[int, dict[str, Any]]] = {}
        self.links: dict[str, list[int]] = {}
        self.writes: list[tuple[str, str]] = []
        self.lock = threading.Lock()

    def named(self, kind: str) -> dict[str, dict[str, Any]]:
        return {item["name"]: item for item in self.objects.get(kind, {}).values()}

    def find(self, kind: str, query: dict[str, str]) -> list[dict[str, Any]]:
        kinds = JOB_TEMPLATES if kind == "unified_job_templates" else (kind,)
        every = [item for name in kinds for item in self.objects.get(name, {}).values()]
        return [item for item in every if all(_matches(item, key, value) for key, value in query.items())]

    def create(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        number = sum(len(found) for found in self.objects.values()) + 1
        path = f"/api/v2/{kind}/{number}/"
        related = dict.fromkeys(("credentials", "labels"), "")
        related |= {f"notification_templates_{when}": "" for when in ("started", "success", "error", "approvals")}
        roles = {"object_roles": {"execute_role": {"id": number}}}
        item = {"id": number, "url": path, "type": kind.rstrip("s"), "summary_fields": roles, **body}
        item["related"] = {name: f"{path}{name}/" for name in (*related, "instance_groups", "galaxy_credentials")}
        self.objects.setdefault(kind, {})[number] = item
        return item


def _matches(item: dict[str, Any], key: str, value: str) -> bool:
    if key in ("page_size", "order_by"):
        return True
    name, _, lookup = key.partition("__")
    found = item.get(name)
    return str(found) in value.split(",") if lookup == "in" else str(found) == value


class Handler(BaseHTTPRequestHandler):
    store: Store

    def _answer(self, status: int, body: Any = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _body(self) -> dict[str, Any]:
        return dict(json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}"))

    def _serve(self) -> None:
        url = urlsplit(self.path)
        parts = url.path.removeprefix("/api/v2/").strip("/").split("/")
        body = self._body() if self.command != "GET" else {}
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return self._answer(401, {"detail": "Authentication credentials were not provided."})
        with self.store.lock:
            if self.command != "GET":
                self.store.writes.append((self.command, url.path))
            return self._answer(*self._reply(parts, dict(parse_qsl(url.query)), body, url.path))

    def _reply(self, parts: list[str], query: dict[str, str], body: dict[str, Any], path: str) -> tuple[int, Any]:
        store, kind = self.store, parts[0]
        if len(parts) == 1 and self.command == "POST":
            return 201, store.create(kind, body)
        if len(parts) == 1:
            found = store.find(kind, query)
            return 200, {"count": len(found), "next": None, "results": found}
        if len(parts) == 3:
            return self._relation(path, body)
        item = store.objects.get(kind, {}).get(int(parts[1]))
        if item is None:
            return 404, {"detail": "Not found."}
        if self.command == "PATCH":
            item.update(body)
        return 200, item

    def _relation(self, path: str, body: dict[str, Any]) -> tuple[int, Any]:
        linked = self.store.links.setdefault(path, [])
        if self.command == "POST":
            linked.append(int(body["id"]))
            return 204, None
        return 200, {"count": len(linked), "next": None, "results": [{"id": number} for number in linked]}

    do_GET = do_POST = do_PATCH = _serve

    def log_message(self, *_arguments: Any) -> None:
        pass


@contextlib.contextmanager
def controller() -> Iterator[tuple[str, Store]]:
    """(URL, what it keeps) of a stand-in on loopback."""
    store = Store()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"store": store}))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", store
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
