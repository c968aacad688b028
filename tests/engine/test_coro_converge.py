# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All four formats through their life against the lab: make, again, change, rotate, test, reconnect, remove."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lab.client import LabClient

from .coro_engines import Workspace, actions, counts

FORMATS = ("splunk", "generic", "fluency", "azure_sentinel")
RECEIVER = {"azure_sentinel": "azure"}
SECRET = {"splunk": "authorization", "fluency": "token", "azure_sentinel": "primary_key", "generic": "headers"}


@pytest.fixture
def contoso(lab: LabClient) -> Workspace:
    return Workspace(lab)


@pytest.mark.parametrize("kind", FORMATS)
def test_made_once_and_then_nothing(contoso: Workspace, kind: str) -> None:
    wanted = contoso.wanted(kind)
    predicted = contoso.run(wanted, check=True, diff=True)
    assert contoso.writes() == []
    made = contoso.run(wanted, diff=True)
    assert (made["changes"], made["diff"]) == (predicted["changes"], predicted["diff"])
    assert predicted["changed"]
    assert counts(made) == {"corrected": 1}
    assert contoso.held()[kind]["status"] == "CONNECTED"
    (test_event,) = contoso.lab.receivers.records(RECEIVER.get(kind, kind))
    assert test_event["accepted"], test_event["why"]
    again = contoso.run(wanted, diff=True)
    assert (again["changed"], counts(again), again["diff"]) == (False, {"in_sync": 1}, [])
    assert len(contoso.writes()) == 1


@pytest.mark.parametrize("kind", FORMATS)
def test_removed_and_removed_again(contoso: Workspace, kind: str) -> None:
    contoso.run(contoso.wanted(kind))
    gone = {"name": kind, "state": "absent"}
    predicted = contoso.run(gone, check=True)
    assert kind in contoso.held()
    done = contoso.run(gone)
    assert actions(done) == actions(predicted) == [(kind, "delete")]
    assert contoso.held() == {}
    assert contoso.run(gone)["changed"] is False


CHANGES: list[tuple[str, dict[str, Any], str, Any]] = [
    ("splunk", {"listener_url": "{url}/"}, "listenerUrl", "{url}/"),
    ("generic", {"listener_url": "{url}/other"}, "listenerUrl", "{url}/other"),
    ("fluency", {"listener_url": "{url}/other"}, "listenerUrl", "{url}/other"),
    ("azure_sentinel", {"log_type": "Coro_2"}, "logType", "Coro_2"),
]


@pytest.mark.parametrize(("kind", "change", "field", "value"), CHANGES)
def test_each_field_is_changed_and_the_secret_kept(
    contoso: Workspace, kind: str, change: dict[str, Any], field: str, value: str
) -> None:
    contoso.run(contoso.wanted(kind))
    stored = contoso.held()[kind]["stored"]
    url = contoso.receivers[RECEIVER.get(kind, kind)]["url"]
    changed = contoso.wanted(kind, **{name: text.replace("{url}", url) for name, text in change.items()})
    result = contoso.run(changed, diff=True)
    assert actions(result) == [(kind, "update")]
    after = contoso.held()[kind]["stored"]
    assert after[field] == value.replace("{url}", url)
    assert {**after, field: None} == {**stored, field: None}
    assert result["diff"][0]["before"] != result["diff"][0]["after"]
    assert contoso.run(changed)["changed"] is False


def test_headers_are_changed_with_their_values(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("generic"))
    own = contoso.receivers["generic"]["headers"]
    more = contoso.wanted("generic", headers={**own, "X-Customer": "contoso"})
    assert actions(contoso.run(more)) == [("generic", "update")]
    held = {one["name"]: one["value"] for one in contoso.held()["generic"]["stored"]["headers"]}
    assert held == {**own, "X-Customer": "contoso"}
    assert contoso.run(more)["changed"] is False


def rotate(workspace: Workspace, kind: str) -> dict[str, Any]:
    """The receiver takes another secret from now on; the connector with it."""
    receiver, option = RECEIVER.get(kind, kind), SECRET[kind]
    new: Any = {"X-Api-Key": "rotated-key"} if kind == "generic" else "cm90YXRlZA=="
    theirs = {"authorization": "token"}.get(option, option)
    workspace.lab.receivers.configure(receiver, **{theirs: new})
    return workspace.wanted(kind, **{option: new})


