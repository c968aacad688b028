"""Certificates that a receiver makes with the openssl of this machine: their keys, and which have to be made again."""

from __future__ import annotations

import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog import info, model, options, tls
from ansible_collections.mssp.onboarding.plugins.module_utils._syslog.layout import Layout
from ansible_collections.mssp.onboarding.plugins.plugin_utils import _authority

# By OpenSSL, with a key of the curve SM2, which cryptography does not know.
UNKNOWN_CURVE = """
-----BEGIN CERTIFICATE REQUEST-----
MIHGMG4CAQAwDDEKMAgGA1UEAwwBeDBZMBMGByqGSM49AgEGCCqBHM9VAYItA0IA
BIVc++I/armHI+zOVHHm7cuxgI1V7LD9T3kpbUqaxh4eJO5sTdGfnPGkU9OoLggW
n0t3yGuMfMHR2gMyTA4CpxSgADAKBggqhkjOPQQDAgNIADBFAiAOKDCp+URmeTFf
xKuVY4CLdts4pnS+gp9rOjVPhe/1gAIhAOTPwHBHfXEG47bJ+t3umb738CZ3TXCW
lH6TrIgerWx7
-----END CERTIFICATE REQUEST-----
"""


class Here(Layout):
    """A layout below a folder of the test."""

    folder = ""

    @property
    def tls(self) -> str:
        return self.folder

    @property
    def requests(self) -> str:
        return f"{self.folder}-requests"


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


NAMES = {"cert": ["c.example"], "clients/fw.contoso.example": ["fw.contoso.example"]}


def authority(kind: str) -> dict[str, str]:
    """tls_ca and tls_ca_key of an authority that the control node keeps."""
    private: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = (
        ec.generate_private_key(ec.SECP256R1()) if kind == "ec" else rsa.generate_private_key(65537, 2048)
    )
    name, now = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "kept")]), datetime.now(UTC)
    ca = (
        x509.CertificateBuilder(name, name, private.public_key(), 1, now, now + timedelta(days=3000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    encoding = serialization.Encoding.PEM
    return {
        "tls_ca": ca.public_bytes(encoding).decode(),
        "tls_ca_key": private.private_bytes(encoding, *form).decode(),
    }


@pytest.mark.parametrize("kind", ["ec", "rsa"])
def test_the_control_node_signs_what_the_host_asks_for(layout: Layout, kind: str) -> None:
    kept = authority(kind)
    seen = {"tls_ca": kept["tls_ca"]}  # the host has no key of it
    wanted = receiver(**seen)
    paths = tls.needed(wanted, layout)
    assert paths == [f"{layout.tls}/{name}.pem" for name in NAMES] == tls.lacking(wanted, layout, paths)
    requests = tls.requests(wanted, layout, paths)
    signed = _authority.signed(kept["tls_ca"], kept["tls_ca_key"], requests, NAMES)
    whole = receiver(**seen, tls_signed=signed)
    assert tls.lacking(whole, layout, paths) == []
    tls.make(whole, layout, paths)
    assert tls.needed(wanted, layout) == []
    text = Path(f"{layout.tls}/clients/fw.contoso.example.pem").read_text(encoding="ascii")
    names = x509.load_pem_x509_certificate(text.encode()).extensions.get_extension_for_class(
        x509.SubjectAlternativeName
    )
    assert names.value.get_values_for_type(x509.DNSName) == ["fw.contoso.example"]
    other = receiver(tls_ca=authority("ec")["tls_ca"])
    assert tls.needed(other, layout) == paths  # another authority: all of them again
    stranger = receiver(**seen, tls_signed=dict.fromkeys(signed, text))
    with pytest.raises(RefusedError, match="not of the key"):
        tls.make(stranger, layout, [f"{layout.tls}/cert.pem"])


def test_a_peer_may_have_the_name_of_the_receivers_own_certificate(layout: Layout) -> None:
    kept = authority("ec")
    given = {"sources": {"a": {"transport": "tls", "port": 6514, "peers": ["cert"]}}, "tls_ca": kept["tls_ca"]}
    wanted = receiver(**given)
    paths = tls.needed(wanted, layout)
    asked = tls.requests(wanted, layout, paths)
    signed = _authority.signed(kept["tls_ca"], kept["tls_ca_key"], asked, tls.names(wanted))
    tls.make(receiver(**given, tls_signed=signed), layout, paths)
    assert tls.needed(wanted, layout) == []


def test_the_control_node_signs_nothing_that_the_options_do_not_name(layout: Layout) -> None:
    kept = authority("ec")
    pair = (kept["tls_ca"], kept["tls_ca_key"])
    wanted = receiver(tls_ca=kept["tls_ca"])
    request = tls.requests(wanted, layout, [f"{layout.tls}/cert.pem"])["cert"]
    forged = request.replace("MI", "MJ", 1)
    odd = ("no request", forged, UNKNOWN_CURVE, 5)
    for asked in ({"clients/other.example": request}, ["cert"], *({"cert": one} for one in odd)):
        with pytest.raises(RefusedError):
            _authority.signed(*pair, asked, NAMES)
    for ca, key in ((pair[0], authority("ec")["tls_ca_key"]), ("x", pair[1]), (pair[0], "x"), (pair[0], "")):
        with pytest.raises(InputError, match="tls_ca") as error:
            _authority.signed(ca, key, {"cert": request}, NAMES)
        assert "BEGIN" not in str(error.value)
