# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The connector's configuration file: sections, `key = value`, comments behind # and ;, and no quoting.

Keys are case-sensitive, a `;` within a value belongs to it, and of a key given twice the last counts (assumed).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

Sections = dict[str, dict[str, str]]
FORMATS = ("json", "syslog")


class ConfigError(Exception):
    """The connector cannot start with this file; the text says why."""


def parse(text: str) -> Sections:
    sections: Sections = {}
    current: dict[str, str] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            current = sections.setdefault(line[1:-1], {})
            continue
        key, equals, value = line.partition("=")
        if not equals or current is None or not key.strip():
            raise ConfigError(f"line {number} is neither a section nor key = value")
        current[key.strip()] = value.strip()
    return sections


@dataclass(frozen=True)
class Config:
    """One file. `label` is empty for the main file, else the name of the file in the folder of many CIDs."""

    path: Path
    label: str
    sections: Sections

    def text(self, section: str, key: str, default: str = "") -> str:
        return self.sections.get(section, {}).get(key, default)

    def flag(self, section: str, key: str, default: bool = False) -> bool:
        value = self.text(section, key, str(default)).lower()
        if value not in ("true", "false"):
            raise ConfigError(f"[{section}] {key} must be true or false, not '{value}'")
        return value == "true"

    def number(self, section: str, key: str, default: int) -> int:
        value = self.text(section, key, str(default))
        if not value.isdigit():
            raise ConfigError(f"[{section}] {key} must be a number, not '{value}'")
        return int(value)

    @property
    def to_syslog(self) -> bool:
        return self.text("Settings", "output_format") == "syslog" and self.flag("Syslog", "send_to_syslog_server")

    @property
    def to_file(self) -> bool:
        return not self.to_syslog or self.flag("Settings", "output_to_file", True)


def load(path: Path, label: str = "") -> Config:
    """Raises ConfigError for what the connector would not start with."""
    try:
        config = Config(path, label, parse(path.read_text("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"it cannot be read: {error}") from None
    for key in ("api_url", "request_token_url", "app_id", "client_id", "client_secret", "offset_path", "output_path"):
        if not config.text("Settings", key):
            raise ConfigError(f"[Settings] {key} is empty")
    for key in ("api_url", "request_token_url"):
        if urlsplit(config.text("Settings", key)).scheme != "https":
            raise ConfigError(f"[Settings] {key} is no https URL")
    if config.text("Settings", "version") != "3":
        raise ConfigError("[Settings] version must be 3")
    if config.text("Settings", "output_format") not in FORMATS:
        raise ConfigError(f"[Settings] output_format must be one of {FORMATS}")
    _check_values(config)
    return config


def _check_values(config: Config) -> None:
    """Everything that is read later, so that a wrong value is said at the start."""
    partition = config.text("Settings", "partition", "all")
    if partition != "all" and not partition.isdigit():
        raise ConfigError("[Settings] partition must be all or a number")
    for key in ("connection_timeout", "read_timeout"):
        config.number("Settings", key, 10)
    for section in ("Output_File_Rotation", "Logging"):
        for key in ("max_size", "max_backups", "max_age"):
            config.number(section, key, 10)
    if config.to_syslog:
        config.number("Syslog", "port", 514)
        if config.text("Syslog", "protocol") not in ("udp", "tcp"):
            raise ConfigError("[Syslog] protocol must be udp or tcp")
    for collection in ("EventTypeCollection", "EventSubTypeCollection"):
        for key in config.sections.get(collection, {}):
            config.flag(collection, key)
