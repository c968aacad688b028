# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Worlds from descriptions: the scenario files in lab/scenarios, and generated tenants of any size.

`fleet` or another name of lab/scenarios, a path of a YAML file of the same form, or a size:
`spread:10000x50` is 10,000 resources evenly over 50 subscriptions, `skewed:3000+20x50` one subscription of 3,000 and 20
of 50; `channel:500` is a Coro channel with 500 children. Generated tenants have one customer tenant, BENCH, whose n-th
subscription has the id ending in n (decimal). `fleet:1000x20` is 1,000 customer tenants (`fleet_tenant`) of 20
resources in one subscription each, and a Coro channel with as many children.
"""

from __future__ import annotations

import hmac
import re
import secrets as random_secrets
import time
import uuid
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jwt
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa

from lab import bodies, ca, catalog, coro_world, delegations, directory_roles, falcon, roles
from lab.assignments import ROOT
from lab.directory import App, Federation, Key, Secret
from lab.world import NAMESPACE, Setting, Subscription, Tenant, World

SCENARIOS = Path(__file__).parent / "scenarios"
ISSUER = "https://token.actions.example"
SUBJECT = "repo:proseware/onboarding:ref:refs/heads/main"
AUDIENCE = "api://AzureADTokenExchange"
YEAR = 365 * 86400.0
BENCH = "50000000-0000-4000-8000-000000000000"
# Types of generated resources, in turn: each is one target with log categories, and is made by itself.
_TURN = (
    "Microsoft.KeyVault/vaults",
    "Microsoft.Network/networkSecurityGroups",
    "Microsoft.Network/publicIPAddresses",
    "Microsoft.Network/applicationGateways",
    "Microsoft.ContainerService/managedClusters",
    "Microsoft.Network/azureFirewalls",
    "Microsoft.Network/frontdoors",
    "Microsoft.Cdn/profiles",
    "Microsoft.Cdn/cdnWebApplicationFirewallPolicies",
    "Microsoft.Web/sites",
)
_SKUS = {"Microsoft.Cdn/profiles": "Premium_AzureFrontDoor", "Microsoft.Network/applicationGateways": "WAF_v2"}


@dataclass(slots=True)
class Credentials:
    """What the app proves itself with. Made once per process: a reset does not change them."""

    secret: str
    certificate: ca.Identity
    federation_key: rsa.RSAPrivateKey
    federated_token: str
    ca_pem: str = ""
    seed: bytes = field(default_factory=lambda: random_secrets.token_bytes(32))
    falcon_seed: bytes = field(default_factory=lambda: random_secrets.token_bytes(32))

    def derive(self, name: str) -> bytes:
        """32 secret bytes of a name, the same as long as the lab runs."""
        return hmac.new(self.seed, name.encode(), "sha256").digest()

    def coro_secret(self, client: str) -> str:
        """The first secret of a set of Coro API credentials, by its client id."""
        return self.derive(client).hex()

    def falcon_secret(self, client: str) -> str:
        """The first secret of a Falcon API client, by its name."""
        return hmac.new(self.falcon_seed, client.encode(), "sha256").hexdigest()[:40]

    @classmethod
    def make(cls) -> Credentials:
        key, now = ca.rsa_key(), int(time.time())
        token = jwt.encode(
            {
                "iss": ISSUER,
                "sub": SUBJECT,
                "aud": AUDIENCE,
                "iat": now,
                "nbf": now - 60,
                "exp": now + 7 * 86400,
                "jti": uuid.uuid4().hex,
            },
            key,
            algorithm="RS256",
            headers={"kid": "lab-ci"},
        )
        return cls("lab~" + random_secrets.token_urlsafe(30), ca.make_app("mssp-onboarding"), key, token)


def build(scenario: str, credentials: Credentials) -> World:
    """The world of a scenario. Raises ValueError for a name that is none."""
    world = _build(scenario, credentials)
    delegations.seed(world)
    _administrators(world)
    return world


def _administrators(world: World) -> None:
    """Each tenant's global administrator owns its subscriptions and may give access to all."""
    for tenant in world.tenants:
        oid = world.user_oid(tenant)
        world.assign(oid, roles.ACCESS, ROOT, tenant=tenant, principal_type="User")
    for sub in world.subscriptions.values():
        world.assign(world.user_oid(sub.tenant), roles.OWNER, f"/subscriptions/{sub.id}", principal_type="User")


