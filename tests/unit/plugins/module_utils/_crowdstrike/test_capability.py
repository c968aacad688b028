"""What a change that fails leaves behind, and says."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import capability as host
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike import desired
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.plan import File, Observed
from ansible_collections.mssp.onboarding.plugins.module_utils._host.changes import Change

PATH = "/opt/crowdstrike/config/contoso-main.cfg"


def full(_path: str, _file: Any) -> None:
    raise OSError(28, "No space left on device")


def test_a_full_disk_is_said_and_not_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    engine = object.__new__(host.Engine)
    engine.tenant, engine.cids = "contoso", ()
    engine.files = {PATH: File("new", 0o600, 0)}
    engine.observed = Observed(files={PATH: File("old", 0o600, 0)})
    monkeypatch.setattr(host.system, "write", full)
    monkeypatch.setattr(host.system, "owner", lambda: 0)
    with pytest.raises(RefusedError, match="No space left on device") as caught:
        engine.apply([Change("config", PATH, "update", "different")])
    assert "what last worked could not be put back" in caught.value.operation


def test_offsets_that_go_later_interrupt_no_other_tenant(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    offsets = tmp_path / "stream_offsets.contoso-main"
    offsets.write_text("401")
    monkeypatch.setattr(host.system, "STATE", str(tmp_path / "state"))
    monkeypatch.setattr(host.system, "remove_empty", lambda *_folders: None)
    monkeypatch.setattr(host.system, "write", lambda path, file: Path(path).write_text(file.content))
    (tmp_path / "state").mkdir()
    host.memory._save("contoso", json.dumps({"offsets": [str(offsets)]}))
    engine = object.__new__(host.Engine)
    engine.tenant, engine.cids, engine.files, engine.observed = "contoso", (), {}, Observed()
    engine.params = {"remove_offsets": True}
    monkeypatch.setattr(host.Engine, "_serve", lambda _self: pytest.fail("the service was started again"))
    engine.apply([Change("offsets", str(offsets), "delete", "extra")])
    assert not offsets.exists()
    assert host.memory.offsets("contoso") == []


@pytest.mark.parametrize(("link", "there"), [("", True), ("srv/contoso/in", True), ("srv/fabrikam", False)])
def test_a_link_in_a_tenants_folder_leads_to_no_other(tmp_path: Path, link: str, there: bool) -> None:
    for folder in ("srv/contoso/in", "srv/fabrikam"):
        (tmp_path / folder).mkdir(parents=True)
    if link:
        (tmp_path / "srv/contoso/out").symlink_to(tmp_path / link)
    cid = {"cloud": "us_1", "client_id": "0" * 32, "output_path": f"{tmp_path}/srv/contoso/out/events.json"}
    given = {"tenant": "contoso", "cids": {"main": cid}, "file_roots": [f"{tmp_path}/srv"]}
    cids = desired.cids(given, None)
    if there:
        host._refuse_links(given, cids)
    else:
        with pytest.raises(RefusedError, match="which is not this tenant's"):
            host._refuse_links(given, cids)
