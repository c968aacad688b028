# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the connector shall do for each CID of one tenant: options checked, and turned into keys of its file. Pure."""

from __future__ import annotations

import ipaddress
import posixpath
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._host.given import HOST, check_name, values_of, wrong
from .catalog import APP_ID_LENGTH, CLOUDS, CONFIGS, FORMATS, LOGS, SAMPLES, STREAMS_PATH, TOKEN_PATH
from .config import Keys

PATH = re.compile(r"/[A-Za-z0-9._@/-]+")
APP_ID = re.compile(r"[A-Za-z0-9._-]+")
URL = re.compile(r"https?://[^\s/]+(/[^\s]*)?")
EVENT_TYPE = re.compile(r"[A-Za-z0-9]+")
UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")

CID_SPEC: dict[str, dict[str, Any]] = {
    "cloud": {"type": "str", "choices": list(CLOUDS)},
    "base_url": {"type": "str"},
    "client_id": {"type": "str", "required": True},
    "app_id": {"type": "str"},
    "format": {"type": "str", "choices": list(FORMATS), "default": "json"},
    "file": {"type": "bool", "default": True},
    "output_path": {"type": "str"},
    "offset_path": {"type": "str"},
    "rotation": {
        "type": "dict",
        "options": {
            "enabled": {"type": "bool", "default": True},
            "max_size_mb": {"type": "int", "default": 500},
            "max_backups": {"type": "int", "default": 10},
            "max_age_days": {"type": "int", "default": 30},
        },
    },
    "syslog": {
        "type": "dict",
        "options": {
            "source": {"type": "str"},
            "collector": {"type": "str"},
            "host": {"type": "str"},
            "port": {"type": "int", "default": 514},
            "protocol": {"type": "str", "choices": ["udp", "tcp"], "default": "udp"},
            "allow_json": {"type": "bool", "default": False},
        },
    },
    "event_types": {"type": "list", "elements": "str"},
    "partition": {"type": "str", "default": "all"},
    "http_proxy": {"type": "str"},
    "verbose_log": {"type": "bool"},
    "settings": {"type": "dict", "default": {}},
}
SECRETS = ("client_secret", "http_proxy")
SECRET_KEYS = tuple(("Settings", key) for key in SECRETS)  # never shown as they are


@dataclass(frozen=True)
class Cid:
    """One CID as wanted. keys: what its file must say; event_types: None leaves them as shipped."""

    name: str
    label: str
    sample: str
    base_url: str
    client_id: str
    app_id: str
    offset_path: str
    output_path: str
    event_types: tuple[str, ...] | None
    keys: Keys

    @property
    def path(self) -> str:
        return f"{CONFIGS}/{self.label}.cfg"

    @property
    def log(self) -> str:
        """Assumed: the guide for several CIDs says only that the log's name carries the label."""
        return f"{LOGS}/cs.falconhoseclient.{self.label}.log"


@dataclass(frozen=True)
class Targets:
    """Syslog sources by collector, as in the inventory, and each collector's address from here.

    roots: folders in which every tenant may have files below one of its name.
    """

    sources: Mapping[str, Any]
    hosts: Mapping[str, str]
    roots: Sequence[str] = ()


def cids(options: Mapping[str, Any], secrets: Mapping[str, Any] | None) -> tuple[Cid, ...]:
    """The CIDs that the options describe. secrets: None where nothing is written, so that none are needed.

    Raises InputError, which names the CID and what is wrong with it.
    """
    tenant = options["tenant"]
    check_name("tenant", tenant)
    roots = options.get("file_roots") or []
    for root in roots:
        _form("file_roots", "folder", PATH, root)
    targets = Targets(options.get("syslog_sources") or {}, options.get("syslog_hosts") or {}, roots)
    given = options["cids"] or {}
    unknown = sorted(set(secrets or {}) - set(given))
    if unknown:
        raise wrong("secrets", f"cids has no {', '.join(unknown)}")
    found = tuple(_cid(tenant, name, spec, secrets, targets) for name, spec in sorted(given.items()))
    _unique(found)
    return found


def _form(what: str, option: str, pattern: re.Pattern[str], value: str | None) -> None:
    if value and not pattern.fullmatch(value):
        raise wrong(what, f"{option} «{value}» is not of the expected form")


