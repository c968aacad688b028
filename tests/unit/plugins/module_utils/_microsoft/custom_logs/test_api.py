# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers are read as they are documented, or refused."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.client import ODD_SHAPE
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._microsoft.custom_logs import api, data

from .test_plan import COLUMNS, FLOW, RULE, WANTED

LISTED = [{"name": name, "type": kind} for name, kind in COLUMNS.items()]
TABLE = {"properties": {"provisioningState": "Updating", "schema": {"columns": LISTED, "tableSubType": "Classic"}}}
ANSWER = {**api.rule_body(WANTED, "West Europe"), "systemData": {"createdAt": "2026-11-30T00:00:00Z"}}
ROW = {"tables": [{"columns": [{"name": "Newest"}, {"name": "Ingested"}, {"name": "Records"}, {"name": "Day0"}],
                   "rows": [[None, None, 0, 0]]}]}  # fmt: skip


def test_what_we_write_is_read_back_as_ours() -> None:
    found = api.parse_rule(ANSWER, WANTED.input)
    assert (found.flow, found.location, found.ours) == (FLOW, "westeurope", True)
    assert api.parse_table(api.table_body(WANTED, COLUMNS)).ours


def test_a_table_of_the_retired_api_is_known() -> None:
    found = api.parse_table(TABLE)
    assert (found.columns, found.classic, found.settled, found.ours) == (COLUMNS, True, False, False)


def test_a_stream_that_goes_two_ways_is_not_ours_as_it_stands() -> None:
    body = api.rule_body(WANTED, "westeurope")
    body["properties"]["dataFlows"] *= 2
    found = api.parse_rule(body, WANTED.input).flow
    assert found is not None
    assert found.workspace == ""
    assert api.parse_rule(body, "Custom-Other").flow is None
    assert [api.parse_rule(body, name).others for name in (WANTED.input, "Custom-Other")] == [(), (WANTED.input,)]


@pytest.mark.parametrize("odd", [None, True, 5, "x", [1], {"a": 5}])
def test_another_shape_is_refused(odd: Any) -> None:
    with pytest.raises(ODD_SHAPE):
        api.parse_table({"properties": {"schema": {"columns": odd}}})
    with pytest.raises(ODD_SHAPE):
        api.parse_rule({**ANSWER, "location": odd if odd != "x" else 5}, WANTED.input)
    with pytest.raises(ODD_SHAPE):
        data.parse({"tables": odd})


def test_a_table_without_records_is_no_odd_answer() -> None:
    assert data.parse(ROW) == data.Arrived(None, None, 0, (0,))


@pytest.mark.parametrize("url", ["", "http://x.example", "https://", "https://user@x.example"])
def test_the_token_goes_to_https_only(url: str) -> None:
    with pytest.raises(NoAnswerError):
        data.address(RULE._replace(endpoint=url), "send")


def test_the_two_causes_of_the_same_code_are_told_apart() -> None:
    role = RefusedError("send", "IsRbacPresent: False, IsDcrDceBindingValid: True", code="OperationFailed", status=403)
    bound = RefusedError("send", "IsRbacPresent: True, IsDcrDceBindingValid: False", code="OperationFailed", status=403)
    assert (data.unbound(role), data.unbound(bound)) == (False, True)
    assert data.lacks_access(role)
    assert not data.lacks_access(RefusedError("send", "x", code="Forbidden", status=403))


def test_a_probe_has_the_streams_columns_and_is_marked() -> None:
    wanted = WANTED._replace(stream={**COLUMNS, "n": "long", "r": "real", "b": "boolean", "g": "guid", "d": "dynamic"})
    found = data.probe(wanted, "Name")
    assert found.keys() == wanted.stream.keys()
    assert found["Name"].startswith(data.PROBE)
