"""A wrong tenant file among right ones: its tenant is out and named, the others have their run."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.testing import ROOT
from tests.playbooks.test_azure import Player, lab, play, recap, shared_lab

__all__ = ["lab", "play", "shared_lab"]


def test_a_wrong_tenant_file_in_a_fleet_that_is_not_strict(play: Player, tmp_path: Path) -> None:
    fleet = tmp_path / "fleet"
    shutil.copytree(ROOT / "inventories/lab", fleet)
    with open(fleet / "fleet.yml", "a", encoding="utf-8") as file:
        file.write("strict: false\n")
    wrong = fleet / "tenants/fabrikam.yml"
    wrong.write_text(wrong.read_text(encoding="utf-8") + "rings: early\n", encoding="utf-8")

    run = play("onboard", inventory=str(fleet))
    assert run.code == 2
    assert "rings: unknown key" in run.out
    assert "left out: fabrikam" in run.out
    lines = recap(run.out)
    assert (lines["fabrikam"]["ok"], lines["fabrikam"]["failed"]) == (0, 1)
    assert all(lines[tenant]["failed"] == 0 and lines[tenant]["changed"] for tenant in ("contoso", "tailspin"))
    assert run.rows["fabrikam"]["outcome"] == "failed"
    assert (run.evidence / "retry").read_text().split() == ["fabrikam"]

    strict = play("onboard", inventory=str(wrong))
    assert strict.code == 4
    assert "nothing was run" in strict.out
