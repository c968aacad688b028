# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The history of all runs: one SQLite file beside their folders.

What stays as it is costs nothing: a span is the time in which one step at one host kept one status, so that the file
grows with what changes and not with the number of runs. The record of a run is its folder; the history can be made
again from the folders that are left.

SQLite's rollback journal and not WAL: WAL needs shared memory, which network file systems do not have. The writer
takes the lock before it reads (BEGIN IMMEDIATE) and others wait for WAIT_SECONDS.
"""

from __future__ import annotations

import errno
import gzip
import json
import os
import re
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from .._core.errors import OnboardingError
from .._core.evidence import FILE_MODE, others_write, refuse_shared
from .._core.freshness import AHEAD
from .._core.status import CORRECTED, IN_SYNC, REMOVED, UNKNOWN, WELL
from .coverage import Share, by_tenant, share
from .retention import DAY, PACKED_SUMMARY, RUNS_ASKED, SUMMARY, read_packed, steady
from .states import OTHER_TASKS, SEES_ALL, Cell, Item, Member, cells, departed, items, mapping, moment

FILE = "history.sqlite"
VERSION = 4
WAIT_SECONDS = 10.0
FREE = "free space on the disk that holds it; the next run, or «scripts/report --rebuild», adds what is missing"
REBUILD = "make it again from the folders of the runs with «scripts/report --rebuild»"
WAIT = "see what else writes there; «scripts/report --rebuild» adds what is missing"

# SQLite's code to ours and what to do about it.
TROUBLES = {
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), ("history_locked", WAIT)),
    **dict.fromkeys((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), ("history_corrupt", REBUILD)),
    sqlite3.SQLITE_FULL: ("history_full", FREE),
}

SCHEMA = f"""
CREATE TABLE IF NOT EXISTS runs (
  run TEXT PRIMARY KEY, playbook TEXT, started REAL, at REAL, seconds REAL, check_mode INTEGER, complete INTEGER,
  code INTEGER, meaning TEXT, not_reached INTEGER, who TEXT);
CREATE TABLE IF NOT EXISTS hosts (
  host TEXT PRIMARY KEY, tenant TEXT, name TEXT, ring TEXT, roles TEXT, file TEXT, seen REAL, gone REAL,
  lost TEXT);
CREATE TABLE IF NOT EXISTS confirmed (tenant TEXT, what TEXT, who TEXT, at REAL);
CREATE TABLE IF NOT EXISTS spans (
  id INTEGER PRIMARY KEY, tenant TEXT, host TEXT, capability TEXT, role TEXT, step TEXT, status TEXT,
  at REAL, tried INTEGER, since REAL, first_seen REAL, last_in_sync REAL, run TEXT, detail TEXT);
CREATE TABLE IF NOT EXISTS shares (
  tenant TEXT, host TEXT, source TEXT, step TEXT, at REAL, covered INTEGER, total INTEGER);
