# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The probe: sends a run of numbered records, or reads back what a collector stored of one.

engine: check the options, then C(send) or C(read), then one result. Nothing here writes to the host that it reads on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .._core.errors import InputError, NoAnswerError
from .._core.evidence import EvidenceFile
from .._core.redaction import Redactor
from .._core.result import counts, framed
from .._core.status import FAILED, IN_SYNC, UNKNOWN
from . import senders
from .compare import compare
from .records import FACILITIES, FORMATS, MAX_SIZE, MIN_SIZE, MIXED, RUN_ID, SEVERITIES, new_run
from .stored import Store

CAPABILITY = "collector_probe"
PORTS = {"udp": 514, "tcp": 514, "tls": 6514, "relp": 20514, "scp": 22, "sftp": 22}
UDP_MAX_SIZE = 65_000  # of 65,507 bytes in a datagram; the header takes some
MAX_COUNT = 1_000_000
READ_OPTIONS = "read the options"

SPEC: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["sent", "read"], "default": "sent"},
    "run_id": {"type": "str"},
    "count": {"type": "int", "default": 20},
    "transport": {"type": "str", "choices": list(PORTS)},
    "host": {"type": "str"},
    "port": {"type": "int"},
    "source_address": {"type": "str"},
    "senders": {"type": "list", "elements": "str", "default": []},
    "timeout": {"type": "float", "default": 10.0},
    "rate": {"type": "float", "default": 100.0},
    "size": {"type": "int", "default": 256},
    "format": {"type": "str", "choices": [*FORMATS, MIXED], "default": "rfc5424"},
    "framing": {"type": "str", "choices": ["octet_counted", "lf"], "default": "octet_counted"},
    "facility": {"type": "str", "choices": list(FACILITIES), "default": "local0"},
    "severity": {"type": "str", "choices": list(SEVERITIES), "default": "info"},
    "hostname": {"type": "str", "default": "mssp-probe"},
    "ca_file": {"type": "path"},
    "ca_data": {"type": "str"},
    "server_name": {"type": "str"},
    "client_cert": {"type": "path"},
    "client_key": {"type": "path"},
    "client_key_passphrase": {"type": "str", "no_log": True},
    "user": {"type": "str"},
    "private_key_file": {"type": "path"},
    "private_key_passphrase": {"type": "str", "no_log": True},
    "known_hosts": {"type": "path", "default": "~/.ssh/known_hosts"},
    "remote_path": {"type": "str", "default": "."},
    "file_name": {"type": "str", "default": "*.s"},
    "path": {"type": "path"},
    "wait_seconds": {"type": "float", "default": 10.0},
    "evidence_path": {"type": "path"},
}
RULES: dict[str, Any] = {
    "required_if": [
        ("state", "sent", ("transport", "host")),
        ("state", "read", ("run_id", "path")),
        ("transport", "tls", ("ca_file", "ca_data"), True),
        ("transport", "scp", ("user", "private_key_file")),
        ("transport", "sftp", ("user", "private_key_file")),
    ],
    "mutually_exclusive": [("ca_file", "ca_data")],
    "required_by": {"client_key": "client_cert", "client_key_passphrase": "client_cert"},
}


def checked(params: Mapping[str, Any]) -> dict[str, Any]:
    """The options with what depends on others. Raises InputError."""
    transport = params["transport"]
    limits = {
        "count": (1, MAX_COUNT),
        "size": (MIN_SIZE, UDP_MAX_SIZE if transport == "udp" else MAX_SIZE),
        "rate": (0, float("inf")),
        "timeout": (0.1, 3600),
        "wait_seconds": (0, 3600),
    }
    for name, (low, high) in limits.items():
        if not low <= params[name] <= high:
            raise InputError(READ_OPTIONS, f"{name} is {params[name]}, and must be from {low} to {high}")
    if params["run_id"] and not RUN_ID.fullmatch(params["run_id"]):
        raise InputError(READ_OPTIONS, "run_id must be 16 hexadecimal digits in lower case")
    if not params["hostname"].isprintable() or not params["hostname"] or " " in params["hostname"]:
        raise InputError(READ_OPTIONS, "hostname must be one word")
    return {**params, "port": params["port"] or PORTS.get(transport, 0)}


async def run(params: Mapping[str, Any], _reporter: Any, redactor: Redactor, *, check: bool, diff: bool) -> Any:
    """One probe. Raises OnboardingError for options that cannot be right."""
    options = checked(params)
    result = STATES[options["state"]](options, check)
    if options["evidence_path"] and not check:
        with EvidenceFile(options["evidence_path"], redactor) as evidence:
            evidence.write({key: result[key] for key in ("msg", "run_id", "probe", "summary", "problems")})
        result["evidence"] = str(options["evidence_path"])
        result["problems"] += evidence.problems
    return result