@pytest.mark.parametrize("kind", FORMATS)
def test_a_rotated_secret_by_fingerprint(contoso: Workspace, tmp_path: Path, kind: str) -> None:
    marks: dict[str, Any] = {"update_secret": "on_change", "fingerprint_dir": str(tmp_path / "marks")}
    contoso.run(contoso.wanted(kind), **marks)
    assert contoso.run(contoso.wanted(kind), **marks)["changed"] is False
    new = rotate(contoso, kind)
    blind = contoso.run(new, update_secret="on_create")
    assert (blind["changed"], blind["summary"]["secrets_unknown"]) == (False, [kind]), "on_create does not see it"
    predicted = contoso.run(new, check=True, diff=True, **marks)
    assert predicted["summary"]["drift"] == {"secret": 1}
    done = contoso.run(new, diff=True, **marks)
    assert (actions(done), done["diff"]) == (actions(predicted), predicted["diff"])
    assert "sent anew" in str(done["diff"]) or kind == "generic"
    assert contoso.lab.receivers.records(RECEIVER.get(kind, kind))[-1]["accepted"]
    assert contoso.run(new, **marks)["changed"] is False


def test_a_secret_that_nobody_knows_of_is_told_and_known_after_one_run_with_always(
    contoso: Workspace, tmp_path: Path
) -> None:
    marks: dict[str, Any] = {"fingerprint_dir": str(tmp_path / "marks")}
    contoso.run(contoso.wanted("splunk"), update_secret="on_create")
    blind = contoso.run(contoso.wanted("splunk"), check=True, **marks)
    assert (blind["changed"], blind["summary"]["secret_checked"]) == (False, False)
    assert "update_secret=always" in " ".join(blind["warnings"])
    assert not (tmp_path / "marks").exists(), "check mode keeps nothing"
    assert contoso.run(contoso.wanted("splunk"), update_secret="always", **marks)["changed"]
    known = contoso.run(rotate(contoso, "splunk"), check=True, **marks)
    assert (known["summary"]["drift"], known["summary"]["secret_checked"], known["warnings"]) == (
        {"secret": 1},
        True,
        [],
    )


def test_always_sends_it_in_every_run(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("splunk"))
    for _run in range(2):
        assert actions(contoso.run(contoso.wanted("splunk"), update_secret="always")) == [("splunk", "update")]


def test_a_cloud_that_forgets_unsent_secrets_gets_them_with_every_update(contoso: Workspace) -> None:
    from ansible_collections.mssp.onboarding.plugins.module_utils._coro.profile import ASSUMED

    contoso.lab.coro.configure(blank_secret="clear")
    contoso.run(contoso.wanted("splunk"))
    moved = contoso.wanted("splunk", listener_url=contoso.receivers["splunk"]["url"] + "/")
    assert counts(contoso.run(moved)) == {"failed": 1}
    assert counts(contoso.run(moved, profile={**ASSUMED, "unsent_secret": "required"})) == {"corrected": 1}


def test_disconnected_is_reported_and_reconnected_on_request(contoso: Workspace) -> None:
    both = [contoso.wanted("splunk"), contoso.wanted("fluency")]
    contoso.run(*both)
    contoso.lab.receivers.configure("splunk", answer="500")
    contoso.lab.coro.emit(contoso.id)
    contoso.lab.advance(2 * 3600 + 60)
    assert contoso.held()["splunk"]["status"] == "DISCONNECTED"
    report = contoso.run(*both)
    assert (report["changed"], report["summary"]["drift"]) == (False, {"disconnected": 1})
    assert "HTTP 500" in report["problems"][0]["message"]
    still = contoso.run(*both, reconnect=True)
    assert counts(still) == {"in_sync": 1, "failed": 1}
    assert "HTTP 500" in still["problems"][0]["message"]
    contoso.lab.receivers.configure("splunk", answer="")
    done = contoso.run(*both, reconnect=True)
    assert actions(done) == [("splunk", "sync")]
    assert contoso.held()["splunk"]["status"] == "CONNECTED"
    assert sum(method == "POST" and path.endswith("/test") for method, path in contoso.writes()) == 2


