"""A link below an allowed folder leads nowhere that the folder's provider has not allowed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import host, model, options, places


@pytest.fixture
def roots(tmp_path: Path) -> Path:
    """srv is the provider's; in srv/own the tenant writes, other is another's."""
    for folder in ("srv/own/in", "other"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "other/app.log").write_text("theirs")
    (tmp_path / "srv/own/in/app.log").write_text("ours")
    return tmp_path


def receiver(root: Path, path: str, **outputs: Any) -> model.Receiver:
    source = {"transport": "file", "paths": [f"{root}/srv/{path}"]}
    given = {"tenant": "contoso", "sources": {"a": source}, "outputs": outputs, "file_roots": [f"{root}/srv"]}
    return model.receiver({**options.DEFAULTS, **given})


@pytest.mark.parametrize(
    ("link", "target", "path", "strays"),
    [
        (None, None, "own/*/*.log", []),
        ("srv/own/app.log", "other/app.log", "own/app.log", ["own/app.log"]),
        ("srv/own/out", "other", "own/out/*.log", ["own/out/*.log", "own/out/app.log"]),
        ("srv/own/out", "other", "own/*/*.log", ["own/out/app.log"]),
        ("srv/own/in/x.log", "other/app.log", "own/in/*.log", ["own/in/x.log"]),
        ("srv/own/same", "srv/own/in", "own/same/*.log", []),  # it stays where the tenant may be
        ("srv/own/gone", "other/gone", "own/gone/x.log", ["own/gone/x.log"]),  # before there is a file
    ],
)
def test_where_links_lead(roots: Path, link: str | None, target: str, path: str, strays: list[str]) -> None:
    if link:
        (roots / link).symlink_to(roots / target)
    found = places.strays(receiver(roots, path))
    assert sorted(found) == sorted(f"{roots}/srv/{stray}" for stray in strays)
    assert all(f"leads to {roots}/other" in why for why in found.values())


def test_a_root_that_is_a_link_is_the_providers(roots: Path) -> None:
    (roots / "srv").rename(roots / "disk")
    (roots / "srv").symlink_to(roots / "disk")
    assert places.strays(receiver(roots, "own/in/*.log")) == {}


def test_an_output_is_no_way_out_either(roots: Path) -> None:
    (roots / "srv/own/copy.log").symlink_to(roots / "other/app.log")
    copy = {"type": "file", "path": f"{roots}/srv/own/copy.log"}
    with pytest.raises(RefusedError, match="leads to"):
        places.check(receiver(roots, "own/in/*.log", copy=copy))


def test_onboard_changes_nothing_where_a_link_leads_astray(roots: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (roots / "srv/own/out").symlink_to(roots / "other")
    monkeypatch.setattr(host, "Engine", None)
    wanted = receiver(roots, "own/out/*.log")
    with pytest.raises(RefusedError, match="nothing was changed"):
        asyncio.run(host.run({**wanted.options, "state": "present"}, None, None, check=True, diff=False))
