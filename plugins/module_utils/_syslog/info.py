# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tenant's receiver says about itself: is it up, do records arrive, what was refused, dropped or stopped.

Reading its files is pure; only `run` asks the host.
"""

from __future__ import annotations

import contextlib
import glob
import json
import os
import stat
import time
from collections.abc import Iterable, Mapping
from typing import Any, TypedDict

from .._core.errors import NoAnswerError
from .._core.freshness import ABSENT, STALE, UNREADABLE, Flow, Limits, few, judge, stamp, verified, weighed
from .._host import commands, files, sockets
from . import figures, losses, model, places, system, tls, volumes
from .host import CAPABILITY
from .layout import Layout
from .losses import Counters
from .model import Output, Source
from .options import DEFAULTS
from .render import CLOSED, HARMLESS, REFUSALS, STORE

TAIL_BYTES = 2_000_000
GUARD_SECONDS = 600  # it looks every 10 seconds, and takes longer where there are very many files
UNCOUNTED_SECONDS = 600
NOT_SET_UP = "not_set_up"
NOT_LISTENING = "not_listening"
NEXT_STEPS = {
    ABSENT: "send a record from the source; see its port, sender addresses and the firewalls in between",
    STALE: "look at the source: it has stopped sending, or something in between drops what it sends",
    UNREADABLE: "let Ansible become root on the collector",
    NOT_SET_UP: "run onboard for this collector",
    NOT_LISTENING: "run onboard for this collector, and see systemctl status of the receiver on it",
    "refused_tls": "give the client a certificate that names one of the peers; the client itself sees no error",
    "refused_senders": "add the sender to a source of the port, or stop it from sending",
    "stopped": "free space, extend the disk or the quota: the disk guard does not take all records",
    "unguarded": "see systemctl status and the journal of the guard's timer and service on the collector",
    "udp_drops": "give the host more CPU, or the sender TCP; a short burst can be taken by a larger net.core.rmem_max",
    "limited": "see who keeps so many connections open (ss -tn), or raise max_connections or its share of a sender",
    "killed": "see the journal of the receiver's unit on the collector; out of memory means memory_max is too small",
    "waiting": "see that the output's target listens and takes records; they are kept until queue_disk_bytes are full",
    "credentials": "run onboard, which makes it new, and take a client's to its appliance; or give a new one",
    "astray": places.NEXT_STEP,
    "framing": "set framing lf for the source: its records have no PRI, and so look like octet counts",
    "oversize": "raise max_message_size for the source",
    "cut": "look at the sender and at what is between: it ends connections before a record is complete",
    "uncounted": "see the receiver's own log, and that it may write to its folder; without counters no loss is seen",
    "unlimited": "run onboard for this collector, and see with nft list ruleset what has changed the host's rules",
    "forgotten": "run verify again; where this is told again, see who else writes there, and the disk",
    "discarded": "an output does not take its records; see its target and the receiver's own log",
}

UNKNOWN_WORDS = {
    "uncounted": "the receiver has written no counters lately: whether records were lost is not known",
    "unlimited": "the rules that limit its connections are not in force, or nft does not say so",
    "forgotten": "what the last look saw cannot be read: losses and volumes of before it are not known",
}


async def run(params: Mapping[str, Any], _reporter: Any, _redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    """The module's engine; it changes nothing but its own memory of what it saw."""
    del diff
    layout = Layout(params["tenant"])
    receiver = model.receiver({**DEFAULTS, **params})
    active, pid = service(layout)
    ports = sockets.bound(pid) if pid else set()
    kept = seen_before(layout)
    seen = kept or {}
    since = float(seen.get("time") or time.time() - 60 * params["stale_minutes"])
    stats = tail(layout.stats)
    now, before = counters(stats, since)
    own = tail(layout.own_log)
    guard = _json(layout.guard_state) or {}
    clock, made, stale = time.time(), _modified(layout.applied), 60 * params["stale_minutes"]
    opened = figures.connections(_text(f"/proc/{pid}/net/{table}") for table in ("tcp", "tcp6"))
    flows, sources = [], {}
    for source in receiver.sources:
        counted = now.get(STORE + source.name, {}).get("processed")
        known = (seen.get("sources") or {}).get(source.name) or {}
        record = sources[source.name] = volumes.looked(known, clock, counted, made)
        listening = active and all((source.protocol, port) in ports for port in source.ports)
        try:
            # A change of the receiver makes no source new that was there before.
            began = min(made, float(record["since"]))
            found = flow(source, listening, now, newest(layout, source), began, clock, stale)
            found = weighed(found, volumes.volume(record["looks"], clock))
            connections = figures.of_source(source, opened)
            flows.append(found._replace(facts={**found.facts, "connections": connections}))
        except OSError as error:
            flows.append(unreadable(source, error))
    udp = losses.udp_drops(
        (_text(f"/proc/{pid}/net/{table}") for table in ("udp", "udp6")),
        {port for source in receiver.sources if source.transport == "udp" for port in source.ports},
    )
    limited = _turned_away(layout)
    before_it = int(seen.get("limited") or 0)
    told: Seen = {
        "time": clock, "udp": udp, "limited": before_it if limited is None else limited, "sources": sources
    }  # fmt: skip
    lost = {
        "forgotten": kept is None,
        "uncounted": active and uncounted(stats, made, clock, receiver.options["stats_seconds"]),
        "unlimited": active and limited is None,
    }
    problems = [
        *findings(now, before, refusals(own, since), guard),
        *since_last(told, seen),
        *lost_by_end(losses.kills(own.splitlines(), since)),
        *held(receiver.outputs, now, before),
        *credentials(tls.ending(layout)),
        *(_problem("astray", place, 1, why) for place, why in places.strays(receiver).items()),
        *unguarded(guard, made, clock),
        *(_problem(code, layout.unit, 1, UNKNOWN_WORDS[code]) for code, is_so in lost.items() if is_so),
    ]
    if not check:
        problems += _remember(layout, told)
    summary = {"guard": guard, **figures.of_receiver(receiver, now, opened)}
    return verified(CAPABILITY, flows, clock, problems=problems, summary=summary)


