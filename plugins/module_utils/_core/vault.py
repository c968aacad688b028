# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of Ansible Vault, format 1.1, where Ansible itself is not: a module may run on a host that has only its own.

Source: docs.ansible.com, «Ansible Vault payload format 1.1 - 1.2»: PBKDF2 (SHA-256, 10,000 rounds) gives two keys of 32
bytes and the counter's 16; AES-256 in counter mode over a padded text; an HMAC (SHA-256) of what came out.
"""

from __future__ import annotations

import hmac
import os
from binascii import hexlify, unhexlify
from hashlib import pbkdf2_hmac, sha256

from .errors import MissingLibraryError

try:
    from cryptography.hazmat.primitives import padding
    from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
except ImportError:  # said by _cipher, so that documentation tools can import this file
    Cipher = None  # type: ignore[assignment, misc]

HEADER = "$ANSIBLE_VAULT;1.1;AES256"
ROUNDS, SALT, KEY, COUNTER, BLOCK, WIDTH = 10_000, 32, 32, 16, 128, 80


def encrypted(text: str, password: str) -> str:
    salt = os.urandom(SALT)
    cipher, seal = _keys(password, salt)
    padder = padding.PKCS7(BLOCK).padder()
    hidden = cipher.encryptor().update(padder.update(text.encode()) + padder.finalize())
    told = hmac.new(seal, hidden, sha256).hexdigest().encode()
    body = hexlify(b"\n".join((hexlify(salt), told, hexlify(hidden)))).decode()
    return "\n".join((HEADER, *(body[start : start + WIDTH] for start in range(0, len(body), WIDTH)), ""))


def decrypted(text: str, password: str) -> str:
    """Raises ValueError for another form or password."""
    header, _end, body = text.partition("\n")
    if not header.startswith(("$ANSIBLE_VAULT;1.1;AES256", "$ANSIBLE_VAULT;1.2;AES256")):
        raise ValueError("it is no file of Ansible Vault")
    salt, told, hidden = unhexlify("".join(body.split())).split(b"\n")
    cipher, seal = _keys(password, unhexlify(salt))
    if not hmac.compare_digest(hmac.new(seal, unhexlify(hidden), sha256).digest(), unhexlify(told)):
        raise ValueError("it is encrypted by another password, or was changed")
    unpadder = padding.PKCS7(BLOCK).unpadder()
    return (unpadder.update(cipher.decryptor().update(unhexlify(hidden))) + unpadder.finalize()).decode()


def _keys(password: str, salt: bytes) -> tuple[Cipher[modes.CTR], bytes]:
    """(the cipher, the key of the HMAC)."""
    if Cipher is None:
        raise MissingLibraryError("cryptography")
    made = pbkdf2_hmac("sha256", password.encode(), salt, ROUNDS, 2 * KEY + COUNTER)
    return Cipher(algorithms.AES(made[:KEY]), modes.CTR(made[2 * KEY :])), made[KEY : 2 * KEY]
