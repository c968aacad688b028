# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Take away one thing of the lab's fleet at a time: preflight, drift and verify all name exactly that.

What is lost on a collector (sources, files, the collector itself) is in tests/unit/plugins/plugin_utils/test_sources.py
and tests/playbooks/test_drift.py; what is granted, in test_tenant_access.py.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core import coverage
from ansible_collections.mssp.onboarding.plugins.module_utils._core.freshness import Flow, verified
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.m365_activity.plan import CONTENT_TYPES
from ansible_collections.mssp.onboarding.plugins.module_utils._sophos import options as sophos_options
from ansible_collections.mssp.onboarding.plugins.modules import sophos_arrival_info
from ansible_collections.mssp.onboarding.plugins.plugin_utils._sources import compared
from lab.client import LabClient
from lab.duo.client import FOURTH_COFFEE, LITWARE, PROSEWARE_KEY, WINGTIP
from lab.testing import CLIENT_ID, CONTOSO

from . import test_tenant_access as access
from .coro_engines import GAMES, KIDS, RETAIL, TAILSPIN, Workspace
from .engines import DEVELOPMENT, PRODUCTION, SHARED, Tenant
from .event_hub_engines import ENTRA_SCOPE, Customer
from .m365_engines import Feed
from .test_duo import Duo
from .test_sophos import BRANCH, HEADQUARTERS, Sophos

Result = dict[str, Any]
Run = Callable[..., Result]
NAMES = {PRODUCTION: "contoso-production", DEVELOPMENT: "contoso-development", SHARED: "contoso-shared-services"}


def azure(lab: LabClient, path: str) -> dict[str, Run]:
    tenant = Tenant(lab, families=["key_vault", "azure_firewall"], evidence_path=path)
    return {
        "drift": lambda **more: tenant.run(check=True, **more),
        "verify": lambda **more: tenant.run("flow", **more),
        "preflight": lambda **more: tenant.run("access", **more),
    }


def entra(lab: LabClient, path: str) -> dict[str, Run]:
    customer = Customer(lab)
    customer.given |= {"evidence_path": path, "entra": True}
    for scope in (f"/subscriptions/{SHARED}", ENTRA_SCOPE):
        customer.may(scope=scope)
    customer.run()
    return {
        "drift": lambda **more: customer.run("entra", check=True, **more),
        "verify": lambda **more: customer.run("flow", **more),
        "preflight": lambda **more: customer.run("access", **more),
    }


def rights(lab: LabClient, path: str) -> dict[str, Run]:
    access.grant(lab)
    return {"access": lambda **more: access.look(lab, evidence_path=path, **more)}


def coro(lab: LabClient, path: str) -> dict[str, Run]:
    channel = Workspace(lab, TAILSPIN, evidence_path=path)
    connectors = [
        channel.wanted("fluency", "soc", apply_to_all_customers=True), channel.wanted("generic", "archive")
    ]  # fmt: skip
    channel.run(*connectors)

    def run(engine: str, without: str = "", **more: Any) -> Result:
        kept = [one for one in connectors if one["name"] != without]
        names = [one["name"] for one in kept]
        return channel.run(*kept, engine=engine, check=engine == "connectors", names=names, **more)

    return {
        "drift": lambda **more: run("connectors", **more),
        "verify": lambda **more: run("info", **more),
        "preflight": lambda **more: run("access", **more),
    }


def duo(lab: LabClient, path: str) -> dict[str, Run]:
    msp = Duo(lab, PROSEWARE_KEY)
    given: Mapping[str, Any] = {"child_accounts": ["all"], "evidence_path": path}
    msp.converge(**given)
    return {
        "drift": lambda **more: msp.converge(check=True, **{**given, **more}),
        "verify": lambda **more: msp.verify(**{**given, **more}),
        "preflight": lambda **more: msp.preflight(**{**given, **more}),
    }