def _unique(found: tuple[Cid, ...]) -> None:
    """Two connectors with one app_id take each other's stream away, two with one file overwrite it."""
    for what, values in (
        ("app_id", [cid.app_id for cid in found]),
        ("offset_path", [cid.offset_path for cid in found]),
        ("output_path", [cid.output_path for cid in found]),
    ):
        twice = [value for value, number in Counter(values).items() if number > 1]
        if twice:
            names = ", ".join(cid.name for number, cid in enumerate(found) if values[number] in twice)
            raise wrong(f"CIDs {names}", f"they have the same {what}; each needs its own")


def _cid(tenant: str, name: str, spec: Any, secrets: Mapping[str, Any] | None, targets: Targets) -> Cid:
    what = f"CID «{name}»"
    check_name("CID", name)
    values = values_of(what, spec, CID_SPEC, mutually_exclusive=[["cloud", "base_url"]])
    label = f"{tenant}-{name}"
    base_url = _base_url(what, values)
    app_id = values["app_id"] or label[:APP_ID_LENGTH]
    if len(app_id) > APP_ID_LENGTH:
        raise wrong(what, f"app_id «{app_id}» has more than {APP_ID_LENGTH} characters")
    for option, pattern in (("app_id", APP_ID), ("output_path", PATH), ("offset_path", PATH), ("client_id", APP_ID)):
        _form(what, option, pattern, values[option])
    output_path = values["output_path"] or f"{LOGS}/output.{label}"
    offset_path = values["offset_path"] or f"{LOGS}/stream_offsets.{label}"
    for option, path in (("output_path", output_path), ("offset_path", offset_path)):
        _placed(what, option, path, label, [f"{root.rstrip('/')}/{tenant}/" for root in targets.roots])
    form = FORMATS[values["format"]]
    settings = {
        "api_url": f"{base_url}{STREAMS_PATH}",
        "request_token_url": f"{base_url}{TOKEN_PATH}",
        "app_id": app_id,
        "client_id": values["client_id"],
        "partition": _partition(what, values["partition"]),
        "http_proxy": values["http_proxy"] or "",
        "output_format": form.output,
        "output_to_file": _text(values["file"]),
        "output_path": output_path,
        "offset_path": offset_path,
        **_secrets(what, values, None if secrets is None else secrets.get(name) or {}),
    }
    wanted: dict[str, dict[str, str]] = {"Settings": settings, "Syslog": _syslog(what, values, targets)}
    wanted["Syslog"].update(form.keys.get("Syslog", {}))
    if values["rotation"]:
        wanted["Output_File_Rotation"] = _rotation(what, values["rotation"])
    if values["verbose_log"] is not None:
        wanted["Logging"] = {"verbose_log": _text(values["verbose_log"])}
    _extra(what, wanted, values["settings"])
    for option in values["event_types"] or ():
        _form(what, "event type", EVENT_TYPE, option)
    events = None if values["event_types"] is None else tuple(values["event_types"])
    sample = f"{SAMPLES}/{form.sample}"
    return Cid(name, label, sample, base_url, values["client_id"], app_id, offset_path, output_path, events, wanted)


def _placed(what: str, option: str, path: str, label: str, roots: Sequence[str]) -> None:
    """Files of a CID have its label in their names, or lie below folders of the tenant: a host has other tenants."""
    own = posixpath.dirname(path) == LOGS and path.endswith(f".{label}")
    if posixpath.normpath(path) != path or not (own or path.startswith(tuple(roots))):
        allowed = "; ".join([f"{LOGS}/*.{label}", *(f"{root}*" for root in roots)])
        text = f"{option} «{path}» is not below a place that is this tenant's: {allowed}"
        raise wrong(what, f"{text}; the provider allows folders by file_roots")


def _base_url(what: str, values: Mapping[str, Any]) -> str:
    if values["base_url"]:
        _form(what, "base_url", re.compile(r"https://[^\s/@]+"), values["base_url"].rstrip("/"))
        return str(values["base_url"].rstrip("/"))
    if not values["cloud"]:
        raise wrong(what, "it needs cloud, or base_url")
    return CLOUDS[values["cloud"]]


def _partition(what: str, value: str) -> str:
    if value != "all" and not (value.isascii() and value.isdigit()):
        raise wrong(what, f"partition «{value}» is neither all nor a number")
    return value


def _text(value: bool) -> str:
    return "true" if value else "false"


