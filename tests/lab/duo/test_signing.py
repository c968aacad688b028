# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What our client signs is what duo_client signs, for parameters at random."""

from __future__ import annotations

import random

from ansible_collections.mssp.onboarding.plugins.module_utils._duo import signing

from .duo_tools import duo_client

CASES = 200
# Letters that are encoded, kept, or longer than one byte; and an empty value.
LETTERS = "azAZ09-._~ +&=%/?:;,'\"<>\\\n\tàß€漢🔑"


def text(chance: random.Random) -> str:
    return "".join(chance.choice(LETTERS) for _ in range(chance.randrange(8)))


def test_canonical_texts_and_signatures_equal_those_of_duo_client() -> None:
    chance = random.Random(15)
    calls, ours = [], []
    for _case in range(CASES):
        params = {f"{text(chance)}{number}": text(chance) for number in range(chance.randrange(5))}
        method, host = (
            chance.choice(["GET", "POST", "DELETE"]),
            chance.choice(["api-1.duosecurity.com", "API-2.Example"]),
        )
        query, body = ("", signing.body(params)) if method == "POST" else (signing.query(params), b"")
        parts = {"method": method, "host": host, "uri": "/admin/v3/x", "date": "Mon, 30 Nov 2026 07:00:00 -0000"}
        sent = {} if method == "POST" else params
        given = {**parts, "params": sent, "sig_version": 5, "body": body.decode()}
        made = signing.canonical(parts["date"], method, host, parts["uri"], query, body)
        calls += [
            {"do": "canonicalize", "with": given},
            {"do": "sign", "with": {**given, "params": sent, "ikey": "DI1", "skey": "s" * 40}},
            {"do": "canon_json", "with": params},
        ]
        ours += [made, signing.authorization("DI1", "s" * 40, made), signing.body(params).decode()]
    assert ours == duo_client(*calls)