CREATE INDEX IF NOT EXISTS shares_key ON shares (host, source, step, at);
CREATE INDEX IF NOT EXISTS spans_key ON spans (host, capability, step, id);
PRAGMA user_version = {VERSION};
"""
KEY = "host = ? AND capability = ? AND step = ?"
COLUMNS = "tenant, host, capability, role, step, status, at, tried, detail, since, first_seen, last_in_sync, run"


class HistoryError(OnboardingError):
    """The history cannot be read or written. The folders of the runs are whole all the same."""


class Run(NamedTuple):
    """One run. started, at (its end): seconds since the epoch; code: None for a run that was stopped; who: ran it."""

    run: str
    playbook: str
    started: float
    at: float
    seconds: float
    check_mode: bool
    complete: bool
    code: int | None
    meaning: str
    not_reached: int
    who: str = ""


class Confirmed(NamedTuple):
    """What a person took note of, so that it is told no more."""

    tenant: str
    what: str
    who: str
    at: float


class Left(NamedTuple):
    """What was in a tenant file and is not any more, without having been offboarded. roles: () for the whole host."""

    tenant: str
    roles: tuple[str, ...] = ()


class Turn(NamedTuple):
    """A step at a host took a status."""

    tenant: str
    host: str
    capability: str
    role: str
    step: str
    status: str
    since: float
    tried: bool


class History:
    """Reads and writes the file. Every method raises HistoryError, and nothing else of SQLite's."""

    def __init__(self, path: str | Path, *, write: bool = False) -> None:
        self.path = str(path)
        with self._told("open"):
            self._connection = self._connect(write)
        try:
            self._prepare(write)
        except HistoryError:
            self._connection.close()
            raise

    def _prepare(self, write: bool) -> None:
        with self._told("open"):
            (version,) = self._connection.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise self._error("open", f"its form is {version}, not {VERSION}", "history_version", REBUILD)
            if write and not version:
                self._connection.executescript(SCHEMA)

    def _connect(self, write: bool) -> sqlite3.Connection:
        if self.path == ":memory:":
            return sqlite3.connect(self.path, isolation_level=None)
        if write:
            refuse_shared(Path(self.path).absolute().parent)
            made = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, FILE_MODE)
            held = os.fstat(made)
            os.close(made)
            if held.st_uid != os.geteuid() or others_write(held):
                raise PermissionError(errno.EPERM, "others may write to it", self.path)
        uri = f"{Path(self.path).absolute().as_uri()}?mode={'rw' if write else 'ro'}"
        return sqlite3.connect(uri, uri=True, timeout=WAIT_SECONDS, isolation_level=None)

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> History:
        return self

    def __exit__(self, *_about: object) -> None:
        self.close()

    def _error(self, what: str, reason: str, code: str, step: str) -> HistoryError:
        return HistoryError(f"{what} the history {self.path}", reason, code=code, next_step=step)

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._error(what, error.strerror or str(error), "history_unusable", WAIT) from error
        except (ValueError, TypeError) as error:  # a field that is not what was written
            raise self._error(what, str(error), "history_corrupt", REBUILD) from error
        except sqlite3.Error as error:
            code, step = TROUBLES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF, ("history_unusable", REBUILD))
            raise self._error(what, str(error), code, step) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing; nobody else writes meanwhile."""
        with self._told("write"):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                raise

    def _rows(self, query: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        with self._told("read"):
            return self._connection.execute(query, tuple(values)).fetchall()

    # Writing.

    def add(self, summary: Mapping[str, Any]) -> None:
        """Take a run; one that is in it already, or says nothing of any tenant, changes nothing."""
        with self._writing():
            self._add(summary)

    def start_again(self, summaries: Iterable[Mapping[str, Any]]) -> None:
        """Forget everything and take these runs, the oldest first, as one change."""
        with self._writing():
            for table in ("runs", "hosts", "spans", "shares"):
                self._connection.execute(f"DELETE FROM {table}")
            for summary in summaries:
                self._add(summary)

    def _add(self, summary: Mapping[str, Any]) -> None:
        db, run = self._connection, str(summary.get("run"))
        if db.execute("SELECT 1 FROM runs WHERE run = ?", (run,)).fetchone():
            return
        known = dict(db.execute("SELECT host, tenant FROM hosts").fetchall())
        found = items(summary, known)
        if not found and not summary.get("not_reached"):
            return
        ended = moment(summary.get("ended")) or 0.0
        end = max([ended, *(item.at for item in found)])
        told = mapping(summary.get("exit"))
        row = Run(
            run, str(summary.get("playbook")), moment(summary.get("started")) or ended, end,
            float(summary.get("seconds") or 0), bool(summary.get("check_mode")), bool(summary.get("complete")),
            told.get("code"), str(told.get("meaning") or ""), len(summary.get("not_reached") or []),
            str(summary.get("by") or ""),
        )  # fmt: skip
        db.execute(f"INSERT INTO runs VALUES ({', '.join('?' * len(row))})", row)
        self._see(mapping(summary.get("fleet")), end)
        for item in found:
            self._take(run, item)
            self._share(item)
        self._other_tasks_are_well(run, found)
        self._grants_are_seen(run, found)

    def _see(self, fleet: Mapping[str, Any], end: float) -> None:
        """Keep the fleet as the run had it, and which hosts have gone from it."""
        db, left = self._connection, self._leaving(fleet)
        for host, entry in fleet.items():
            roles, file = json.dumps(entry.get("roles") or []), entry.get("file") or ""
            lost = json.dumps(left[host].roles if host in left else ())
            values = (host, entry.get("tenant") or host, entry.get("name"), entry.get("ring"), roles, file, end, lost)
            db.execute("INSERT OR REPLACE INTO hosts VALUES (?, ?, ?, ?, ?, ?, ?, NULL, ?)", values)
        for host in left.keys() - fleet.keys():
            db.execute("UPDATE hosts SET gone = coalesce(gone, ?) WHERE host = ?", (end, host))

    def _leaving(self, fleet: Mapping[str, Any]) -> dict[str, Left]:
        """Hosts, and roles of hosts, that some fleet of before had and this one does not, offboarded or not."""
        files = {str(entry.get("file") or "") for entry in fleet.values()}
        left, rows = {}, self._rows("SELECT host, tenant, roles, file, gone, lost FROM hosts")
        with self._told("read"):
            for host, tenant, roles, file, gone, lost in rows:
                if host not in fleet:
                    if gone is not None or _is_gone(file, files):
                        left[host] = Left(tenant)
                elif lacking := {*json.loads(roles), *json.loads(lost or "[]")} - set(fleet[host].get("roles") or ()):
                    left[host] = Left(tenant, tuple(sorted(lacking)))
        return left

    def left(self, fleet: Mapping[str, Any], at: float = float("inf")) -> dict[str, Left]:
        """What has left the tenant files by now and was not offboarded, of what more than a preflight has looked at."""
        offboarded = self.offboarded()
        stands = {
            (one.host, one.role or one.capability) for one in self.standing(at) if one.tried and one.status != REMOVED
        }
        tried, found = {host for host, _role in stands}, {}
        for host, one in self._leaving(fleet).items():
            roles = tuple(role for role in one.roles if (host, role) in stands)
            if one.tenant not in offboarded and host in tried and (roles or not one.roles):
                found[host] = one._replace(roles=roles)
        return found

    def confirm_gone(self, tenant: str, who: str, at: float) -> bool:
        """Keep that somebody knows of the tenant, or a host of it, having gone; False where none has."""
        with self._writing():
            db = self._connection
            found = db.execute("DELETE FROM hosts WHERE tenant = ? AND gone IS NOT NULL", (tenant,)).rowcount
            found += db.execute("UPDATE hosts SET lost = '[]' WHERE tenant = ? AND lost <> '[]'", (tenant,)).rowcount
            if found:
                db.execute("INSERT INTO confirmed VALUES (?, 'gone', ?, ?)", (tenant, who, at))
            return bool(found)

    def _take(self, run: str, item: Item) -> None:
        """Lengthen the span, or begin a new one. What comes after newer news of the same step is too late.

        News that is dated ahead of the clock is not newer: the clock was wrong when it was written.
        """
        db, key = self._connection, (item.host, item.capability, item.step)
        now = db.execute(
            f"SELECT id, status, at, tried, first_seen, last_in_sync FROM spans WHERE {KEY} ORDER BY id DESC LIMIT 1",
            key,
        ).fetchone()
        number, status, at, before, first_seen, last_in_sync = now or (None, None, item.at, False, item.at, None)
        if at > max(item.at, time.time() + AHEAD):
            status, first_seen, last_in_sync = None, min(first_seen, item.at), None
        elif item.at < at:
            return
        last_in_sync = item.at if item.status in WELL else last_in_sync
        detail = json.dumps(item.detail, separators=(",", ":"))  # ASCII: SQLite takes no lone surrogates
        tried = bool(item.tried or before)
        if (status, bool(before)) == (item.status, tried) and status != CORRECTED:  # each correction has its own
            changed = (item.at, last_in_sync, run, detail, item.tenant, item.role, number)
            db.execute(
                "UPDATE spans SET at = ?, last_in_sync = ?, run = ?, detail = ?, tenant = ?, role = ? WHERE id = ?",
                changed,
            )
            return
        values = (
            item.tenant, *key[:2], item.role, item.step, item.status, item.at, tried, detail, item.at, first_seen,
            last_in_sync, run,
        )  # fmt: skip
        db.execute(f"INSERT INTO spans ({COLUMNS}) VALUES ({', '.join('?' * len(values))})", values)

    def _share(self, item: Item) -> None:
        """Keep how much is covered, where that has changed."""
        found = Share() if item.status == REMOVED else share(item.detail.get("coverage"))
        if found is None:
            return
        key = (item.host, item.role or item.capability, item.step)
        last = self._connection.execute(
            "SELECT covered, total FROM shares WHERE host = ? AND source = ? AND step = ? ORDER BY at DESC LIMIT 1", key
        ).fetchone()
        if last != tuple(found):
            self._connection.execute("INSERT INTO shares VALUES (?, ?, ?, ?, ?, ?, ?)",
                                     (item.tenant, *key, item.at, *found))  # fmt: skip

    def _other_tasks_are_well(self, run: str, found: list[Item]) -> None:
        """A task of others that had stopped a host has not done so this time."""
        stopped = {item.host for item in found if item.capability == OTHER_TASKS}
        ailing = {host for (host,) in self._connection.execute(
            "SELECT DISTINCT host FROM spans WHERE capability = ?", (OTHER_TASKS,)
        )}  # fmt: skip
        for item in found:
            if item.host in ailing - stopped:
                self._take(run, Item(item.tenant, item.host, OTHER_TASKS, "", "", IN_SYNC, item.at))

    def _grants_are_seen(self, run: str, found: list[Item]) -> None:
        """What was granted, or not, is over with a later look at all of it: else it would stand so for ever."""
        query = "SELECT DISTINCT capability, step FROM spans WHERE host = ? AND role = ? AND capability <> role"
        for look in found:
            if look.capability in SEES_ALL and look.status != UNKNOWN:
                for capability, step in self._connection.execute(query, (look.host, look.capability)).fetchall():
                    self._take(run, Item(look.tenant, look.host, capability, look.role, step, IN_SYNC, look.at))

    def horizon(self, days: float, now: float) -> float:
        """Before which to forget: so many days ago, by the clock or by most of the last runs, whichever is earlier."""
        return steady(now, [run.at for run in self.runs(number=RUNS_ASKED)]) - days * DAY

    def ahead(self, now: float) -> list[Run]:
        """Runs that are dated ahead of the clock: it was wrong then, or is now."""
        return [run for run in self.runs() if run.at > now + AHEAD]

    def prune(self, before: float) -> None:
        """Forget runs and spans that ended before; but what stands, and since when, as long as the tenant is seen."""
        with self._writing():
            db = self._connection
            db.execute("DELETE FROM runs WHERE at < ?", (before,))
            newest = "SELECT max(id) FROM spans GROUP BY host, capability, step"
            db.execute(f"DELETE FROM spans WHERE at < ? AND id NOT IN ({newest})", (before,))
            gone = "SELECT tenant FROM spans GROUP BY tenant HAVING max(at) < ?"
            db.execute(f"DELETE FROM spans WHERE tenant IN ({gone})", (before,))
            db.execute("DELETE FROM hosts WHERE seen < ?", (before,))
            last = "SELECT max(at) FROM shares AS later WHERE (later.host, later.source, later.step) = "
            last += "(shares.host, shares.source, shares.step)"
            db.execute(f"DELETE FROM shares WHERE at < ? AND at < ({last})", (before,))
            db.execute("DELETE FROM shares WHERE tenant NOT IN (SELECT tenant FROM spans)")

    # Reading.

    def runs(self, until: float = float("inf"), number: int = -1) -> list[Run]:
        """The last runs that ended by then, the newest last; all of them when C(number) is negative.

        Those that are dated ahead of the clock are the oldest.
        """
        ahead = time.time() + AHEAD
        query = f"SELECT * FROM runs WHERE at <= ? ORDER BY at > {ahead}, at DESC, rowid DESC LIMIT ?"
        return [Run(*row) for row in reversed(self._rows(query, (until, number)))]

    def confirmed(self) -> list[Confirmed]:
        """What people took note of, the newest first."""
        return [Confirmed(*row) for row in self._rows("SELECT * FROM confirmed ORDER BY at DESC")]

    def offboarded(self) -> set[str]:
        """Tenants of which something was removed, and nothing was made since."""
        removed: dict[str, float] = {}
        made: dict[str, float] = {}
        for member in self.standing():
            if member.status == REMOVED:
                removed[member.tenant] = max(member.at, removed.get(member.tenant, member.at))
            elif member.status in (IN_SYNC, CORRECTED) and member.tried:
                made[member.tenant] = max(member.at, made.get(member.tenant, member.at))
        return {tenant for tenant, at in removed.items() if at > made.get(tenant, float("-inf"))}

    def gone(self, at: float = float("inf")) -> dict[str, dict[str, Any]]:
        """Hosts that had gone from the inventory then without having been offboarded, as C(fleet) has them."""
        offboarded, found = self.offboarded(), self._hosts("gone <= ?", at)
        return {host: entry for host, entry in found.items() if entry["tenant"] not in offboarded}

    def cells(self, at: float = float("inf"), fleet: Mapping[str, Any] | None = None) -> dict[tuple[str, str], Cell]:
        """How tenants stood then: those of the fleet, as the last run had it where none is given, and who has gone."""
        gone = self.gone(at)
        fleet = self.fleet() if fleet is None else fleet
        leaving = self.left(fleet, at)
        left = {host: entry for host, entry in gone.items() if host not in fleet and host in leaving}
        lost = {host: one.roles for host, one in leaving.items() if one.roles} if fleet else {}
        return cells(departed(self.standing(at), left, lost), {**fleet, **left} if fleet else {})

    def fleet(self) -> dict[str, dict[str, Any]]:
        """{host: {tenant, name, ring, roles}} as it was last seen, of hosts that are in the inventory."""
        return self._hosts("gone IS NULL")

    def _hosts(self, which: str, *values: float) -> dict[str, dict[str, Any]]:
        rows = self._rows(f"SELECT host, tenant, name, ring, roles FROM hosts WHERE {which} ORDER BY host", values)
        with self._told("read"):
            return {
                host: {"tenant": tenant, "name": name, "ring": ring, "roles": list(json.loads(roles))}
                for host, tenant, name, ring, roles in rows
            }

    def standing(self, at: float = float("inf")) -> list[Member]:
        """What stood then. Details are those of the last run that found the same status."""
        newest = "SELECT max(id) FROM spans WHERE since <= ? GROUP BY host, capability, step"
        rows = self._rows(f"SELECT {COLUMNS} FROM spans WHERE id IN ({newest}) ORDER BY id", (at,))
        with self._told("read"):
            return [_member(row, at) for row in rows]

    def shares(self, times: Iterable[float], hosts: Collection[str]) -> list[dict[str, Share]]:
        """{tenant: how much of it was covered} at each of the times, which ascend; of these hosts."""
        rows = self._rows("SELECT tenant, host, source, step, at, covered, total FROM shares ORDER BY at, rowid")
        known = [row for row in rows if row[1] in hosts]
        found, standing, place = [], {}, 0
        for time_ in times:
            while place < len(known) and known[place][4] <= time_:
                tenant, host, source, step, _at, covered, total = known[place]
                standing[host, source, step] = (tenant, host, source, Share(covered, total))
                place += 1
            found.append(by_tenant(standing.values()))
        return found

    def turns(self, after: float, until: float) -> list[Turn]:
        """What changed between, the oldest first."""
        columns = ", ".join(Turn._fields)
        query = f"SELECT {columns} FROM spans WHERE since > ? AND since <= ? ORDER BY since, id"
        return [Turn(*row) for row in self._rows(query, (after, until))]

    def corrections(self, after: float, until: float) -> list[tuple[Member, str]]:
        """(what was corrected or made between, at whose word), the newest first."""
        query = (
            f"SELECT {', '.join(f'spans.{name}' for name in COLUMNS.split(', '))}, runs.who FROM spans "
            "LEFT JOIN runs ON runs.run = spans.run WHERE spans.status = ? AND spans.since > ? AND spans.since <= ? "
            "ORDER BY spans.since DESC, spans.id DESC"
        )
        rows = self._rows(query, (CORRECTED, after, until))
        with self._told("read"):
            return [(_member(row[:-1]), str(row[-1] or "")) for row in rows]

    def spans(self, tenant: str) -> list[Member]:
        """All of one tenant, the newest first."""
        rows = self._rows(f"SELECT {COLUMNS} FROM spans WHERE tenant = ? ORDER BY since DESC, id DESC", (tenant,))
        with self._told("read"):
            return [_member(row) for row in rows]


def _is_gone(file: str, files: set[str]) -> bool:
    """Whether the host's tenant file no longer has it: it was read without it, or its siblings were and it is away."""
    if not file:
        return False
    return file in files or (os.path.dirname(file) in map(os.path.dirname, files) and not os.path.exists(file))


