# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The graph of a playbook: read by a schema of ours, brought into a form in which equal means equal, and built. Pure.

Source: the 38 templates of SEKOIA-IO/Community, none of which is valid by the schema that Sekoia.io publishes: there,
outputs are an object, and operators of subtype condition and store are not known. In the templates outputs are lists of
node ids as texts; a public client writes them as numbers, so both are taken. UUIDs and arguments: manifests of
SEKOIA-IO/automation-library (modules Sekoia.io and HTTP).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from ..._core.bodies import mapping, text

SEKOIA_MODULE = "92d8bb47-7c51-445d-81de-ae04edbb6f0a"
HTTP_MODULE = "5894985f-91eb-46db-9306-cc5ac6463d3d"
ALERT_CREATED = "785583cf-4377-43ce-a5fb-f4572eb57456"
GET_ALERT = "8d189665-5401-4098-8d60-944de9a6199a"
REQUEST_URL = "40bcf3c0-aa8b-4111-9b4e-f3caffccb4e5"
COMMENT_ALERT = "0d323de3-a864-4afe-a0c3-e7ff45883d7a"
TRIGGER, ACTION, OPERATOR = TYPES = ("trigger", "action", "operator")
SUBTYPES = ("condition", "store", "foreach")
# Which uuid a node has for its type.
KIND = {TRIGGER: "trigger_uuid", ACTION: "action_uuid"}
# What says where a node is drawn, or repeats its uuid.
COSMETIC = ("icon", "position", "name", "description", "module_uuid")
CONFIGURATIONS = ("module_configuration_uuid", "trigger_configuration_uuid")
SECRETS = ("auth_token", "auth_password")
# Arguments that say no more than nothing does.
DEFAULTS: Mapping[str, Any] = {"stix": False, "cases": False, "fail_on_http_error": True, "verify_ssl": True}
NODE = re.compile(r"\bnode(?:\.(\d+)|\[(['\"]?)(\d+)\2\])")
MAX_NODES = 1000
# The node ids of what is built here.
ALERT, DETAILS, SEND, NOTE = "0", "1", "2", "3"
AUTHOR = "mssp.onboarding"

# What may be sent of an alert, and where a node has it: what the trigger gives at once, else what Get Alert has read.
FIELDS: Mapping[str, str] = {
    "alert_uuid": "node.0['alert_uuid']",
    "short_id": "node.0['short_id']",
    "rule_name": "node.1['rule']['name']",
    "rule_uuid": "node.1['rule']['uuid']",
    "rule_severity": "node.1['rule']['severity']",
    "title": "node.1['title']",
    "details": "node.1['details']",
    "status": "node.1['status']['name']",
    "urgency": "node.1['urgency']['current_value']",
    "alert_type": "node.1['alert_type']['value']",
    "alert_category": "node.1['alert_type']['category']",
    "entity_name": "node.1['entity']['name']",
    "source": "node.1['source']",
    "target": "node.1['target']",
    "created_at": "node.1['created_at']",
    "updated_at": "node.1['updated_at']",
    "first_seen_at": "node.1['first_seen_at']",
    "last_seen_at": "node.1['last_seen_at']",
}
Nodes = Mapping[str, Mapping[str, Any]]


class Request(NamedTuple):
    """What is sent for each alert. fields: name in the JSON -> of FIELDS; texts: name in the JSON -> what stays so.

    auth: Bearer, Basic or None, as the block has it; secret: what goes into the block's secret field.
    """

    url: str
    auth: str
    username: str
    secret: str
    fields: Mapping[str, str]
    texts: Mapping[str, str]
    headers: Mapping[str, str]

    def arguments(self, *, secrets: bool) -> dict[str, Any]:
        """Of the block Request URL. A value that is one template alone keeps its type, whatever quotes are in it."""
        proof: dict[str, Any] = {} if self.auth == "None" else {"auth_type": self.auth}
        proof |= {"auth_username": self.username} if self.auth == "Basic" else {}
        if secrets and self.secret:
            proof["auth_token" if self.auth == "Bearer" else "auth_password"] = self.secret
        taken = {name: "{{ " + FIELDS[field] + " }}" for name, field in self.fields.items()}
        headers = {"headers": dict(self.headers)} if self.headers else {}
        return {"url": self.url, "method": "post", **proof, **headers, "json": {**taken, **self.texts}}


def built(request: Request, host: str, trigger: str, module: str, *, secrets: bool) -> dict[str, dict[str, Any]]:
    """The nodes: an alert was created, its details are read and sent; what fails is told in the alert itself.

    trigger, module: uuids of the trigger configuration and of the module configuration.
    """
    note = f"This alert could not be sent to {host}; see the runs of the playbook."
    alert = "{{ " + FIELDS["alert_uuid"] + " }}"
    sekoia = {"module_uuid": SEKOIA_MODULE, "module_configuration_uuid": module}
    return {
        ALERT: {
            "name": "Alert Created",
            "type": TRIGGER,
            "module_uuid": SEKOIA_MODULE,
            "trigger_uuid": ALERT_CREATED,
            "trigger_configuration_uuid": trigger,
            "outputs": {"default": [DETAILS]},
        },
        DETAILS: {
            "name": "Get Alert",
            "type": ACTION,
            **sekoia,
            "action_uuid": GET_ALERT,
            "arguments": {"uuid": alert},
            "outputs": {"default": [SEND], "error": [NOTE]},
        },
        SEND: {
            "name": "Request URL",
            "type": ACTION,
            "module_uuid": HTTP_MODULE,
            "action_uuid": REQUEST_URL,
            "arguments": request.arguments(secrets=secrets),
            "outputs": {"default": [], "error": [NOTE]},
        },
        NOTE: {
            "name": "Comment Alert",
            "type": ACTION,
            **sekoia,
            "action_uuid": COMMENT_ALERT,
            "arguments": {"uuid": alert, "content": note, "author": AUTHOR},
            "outputs": {"default": []},
        },
    }


