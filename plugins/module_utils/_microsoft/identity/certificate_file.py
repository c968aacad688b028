# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of certificates as people have them: PEM in any order, DER, PKCS12; keys in the clear or encrypted.

Facts: Key Vault and scripts export chains with the root first (Azure/secrets-store-csi-driver-provider-azure#156,
polymind-inc/acmebot#984); encrypted keys and PFX with a password are common (Azure/azure-sdk-for-python#24907, #24652).
"""

from __future__ import annotations

import os
import re
import stat
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ..._core.errors import InputError, MissingLibraryError

try:
    from cryptography import x509
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import pkcs12
except ImportError:  # said by load(), so that documentation tools can import this file
    x509 = None  # type: ignore[assignment]

PATH = "client_certificate_path"
PASSWORD = "client_certificate_password"
KEY = re.compile(rb"-----BEGIN ([A-Z0-9 ]*PRIVATE KEY)-----.*?-----END \1-----", re.DOTALL)
BEGIN = b"-----BEGIN "


class Held(NamedTuple):
    """The one certificate that a file is for. key: its private key, None where the file shows none.

    alone: the file has no further certificate.
    """

    certificate: Any
    key: Any
    alone: bool

    @property
    def is_authority(self) -> bool:
        """Whether it may sign other certificates, so that more people than the app's may hold its key.

        A certificate that openssl signed for its own key says «CA» by default: with its key beside it, nothing it has
        issued, and no right to sign others it is taken for the app's.
        """
        usage, basic = self._extension(x509.KeyUsage), self._extension(x509.BasicConstraints)
        if usage is not None and usage.key_cert_sign:
            return True
        return basic is not None and basic.ca and not (self.key is not None and self.alone)

    def _extension(self, kind: Any) -> Any:
        try:
            return self.certificate.extensions.get_extension_for_class(kind).value
        except x509.ExtensionNotFound:
            return None

    @property
    def ends(self) -> datetime:
        ends: datetime = self.certificate.not_valid_after_utc
        return ends

    def pem(self) -> bytes:
        """The key, in the clear and in memory only, and the certificate."""
        form, none = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        key: bytes = self.key.private_bytes(serialization.Encoding.PEM, form, none)
        return key + bytes(self.certificate.public_bytes(serialization.Encoding.PEM))


def load(path: str, password: str | None, *, need_key: bool) -> Held:
    """The certificate of a file that belongs to the key in it. Raises InputError.

    Without a key in it, or with one that stays closed and need not be open, the file must hold one certificate.
    """
    if x509 is None:
        raise MissingLibraryError("cryptography")
    operation = f"read the certificate {path}"
    secret = password.encode() if password else None
    try:
        with open(path, "rb") as file:
            data = file.read()
        read = _pem if BEGIN in data else _binary
        certificates, keys = read(data, secret, need_key=need_key)
    except OSError as error:
        step = f"put the file there, readable for the user that runs Ansible, or correct {PATH}"
        raise InputError(operation, error.strerror or str(error), next_step=step) from error
    except _ClosedError as error:
        text = f"the certificate with its private key stays closed: it is encrypted, and {error}"
        raise InputError(operation, text, code="Encrypted", next_step=f"set {PASSWORD}") from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InputError(operation, _nothing(need_key), next_step="give its PEM or PKCS12 file") from error
    return _chosen(operation, certificates, keys, need_key=need_key)


def _nothing(need_key: bool) -> str:
    return f"the file {'does not hold a certificate with its private key' if need_key else 'holds no certificate'}"


class _ClosedError(Exception):
    """A key that the password at hand does not open."""


def _chosen(operation: str, certificates: list[Any], keys: list[Any], *, need_key: bool) -> Held:
    if not certificates or (need_key and not keys):
        raise InputError(operation, _nothing(need_key), next_step="put the certificate and its key into the same file")
    if not keys:
        if len(certificates) > 1:
            text = f"the file holds {len(certificates)} certificates and no key that says which is meant"
            raise InputError(operation, text, next_step="give a file with the app's certificate alone")
        return Held(certificates[0], None, True)
    pairs = [(one, key) for key in keys for one in certificates if one.public_key() == key.public_key()]
    if not pairs:
        step = "put the certificate and the key that belong together into the file"
        raise InputError(operation, "none of its certificates belongs to its key", code="NoPair", next_step=step)
    if len(pairs) > 1:
        # One key, renewed: the newest certificate is meant.
        if len(keys) > 1:
            text, step = "the file holds more than one pair of certificate and key", "leave the app's pair alone in it"
            raise InputError(operation, text, code="ManyPairs", next_step=step)
        pairs.sort(key=lambda pair: pair[0].not_valid_after_utc, reverse=True)
    one, key = pairs[0]
    return Held(one, key, len(certificates) == 1)


def _pem(data: bytes, secret: bytes | None, *, need_key: bool) -> tuple[list[Any], list[Any]]:
    keys = []
    for block in KEY.finditer(data):
        try:
            keys.append(_private(block.group(0), secret))
        except _ClosedError:
            if need_key:
                raise
    certificates = x509.load_pem_x509_certificates(data) if BEGIN + b"CERTIFICATE-----" in data else []
    return certificates, keys


def _private(block: bytes, secret: bytes | None) -> Any:
    encrypted = b"ENCRYPTED" in block
    if not encrypted:
        return serialization.load_pem_private_key(block, None)
    if secret is None:
        raise _ClosedError("no password is given")
    try:
        return serialization.load_pem_private_key(block, secret)
    except ValueError as error:
        raise _ClosedError("the password does not open it") from error


def _binary(data: bytes, secret: bytes | None, *, need_key: bool) -> tuple[list[Any], list[Any]]:
    """PKCS12, or one certificate in DER."""
    try:
        return [x509.load_der_x509_certificate(data)], []
    except ValueError:
        pass
    for tried in (None, b"", secret):
        try:
            key, one, further = pkcs12.load_key_and_certificates(data, tried)
        except ValueError as error:
            if "password" not in str(error).casefold():
                raise
        else:
            return [found for found in (one, *further) if found is not None], [key] if key is not None else []
    raise _ClosedError("the password does not open it" if secret else "no password is given")


def usable(path: str, password: str | None) -> Held:
    """What signs in: checked before Entra is asked. Raises InputError."""
    held = load(path, password, need_key=True)
    operation = f"read the certificate {path}"
    if not isinstance(held.key, rsa.RSAPrivateKey):
        raise InputError(operation, "its key is not RSA, which Entra asks for", next_step="make one with an RSA key")
    if held.ends <= datetime.now(UTC):
        step = "make a new certificate, register it with the app, and give its file"
        raise InputError(operation, f"it ended on {held.ends.date()}", code="CertificateEnded", next_step=step)
    return held


def exposed(path: str) -> bool:
    """Whether every user of this machine may read a key that lies there in the clear."""
    try:
        if not os.stat(path).st_mode & (stat.S_IROTH | stat.S_IWOTH):
            return False
        load(path, None, need_key=True)
    except (OSError, InputError):
        return False
    return True