def _member(row: tuple[Any, ...], at: float = float("inf")) -> Member:
    """A row of COLUMNS as it was known then."""
    fields: dict[str, Any] = dict(zip(COLUMNS.split(", "), row, strict=True))
    known = {"at": min(fields["at"], at), "tried": bool(fields["tried"]), "detail": dict(json.loads(fields["detail"]))}
    return Member(**fields | known)


def read_summary(folder: Path) -> dict[str, Any] | None:
    """The summary of a run's folder, None where there is none that can be read."""
    try:
        loaded = json.loads(read_packed(folder))
    except (OSError, EOFError, ValueError):
        return None
    whole = isinstance(loaded, dict) and isinstance(loaded.get("tenants"), list)
    return loaded if whole and all(isinstance(row, dict) for row in loaded["tenants"]) else None


def summaries(root: Path) -> Iterator[dict[str, Any]]:
    """The summaries of all runs' folders under the root, the oldest first, one at a time.

    Those that are dated ahead of the clock come first, so that every other one is newer.
    """
    folders = [path for path in root.iterdir() if path.is_dir() and not path.is_symlink()]
    ends = {path: _ended(path) for path in folders}
    ahead = time.time() + AHEAD
    for folder in sorted(folders, key=lambda path: ((moment(ends[path]) or 0.0) <= ahead, ends[path], path.name)):
        found = read_summary(folder)
        if found is not None:
            yield found


def _ended(folder: Path) -> str:
    """When the run ended, from the head of its summary: a thousand whole ones would not fit into memory."""
    try:
        packed = (folder / PACKED_SUMMARY).exists()
        with gzip.open(folder / PACKED_SUMMARY) if packed else open(folder / SUMMARY, "rb") as file:
            found = re.search(rb'"ended": "([^"]*)"', file.read(2000))
    except (OSError, EOFError):
        return ""
    return found[1].decode(errors="replace") if found else ""


def rebuild(root: Path) -> int:
    """Make the history again from the folders of the runs; gives their number. A corrupt file is put aside."""
    path = root / FILE
    try:
        history = History(path, write=True)
    except HistoryError as error:
        if error.code not in ("history_corrupt", "history_version"):
            raise
        path.replace(path.with_suffix(".sqlite.unreadable"))
        history = History(path, write=True)
    with history:
        history.start_again(summaries(root))
        return len(history.runs())