def sophos(lab: LabClient, path: str) -> dict[str, Run]:
    """verify is what the control node makes of what a collector says of the firewalls that it was told of."""
    both = Sophos(lab, HEADQUARTERS, BRANCH)
    both.given |= {"evidence_path": path}
    both.converge()
    memory = coverage.memory_path(path, sophos_arrival_info.MODULE.capability)
    assert memory

    def kept(without: str) -> dict[str, Any]:
        wanted = ("firewalls", "passwords")
        return {key: {name: one for name, one in both.given[key].items() if name != without} for key in wanted}

    def verify(without: str = "", accept_missing: tuple[str, ...] = ()) -> Result:
        found = verified("sophos_syslog", [Flow(name, "flowing", 1.0) for name in kept(without)["firewalls"]], 1.0)
        given = {"firewalls": [{"firewall": name} for name in kept(without)["firewalls"]]}
        module = sophos_arrival_info.MODULE
        return compared(found, module, memory, given, accept_missing, converges=False, check=False)

    return {
        "drift": lambda without="", **more: both.converge(check=True, **kept(without), **more),
        "verify": verify,
        "preflight": lambda without="", **more: both.preflight(**kept(without), **more),
    }


def m365(lab: LabClient, path: str) -> dict[str, Run]:
    feed = Feed(lab, Path(path).parent)
    feed.converge(content_types=list(CONTENT_TYPES))

    def run(verb: Callable[..., Result], without: str = "", **more: Any) -> Result:
        return verb(content_types=[one for one in CONTENT_TYPES if one != without], **more)

    return {
        "drift": lambda **more: run(feed.converge, check=True, **more),
        "verify": lambda **more: run(feed.verify, **more),
        "preflight": lambda **more: run(feed.preflight, **more),
    }


class Loss(NamedTuple):
    """edit: what happens at the vendor; given: what is changed in the tenant file instead."""

    fleet: Callable[[LabClient, str], dict[str, Run]]
    named: str
    confirm: str
    edit: Mapping[str, Any] = {}
    given: Mapping[str, Any] = {}


def subscription(tenant: str, id_: str) -> dict[str, str]:
    scope = f"/subscriptions/{id_}"
    return {"edit": "unassign_role", "tenant": tenant, "role": "Monitoring Contributor", "scope": scope}


LOSSES = {
    **{
        f"subscription {name}": Loss(azure, f"{name} ({id_})", id_, subscription(CONTOSO, id_))
        for id_, name in NAMES.items()
    },
    **{
        f"subscription {id_[-1]} of the access": Loss(
            rights, f"subscription {id_}", id_, {"edit": "subscription_state", "subscription": id_, "state": "Deleted"}
        )
        for id_ in (access.ONE, access.TWO)
    },
    **{
        f"category {name}": Loss(
            entra, f"Entra category {name}", name.casefold(), {"edit": "lose_aadiam_category", "category": name}
        )
        for name in ("SignInLogs", "AuditLogs", "RiskyUsers")
    },
    **{
        f"customer {id_}": Loss(coro, f"customer {name} ({id_})", id_, {"coro": id_})
        for name, id_ in (("Tailspin Games", GAMES), ("Tailspin Kids", KIDS), ("Tailspin Retail", RETAIL))
    },
    "connector out of the file": Loss(
        coro, f"connector archive of {TAILSPIN}", f"{TAILSPIN}/archive", given={"without": "archive"}
    ),
    **{
        f"child account {name}": Loss(
            duo, f"{name} ({id_})", id_, {"edit": "change_duo_account", "id": id_, "parent": ""}
        )
        for name, id_ in (("Litware", LITWARE), ("Fourth Coffee", FOURTH_COFFEE), ("Wingtip Toys", WINGTIP))
    },
    **{
        f"firewall {name} out of the file": Loss(sophos, f"firewall {name}", name, given={"without": name})
        for name in ("hq", "branch")
    },
    **{
        f"content type {name} out of the file": Loss(m365, name, name, given={"without": name})
        for name in CONTENT_TYPES
    },
    "child account out of the file": Loss(
        duo, f"Fourth Coffee ({FOURTH_COFFEE})", FOURTH_COFFEE, given={"child_accounts": [LITWARE, WINGTIP]}
    ),
}


