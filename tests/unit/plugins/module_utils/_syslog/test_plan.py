"""What has to be done, from what is there."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._host.changes import Change
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.files import File
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.plan import Observed, plan

UNIT = "u.service"


@pytest.mark.parametrize(
    ("enabled", "active", "action"),
    [(True, True, None), (True, False, "update"), (False, True, "create"), (False, False, "create")],
)
def test_a_unit_that_does_not_run_or_would_not_at_boot(enabled: bool, active: bool, action: str | None) -> None:
    found = plan({}, (UNIT,), frozenset(), Observed(units={UNIT: (enabled, active)}))
    assert found == ([Change("unit", UNIT, action, "stopped")] if action else [])


@pytest.mark.parametrize(
    ("enabled", "active", "gone"), [(True, True, True), (True, False, True), (False, True, True), (False, False, False)]
)
def test_a_unit_that_is_only_enabled_or_only_running_leaves_too(enabled: bool, active: bool, gone: bool) -> None:
    found = plan({}, (), frozenset(), Observed(units={UNIT: (enabled, active)}))
    assert found == ([Change("unit", UNIT, "delete", "unexpected")] if gone else [])


def test_a_receiver_that_has_not_read_its_files_is_one_change_where_nothing_else_is() -> None:
    wanted = {"/a": File("x")}
    running = {UNIT: (True, True)}
    stale = Observed(files={"/a": ("x", 0o644)}, units=running, fresh=False)
    assert plan(wanted, (UNIT,), frozenset(), stale) == [Change("unit", UNIT, "update", "stale")]
    different = Observed(files={"/a": ("y", 0o644)}, units=running, fresh=False)
    assert plan(wanted, (UNIT,), frozenset(), different) == [Change("file", "/a", "update", "different")]
    assert plan({}, (), frozenset(), Observed(fresh=False)) == []
