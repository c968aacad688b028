# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The way to the cloud: token, streams, refresh and the feed, over TLS by the host's CA store.

Every failure is a CloudError whose text goes to the log. The texts are assumed; what the vendor's say is not known.
"""

from __future__ import annotations

import base64
import http.client
import json
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import SplitResult, unquote, urlencode, urlsplit

from .config import Config

EARLY = 60  # s before its end that a token is replaced
FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


class CloudError(Exception):
    """`wait`: seconds that the cloud asked for. `gone`: the session has ended, there may be another."""

    def __init__(self, text: str, wait: float = 0.0, gone: bool = False) -> None:
        super().__init__(text)
        self.wait = wait
        self.gone = gone


class Cloud:
    def __init__(self, config: Config) -> None:
        self.config = config
        self.app_id = config.text("Settings", "app_id")
        self.connect_timeout = config.number("Settings", "connection_timeout", 10)
        self.read_timeout = config.number("Settings", "read_timeout", 30)
        self.context = ssl.create_default_context()
        self.lock = threading.Lock()
        self.held: tuple[str, float] = ("", 0.0)  # Bearer token and the monotonic time of its end

    # -- what there is to ask -------------------------------------------------------------------------------------

    def token(self) -> str:
        with self.lock:
            if self.held[1] > time.monotonic():
                return self.held[0]
            form = {key: self.config.text("Settings", key) for key in ("client_id", "client_secret")}
            url = self.config.text("Settings", "request_token_url")
            answer = self._ask("Unable to get an access token", "POST", url, FORM, urlencode(form))
            life = max(float(answer.get("expires_in", 0)) - EARLY, 1.0)
            self.held = (str(answer["access_token"]), time.monotonic() + life)
            return self.held[0]

    def streams(self) -> list[dict[str, Any]]:
        """Those of the wanted partition. An empty list is what an app id in use gives."""
        query = urlencode({"appId": self.app_id, "format": "json"})
        what = "Unable to discover event streams (the API client needs Event streams: Read)"
        answer = self._bearer(what, "GET", f"{self.config.text('Settings', 'api_url')}?{query}")
        found = list(answer.get("resources") or [])
        if not found:
            raise CloudError(
                f"No event stream is available for app_id {self.app_id}: is it in use by another connector?"
            )
        for stream in found:
            self._check_clock(stream["sessionToken"]["expiration"])
        wanted = self.config.text("Settings", "partition", "all")
        chosen = [stream for stream in found if wanted in ("all", partition(stream))]
        if not chosen:
            raise CloudError(f"There is no partition {wanted}")
        return chosen

    def refresh(self, stream: dict[str, Any]) -> None:
        self._bearer("Unable to refresh the stream session", "POST", stream["refreshActiveSessionURL"], body="{}")

    def feed(
        self, stream: dict[str, Any], offset: int | None
    ) -> tuple[http.client.HTTPConnection, socket.socket, http.client.HTTPResponse]:
        """The open feed from that offset on, its socket beside it so that another thread can end the reading."""
        url = stream["dataFeedURL"] + ("" if offset is None else f"&offset={offset}")
        headers = {"Authorization": f"Token {stream['sessionToken']['token']}", "Accept": "application/json"}
        connection = self._connect(url)
        held = connection.sock
        response = self._send(connection, "GET", url, headers, None)
        if response.status != 200:
            text = f"Unable to open the event stream: {response.status} {_words(response.read())}"
            connection.close()
            raise CloudError(text, _asked(response), gone=response.status in (401, 404))
        return connection, held, response

    def _check_clock(self, expiration: str) -> None:
        end = datetime.fromisoformat(expiration[:19]).replace(tzinfo=UTC)
        now = datetime.now(UTC)
        if end <= now:
            raise CloudError(
                f"The session token has expired at {end:%Y-%m-%dT%H:%M:%SZ}, before its first use: the clock of this "
                f"host ({now:%Y-%m-%dT%H:%M:%SZ}) is not in sync"
            )

    # -- how to ask -----------------------------------------------------------------------------------------------

    def _bearer(self, what: str, method: str, url: str, body: str | None = None) -> dict[str, Any]:
        """With the token; once more with a new one when the cloud no longer takes it."""
        for last in (False, True):
            headers = {"Authorization": f"Bearer {self.token()}", "Content-Type": "application/json"}
            try:
                return self._ask(what, method, url, headers, body)
            except _Unauthorized:
                self.held = ("", 0.0)
                if last:
                    raise
        raise AssertionError

    def _ask(self, what: str, method: str, url: str, headers: dict[str, str], body: str | None) -> dict[str, Any]:
        connection = self._connect(url)
        try:
            response = self._send(connection, method, url, headers, body)
            raw = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise CloudError(f"{what}: {error}") from None
        finally:
            connection.close()
        if response.status not in (200, 201):
            kind = _Unauthorized if response.status == 401 else CloudError
            raise kind(f"{what}: {response.status} {_words(raw)}", _asked(response), gone=response.status == 404)
        try:
            return dict(json.loads(raw))
        except ValueError:
            raise CloudError(f"{what}: the answer is no JSON") from None

    def _send(
        self, connection: http.client.HTTPConnection, method: str, url: str, headers: dict[str, str], body: str | None
    ) -> http.client.HTTPResponse:
        parts = urlsplit(url)
        try:
            connection.request(method, f"{parts.path}?{parts.query}".rstrip("?"), body, headers)
            return connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise CloudError(f"No answer from {parts.hostname}: {error}") from None

    def _connect(self, url: str) -> http.client.HTTPConnection:
        parts, proxy = urlsplit(url), urlsplit(self.config.text("Settings", "http_proxy"))
        near = proxy if proxy.hostname else parts
        connection = http.client.HTTPSConnection(
            near.hostname or "", near.port or 443, timeout=self.connect_timeout, context=self.context
        )
        if proxy.hostname:
            connection.set_tunnel(parts.hostname or "", parts.port or 443, _proxy_headers(proxy))
        try:
            connection.connect()
        except socket.gaierror as error:
            raise CloudError(f"Unable to resolve {near.hostname}: {error.strerror}") from None
        except ssl.SSLError as error:
            raise CloudError(f"TLS handshake with {parts.hostname} failed: {error}") from None
        except OSError as error:
            where = "proxy " if proxy.hostname else ""
            raise CloudError(f"Unable to connect to {where}{near.hostname}:{near.port or 443}: {error}") from None
        connection.sock.settimeout(self.read_timeout)
        return connection


class _Unauthorized(CloudError):
    """401: the Bearer token is no longer good."""


def partition(stream: dict[str, Any]) -> str:
    return str(urlsplit(stream["refreshActiveSessionURL"]).path.rpartition("/")[2])


def _proxy_headers(proxy: SplitResult) -> dict[str, str]:
    if not proxy.username:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


def _words(raw: bytes) -> str:
    """The vendor's own words from an error's body."""
    try:
        return "; ".join(str(error["message"]) for error in json.loads(raw)["errors"])
    except (ValueError, KeyError, TypeError):
        return raw[:200].decode("utf-8", "replace")


def _asked(response: http.client.HTTPResponse) -> float:
    text = response.headers.get("Retry-After", "")
    return float(text) if text.isdigit() else 0.0
