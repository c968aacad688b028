# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading the streams of one configuration: an Instance has a Reader for each partition.

An event's offset is saved when the event has been handed on, not before: after a crash the last one may come twice.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import socket
import threading
import time
from pathlib import Path
from typing import Any

from .cloud import Cloud, CloudError, partition
from .config import Config
from .lines import Writer, wanted
from .outputs import Log, Offsets, RotatingFile, Syslog

HEARTBEAT = 5.0  # s at least between two lines of it (assumed)
REFRESH = 0.9  # part of the interval after which a session is refreshed
SLOWEST = 30.0  # s between two tries at most
LONGEST = 4 * 1024 * 1024  # bytes of a line; a longer one is taken for a broken one


class Sink:
    """Where the events of a configuration go."""

    def __init__(self, config: Config, log: Log, stop: threading.Event) -> None:
        self.config = config
        self.plain = config.text("Settings", "output_format") == "json"
        self.writer = Writer(config)
        self.file = self._open(log) if config.to_file else None
        self.syslog = Syslog(config, log, stop.wait) if config.to_syslog else None

    def _open(self, log: Log) -> RotatingFile | None:
        path = Path(self.config.text("Settings", "output_path"))
        try:
            return RotatingFile(path, self.config, "Output_File_Rotation")
        except OSError as error:
            log.error(f"Cannot write {path}: {error}; events go to the log file")
            return log.file

    def hand_on(self, event: dict[str, Any]) -> bool:
        """False when the daemon stops before it could."""
        if not wanted(self.config, event):
            return True
        if self.plain:
            text = json.dumps(event, indent=4, ensure_ascii=False) + "\n"
        else:
            lines = self.writer.lines(event)
            if self.syslog is not None and not self.syslog.send(lines):
                return False
            text = "".join(f"{line}\n" for line in lines)
        if self.file is not None:
            self.file.write(text)
        return True


class Reader(threading.Thread):
    """One partition, until its session is gone or the daemon stops; `failure` is why."""

    def __init__(self, instance: Instance, stream: dict[str, Any]) -> None:
        super().__init__(daemon=True)
        self.instance = instance
        self.stream = stream
        self.partition = partition(stream)
        self.socket: socket.socket | None = None
        self.events = 0
        self.beat = 0.0
        self.failure = CloudError("The event stream has ended")

    def run(self) -> None:
        pause = 0.0
        try:
            while not self.instance.ended.wait(pause):
                before = self.events
                try:
                    self._read()
                except CloudError as error:
                    if error.gone:
                        raise
                    self.instance.log.error(str(error))
                pause = 0.1 if self.events > before else min(max(1.0, pause * 2), SLOWEST)
        except CloudError as error:
            self.failure = error
        except OSError as error:
            self.failure = CloudError(f"Unable to write: {error}")
        finally:
            self.instance.ended.set()

    def _read(self) -> None:
        """One connection. A line that the connection's end cut short is left to the next one."""
        instance = self.instance
        offset = instance.offsets.next(self.partition)
        connection, self.socket, response = instance.cloud.feed(self.stream, offset)
        instance.log.info(f"Event stream of partition {self.partition} is open, offset {offset or 'not set'}")
        instance.tries = 0
        self._heartbeat()
        try:
            while not instance.ended.is_set() and (line := response.readline(LONGEST)):
                if line.strip() and not self._event(line):
                    return
                self._heartbeat()
            why = "the cloud has closed it"
        except (OSError, http.client.HTTPException, ValueError) as error:
            why = str(error) or type(error).__name__
        finally:
            connection.close()
        if not instance.ended.is_set():
            instance.log.error(f"Event stream of partition {self.partition} was interrupted: {why}; reconnecting")

    def _event(self, line: bytes) -> bool:
        """False when it was not handed on."""
        event = json.loads(line)
        if not self.instance.sink.hand_on(event):
            return False
        offset = int(event["metadata"]["offset"])
        self.instance.offsets.save(self.partition, offset)
        self.events += 1
        self.instance.log.debug(f"Event {event['metadata']['eventType']} with offset {offset} processed")
        return True

    def _heartbeat(self) -> None:
        if time.monotonic() < self.beat:
            return
        self.beat = time.monotonic() + HEARTBEAT
        held = self.instance.offsets.held.get(self.partition, "none")
        self.instance.log.info(
            f"Heartbeat: app_id {self.instance.cloud.app_id}, partition {self.partition}, offset {held}, "
            f"{self.events} events since the start of the stream"
        )

    def close(self) -> None:
        """End a read that waits; the socket's own method, as that of TLS would take the connection apart first."""
        if self.socket is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Instance(threading.Thread):
    """One configuration file, from the first try to the end of the daemon."""

    def __init__(self, config: Config, logs: Path, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self.log = Log(logs, config)
        self.stop = stop
        self.offsets = Offsets(Path(config.text("Settings", "offset_path")))
        self.cloud = Cloud(config)
        self.sink = Sink(config, self.log, stop)
        self.ended = threading.Event()
        self.readers: list[Reader] = []
        self.tries = 0

    def run(self) -> None:
        while not self.stop.is_set():
            wait = 0.0
            try:
                self._session()
            except CloudError as error:
                self.log.error(str(error))
                wait = error.wait
            except (KeyError, TypeError, ValueError) as error:
                self.log.error(f"The cloud's answer is not understood: {error!r}")
            self.tries += 1
            self.stop.wait(max(wait, min(2 ** (self.tries - 1), SLOWEST)))

    def _session(self) -> None:
        """Discover, read all partitions, refresh; raises what ended it."""
        self.ended.clear()
        streams = self.cloud.streams()
        self.readers = [Reader(self, stream) for stream in streams]
        for reader in self.readers:
            reader.start()
        interval = min(float(stream["refreshActiveSessionInterval"]) for stream in streams) * REFRESH
        try:
            while not self.ended.wait(interval) and not self.stop.is_set():
                for stream in streams:
                    self.cloud.refresh(stream)
        finally:
            self.close()
            for reader in self.readers:  # two readers of one partition would send everything twice
                reader.join()
        if not self.stop.is_set():
            raise next(reader.failure for reader in self.readers)

    def close(self) -> None:
        """Ends the session; its readers follow as soon as they have handed on what they hold."""
        self.ended.set()
        for reader in self.readers:
            reader.close()
