# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the Coro modules: the argument specs, and their values checked and typed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import eq
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.common.parameters import env_fallback

from .._core import fingerprints
from .._core.coverage import unmatched
from .._core.errors import InputError
from .._core.options import COVERAGE_SPEC, RUN_SPEC, TIME_SPEC, Check
from . import connectors, formats
from .connectors import Wanted
from .plan import Policy
from .profile import Profile, profile, refuse_unconfirmed

READ = "read the options"
SECRETS_UNKNOWN = (
    "Whether Coro holds the secrets of today is not known of some connectors (summary.secrets_unknown): no run that "
    "kept its evidence has sent them. Run once with -e coro_connectors_update_secret=always."
)
# Coro, «Public API»: hosts by region. The audience stands there in two forms; this is the Authentication page's.
REGIONS = {
    "us": "https://api.secure.coro.net",
    "ca": "https://api.secure-ca.coro.net",
    "eu": "https://api.secure-eu.coro.net",
}
AUDIENCE = "https://secure.coro.net/api"
ON_CREATE, ALWAYS, ON_CHANGE = "on_create", "always", "on_change"
MAX_NAME = 200

IDENTITY_SPEC: dict[str, dict[str, Any]] = {
    "client_id": {"type": "str", "required": True, "fallback": (env_fallback, ["CORO_CLIENT_ID"])},
    "client_secret": {
        "type": "str",
        "required": True,
        "no_log": True,
        "fallback": (env_fallback, ["CORO_CLIENT_SECRET"]),
    },
    "region": {"type": "str", "choices": list(REGIONS), "default": "us"},
    "api_url": {"type": "str"},
    "audience": {"type": "str", "default": AUDIENCE},
    "token_path": {"type": "str", "no_log": False, "default": "/oauth/token"},
    "ca_file": {"type": "path"},
    **TIME_SPEC,
    "proxy": {"type": "str"},
    "contract_confirmed": {"type": "bool", "default": False},
    "profile": {"type": "dict"},
    "workspace": {"type": "str", "required": True},
}
# Of one connector; a tenant's connectors have these by name, without those that are secret.
OPEN_SPEC: dict[str, dict[str, Any]] = {
    "connector_id": {"type": "str"},
    "format": {"type": "str", "choices": list(formats.FORMATS)},
    "listener_url": {"type": "str"},
    "allow_http": {"type": "bool", "default": False},
    "headers": {"type": "dict"},
    "workspace_id": {"type": "str"},
    "log_type": {"type": "str"},
    "apply_to_all_customers": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent", "synced"], "default": "present"},
}
SECRET_SPEC: dict[str, dict[str, Any]] = {
    "token": {"type": "str", "no_log": True},
    "authorization": {"type": "str", "no_log": True},
    "headers": {"type": "dict", "no_log": True},
    "primary_key": {"type": "str", "no_log": True},
}
_RUN = {name: RUN_SPEC[name] for name in ("fail_on", "correct", "concurrency", "evidence_path")}
CONNECTOR_RULES = {"required_if": [("state", "present", ("format",)), ("state", "synced", ("format",))]}
OPEN, SECRET = ArgumentSpecValidator(OPEN_SPEC, **CONNECTOR_RULES), ArgumentSpecValidator(SECRET_SPEC)
POLICY_SPEC: dict[str, dict[str, Any]] = {
    "update_secret": {"type": "str", "no_log": False, "choices": [ON_CREATE, ALWAYS, ON_CHANGE], "default": ON_CHANGE},
    "fingerprint_dir": {"type": "path"},
    "fingerprint_key": {"type": "str", "no_log": True},
    "same_destination": {"type": "str", "choices": ["report", "allow"], "default": "report"},
    "reconnect": {"type": "bool", "default": False},
    "check_customers": {"type": "bool", "default": True},
}
TENANT_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    "connectors": {"type": "dict", "required": True},
    "secrets": {"type": "dict", "no_log": True, "default": {}},
    **POLICY_SPEC,
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "exclusive": {"type": "bool", "default": False},
    **_RUN,
    **COVERAGE_SPEC,
}
CONNECTOR_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    "name": {"type": "str", "required": True},
    **OPEN_SPEC,
    **SECRET_SPEC,
    **POLICY_SPEC,
    **_RUN,
}
INFO_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    "names": {"type": "list", "elements": "str", "default": []},
    "secrets": TENANT_MODULE_SPEC["secrets"],
    "check_customers": POLICY_SPEC["check_customers"],
    "probe": {"type": "bool", "default": False},
    "concurrency": RUN_SPEC["concurrency"],
    **COVERAGE_SPEC,
}
WORKSPACE_MODULE_SPEC: dict[str, dict[str, Any]] = {
    **IDENTITY_SPEC,
    "names": INFO_MODULE_SPEC["names"],
    "check_customers": POLICY_SPEC["check_customers"],
    **COVERAGE_SPEC,
}


