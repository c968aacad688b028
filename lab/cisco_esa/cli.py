# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of an appliance: a generator that gives what is shown and gets what is typed. No I/O.

What is not committed dies with the session. A question comes again after an answer that it does not take.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator
from typing import Any

from lab.cisco_esa import screens
from lab.cisco_esa.screens import numbered
from lab.cisco_esa.state import Box, Config, Log

Dialogue = Generator[str, str, Any]
MACHINE, CLUSTER = "Machine", "Cluster"
INTERVAL = re.compile(r"(\d+[dhms])+")
SIZE = re.compile(r"\d+[kKmMgG]?")
NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
ANYTHING = re.compile(r".+")


class Cut(Exception):
    """The session ends."""


class Cli:
    """One session. mode: where it is in a cluster; draft: its changes, none before the first."""

    def __init__(self, box: Box, user: str = "admin") -> None:
        self.box, self.user, self.quirks = box, user, box.quirks
        self.mode = MACHINE if box.cluster else ""
        self.draft: Config | None = None

    # -- what is shown --

    @property
    def prompt(self) -> str:
        place = self.box.cluster if self.mode == CLUSTER else self.box.name
        return f"({self.mode} {place})> " if self.mode else f"{place}> "

    @property
    def held(self) -> Config:
        return self.draft or self.box.shared.config

    def change(self) -> Config:
        self.draft = self.draft or self.box.shared.config.copy()
        return self.draft

    def run(self) -> Dialogue:
        """The whole session; Cut ends it."""
        told = ""
        if self.quirks.pending and self.quirks.pending_told == "banner":
            told = f"NOTICE: uncommitted changes by {', '.join(self.quirks.pending)}\n"
        text = (
            f"AsyncOS {self.box.version} for Cisco C300V\n\nWelcome to the Cisco C300V Secure Email Gateway\n{told}\n"
        )
        while True:
            line = yield text + self.prompt
            self.box.lines.append(line)
            word, _blank, rest = line.strip().partition(" ")
            if word and word == self.quirks.cut:
                raise Cut
            if word in ASKING:
                text = yield from ASKING[word](self)
            else:
                text = PLAIN[word](self, rest) if word in PLAIN else f"Unknown command: {word}\n" if word else ""

    def ask(self, topic: str, text: str, default: str, takes: Callable[[str], str | None]) -> Dialogue:
        """A question until its answer is taken; an empty line is the default."""
        if topic == self.quirks.extra:
            yield "Your feature key ends soon. Renew it now? [Y]> "
        while True:
            given = (yield f"{text}[{default}]> ").strip()
            if topic == self.quirks.cut:
                raise Cut
            taken = takes(given or default)
            if taken is not None:
                return "spoilt" if topic == self.quirks.spoilt else taken
            text = "\nThe value is not valid.\n\n" + text.lstrip("\n")

    def text(self, topic: str, text: str, default: str, pattern: re.Pattern[str] | None = None) -> Dialogue:
        return self.ask(
            topic, text, default, lambda one: one if one and (not pattern or pattern.fullmatch(one)) else None
        )

    def yes(self, topic: str, text: str, default: str) -> Dialogue:
        return self.ask(topic, text, default, {"Y": "yes", "N": "no", "y": "yes", "n": "no"}.get)

    def one_of(self, topic: str, text: str, items: tuple[str, ...], now: str) -> Dialogue:
        default = str(items.index(now) + 1) if now in items else "1"
        by = {str(number): item for number, item in enumerate(items, 1)}
        return self.ask(topic, text + numbered(items), default, by.get)

    # -- commands --

    def version(self, _rest: str) -> str:
        return screens.VERSION.format(version=self.box.version, serial=self.box.serial)

    def clustermode(self, rest: str) -> str:
        kind, _blank, name = rest.partition(" ")
        if not self.mode or (kind == "machine" and name != self.box.name):
            return "Cluster mode not available.\n"
        self.mode = CLUSTER if kind == "cluster" else MACHINE
        return ""

    def showconfig(self) -> Dialogue:
        words = "Do you want to mask the password? Files with masked passwords cannot be loaded. "
        if not self.box.later:
            words = "Do you want to include passwords? A configuration without them cannot be loaded. "
        yield from self.yes("mask", words, "Y" if self.box.later else "N")
        return screens.export(self.held, self.box.version)

    def logconfig(self) -> Dialogue:
        if self.mode == MACHINE and self.quirks.override:
            items = tuple(one.format(cluster=self.box.cluster, name=self.box.name) for one in screens.MODES)
            text = "NOTICE: This configuration command has not yet been configured for the current cluster mode.\n\n"
            taken = yield from self.one_of("mode", f"{text}What would you like to do?\n", items, "")
            self.mode = CLUSTER if taken == items[0] else MACHINE
        offered = screens.OPERATIONS if not self.quirks.operator else screens.OPERATIONS[-1:]
        while True:
            told = screens.listing(self.held, self.box.later)
            word = (yield f"{told}{screens.menu(offered)}[]> ").strip().upper()
            if not word:
                return ""
            if word in [one for one, _text in offered] and word in OPERATIONS:
                yield from OPERATIONS[word](self)

    def commit(self) -> Dialogue:
        if self.draft is None:
            return "No changes have been made that need to be committed.\n"
        if self.quirks.pending and self.quirks.pending_told == "commit":
            told = f"Warning: pending changes by {', '.join(self.quirks.pending)} will be committed, too.\n"
            yield from self.yes("pending", f"{told}Do you want to continue? ", "N")
        comment = yield from self.ask("comment", "\nPlease enter some comments describing your changes:\n", "", str)
        if self.box.later:
            words = "\nDo you want to save the current configuration for rollback? "
            yield from self.yes("rollback", words, "Y")
        self.box.shared.config, self.draft = self.draft, None
        self.box.shared.commits.append((self.user, comment, self.box.shared.config.copy()))
        if self.quirks.cut == "committed":
            raise Cut
        return "\nChanges committed: Mon Nov 30 15:00:00 2026 GMT\n"

    def clear(self, _rest: str) -> str:
        self.draft = None
        return "Changes cleared.\n"

    def rollovernow(self) -> Dialogue:
        if self.mode == CLUSTER:
            yield from self.yes("switch", 'This command is restricted to "machine" mode. Switch? ', "Y")
        told = screens.listing(self.held, self.box.later)
        log = yield from self._log(f"{told}\nEnter the number of the log you wish to roll over.\n")
        failed = self.box.push(self.box, log)
        self.box.sent.append({"log": log["name"], "error": failed})
        return "Log files successfully rolled over.\n"

    def exit(self, _rest: str) -> str:
        raise Cut

    # -- operations of logconfig --

    def _log(self, text: str) -> Dialogue:
        by = {str(number): one for number, one in enumerate(self.held.logs, 1)}
        number = yield from self.ask("log", text, "", lambda one: one if one in by else None)
        return by[number]

    def new(self) -> Dialogue:
        kinds = screens.TYPES_NEW if self.box.later else screens.TYPES_OLD
        words = "\nChoose the log file type for this subscription:\n"
        kind = yield from self.one_of("type", words, kinds, "")
        taken = [one["name"] for one in self.held.logs]
        name = yield from self.ask(
            "name",
            "\nPlease enter the name for the log:\n",
            "",
            lambda one: one if NAME.fullmatch(one) and one not in taken else None,
        )
        log = yield from self._asked({"name": name, "type": kind})
        self.change().logs.append(log)

    def edit(self) -> Dialogue:
        before = yield from self._log("\nEnter the number of the log you wish to edit.\n")
        name = yield from self.text("name", "\nPlease enter the name for the log:\n", before["name"], NAME)
        log = yield from self._asked({**before, "name": name})
        logs = self.change().logs
        logs[[one["name"] for one in logs].index(before["name"])] = log

    def delete(self) -> Dialogue:
        log = yield from self._log("\nEnter the number of the log you wish to delete.\n")
        if (yield from self.yes("confirm", f'\nAre you sure you want to delete "{log["name"]}"? ', "N")) == "yes":
            config = self.change()
            config.logs = [one for one in config.logs if one["name"] != log["name"]]

    def hostkeyconfig(self) -> Dialogue:
        told = ""
        while True:
            word = (yield f"{told}{screens.menu(screens.KEY_OPERATIONS)}[]> ").strip().upper()
            if not word:
                return
            if word == "USER":
                kind, blob = self.box.public_key().split()[:2]
                lines = [blob[at : at + 76] for at in range(0, len(blob), 76)]
                told = f"\n{kind} " + "\n".join(lines) + f" {self.box.name}\n"

    def _asked(self, log: Log) -> Dialogue:
        """The questions that NEW and EDIT share; what is asked for depends on type, method and release."""
        made = {"name": log["name"], "type": log["type"]}
        if log["type"] not in screens.UNLEVELLED:
            now = log.get("level", LEVEL)
            made["level"] = yield from self.one_of("log_level", "\nLog level:\n", screens.LEVELS, now)
        methods = screens.METHODS_NEW if self.box.later else screens.METHODS_OLD
        words = "\nChoose the method to retrieve the logs.\n"
        method = yield from self.one_of("method", words, methods, log.get("retrieval_method", ""))
        made["retrieval_method"] = method
        steps = {"SCP Push": self._scp, "Syslog Push": self._syslog}.get(method, self._other)
        return (yield from steps(made, log))

    def _scp(self, made: Log, log: Log) -> Dialogue:
        later = self.box.later
        words = screens.WORDS_NEW if later else screens.WORDS_OLD
        made["hostname"] = yield from self.text("host", f"\n{words['host']}", log.get("hostname", ""))
        made["port"] = yield from self.text("port", f"\n{words['port']}", log.get("port", "22"))
        made["username"] = yield from self.text("user", "\nUsername on the remote host:\n", log.get("username", ""))
        words_of = "\nDirectory on remote host to place logs:\n"
        made["directory"] = yield from self.text("directory", words_of, log.get("directory", ""))
        if later:
            yield from self._rollover(made, log)
        words_of = "\nFilename to use for log files:\n"
        made["filename"] = yield from self.text("filename", words_of, log.get("filename", made["name"]))
        if later:
            words_of = "\nDo you want to append system based unique identifiers ($hostname, $serialnumber)? "
            if (yield from self.yes("identifiers", words_of, "N")) == "yes":
                words_of = '\nEnter the identifiers, with "." between them:\n'
                made["identifiers"] = yield from self.text("identifier_format", words_of, "$hostname")
        words_of = "\nMaximum file size before transferring (100K to 10G):\n"
        made["max_size"] = yield from self.text("max_size", words_of, log.get("max_size", "10M"), SIZE)
        if not later:
            yield from self._rollover(made, log)
            yield from self.one_of("protocol", "\nProtocol:\n", ("SSH1", "SSH2"), "SSH2")
        checked = yield from self.yes("host_key_check", "\nDo you want to enable host key checking? ", "N")
        made["host_key_check"] = checked
        if checked == "yes":
            yield from self._host_key(made["hostname"])
        return made

    def _host_key(self, host: str) -> Dialogue:
        words = "\nDo you want to automatically scan the host for its SSH key, or enter it manually?\n"
        if (yield from self.one_of("host_key_by", words, screens.BY, "")) == screens.BY[0]:
            return
        keys: list[str] = []
        words = "\nEnter the public SSH host key for authorizing the host.\nPress enter on a blank line to finish.\n"
        line = yield words
        while line.strip():
            keys.append(line.strip())
            line = yield ""
        self.change().host_keys[host] = keys

    def _rollover(self, made: Log, log: Log) -> Dialogue:
        now = "Y" if log.get("rollover_interval") else "N"
        words = "\nDo you want to configure time-based log files rollover? "
        if (yield from self.yes("rollover", words, now)) == "yes":
            yield from self.one_of("rollover_kind", "\nConfigure log rollover settings:\n", screens.ROLLOVER, "")
            words = "\nEnter the custom time interval for log rollover (1s to 12d):\n"
            given = yield from self.text("rollover_interval", words, log.get("rollover_interval", "1d"), INTERVAL)
            made["rollover_interval"] = given

    def _syslog(self, made: Log, log: Log) -> Dialogue:
        words = screens.WORDS_NEW if self.box.later else screens.WORDS_OLD
        made["hostname"] = yield from self.text("host", f"\n{words['host']}", log.get("hostname", ""))
        made["port"] = yield from self.text("port", f"\n{words['port']}", log.get("port", "514"))
        kinds = ("UDP", "TCP", "TLS") if self.box.later else ("UDP", "TCP")
        words_of = "\nWhich protocol do you want to use to transfer the log data?\n"
        made["transport"] = yield from self.one_of("transport", words_of, kinds, log.get("transport", ""))
        yield from self.text("message_size", "\nMaximum message size (in bytes):\n", "1024")
        words_of = "\nFacility for the log data to be sent as:\n"
        made["facility"] = yield from self.one_of("facility", words_of, screens.FACILITIES, log.get("facility", "mail"))
        if self.box.later:
            yield from self.yes("disk_buffer", "\nDo you want to use a disk buffer? ", "N")
        return made

    def _other(self, made: Log, log: Log) -> Dialogue:
        made["filename"] = yield from self.text("filename", "\nFilename to use for log files:\n", made["name"])
        return made


LEVEL = "Information"
PLAIN: dict[str, Callable[[Cli, str], str]] = {
    "version": Cli.version,
    "clustermode": Cli.clustermode,
    "clear": Cli.clear,
    "exit": Cli.exit,
}
ASKING: dict[str, Callable[[Cli], Dialogue]] = {
    "showconfig": Cli.showconfig,
    "logconfig": Cli.logconfig,
    "commit": Cli.commit,
    "rollovernow": Cli.rollovernow,
}
OPERATIONS: dict[str, Callable[[Cli], Dialogue]] = {
    "NEW": Cli.new,
    "EDIT": Cli.edit,
    "DELETE": Cli.delete,
    "HOSTKEYCONFIG": Cli.hostkeyconfig,
}