def _send(options: dict[str, Any], check: bool) -> dict[str, Any]:
    run_id = options["run_id"] or new_run()
    where = f"{options['host']}:{options['port']} by {options['transport']}"
    own = options["source_address"] or _own_address(options)
    if not senders.may_send(own, options["senders"]):
        text = f"Nothing was sent to {where}: the collector takes this source from {', '.join(options['senders'])} only"
        return _result(f"{text}, and this host sends from {own}.", run_id, UNKNOWN, sender=own)
    if check:
        return _result(f"Would send {options['count']} records to {where} from {own}.", run_id, IN_SYNC, sender=own)
    sent, error = senders.send(options, run_id)
    probe = {"sent": sent.count, "acknowledged": sent.acknowledged, "seconds_sending": round(sent.seconds, 3)}
    said = "" if sent.acknowledged is None else f", {sent.acknowledged} of them acknowledged"
    text = f"Sent {sent.count} of {options['count']} records of run {run_id} to {where} from {own}{said}."
    if error:
        problem = {**error.problem(where), "count": 1}
        return _result(f"{text} {error}", run_id, FAILED, [problem], probe, sender=own)
    return _result(text, run_id, IN_SYNC, None, probe, sender=own)


def _own_address(options: Mapping[str, Any]) -> str:
    try:
        return senders.own_address(options)
    except OSError as error:
        operation = f"find the way to {options['host']}"
        raise NoAnswerError(operation, error.strerror or str(error), code="no_route") from error


def _read(options: dict[str, Any], check: bool) -> dict[str, Any]:
    run_id, path = options["run_id"], options["path"]
    if check:
        return _result(f"Would look for run {run_id} beneath {path}.", run_id, IN_SYNC)
    store = Store(path, run_id)
    problems: list[dict[str, Any]] = []
    try:
        store.wait(options["count"], options["wait_seconds"])
    except OSError as error:
        unread = NoAnswerError(
            f"read {path}",
            error.strerror or str(error),
            code="not_readable",
            next_step="check that the source has stored anything, and read as a user that may",
        )
        problems.append({**unread.problem(path), "count": 1})
    problems += [
        {**NoAnswerError("read a stored file", text, code="not_readable").problem(file), "count": 1}
        for file, text in store.unreadable.items()
    ]
    probe = compare(options["count"], store.found)
    failed = bool(probe["lost"] or probe["truncated"] or problems)
    if probe["lost"] or probe["truncated"]:
        problems.append(_loss(path, probe))
    outcome = FAILED if failed else IN_SYNC
    return _result(_verdict(probe, path), run_id, outcome, problems, probe)


def _verdict(probe: Mapping[str, Any], path: str) -> str:
    """One sentence."""
    bad = [f"{probe[name]} {name}" for name in ("lost", "truncated", "duplicated", "reordered") if probe[name]]
    text = f"{probe['stored']} of {probe['sent']} records are stored beneath {path}: {', '.join(bad) or 'all is well'}"
    if probe["stored"]:
        text += f"; the last came {probe['seconds_to_last']} s after the first was sent"
    return f"{text}."


def _loss(path: str, probe: Mapping[str, Any]) -> dict[str, Any]:
    missing = f"{probe['lost']} records are not stored ({', '.join(probe['lost_numbers'])})"
    short = f"{probe['truncated']} are cut short or changed"
    step = "read rsyslog's own messages and counters on the collector: refused senders, full queues, short messages"
    return {
        "target": path,
        "operation": "store what was sent",
        "status": None,
        "code": "lost" if probe["lost"] else "truncated",
        "message": "; ".join([missing] * bool(probe["lost"]) + [short] * bool(probe["truncated"])),
        "next_step": step,
        "request_id": "",
        "count": probe["lost"] + probe["truncated"],
    }


NOTHING = dict.fromkeys(
    (
        *("stored", "lost", "duplicated", "reordered", "truncated", "acknowledged", "seconds_sending"),
        *("seconds_to_first", "seconds_to_last", "seconds_p50", "seconds_p95"),
    )
)


def _result(
    text: str,
    run_id: str,
    outcome: str,
    problems: list[dict[str, Any]] | None = None,
    probe: Mapping[str, Any] | None = None,
    *,
    sender: str = "",
) -> dict[str, Any]:
    """A probe changes nothing that a role sets, so it never reports a change."""
    told = {"sent": 0, **NOTHING, "lost_numbers": [], **(probe or {})}
    return framed(
        CAPABILITY,
        counts([outcome]),
        text,
        failed=outcome == FAILED,
        problems=problems or [],
        outputs={"run_id": run_id, "sender": sender, "probe": told},
    )


STATES = {"sent": _send, "read": _read}
