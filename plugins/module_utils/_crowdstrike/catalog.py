# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What CrowdStrike gives: clouds, paths, sample files, supported systems, what the connector says when it fails.

Sources: falconpy 1.6 (clouds), the seed's guide (log, service commands, systems), the configuration file of 2.26 and
2.29 as published by users. «assumed» is what none of them says; docs/support.md lists it.
"""

from __future__ import annotations

from typing import NamedTuple

POLICIES = ("never", "upgrade", "any")  # of a change of the package's version
CAPABILITY = "falcon_siem_connector"

# falconpy's base URLs.
CLOUDS = {
    "us_1": "https://api.crowdstrike.com",
    "us_2": "https://api.us-2.crowdstrike.com",
    "eu_1": "https://api.eu-1.crowdstrike.com",
    "us_gov_1": "https://api.laggar.gcw.crowdstrike.com",
    "us_gov_2": "https://api.us-gov-2.crowdstrike.mil",
}
STREAMS_PATH = "/sensors/entities/datafeed/v2"
TOKEN_PATH = "/oauth2/token"
APP_ID_LENGTH = 32

BINARY = "/opt/crowdstrike/bin/cs.falconhoseclient"
SAMPLES = "/opt/crowdstrike/etc"
MAIN_FILE = "cs.falconhoseclient.cfg"  # below SAMPLES; what a single CID uses
CONFIGS = "/opt/crowdstrike/config"  # one .cfg per CID; the file's name without its end is the label
LOGS = "/var/log/crowdstrike/falconhoseclient"
SERVICE = "cs.falconhoseclientd"


class Format(NamedTuple):
    """sample: file below SAMPLES; output: value of output_format; keys: what else makes the format, by section."""

    sample: str
    output: str
    keys: dict[str, dict[str, str]]


# That the connector sends no raw JSON to syslog is a third party's word, assumed: an option of the CID overrules it.
FORMATS = {
    "json": Format(MAIN_FILE, "json", {}),
    "cef": Format("cs.falconhoseclient.cef.cfg", "syslog", {}),
    "leef": Format("cs.falconhoseclient.leef.cfg", "syslog", {}),
    # assumed: without a header the mapped fields are what remains.
    "key_value": Format(MAIN_FILE, "syslog", {"Syslog": {"header_prefix": "", "header_delim": ""}}),
}

# The vendor's guide, and for 8 and 20.04 a later third party's; nothing newer was found in public.
SUPPORTED = {
    "centos": ("6", "7", "8"),
    "rhel": ("6", "7", "8"),
    "ubuntu": ("14.04", "16.04", "18.04", "20.04"),
}
MACHINES = ("x86_64",)


class Manager(NamedTuple):
    """Commands of a service manager."""

    start: tuple[str, ...]
    stop: tuple[str, ...]
    active: tuple[str, ...]
    enable: tuple[str, ...]
    disable: tuple[str, ...]
    enabled: tuple[str, ...]


# The seed starts the service by all three. Only systemd has been run; SysV and Upstart are untested.
MANAGERS = {
    "systemd": Manager(
        start=("systemctl", "start", SERVICE),
        stop=("systemctl", "stop", SERVICE),
        active=("systemctl", "is-active", SERVICE),
        enable=("systemctl", "enable", SERVICE),
        disable=("systemctl", "disable", SERVICE),
        enabled=("systemctl", "is-enabled", SERVICE),
    ),
    "upstart": Manager(
        start=("start", SERVICE),
        stop=("stop", SERVICE),
        active=("status", SERVICE),
        enable=("true",),  # a job in /etc/init starts at boot
        disable=("true",),
        enabled=("true",),
    ),
    "sysv": Manager(
        start=("service", SERVICE, "start"),
        stop=("service", SERVICE, "stop"),
        active=("service", SERVICE, "status"),
        enable=("chkconfig", SERVICE, "on"),
        disable=("chkconfig", SERVICE, "off"),
        enabled=("chkconfig", SERVICE),
    ),
}


class Failure(NamedTuple):
    """What the connector's log says when something is wrong.

    pattern: regular expression for a line, case ignored; final: waiting does not cure it.
    """

    pattern: str
    next_step: str
    final: bool = False


HEARTBEAT = r"heart\s?-?beat"  # the guide says only that one should «see a Heartbeat»
# A line is a failure where its level says that something is wrong, or where it has no level and words that do: a word
# such as «syslog» or «access token» stands in lines of success as well. Names of levels are those of all loggers.
WRONG_LEVELS = frozenset(("WARN", "WARNING", "ERR", "ERROR", "CRIT", "CRITICAL", "FATAL", "PANIC", "ALERT", "EMERG"))
LEVELS = WRONG_LEVELS | {"TRACE", "DEBUG", "INFO", "NOTICE"}
ERROR_WORDS = (
    r"\b(?:unable|fail(?:s|ed|ure)?|errors?|cannot|can't|could not|refused|denied|rejected|invalid|expired|exceeded"
    r"|timed? ?out|timeout|unreachable|unauthori[sz]ed|insufficient|too many|bad gateway|x509|skew|unknown authority"
    r"|no (?:route|such|space|available|event|streams?|partitions?|feeds?)"
    r"|not (?:yet )?(?:known|permitted|valid|found|allowed|in sync)|already (?:in use|active|being)|is being read)\b"
    r"|\b(?:status|code)\W{0,3}(?:code\W{0,3})?[45]\d\d\b"
)
# «0 errors», «failed: 0», «err=nil» say that all is well.
NO_ERRORS = (
    r"\b(?:no|0|zero|without) (?:\w+ )?(?:errors?|failures?|failed)\b"
    r"|\b(?:err|errors?|failures?|failed|rejected|refused)\b\W{0,3}\b(?:0|no|none|nil|null|false)\b"
)
SUCCESS_WORDS = (
    r"(?<!not )(?<!never )"
    r"\b(?:success|successful|successfully|succeeded|established|recovered|restored|reconnected|refreshed|resumed)\b"
)


def _status(code: str) -> str:
    """An HTTP status, told from an offset or a count."""
    counted = r"(?! (?:events?|records?|bytes|lines|messages|times|ms|s|seconds)\b)"
    return rf"(?:(?:status|code|http/?[\d.]*)\W{{0,3}}{code}\b|(?<!offset): {code}(?= [A-Za-z]){counted})"


# The first that matches names a failure. All texts are assumed but «access token», which the guide has.
FAILURES = {
    "config": Failure(
        r"unable to start with|(parse|invalid|read).{0,20}config",
        "run drift with drift_correct=true, or correct settings of this CID",
        True,
    ),
    "syslog": Failure(
        r"syslog", "let the syslog target take what this host sends: see its port, protocol, senders and firewalls"
    ),
    "output": Failure(
        r"cannot write|unable to write|permission denied|no space left",
        "give the connector's disk room, and its user the right to write there",
    ),
    "clock_skew": Failure(
        r"clock.{0,60}(skew|sync)|certificate (has expired or )?is not yet valid|token used before issued",
        "set the host's clock: let chrony or systemd-timesyncd keep it",
        True,
    ),
    "tls": Failure(
        r"x509:|certificate|\btls\b|handshake failure",
        "let the host trust the authority of the endpoint, or of the proxy that opens TLS",
        True,
    ),
    "proxy": Failure(
        rf"proxyconnect|proxy.*(refused|authentication|unreachable|no such host|not known)|{_status('407')}",
        "check http_proxy of this CID, and that the proxy lets the host reach the cloud",
    ),
    "no_route": Failure(
        r"no route to host|network is unreachable|no such host|connection refused|timed out|i/o timeout"
        r"|unable to resolve|name resolution|not known",
        "let the host resolve and reach the cloud by TCP 443; see cloud or base_url",
    ),
    "scope": Failure(
        rf"scope not permitted|insufficient scope|authorization failed|stream.*{_status('403')}",
        "give the API client the scope «Event streams: Read» in the Falcon console",
        True,
    ),
    "app_id_in_use": Failure(
        rf"app.?id.*(in use|already|active)|no (available |event )*(streams?|partitions?|feeds?)\b|{_status('409')}",
        "give this CID an app_id of its own, or stop the other connector that uses it",
    ),
    "throttled": Failure(rf"{_status('429')}|too many requests|rate limit", "wait: the cloud paces this API client"),
    "cloud": Failure(
        rf"{_status('50[0234]')}|internal server error|bad gateway", "wait, and see the cloud's status page"
    ),
    "credentials": Failure(
        rf"access token|invalid client|{_status('401')}|unauthori[sz]ed|access denied",
        "check client_id, client_secret and cloud: the client must be of this CID, in this cloud",
        True,
    ),
}
