# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""python -m lab.receivers: the state directory, the table of addresses and a line per request."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import secrets
import signal
import ssl
import sys
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TextIO

import yaml
from cryptography import x509

from lab.kernel import ca
from lab.receivers import listener
from lab.receivers.receiver import Record, scheme_of
from lab.receivers.state import PORTS, Receivers


def run(options: argparse.Namespace) -> int:
    """Exit code: 0 after SIGTERM or SIGINT, 1 when it cannot listen, 2 for wrong options."""
    folder: Path = options.state_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        receivers = _receivers(folder, options.set)
        ports = _ports(options.port)
        tls = _tls(folder, options.tls)
    except (ValueError, ssl.SSLError, OSError) as error:
        print(f"wrong options: {error}", file=sys.stderr)
        return 2
    try:
        asyncio.run(_serve(options, receivers, ports, tls))
    except OSError as error:
        print(f"cannot listen: {error}", file=sys.stderr)
        return 1
    return 0


async def _serve(
    options: argparse.Namespace, receivers: Receivers, ports: dict[str, int], tls: ssl.SSLContext | None
) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    records = _append(options.records) if options.records else None

    def keep(record: Record) -> None:
        _say(record.line())
        if records:
            print(json.dumps(_masked(record, receivers)), file=records, flush=True)

    listeners = [
        listener.Listener(receivers.by_name[name], listener.listen(options.listen, port), tls, _say, keep)
        for name, port in ports.items()
    ]
    urls = {one.receiver.name: one.url for one in listeners}
    token, control = secrets.token_urlsafe(32), listener.listen("127.0.0.1", 0)
    state = {"url": f"http://127.0.0.1:{control.getsockname()[1]}", "token": token, "pid": os.getpid()}
    ca.private(options.state_dir / "receivers.json", json.dumps(receivers.describe(urls), indent=2))
    ca.private(options.state_dir / "control.json", json.dumps(state))
    _table(options, receivers, urls)
    await listener.serve(listeners, (control, listener.controller(receivers, urls, token)), stop)
    for name in ("receivers.json", "control.json"):
        (options.state_dir / name).unlink(missing_ok=True)


# -- what is printed --------------------------------------------------------------------------------------------------


def _say(line: str) -> None:
    print(line, flush=True)


def _table(options: argparse.Namespace, receivers: Receivers, urls: dict[str, str]) -> None:
    wide = max(len(url) for url in urls.values())
    _say(f"{'receiver':<8}  {'address':<{wide}}  the sender needs")
    for name, url in urls.items():
        _say(f"{name:<8}  {url:<{wide}}  {receivers.by_name[name].needs}")
    _say(f"Secrets: {options.state_dir / 'secrets.json'}")
    if options.tls == "own":
        _say(f"CA to trust: {options.state_dir / 'ca.pem'}")
    _say("receivers ready")


MASK = "********"
_SENSITIVE = frozenset({"authorization", "cookie", "x-auth-token", "x-api-key", "x-fluency-token", "token"})


def _masked(record: Record, receivers: Receivers) -> dict[str, Any]:
    """A record without secrets, right ones or wrong ones."""
    hidden = _SENSITIVE | {name.lower() for name in receivers.by_name["generic"].secrets["headers"]}
    shown = asdict(record)
    shown["headers"] = {
        name: _hide(name, value) if name.lower() in hidden else value for name, value in record.headers.items()
    }
    shown["query"] = MASK if "token" in record.query.lower() or "key" in record.query.lower() else record.query
    return shown


def _hide(name: str, value: str) -> str:
    scheme = scheme_of(value)[0] if name.lower() == "authorization" else ""
    return f"{scheme} {MASK}".lstrip()


# -- options and files ------------------------------------------------------------------------------------------------


def _ports(given: list[str]) -> dict[str, int]:
    ports: dict[str, str | int] = dict(PORTS)
    for text in given:
        name, _, port = text.partition("=")
        if name not in PORTS or not (port.isdigit() or port == "off"):
            raise ValueError(f"--port {text}: NAME=PORT, NAME one of {', '.join(PORTS)}, PORT a number or off")
        ports[name] = port
    if set(ports.values()) == {"off"}:
        raise ValueError("--port: every receiver is off")
    return {name: int(port) for name, port in ports.items() if port != "off"}


def _receivers(folder: Path, options: list[str]) -> Receivers:
    """Configured by secrets.json, which is made when missing, and by --set."""
    made, path = Receivers(lambda _name: secrets.token_bytes(32)), folder / "secrets.json"
    if path.exists():
        for name, values in json.loads(path.read_text()).items():
            known = made.by_name[name].secrets if name in made.by_name else {}
            if set(values) != set(known):
                raise ValueError(f"{path}: {name} has {', '.join(known) or 'no receiver'}")
            made.change(name, values)
    else:
        ca.private(path, json.dumps({name: one.secrets for name, one in made.by_name.items()}, indent=2))
    for text in options:
        where, _, value = text.partition("=")
        name, _, option = where.partition(".")
        if name not in made.by_name or option not in made.by_name[name].options:
            raise ValueError(f"--set {text}: there is no such option")
        made.change(name, {option: yaml.safe_load(value)})
    return made


def _tls(folder: Path, given: str) -> ssl.SSLContext | None:
    if given == "off":
        return None
    path = Path(given) if given != "own" else _own(folder)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(path)
    return context


def _own(folder: Path) -> Path:
    """Certificate and key of our own CA, kept over starts so that a sender has to trust it only once."""
    path = folder / "tls.pem"
    if path.exists() and (folder / "ca.pem").exists():
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
        if ends > datetime.now(UTC) + timedelta(days=1):
            return path
    authority = ca.make_ca()
    ca.private(folder / "ca.pem", ca.cert_pem(authority.certificate))
    ca.private(path, ca.make_server(authority).pem())
    return path


def _append(path: Path) -> TextIO:
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a")