def parsed(value: Any) -> dict[str, dict[str, Any]]:
    """The nodes of a playbook as the vendor has them, with outputs as texts. Raises TypeError, ValueError."""
    found: dict[str, dict[str, Any]] = {}
    for key, node in mapping(value).items():
        if not key.isdigit() or len(found) >= MAX_NODES:
            raise ValueError(f"{key!r:.20} is no id of a node")
        found[key] = _node(mapping(node))
    for key, node in found.items():
        gone = {one for after in node["outputs"].values() for one in after} - found.keys()
        if gone:
            raise ValueError(f"node {key} leads to {min(gone)!r:.20}, which is not there")
    return found


def _node(node: Mapping[str, Any]) -> dict[str, Any]:
    kind = text(node["type"])
    text(node.get("name", ""))
    if kind not in TYPES or (kind == OPERATOR and node.get("subtype") not in SUBTYPES):
        raise ValueError(f"{kind!r:.30} {node.get('subtype')!r:.30} is no kind of node")
    if kind in KIND:
        text(node[KIND[kind]])
    for name in ("arguments", "outputs"):
        mapping(node.get(name))
    return {**node, "outputs": {name: _ids(after) for name, after in mapping(node.get("outputs")).items()}}


def _ids(after: Any) -> list[str]:
    """Node ids, which are whole numbers, as texts or as they are."""
    if not isinstance(after, list) or any(isinstance(one, bool) or not isinstance(one, str | int) for one in after):
        raise TypeError(f"{after!r:.80} is no list of node ids")
    return [str(one) for one in after]


def meaning(nodes: Nodes) -> dict[str, dict[str, Any]]:
    """The graph without what is only drawn, nodes numbered by how they follow each other: equal is doing the same.

    Secrets are left out: they are shown masked, or not at all.
    """
    numbers = {old: str(new) for new, old in enumerate(_order(nodes))}
    return {numbers[key]: _meant(nodes[key], numbers) for key in numbers}


def _order(nodes: Nodes) -> list[str]:
    """Ids by breadth from the triggers; what nothing leads to comes last."""
    heads = [key for key in nodes if nodes[key]["type"] == TRIGGER]
    queue = sorted(heads, key=lambda key: (str(nodes[key]["trigger_uuid"]), int(key)))
    for key in queue:  # which grows meanwhile
        following = [one for _name, after in sorted(nodes[key]["outputs"].items()) for one in after]
        queue += [one for one in dict.fromkeys(following) if one not in queue]
    return queue + sorted(nodes.keys() - set(queue), key=int)


def _meant(node: Mapping[str, Any], numbers: Mapping[str, str]) -> dict[str, Any]:
    bare = (*COSMETIC, "outputs")
    kept = {name: value for name, value in node.items() if name not in bare and value not in (None, {}, [])}
    outputs = {name: sorted(numbers[one] for one in after) for name, after in node["outputs"].items() if after}
    arguments = {
        name: value
        for name, value in mapping(node.get("arguments")).items()
        if name not in SECRETS and value not in (None, "", {}) and DEFAULTS.get(name, ...) != value
    }
    kept |= {"arguments": arguments} if "arguments" in kept else {}
    return {**{name: _renumbered(value, numbers) for name, value in kept.items()}, "outputs": outputs}


def _renumbered(value: Any, numbers: Mapping[str, str]) -> Any:
    """What refers to a node by its id, by its new one."""
    if isinstance(value, str):
        return NODE.sub(lambda found: f"node.{_new(found, numbers)}", value)
    if isinstance(value, list):
        return [_renumbered(one, numbers) for one in value]
    if isinstance(value, dict):
        return {name: _renumbered(one, numbers) for name, one in value.items()}
    return value


def _new(found: re.Match[str], numbers: Mapping[str, str]) -> str:
    old = found[1] or found[3]
    return numbers.get(old, old)


def sends(nodes: Nodes) -> dict[str, Any]:
    """The arguments of the block that sends, without its secret; {} where there is none, or several."""
    found = [one for one in meaning(nodes).values() if one.get("action_uuid") == REQUEST_URL]
    return dict(found[0].get("arguments") or {}) if len(found) == 1 else {}


def wired(nodes: Nodes, configurations: Iterable[tuple[str, str]], trigger: str) -> bool:
    """Whether the trigger configuration is named in both places without which the playbook never starts.

    configurations: (uuid, uuid of the trigger) of those that the playbook itself names.
    """
    named = {
        str(one.get("trigger_configuration_uuid"))
        for one in nodes.values()
        if one["type"] == TRIGGER and one["trigger_uuid"] == ALERT_CREATED
    }
    return bool(trigger) and named == {trigger} and (trigger, ALERT_CREATED) in configurations