def _build(scenario: str, credentials: Credentials) -> World:
    size = re.fullmatch(r"(spread):(\d+)x(\d+)|(skewed):(\d+)\+(\d+)x(\d+)", scenario)
    if size and size[1]:
        total, count = int(size[2]), int(size[3])
        return _generated(credentials, {BENCH: [total // count + (n < total % count) for n in range(count)]})
    if size:
        return _generated(credentials, {BENCH: [int(size[5]), *[int(size[7])] * int(size[6])]})
    if tenants := re.fullmatch(r"fleet:(\d+)x(\d+)", scenario):
        world = _generated(credentials, {fleet_tenant(n): [int(tenants[2])] for n in range(int(tenants[1]))})
        world.coro = coro_world.channel(int(tenants[1]), credentials.coro_secret)
        return world
    children = re.fullmatch(r"channel:(\d+)", scenario)
    if children:
        world = _generated(credentials, {BENCH: []})
        world.coro = coro_world.channel(int(children[1]), credentials.coro_secret)
        return world
    for path in (SCENARIOS / f"{scenario}.yml", Path(scenario)):
        if path.is_file():
            return describe(_load(path), credentials)
    raise ValueError(f"there is no scenario '{scenario}'")


@cache
def _load(path: Path) -> dict[str, Any]:
    """Parsed once; what is made of it takes copies."""
    loaded: dict[str, Any] = yaml.safe_load(path.read_text())
    return loaded


# -- scenario files ---------------------------------------------------------------------------------------------------


def describe(text: dict[str, Any], credentials: Credentials) -> World:
    """A world from a scenario file; its keys are explained in lab/scenarios/fleet.yml."""
    world = World()
    slugs = {item["slug"]: item["id"] for item in text["tenants"]}
    for item in text["tenants"]:
        world.add_tenant(Tenant(**item))
    for item in text["apps"]:
        _app(world, item, slugs, credentials)
    for item in text["subscriptions"]:
        _subscription(world, item, slugs)
    for item in text["roles"]:
        oid = world.directory.held[slugs[item["principal"]], text["apps"][0]["client_id"]].oid
        for scope in item["scopes"]:
            world.assign(oid, item["role"], scope)
    for item in text.get("settings", []):
        seed_setting(world, item)
    world.coro = coro_world.describe(text.get("coro", {}), credentials.coro_secret)
    world.falcon = falcon.describe(text.get("falcon", {}), slugs, credentials.falcon_secret)
    return world


def _app(world: World, item: dict[str, Any], slugs: dict[str, str], credentials: Credentials) -> None:
    home = slugs[item["home"]]
    app = App(item["client_id"], item["name"], home, object_id=str(uuid.uuid5(NAMESPACE, item["client_id"])))
    app.created = world.now() - YEAR
    app.redirect_uris = list(item.get("redirect_uris", []))
    wanted = _permissions(item.get("permissions", {}))
    app.required = _required(wanted, world.tenants[home].other_guids)
    if item.get("credentials", True):
        _credentials(world, app, credentials)
    world.apps[app.client_id] = app
    for slug in item["consented"]:
        world.consent(slugs[slug], app, wanted)
    for slug, more in item.get("granted", {}).items():
        world.consent(slugs[slug], app, _permissions(more))
    app.owners = {oid for oid in [world.principal(home, app.client_id)] if oid}


def _credentials(world: World, app: App, credentials: Credentials) -> None:
    """What the state directory holds, and a secret that has expired."""
    now, certificate = world.now(), credentials.certificate.certificate
    dates = (certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())
    app.secrets = [
        Secret(credentials.secret, now + YEAR, "lab", now),
        Secret("expired-lab-secret", now - 86400, "old", now - YEAR),
    ]
    app.certificates = [Key(certificate, *dates, name="lab")]
    app.federations = [Federation(ISSUER, SUBJECT, AUDIENCE, ca.public_pem(credentials.federation_key))]


def _permissions(named: dict[str, list[str]]) -> list[tuple[str, str]]:
    """(resource app id, role name)"""
    return [(directory_roles.RESOURCES[key].app_id, name) for key, names in named.items() for name in names]


def _required(wanted: list[tuple[str, str]], other_guids: bool) -> list[dict[str, Any]]:
    """An application's requiredResourceAccess, as Graph has it."""
    found: dict[str, list[dict[str, str]]] = {}
    for resource, name in wanted:
        role = {"id": directory_roles.ids(resource, other_guids)[name], "type": "Role"}
        found.setdefault(resource, []).append(role)
    return [{"resourceAppId": resource, "resourceAccess": roles} for resource, roles in found.items()]


def _subscription(world: World, item: dict[str, Any], slugs: dict[str, str]) -> None:
    sub = Subscription(
        item["id"],
        item["name"],
        slugs[item["tenant"]],
        item.get("state", "Enabled"),
        [slugs[slug] for slug in item.get("managed_by", [])],
    )
    world.subscriptions[sub.id] = sub
    for group, types in item["groups"].items():
        name, _, location = group.partition("@")
        world.add_group(sub.id, name, location)
        for type_, entries in (types or {}).items():
            for entry in entries:
                _resource(world, sub.id, name, type_, location, entry)


def _resource(world: World, sub: str, group: str, type_: str, location: str, entry: str | dict[str, Any]) -> None:
    """An entry is a name, or a mapping with `name` and kind, sku (its name), location, tags, properties, children."""
    more: dict[str, Any] = {"name": entry} if isinstance(entry, str) else dict(entry)
    name, children = more.pop("name"), more.pop("children", {})
    place = more.pop("location", location)
    if "sku" in more:
        more["sku"] = {"name": more["sku"]}
    properties = more["properties"] = dict(more.get("properties", {}))
    if type_.lower() == "microsoft.operationalinsights/workspaces":
        properties.setdefault("customerId", str(uuid.uuid5(NAMESPACE, f"{sub}/{name}")))
    world.add_resource(sub, group, type_, name, place, **more)
    for child, entries in children.items():
        for item in entries:
            inner = {"name": item} if isinstance(item, str) else dict(item)
            inner["name"] = f"{name}/{inner['name']}"
            _resource(world, sub, group, f"{type_}/{child}", place, inner)


def seed_setting(world: World, item: dict[str, Any]) -> Setting:
    """A setting that is there from the start: {target, name, properties as in a PUT, age_days}."""
    found = world.target_type(item["target"])
    if found is None:
        raise ValueError(f"the scenario has no '{item['target']}'")
    type_, resource = found
    kind = (
        catalog.find(type_, resource.kind, str((resource.sku or {}).get("name", "")))
        if resource
        else catalog.find(type_)
    )
    setting = bodies.parse(item["target"], item["name"], {"properties": item["properties"]}, kind)
    world.put_setting(setting)
    setting.seeded = True
    setting.written = setting.since = world.now() - 86400.0 * item.get("age_days", 90)
    return setting


# -- generated worlds -------------------------------------------------------------------------------------------------


def fleet_tenant(number: int) -> str:
    """The tenant id of a generated fleet's tenant, counted from 0."""
    return f"6{number:07d}-0000-4000-8000-000000000000"


def _generated(credentials: Credentials, customers: dict[str, list[int]]) -> World:
    """The MSSP's side of the fleet scenario, and customer tenants: id to the sizes of their subscriptions."""
    fleet = _load(SCENARIOS / "fleet.yml")
    proseware = fleet["tenants"][0]
    slugs = {tenant: f"bench{number or ''}" for number, tenant in enumerate(customers)}
    text = {
        "tenants": [
            proseware,
            *({"slug": slug, "id": tenant, "domain": f"{slug}.example"} for tenant, slug in slugs.items()),
        ],
        "apps": [{**fleet["apps"][0], "consented": ["proseware", *slugs.values()]}],
        "subscriptions": [sub for sub in fleet["subscriptions"] if sub["tenant"] == "proseware"],
        "roles": [role for role in fleet["roles"] if proseware["id"][:24] in role["scopes"][0]],
    }
    world = describe(text, credentials)
    for tenant, sizes in customers.items():
        oid = world.directory.held[tenant, fleet["apps"][0]["client_id"]].oid
        for number, size in enumerate(sizes, 1):
            id_ = f"{tenant[:24]}{number:012d}"
            world.subscriptions[id_] = Subscription(id_, f"{slugs[tenant]}-{number:03d}", tenant)
            world.assign(oid, "Monitoring Contributor", f"/subscriptions/{id_}")
            _fill(world, id_, number, size)
    return world


def _fill(world: World, subscription: str, number: int, size: int) -> None:
    for index in range(size):
        type_ = _TURN[index % len(_TURN)]
        kind = type_.rsplit("/", 1)[1].lower()
        world.add_resource(
            subscription,
            f"rg-{index // 100:03d}",
            type_,
            f"{kind}-{number:03d}-{index:05d}",
            "westeurope",
            sku={"name": _SKUS[type_]} if type_ in _SKUS else None,
            kind="app" if kind == "sites" else "",
        )