def test_synced_tests_and_is_no_change(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("splunk"))
    assert contoso.run(contoso.wanted("splunk", state="synced"), check=True)["changed"] is False
    before = len(contoso.lab.receivers.records("splunk"))
    result = contoso.run(contoso.wanted("splunk", state="synced"))
    assert (result["changed"], counts(result)) == (False, {"in_sync": 1})
    assert len(contoso.lab.receivers.records("splunk")) == before + 1
    contoso.lab.receivers.configure("splunk", answer="401")
    assert counts(contoso.run(contoso.wanted("splunk", state="synced"))) == {"failed": 1}


def test_exclusive_shows_and_then_removes_what_is_not_named(contoso: Workspace) -> None:
    for kind in ("splunk", "fluency"):
        contoso.run(contoso.wanted(kind))
    kept = contoso.wanted("splunk")
    assert contoso.run(kept)["changed"] is False
    predicted = contoso.run(kept, exclusive=True, check=True)
    assert actions(predicted) == [("fluency", "delete")]
    assert set(contoso.held()) == {"splunk", "fluency"}
    assert actions(contoso.run(kept, exclusive=True)) == actions(predicted)
    assert set(contoso.held()) == {"splunk"}


def test_a_successor_comes_before_what_it_replaces_goes(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("splunk", "old"))
    new = contoso.wanted("splunk", "new")
    assert contoso.run(new)["summary"]["drift"] == {"conflict": 1}
    contoso.lab.receivers.configure("splunk", answer="401")
    failed = contoso.run(new, exclusive=True)
    assert counts(failed) == {"failed": 2}
    assert set(contoso.held()) == {"old"}, "nothing goes while its successor does not work"
    contoso.lab.receivers.configure("splunk", answer="")
    assert counts(contoso.run(new, exclusive=True)) == {"corrected": 2}
    assert [method for method, _path in contoso.writes()][-2:] == ["POST", "DELETE"]
    assert set(contoso.held()) == {"new"}


def test_duplicates_are_told_apart_by_id(contoso: Workspace) -> None:
    contoso.lab.coro.configure(unique_names=False)
    contoso.run(contoso.wanted("splunk", "soc"))
    first = contoso.held()["soc"]["id"]
    contoso.run(contoso.wanted("fluency", "other"))
    contoso.lab.coro.rename_connector(contoso.id, "other", "soc")
    assert contoso.run(contoso.wanted("splunk", "soc"))["summary"]["drift"] == {"duplicate": 1}
    named = contoso.run(contoso.wanted("splunk", "soc", connector_id=first))
    assert counts(named) == {"in_sync": 1}


def test_what_may_be_corrected(contoso: Workspace) -> None:
    contoso.run(contoso.wanted("splunk"))
    both = [contoso.wanted("splunk", listener_url=contoso.receivers["splunk"]["url"] + "/"), contoso.wanted("fluency")]
    nothing = contoso.run(*both, correct="never")
    assert (nothing["changed"], nothing["summary"]["correctable"]) == (False, {"safe": 1, "all": 2})
    safe = contoso.run(*both, correct="safe")
    assert actions(safe) == [("fluency", "create")]
    assert counts(safe) == {"corrected": 1, "drifted": 1}


def test_one_connector_by_its_own_module(contoso: Workspace) -> None:
    made = contoso.run(engine="connector", **contoso.wanted("splunk", "soc"))
    assert counts(made) == {"corrected": 1}
    assert made["connectors"][0]["status"] == "connected"
    contoso.run(contoso.wanted("fluency"))
    assert counts(contoso.run(engine="connector", name="soc", state="absent")) == {"corrected": 1}
    assert set(contoso.held()) == {"fluency"}


def test_a_ticket_is_followed_to_the_receiver(contoso: Workspace) -> None:
    contoso.run(*[contoso.wanted(kind) for kind in FORMATS])
    ticket, deliveries = contoso.lab.coro.emit(contoso.id)
    assert [one["accepted"] for one in deliveries] == [True] * 4
    for kind in FORMATS:
        assert ticket["id"] in str(contoso.lab.receivers.events(RECEIVER.get(kind, kind)))
