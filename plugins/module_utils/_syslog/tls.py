# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that the receiver makes for itself with the host's openssl: a CA of the tenant, one for the receiver,
one for each peer that is named. Keys never leave the host, but for those of the peers, which a person fetches.

Where the CA's key is kept on the control node, the host makes keys and requests, and is given the certificates."""

from __future__ import annotations

import ipaddress
import os
import tempfile
from typing import TYPE_CHECKING

from .._core.errors import RefusedError
from .._host import commands, files
from . import model

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from .layout import Layout
    from .model import Receiver

DAYS_CA, DAYS = "3650", "825"
RENEW_SECONDS = str(30 * 86400)
# Arguments of «openssl genpkey», and how «openssl x509 -text» names the key: EC unless an appliance knows RSA alone.
KEYS = {
    "ec": (("EC", "-pkeyopt", "ec_paramgen_curve:P-256"), "id-ecPublicKey"),
    "rsa": (("RSA", "-pkeyopt", "rsa_keygen_bits:3072"), "rsaEncryption"),
}


def peers(receiver: Receiver) -> list[str]:
    """Peers that get a certificate; a pattern names none."""
    return sorted({peer for source in receiver.sources for peer in source.peers if not peer.startswith("*")})


def names(receiver: Receiver) -> dict[str, list[str]]:
    """Each certificate that the receiver and its peers have, by its name below the folder, to the names in it."""
    return {"cert": receiver.options["tls_names"], **{f"clients/{peer}": [peer] for peer in peers(receiver)}}


def signed_for(options: Mapping[str, Any]) -> dict[str, list[str]]:
    """Of checked options, those that the control node signs."""
    return names(model.receiver(options))


def wanted(receiver: Receiver, layout: Layout) -> list[str]:
    """Paths of the certificates that are made for this receiver, the CA's first; none where they are given."""
    if not receiver.made_certificates:
        return []
    own = [] if receiver.signed_elsewhere else ["ca"]
    return [f"{layout.tls}/{name}.pem" for name in (*own, *names(receiver))]


def needed(receiver: Receiver, layout: Layout) -> list[str]:
    """Those of them that are missing, end within 30 days, have a key of another kind, or name another host."""
    paths = wanted(receiver, layout)
    if not paths:
        return []
    kind = KEYS[receiver.options["tls_key_type"]][1]
    found = [path for path in paths if not usable(path) or not _has_key(path, kind)]
    if receiver.signed_elsewhere:
        found += [path for path in paths if path not in found and not _signed_by(receiver.options["tls_ca"], path)]
    cert = f"{layout.tls}/cert.pem"
    if cert not in found:
        text = commands.run("openssl", "x509", "-in", cert, "-noout", "-ext", "subjectAltName").out
        said = {entry.strip() for line in text.splitlines()[1:] for entry in line.split(",")}
        if said != {_as_shown(name) for name in receiver.options["tls_names"]}:
            found.append(cert)
    return paths if f"{layout.tls}/ca.pem" in found else found


def key(layout: Layout, path: str) -> str:
    """Where the key of a certificate lies."""
    return f"{layout.tls}/key.pem" if path == f"{layout.tls}/cert.pem" else f"{path[: -len('.pem')]}.key"


def make(receiver: Receiver, layout: Layout, paths: list[str]) -> None:
    """Make them, the CA first: a new CA is followed by all the others. Their folder is root's alone, given ones too."""
    folders = [layout.tls] * receiver.uses_tls + [f"{layout.tls}/clients"] * receiver.made_certificates
    for folder in folders:
        os.makedirs(folder, exist_ok=True)
        os.chmod(folder, 0o700)
    kind = receiver.options["tls_key_type"]
    for path in paths:
        if receiver.signed_elsewhere:
            _install(receiver, layout, path)
        elif path == f"{layout.tls}/ca.pem":
            _make_ca(receiver.tenant, layout, kind)
        elif path == f"{layout.tls}/cert.pem":
            names = receiver.options["tls_names"]
            _sign(layout, path, names[0], ",".join(_as_given(name) for name in names), kind)
        else:
            name = os.path.basename(path)[: -len(".pem")]
            _sign(layout, path, name, f"DNS:{name}", kind)


def requests(receiver: Receiver, layout: Layout, paths: Iterable[str]) -> dict[str, str]:
    """A key for each certificate, and what the control node is asked to sign: its name to PEM text."""
    os.makedirs(layout.requests, mode=0o700, exist_ok=True)
    found = {}
    for path in paths:
        private = _requested(layout, path)
        _make_key(private, receiver.options["tls_key_type"])
        asked = ("openssl", "req", "-new", "-key", private, "-subj", "/CN=request")
        found[_name(layout, path)] = commands.must("request a certificate", *asked)
    return found