class Identity(NamedTuple):
    """Who asks where. api_url: without a trailing slash."""

    api_url: str
    client_id: str
    client_secret: str
    audience: str
    token_path: str
    ca_file: str | None
    proxy: str | None
    workspace: str
    profile: Profile


def identity(params: Mapping[str, Any]) -> Identity:
    """The identity of checked parameters. Raises InputError."""
    api_url = (params["api_url"] or REGIONS[params["region"]]).rstrip("/")
    parts = urlsplit(api_url)
    if parts.scheme != "https" or not parts.hostname or parts.path or parts.query or parts.username is not None:
        raise InputError(READ, f"api_url must be https://host[:port], not {api_url!r}")
    if not params["token_path"].startswith("/"):
        raise InputError(READ, f"token_path must begin with /, not be {params['token_path']!r}")
    if params["proxy"] and (urlsplit(params["proxy"]).username is not None or "://" not in params["proxy"]):
        raise InputError(READ, "proxy must be http://host:port without a user; one with a user goes in HTTPS_PROXY")
    for option in ("workspace", "client_id"):
        if not params[option].strip() or any(ord(char) <= 32 or ord(char) > 126 for char in params[option]):
            raise InputError(READ, f"{option} must be the id that Coro's console shows, in one word")
    chosen = profile(params["profile"])
    refuse_unconfirmed(chosen, api_url, params["contract_confirmed"])
    return Identity(
        api_url, params["client_id"], params["client_secret"], params["audience"], params["token_path"],
        params["ca_file"], params["proxy"], params["workspace"], chosen,
    )  # fmt: skip


