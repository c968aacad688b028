"""Certificates that a receiver makes with the openssl of this machine: their keys, and which have to be made again."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import info, model, options, tls
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout


class Here(Layout):
    """A layout below a folder of the test."""

    folder = ""

    @property
    def tls(self) -> str:
        return self.folder


@pytest.fixture
def layout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    monkeypatch.setattr(Here, "folder", str(tmp_path / "tls"))
    return Here("contoso")


def receiver(**given: Any) -> model.Receiver:
    sources = {"a": {"transport": "tls", "peers": ["fw.contoso.example"]}}
    return model.receiver(
        {**options.DEFAULTS, "tenant": "contoso", "sources": sources, "tls_names": ["c.example"], **given}
    )


def made(layout: Layout, **given: Any) -> list[str]:
    """Makes what is needed; the names of what was made."""
    wanted = receiver(**given)
    paths = tls.needed(wanted, layout)
    tls.make(wanted, layout, paths)
    return [Path(path).name for path in paths]


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_keys_are_of_the_wanted_kind_and_certificates_are_made_once(layout: Layout, kind: str) -> None:
    assert made(layout, tls_key_type=kind) == ["ca.pem", "cert.pem", "fw.contoso.example.pem"]
    for name in ("ca.key", "key.pem", "clients/fw.contoso.example.key"):
        path = Path(layout.tls) / name
        text = subprocess.run(
            ["openssl", "pkey", "-in", path, "-noout", "-text"], check=True, capture_output=True, text=True
        )
        assert ("Private-Key: (3072 bit" if kind == "rsa" else "P-256") in text.stdout
        assert path.stat().st_mode & 0o777 == 0o600
    assert made(layout, tls_key_type=kind) == []
    assert made(layout, tls_key_type="rsa" if kind == "ec" else "ec") == [
        "ca.pem",
        "cert.pem",
        "fw.contoso.example.pem",
    ]


def test_what_ends_soon_is_told_as_credentials(layout: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    made(layout)
    assert tls.ending(layout) == []
    monkeypatch.setattr(tls, "RENEW_SECONDS", str(900 * 86400))  # as if most of the time had passed
    assert tls.ending(layout) == ["cert.pem", "clients/fw.contoso.example.pem"]
    told = info.credentials(tls.ending(layout))
    assert (told[0]["code"], told[0]["target"]) == ("credentials", "cert.pem, clients/fw.contoso.example.pem")
    assert all(problem["next_step"] for problem in told)