def _remember(layout: Layout, told: Seen) -> list[dict[str, Any]]:
    """Keep it; the problem where that cannot be. Not where no receiver was made: verify makes no folder."""
    try:
        if os.path.isdir(layout.work):
            system.write(layout.seen, json.dumps(told), 0o600)
    except OSError as error:
        return [_problem("forgotten", layout.seen, 1, f"this look cannot be kept: {error.strerror or error}")]
    return []


class Seen(TypedDict):
    """What the kernel counts, at a look. udp: drops by port and socket; limited: connections that were reset.

    sources: by name, what C(volumes) keeps of each.
    """

    time: float
    udp: dict[str, int]
    limited: int
    sources: dict[str, dict[str, Any]]


def since_last(now: Seen, before: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the kernel has refused since the last look; at the first one, since the receiver began."""
    drops: dict[str, int] = {}
    for socket, count in now["udp"].items():
        port = f"udp {socket.partition(' ')[0]}"
        drops[port] = drops.get(port, 0) + losses.more(count, int((before.get("udp") or {}).get(socket) or 0))
    limited = losses.more(now["limited"], int(before.get("limited") or 0))
    return [
        *_lost("udp_drops", drops, "datagrams came faster than they were read, and the kernel threw them away"),
        *_lost("limited", {"connections": limited}, "were over a limit of connections and were reset"),
    ]


def lost_by_end(kills: int) -> list[dict[str, Any]]:
    words = "the receiver ended without having been told to, and what its queues held in memory is lost"
    return _lost("killed", {"receiver": kills}, words)


def held(outputs: Iterable[Output], now: Counters, before: Counters) -> list[dict[str, Any]]:
    """Outputs that take nothing, though there is something for them."""
    words = "records wait for the output, which has taken none since the last look"
    return _lost("waiting", losses.waiting(outputs, now, before), words)


def credentials(ending: Iterable[str]) -> list[dict[str, Any]]:
    """Certificates that end within 30 days, or have."""
    return _lost("credentials", dict.fromkeys(ending, 1), "the certificate ends within 30 days, or has ended")


def service(layout: Layout) -> tuple[bool, int]:
    """(whether it runs, its main process or 0). Raises NoAnswerError: who does not answer has not stopped."""
    said = commands.run("systemctl", "show", "-p", "ActiveState", "-p", "MainPID", layout.unit)
    words = dict(line.partition("=")[::2] for line in said.out.splitlines())
    pid = words.get("MainPID", "")
    if said.code or not pid.isdecimal() or "ActiveState" not in words:
        text = (said.err or said.out).strip()[:300] or "it says nothing"
        step = "let Ansible become root on the collector, and see systemctl status there"
        raise NoAnswerError(f"ask systemd for {layout.unit}", text, code=UNREADABLE, next_step=step)
    return words["ActiveState"] == "active", int(pid)


def _turned_away(layout: Layout) -> int | None:
    """Connections over a limit; None where nobody says. Without a file of rules there are none."""
    if not os.path.exists(layout.limits):
        return 0
    said = commands.run("nft", "--json", "list", "table", "inet", layout.limits_table)
    try:
        return losses.turned_away(json.loads(said.out)) if said.code == 0 else None
    except (ValueError, KeyError, TypeError, AttributeError):
        return None  # of another form than nft's own manual says


def counters(text: str, since: float) -> tuple[Counters, Counters]:
    """The last word of each counter, and its last word before the time; by name.

    impstats writes one JSON object per line and counter, after the time of the line.
    """
    now: dict[str, Mapping[str, Any]] = {}
    before: dict[str, Mapping[str, Any]] = {}
    for line in text.splitlines():
        start = line.find("{")
        try:
            counter = json.loads(line[start:]) if start >= 0 else {}
        except ValueError:
            continue  # cut off by the tail
        if isinstance(counter, dict) and "name" in counter:
            key = f"{losses.QUEUE if counter.get('origin') == 'core.queue' else ''}{counter['name']}"
            now[key] = counter
            if losses.seconds(line) < since:
                before[key] = counter
    return now, before


def uncounted(stats: str, made: float, now: float, every: int) -> bool:
    """Whether the receiver, which writes its counters so often, has written none for long: older ones tell no loss."""
    newest = max(map(losses.seconds, stats.splitlines()[-100:]), default=0.0)
    return now - max(made, newest) > max(UNCOUNTED_SECONDS, 3 * every)


def refusals(text: str, since: float) -> list[str]:
    """The log lines in which the receiver refused a TLS client, newest last: the client believes that it has sent.

    As render counts them: by the reason. The line that names the peer comes a few lines later and is added.
    """
    lines = text.splitlines()
    found = []
    for number, line in enumerate(lines):
        refused = any(words in line for words in REFUSALS) and not any(words in line for words in HARMLESS)
        if refused and losses.seconds(line) >= since:
            closed = next((after for after in lines[number + 1 : number + 4] if CLOSED in after), "")
            found.append(f"{line[:200]}; {closed[-200:]}" if closed else line)
    return found


def flow(
    source: Source, listening: bool, counters: Counters, newest: float | None, made: float, now: float, stale: float
) -> Flow:
    """One source. newest: when its newest record was stored; made: when the receiver was, 0 where there is none.

    stale: seconds of silence that are a finding, and that a new receiver has until it is one.
    """
    young = made > 0 and now - made <= stale
    state = judge(configured=young, newest=newest, changed=made, now=now, limits=Limits(stale, stale))
    code = ""
    if not made:
        state, code = ABSENT, NOT_SET_UP
    elif not listening:
        state, code = STALE, NOT_LISTENING
    return Flow(
        _name(source),
        state,
        newest,
        counters.get(STORE + source.name, {}).get("processed"),
        code=code,
        message=f"newest record: {stamp(newest) or 'none'}",
        next_step=NEXT_STEPS.get(code or state, ""),
        facts={bucket: losses.values(counters, bucket).get(source.name, 0) for bucket in ("stopped", "filtered")},
    )


def unreadable(source: Source, error: OSError) -> Flow:
    """Nobody can say whether the source is silent."""
    step = NEXT_STEPS[UNREADABLE]
    told = NoAnswerError(f"read {error.filename}", error.strerror or str(error), code=UNREADABLE, next_step=step)
    return Flow(_name(source), UNREADABLE, error=told)


def _name(source: Source) -> str:
    return f"syslog {source.transport} {source.name}"


def findings(now: Counters, before: Counters, refused: list[str], guard: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was refused, stopped or thrown away of late, in the shape of every module's problems."""
    found = []
    count = max(losses.grown(now, before, "refused_tls").get("clients", 0), len(refused))
    if count:
        last = refused[-1][:450] if refused else "its lines are gone from the receiver's own log"
        found.append(_problem("refused_tls", "TLS clients", count, f"refused; last: {last}"))
    for bucket, message in losses.BUCKETS.items():
        found += _lost(bucket, losses.grown(now, before, bucket), message)
    if guard.get("level"):
        found.append(_problem("stopped", "disk", 1, f"only {guard.get('free_percent')} % are free"))
    return found + _lost("discarded", losses.thrown_away(now, before), "the queue was full")


def unguarded(guard: Mapping[str, Any], applied: float, now: float) -> list[dict[str, Any]]:
    """A disk guard that no longer looks. applied: when the receiver was made, 0 where there is none."""
    silent = now - max(float(guard.get("time") or 0), applied)
    if not applied or silent <= GUARD_SECONDS:
        return []
    return [_problem("unguarded", "disk", 1, f"the disk guard has not looked for {silent / 60:.0f} minutes")]


def _lost(code: str, counts: Mapping[str, int], message: str) -> list[dict[str, Any]]:
    """One problem for all of a kind, however many senders it has: the most frequent are named. None where all are 0."""
    names = sorted((name for name, count in counts.items() if count), key=lambda name: -counts[name])
    shown = len(names) > 1 and counts[names[0]] > 1
    told = [f"{name} ({counts[name]})" if shown else name for name in names]
    return [_problem(code, few(told), sum(counts.values()), message)] if names else []


def _problem(code: str, target: str, count: int, message: str) -> dict[str, Any]:
    return {
        "target": target,
        "operation": "receive records",
        "status": None,
        "code": code,
        "message": message,
        "next_step": NEXT_STEPS[code],
        "request_id": "",
        "count": count,
    }


def newest(layout: Layout, source: Source) -> float | None:
    """When a file of the source was written to last; an empty one says nothing. Raises OSError."""
    times = []
    with contextlib.suppress(FileNotFoundError), os.scandir(layout.source_folder(source.name)) as entries:
        for entry in entries:
            with contextlib.suppress(FileNotFoundError):  # rotated away
                status = entry.stat(follow_symlinks=False)
                if stat.S_ISREG(status.st_mode) and status.st_size:
                    times.append(status.st_mtime)
    return max(times, default=None)


def _text(path: str) -> str:
    try:
        with open(path, encoding="ascii") as file:
            return file.read()
    except OSError:
        return ""


def _modified(path: str) -> float:
    try:
        return os.lstat(path).st_mtime
    except OSError:
        return 0.0


def tail(path: str) -> str:
    """The end of a log, after that of the file that it was until logrotate's last turn: counters do not begin again."""
    rotated = sorted(found for found in glob.glob(f"{glob.escape(path)}-*") if not found.endswith(".gz"))
    return "".join(map(_end, [*rotated[-1:], path]))


def _end(path: str) -> str:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            return file.read().decode("utf-8", "replace")
    except OSError:
        return ""


def seen_before(layout: Layout) -> dict[str, Any] | None:
    """What the last look saw, as C(Seen); {} before the first, None for what is not that."""
    found = _json(layout.seen)
    try:
        for kept in (found or {}).get("sources", {}).values():
            volumes.looked(kept, 0.0, None, float(kept.get("since") or 0))
        numbers = [(found or {}).get("time"), (found or {}).get("limited"), *(found or {}).get("udp", {}).values()]
        return found if all(float(number or 0) >= 0 for number in numbers) else None
    except (ValueError, TypeError, AttributeError):
        return None


def _json(path: str) -> dict[str, Any] | None:
    """An object in a small file of ours: {} for none, None for what cannot be read."""
    try:
        content = files.read(path)
        found = json.loads(content.content) if content else {}
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None