def tenant_params(params: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters of one connector as those of a tenant that has just this one."""
    name = params["name"]
    given = {option: params[option] for option in (*OPEN_SPEC, *SECRET_SPEC) if params[option] is not None}
    shown = {option: value for option, value in given.items() if option not in SECRET_SPEC}
    hidden = {option: value for option, value in given.items() if option in SECRET_SPEC}
    return {**params, "connectors": {name: shown}, "secrets": {name: hidden}, "exclusive": False, "state": "present"}


def wanted(params: Mapping[str, Any]) -> list[Wanted]:
    """The connectors of checked parameters, in their order. Raises InputError with every reason."""
    if params["state"] == "absent":
        return [_leaving(str(name), given) for name, given in params["connectors"].items()]
    names = [str(name) for name in params["connectors"]]
    problems = unmatched("secrets", map(str, params["secrets"]), names, eq)
    found = []
    for name, given in params["connectors"].items():
        one, reason = _connector(str(name), given, params["secrets"].get(name) or {})
        if reason:
            problems.append(f"connector {name!r}: {reason}")
        else:
            found.append(connectors.wanted(one))
    ids = [one.id for one in found if one.id]
    problems += [
        f"connector_id {id_!r} is given to more than one connector" for id_ in sorted({*ids}) if ids.count(id_) > 1
    ]
    if params["exclusive"] and not params["connectors"]:
        problems.append("exclusive without any connector would remove all of them; name one with state absent instead")
    if problems:
        raise InputError(READ, "; ".join(problems), next_step="correct the options; nothing was sent")
    return found


def _leaving(name: str, given: Any) -> Wanted:
    """Of what is to go only name and id count: a tenant that leaves may have lost its secrets already."""
    id_ = given.get("connector_id") if isinstance(given, dict) else None
    return Wanted(name, "", {}, {}, state="absent", id=str(id_ or ""))


def _connector(name: str, given: Any, secrets: Any) -> tuple[dict[str, Any], str]:
    """(the options of one connector with its secrets, '' or why they cannot be right)"""
    if name != name.strip() or not 0 < len(name) <= MAX_NAME or not name.isprintable():
        return {}, f"a name must be one line of at most {MAX_NAME} characters, with no blank at its ends"
    if not isinstance(given, dict) or not isinstance(secrets, dict):
        return {}, "must be a dictionary of its options, and so must its secrets"
    open_secrets = sorted((set(SECRET_SPEC) - set(OPEN_SPEC)) & set(given))
    if open_secrets:
        return {}, f"{', '.join(open_secrets)} belongs under secrets"
    checked, hidden = OPEN.validate(given), SECRET.validate(secrets)
    if checked.error_messages:
        return {}, "; ".join(checked.error_messages)
    if hidden.error_messages:  # their text may hold a value
        return {}, f"secrets take {', '.join(SECRET_SPEC)}, of which headers is a dictionary"
    one = {**checked.validated_parameters, "name": name}
    headers = {**(one["headers"] or {}), **(hidden.validated_parameters["headers"] or {})}
    one |= {**hidden.validated_parameters, "headers": headers}
    return one, "" if one["state"] == "absent" else formats.problem(one)


def bare_secrets(params: Mapping[str, Any]) -> list[str]:
    """Secrets without the word before them, as in «Splunk <token>»: they must not be told in that form either."""
    values: list[Any] = []
    for given in params["secrets"].values():
        for value in given.values() if isinstance(given, dict) else ():
            values += value.values() if isinstance(value, dict) else [value]
    return [str(value).rpartition(" ")[2] for value in values if " " in str(value)]


class Setup(NamedTuple):
    """What a task wants of one workspace.

    names: connectors to look at, () for all; probe: let Coro send its test event by them.
    bare_secrets: further forms of the secrets, to be redacted.
    fingerprint_dir: where it is kept which secrets were sent last, None where nothing is; always: send them every time.
    """

    identity: Identity
    connectors: tuple[Wanted, ...] = ()
    policy: Policy = Policy()
    names: tuple[str, ...] = ()
    bare_secrets: tuple[str, ...] = ()
    fingerprint_dir: Path | None = None
    fingerprint_key: str | None = None
    always: bool = False
    check_customers: bool = False
    concurrency: int = 4
    probe: bool = False


def setup(params: Mapping[str, Any]) -> Setup:
    """The checked parameters of any Coro module, typed. Raises InputError."""
    found = Setup(identity(params), concurrency=params.get("concurrency", 4))
    secrets = tuple(bare_secrets(params)) if "secrets" in params else ()
    found = found._replace(bare_secrets=secrets, check_customers=bool(params.get("check_customers")))
    if "connectors" not in params:
        return found._replace(names=tuple(params.get("names", ())), probe=bool(params.get("probe")))
    return found._replace(
        connectors=tuple(wanted(params)),
        # Offboarding removes what is named, whatever else is asked for.
        policy=Policy(
            params["exclusive"] and params["state"] == "present",
            params["reconnect"],
            params["same_destination"] == "allow",
        ),
        fingerprint_dir=fingerprint_dir(params),
        fingerprint_key=params["fingerprint_key"],
        always=params["update_secret"] == ALWAYS,
    )


def fingerprint_dir(params: Mapping[str, Any]) -> Path | None:
    """Where fingerprints are kept, by default beside the folder of this run's evidence.

    None where they are not wanted, or where no evidence is kept: then it is told that nothing is known.
    """
    if params["update_secret"] == ON_CREATE:
        return None
    return fingerprints.place(params["fingerprint_dir"])


def warnings(desired: Iterable[Wanted]) -> list[str]:
    """What a person should know before relying on it; each once."""
    used = {one.format for one in desired if one.state != "absent"}
    return [formats.SENTINEL_WARNING] if formats.AZURE_SENTINEL in used else []


CHECK = Check(TENANT_MODULE_SPEC, setup)
