# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks AWS, and where: what options are made of, without the library that asks."""

from __future__ import annotations

from typing import NamedTuple


class Keys(NamedTuple):
    """Who asks: an access key, and the token of a session where it is one."""

    access_key_id: str
    secret_access_key: str
    session_token: str = ""


class Place(NamedTuple):
    """How AWS is reached. endpoint_url: '' for AWS' own of each service and region."""

    endpoint_url: str = ""
    ca_file: str | None = None
    proxy: str | None = None
