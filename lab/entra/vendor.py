# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Microsoft Entra, registered."""

from __future__ import annotations

from collections.abc import Iterator

from lab.entra import mutations, routes, scenario, users
from lab.entra.state import Entra
from lab.entra.trace import trace
from lab.kernel.registration import Vendor


def _files(entra: Entra) -> Iterator[tuple[str, str]]:
    held = entra.credentials
    yield "app.secret", held.secret
    yield "app.pem", held.certificate.pem()
    yield "app.jwt", held.federated_token
    yield from users.files(entra)


VENDOR = Vendor(
    name="entra",
    state=Entra,
    load=scenario.load,
    segments=None,  # a path begins with a tenant
    find=routes.find,
    operations=routes.OPERATIONS,
    trace=trace,
    control={("POST", "admin_token"): users.control},
    mutations=mutations.MUTATIONS,
    status=lambda entra: {"tenants": len(entra.tenants)},
    files=_files,
)