def _secrets(what: str, values: Mapping[str, Any], secrets: Any) -> dict[str, str]:
    """The secret keys; none where secrets are not asked for (None)."""
    proxy = values["http_proxy"]
    _form(what, "http_proxy", URL, proxy)
    if proxy and "@" in proxy:
        raise wrong(what, "http_proxy holds a password; give it as http_proxy of this CID's secrets")
    if secrets is None:
        return {}
    if not isinstance(secrets, Mapping) or set(secrets) - set(SECRETS) or not secrets.get("client_secret"):
        raise wrong(f"secrets of {what}", "expected client_secret, and http_proxy where that holds a password")
    for key, value in secrets.items():
        if not isinstance(value, str) or UNPRINTABLE.search(value) or value != value.strip():
            raise wrong(f"secrets of {what}", f"{key} has a line end or blanks around it")
    if secrets.get("http_proxy") and not URL.fullmatch(secrets["http_proxy"]):
        raise wrong(f"secrets of {what}", "http_proxy is not of the form http://user:password@host:port")
    return {key: value for key, value in secrets.items() if value}


def _syslog(what: str, values: Mapping[str, Any], targets: Targets) -> dict[str, str]:
    syslog = values["syslog"]
    if not syslog:
        if not values["file"]:
            raise wrong(what, "it has no output; set file, syslog or both")
        return {"send_to_syslog_server": "false"}
    if FORMATS[values["format"]].output != "syslog" and not syslog["allow_json"]:
        text = f"the connector is said to send no {values['format']} by syslog; take cef, leef or key_value"
        raise wrong(what, f"{text}, or set allow_json of syslog if yours does")
    host, port, protocol = _address(what, syslog, targets)
    _form(what, "syslog host", HOST, host)
    if not 0 < port < 65536:
        raise wrong(what, f"syslog port {port} is not between 1 and 65535")
    return {"send_to_syslog_server": "true", "host": host, "port": str(port), "protocol": protocol}


def _address(what: str, syslog: Mapping[str, Any], targets: Targets) -> tuple[str, int, str]:
    """Host, port and protocol: as given, or those of a source of role syslog_target."""
    name = syslog["source"]
    if bool(name) == bool(syslog["host"]):
        raise wrong(what, "syslog needs either source or host")
    if not name:
        return syslog["host"], syslog["port"], syslog["protocol"]
    collector = syslog["collector"] or ""
    source = (targets.sources.get(collector) or {}).get(name)
    if not isinstance(source, Mapping):
        raise wrong(what, f"there is no source «{name}» in syslog_target_sources of {collector or 'this collector'}")
    transport = source.get("transport")
    if transport not in ("udp", "tcp"):
        raise wrong(what, f"source «{name}» is {transport}, but the connector sends by udp and tcp only")
    host = source.get("address") or targets.hosts.get(collector) or ("" if collector else "127.0.0.1")
    if not host:
        raise wrong(what, f"collector «{collector}» has no ansible_host, so its address is not known")
    if not collector:
        _permitted(what, name, source, host)
    return str(host), int(source.get("port") or 514), str(transport)


def _permitted(what: str, name: str, source: Mapping[str, Any], host: str) -> None:
    """A source of this collector must take what comes from this collector."""
    senders = source.get("senders") or []
    try:
        known = any(ipaddress.ip_address(host) in ipaddress.ip_network(sender) for sender in senders)
    except ValueError:
        return  # a name, or a network that syslog_target refuses in its own words
    if senders and not known:
        raise wrong(what, f"source «{name}» takes nothing from {host}; add it to its senders")


def _rotation(what: str, rotation: Mapping[str, Any]) -> dict[str, str]:
    sizes = {"max_size": "max_size_mb", "max_backups": "max_backups", "max_age": "max_age_days"}
    for option in sizes.values():
        if rotation[option] < 1:
            raise wrong(what, f"rotation {option} must be at least 1")
    return {"rotate_file": _text(rotation["enabled"])} | {key: str(rotation[name]) for key, name in sizes.items()}


def _extra(what: str, wanted: dict[str, dict[str, str]], settings: Mapping[str, Any]) -> None:
    """Further keys, by section, as the vendor names them; not those that an option sets."""
    for section, keys in settings.items():
        if not isinstance(keys, Mapping):
            raise wrong(what, f"settings of [{section}] are not a dictionary")
        for key, value in keys.items():
            if key in wanted.get(section, {}) or section == "EventTypeCollection":
                raise wrong(what, f"[{section}] {key} has an option of its own")
            if not isinstance(value, (str, int, bool)) or UNPRINTABLE.search(f"{section}{key}{value}"):
                raise wrong(what, f"[{section}] {key} is not one line of text, a number or true/false")
            wanted.setdefault(section, {})[key] = _text(value) if isinstance(value, bool) else str(value)