def lacking(receiver: Receiver, layout: Layout, paths: Iterable[str]) -> list[str]:
    """Those that the control node has not signed yet."""
    given = receiver.options["tls_signed"]
    return [path for path in paths if receiver.signed_elsewhere and _name(layout, path) not in given]


def _name(layout: Layout, path: str) -> str:
    return path[len(layout.tls) + 1 : -len(".pem")]


def _requested(layout: Layout, path: str) -> str:
    """The key of a certificate that is asked for: a peer may have the name of one of the receiver's own."""
    return f"{layout.requests}/{_name(layout, path).replace('/', '-')}.key"


def _install(receiver: Receiver, layout: Layout, path: str) -> None:
    """A certificate that was signed for the key of its request. Raises RefusedError for any other."""
    text = receiver.options["tls_signed"][_name(layout, path)]
    private = files.read(_requested(layout, path))
    files.write(path, text, 0o644)
    files.write(key(layout, path), private.content if private else "", 0o600)
    of_key = commands.run("openssl", "pkey", "-in", key(layout, path), "-pubout")
    of_certificate = commands.run("openssl", "x509", "-in", path, "-noout", "-pubkey")
    if of_key.code or of_key.out != of_certificate.out or not _signed_by(receiver.options["tls_ca"], path):
        words = "it is not of the key that was made here, or not signed by tls_ca"
        raise RefusedError(f"take the certificate {_name(layout, path)}", words, code="certificate")


def ending(layout: Layout) -> list[str]:
    """Certificates, made or given, that have ended or will within 30 days, by their names below the folder."""
    found = []
    for folder, _folders, names in os.walk(layout.tls):
        paths = (os.path.join(folder, name) for name in names if name.endswith(".pem") and name != "key.pem")
        found += [os.path.relpath(path, layout.tls) for path in paths if not usable(path)]
    return sorted(found)


def _signed_by(ca: str, path: str) -> bool:
    with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
        file.write(ca.strip() + "\n")
        file.flush()
        # The authority may itself be one of another's; when it ends is told as of any certificate.
        options = ("-partial_chain", "-no_check_time")
        return commands.run("openssl", "verify", *options, "-CAfile", file.name, path).code == 0


def _has_key(path: str, kind: str) -> bool:
    return f"Public Key Algorithm: {kind}" in commands.run("openssl", "x509", "-in", path, "-noout", "-text").out


def usable(path: str) -> bool:
    return commands.run("openssl", "x509", "-in", path, "-noout", "-checkend", RENEW_SECONDS).code == 0


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _as_given(name: str) -> str:
    return f"IP:{name}" if _is_address(name) else f"DNS:{name}"


def _as_shown(name: str) -> str:
    return f"IP Address:{name}" if _is_address(name) else f"DNS:{name}"


def _make_ca(tenant: str, layout: Layout, kind: str) -> None:
    cert = f"{layout.tls}/ca.pem"
    _make_key(key(layout, cert), kind)
    extensions = ("basicConstraints=critical,CA:TRUE,pathlen:0", "keyUsage=critical,keyCertSign,cRLSign")
    commands.must(
        "make the tenant's certificate authority",
        *("openssl", "req", "-x509", "-new", "-key", key(layout, cert), "-out", cert, "-days", DAYS_CA, "-sha256"),
        *("-subj", f"/CN=log collector of {tenant}"),
        *(word for extension in extensions for word in ("-addext", extension)),
    )


def _make_key(path: str, kind: str) -> None:
    before = os.umask(0o077)
    try:
        commands.must("make a key", "openssl", "genpkey", "-algorithm", *KEYS[kind][0], "-out", path)
    finally:
        os.umask(before)


def _sign(layout: Layout, cert: str, name: str, alternative: str, kind: str) -> None:
    private = key(layout, cert)
    _make_key(private, kind)
    with tempfile.TemporaryDirectory() as folder:
        request, extensions = f"{folder}/request", f"{folder}/extensions"
        with open(extensions, "w", encoding="utf-8") as file:
            file.write(f"subjectAltName={alternative}\nbasicConstraints=critical,CA:FALSE\n")
            file.write("keyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n")
            # Python 3.13 and others that follow RFC 5280 to the letter refuse a certificate without these.
            file.write("subjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n")
        subject = ("-subj", f"/CN={name[:64]}")
        commands.must("request a certificate", "openssl", "req", "-new", "-key", private, "-out", request, *subject)
        commands.must(
            f"sign the certificate of {name}",
            *("openssl", "x509", "-req", "-in", request, "-out", cert, "-days", DAYS, "-sha256"),
            *(
                "-CA",
                f"{layout.tls}/ca.pem",
                "-CAkey",
                f"{layout.tls}/ca.key",
                "-set_serial",
                "0x" + os.urandom(16).hex(),
            ),
            *("-extfile", extensions),
        )
