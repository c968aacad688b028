# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files are what Ansible Vault reads and writes."""

from __future__ import annotations

import pytest
from ansible.parsing.vault import VaultLib, VaultSecret

from ansible_collections.mssp.onboarding.plugins.module_utils._core import vault

TEXT = "a secret, ä\n" * 9


def test_ansible_reads_ours_and_we_read_ansibles() -> None:
    ansible = VaultLib([("default", VaultSecret(b"password"))])
    assert ansible.decrypt(vault.encrypted(TEXT, "password")).decode() == TEXT
    assert vault.decrypted(ansible.encrypt(TEXT).decode(), "password") == TEXT


def test_another_password_or_form_is_refused() -> None:
    made = vault.encrypted(TEXT, "password")
    for text, password in ((made, "another"), (made[:-9], "password"), ("plain", "password")):
        with pytest.raises(ValueError):
            vault.decrypted(text, password)