def lose(lab: LabClient, edit: Mapping[str, Any]) -> None:
    if "coro" in edit:
        lab.coro.remove_workspace(edit["coro"])
    elif edit:
        lab.edit(**edit)


def missing(found: Result) -> set[str]:
    assert "exception" not in found, found
    codes = ("Missing", "unknown")
    return {one["target"] for one in found["problems"] if one["code"] in codes and "was there on" in one["message"]}


@pytest.mark.parametrize("loss", LOSSES.values(), ids=list(LOSSES))
def test_what_is_lost_is_named_by_every_verb_and_nothing_else(lab: LabClient, tmp_path: Path, loss: Loss) -> None:
    verbs = loss.fleet(lab, str(tmp_path / "one.x.jsonl"))
    for run in verbs.values():
        assert missing(run()) == set(), "the fleet as it is"
    lose(lab, loss.edit)
    for verb, run in verbs.items():
        found = run(**loss.given)
        assert missing(found) == {loss.named}, (verb, found["msg"])
        assert found["summary"]["outcome"] in ("unknown", "failed"), verb
        assert loss.confirm in str(found["coverage"]["missing"]), verb
        assert {"name": loss.named, "state": "unreachable"}.items() <= found["coverage"]["parts"][0].items(), verb
    last = next(iter(verbs.values()))(**loss.given, accept_missing=[loss.confirm])
    assert missing(last) == set()
    assert missing(run(**loss.given)) == set(), "confirmed once is enough"


class Taken(NamedTuple):
    """What somebody takes away at the vendor behind our back.

    left: what stays as wanted; verbs: those that look at it. Whether a firewall's records arrive, its collector says.
    """

    fleet: Callable[[LabClient, str], dict[str, Run]]
    edit: Mapping[str, Any]
    named: str
    left: str
    verbs: tuple[str, ...]


AT_CONTOSO = {"tenant": CONTOSO, "app": CLIENT_ID}
TAKEN = {
    "a content type's subscription": Taken(
        m365, {"edit": "m365_change", **AT_CONTOSO, "type": CONTENT_TYPES[1], "status": "disabled"},
        CONTENT_TYPES[1], CONTENT_TYPES[0], ("drift", "verify"),
    ),
    "a firewall's server": Taken(
        sophos, {"edit": "remove_sophos_server", "host": BRANCH, "name": sophos_options.NAME},
        "branch", "hq", ("drift",),
    ),
    "a firewall's answer": Taken(
        sophos, {"edit": "change_sophos_firewall", "host": BRANCH, "api_enabled": False},
        "branch", "hq", ("drift", "preflight"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("taken", TAKEN.values(), ids=list(TAKEN))
def test_what_is_taken_away_at_the_vendor_is_named_and_nothing_else(
    lab: LabClient, tmp_path: Path, taken: Taken
) -> None:
    verbs = taken.fleet(lab, str(tmp_path / "one.x.jsonl"))
    lose(lab, taken.edit)
    for verb in taken.verbs:
        found = verbs[verb]()
        assert "exception" not in found, found
        looks = (*found.get("findings", ()), *found.get("flows", ()))
        bad = [one for one in looks if one.get("status", one.get("state")) not in ("ok", "pending")]
        told = f"{found['problems']} {bad} {found.get('diff', '')}"
        assert taken.named in told, (verb, found)
        assert taken.left not in str(found["problems"]), (verb, found)


def test_a_lost_secret_is_told_by_every_verb(lab: LabClient, tmp_path: Path) -> None:
    path = str(tmp_path / "one.x.jsonl")
    wrong = {
        azure: {"client_secret": "wrong"},
        entra: {"client_secret": "wrong"},
        coro: {"client_secret": "wrong"},
        duo: {"secret_key": "wrong"},
        m365: {"client_secret": "wrong"},
    }
    for fleet, given in wrong.items():
        for verb, run in fleet(lab, path).items():
            found = run(**given)
            assert found["summary"]["outcome"] in ("failed", "unknown"), (fleet, verb)
            (problem,) = found["problems"][:1]
            assert problem["next_step"], (fleet, verb)
            assert missing(found) == set(), "who may not look says nothing of what is there"
