# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Graphs of playbooks: what is read, what is equal, what is built."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import graph
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.graph import Request

REQUEST = Request("https://t.example/x", "Bearer", "", "canary", {"id": "short_id"}, {"who": "Contoso"}, {})
# As the vendor's public templates are made: a condition, a store and a loop, referred to in both spellings.
TEMPLATE: dict[str, Any] = {
    "1": {"name": "Condition", "type": "operator", "subtype": "condition", "outputs": {"known": ["4"], "else": ["3"]},
          "cases": [{"left": "{{ node.9['status'] }}", "name": "known", "right": "x", "comparison": "=="}]},
    "9": {"name": "Alert Created", "type": "trigger", "trigger_uuid": "t", "outputs": {"default": ["1"]}, "icon": "a"},
    "4": {"name": "Store", "type": "operator", "subtype": "store", "outputs": {"default": ["5"]},
          "modifications": [{"value": "{{ node[9].uuid }}"}]},
    "5": {"name": "Foreach", "type": "operator", "subtype": "foreach", "outputs": {"default": []}, "loop": ["3"],
          "items": "{{ node['4'].x }}"},
    "3": {"name": "Comment", "type": "action", "action_uuid": "c", "outputs": {},
          "arguments": {"uuid": "{{ node.9.alert_uuid }}"}},
}  # fmt: skip


def moved(nodes: dict[str, Any]) -> dict[str, Any]:
    """The same graph with other ids, as numbers, in another order and place."""
    text = json.loads(graph.NODE.sub(lambda one: f"node.{int(one[1] or one[3]) * 3 + 1}", json.dumps(nodes)))
    return {
        str(int(key) * 3 + 1): {
            **node,
            "name": "renamed",
            "position": {"x": 5},
            "outputs": {name: [int(one) * 3 + 1 for one in after] for name, after in node["outputs"].items()},
        }
        for key, node in reversed(text.items())
    }


def test_ids_and_places_do_not_count() -> None:
    nodes = {key: {**one, "loop": []} for key, one in TEMPLATE.items()}
    meant = graph.meaning(graph.parsed(nodes))
    assert graph.meaning(graph.parsed(moved(nodes))) == meant
    assert graph.meaning(graph.parsed(json.loads(json.dumps(meant)))) == meant, "it is its own meaning"
    assert meant["0"]["type"] == "trigger"
    assert "node.0" in json.dumps(meant["1"])


@pytest.mark.parametrize("change", [
    lambda one: one["1"]["outputs"].update(known=["3"]),
    lambda one: one["3"]["arguments"].update(uuid="{{ node.4.alert_uuid }}"),
    lambda one: one["3"].update(action_uuid="d"),
    lambda one: one["1"]["cases"][0].update(right="y"),
    lambda one: one["9"].update(trigger_configuration_uuid="z"),
])  # fmt: skip
def test_what_it_does_counts(change: Any) -> None:
    other = copy.deepcopy(TEMPLATE)
    change(other)
    assert graph.meaning(graph.parsed(other)) != graph.meaning(graph.parsed(TEMPLATE))


@pytest.mark.parametrize("odd", [
    {"x": TEMPLATE["9"]},
    {"0": {**TEMPLATE["9"], "type": "other"}},
    {"0": {"name": "x", "type": "trigger", "outputs": {}}},
    {"0": {**TEMPLATE["1"], "subtype": "other", "outputs": {}}},
    {"0": {**TEMPLATE["3"], "outputs": {"default": {"0": []}}}},
    {"0": {**TEMPLATE["3"], "outputs": {"default": [True]}}},
    {"0": {**TEMPLATE["3"], "outputs": {"default": ["7"]}}},
    {"0": {**TEMPLATE["3"], "arguments": []}},
    [TEMPLATE],
])  # fmt: skip
def test_another_shape_is_refused(odd: Any) -> None:
    with pytest.raises(ODD_SHAPE):
        graph.parsed(odd)


def test_what_is_built_is_read_and_hides_its_secret() -> None:
    open_, closed = (graph.built(REQUEST, "t.example", "T", "M", secrets=secrets) for secrets in (True, False))
    assert "canary" in json.dumps(open_)
    assert "canary" not in json.dumps([closed, graph.meaning(graph.parsed(open_))])
    assert graph.meaning(graph.parsed(open_)) == graph.meaning(graph.parsed(closed))
    sent = open_[graph.SEND]["arguments"]
    assert sent["json"] == {"id": "{{ node.0['short_id'] }}", "who": "Contoso"}
    assert "headers" not in sent
    assert all(open_[key]["outputs"]["error"] == [graph.NOTE] for key in (graph.DETAILS, graph.SEND))


def test_a_trigger_counts_where_both_places_name_it() -> None:
    nodes = graph.built(REQUEST, "t.example", "T", "M", secrets=False)
    both = [("T", graph.ALERT_CREATED)]
    assert graph.wired(nodes, both, "T")
    assert not graph.wired(nodes, [], "T")
    assert not graph.wired(nodes, [("T", "other trigger")], "T")
    assert not graph.wired(graph.built(REQUEST, "t.example", "U", "M", secrets=False), both, "T")
    assert not graph.wired(nodes, both, "")
