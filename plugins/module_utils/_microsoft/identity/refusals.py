# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Entra says when it gives no token: whose turn it is, and the one step that helps.

Sources: learn.microsoft.com «Microsoft Entra authentication and authorization error codes», as far as an app meets
them that signs in as itself; «Conditional Access for workload identities», «Workload identity federation: error
codes». Codes of the second kind that no reference lists have their report beside them.

assumed: codes of federation and of conditional access that stand on none of these pages (5000224, 5000225, 5000211,
501051 and those of 5300xx beside 53003).
"""

from __future__ import annotations

from typing import NamedTuple

from ..._core.errors import OnboardingError
from ..._core.findings import CUSTOMER, PROVIDER


class Cure(NamedTuple):
    """owner: whose turn it is, '' where the time heals it or nobody can tell."""

    step: str
    owner: str


# Codes for an app that has no service principal in the tenant, and for a resource app that has none.
NOT_CONSENTED = frozenset({"AADSTS700016", "AADSTS7000229", "AADSTS700011"})
# The app is there, and somebody has switched it off.
DISABLED = "AADSTS7000112"
NOT_PROVISIONED = frozenset({"AADSTS500011", "AADSTS650052"})
OTHER_STEP = "check the identity's options, authority_url, and the network and proxy on the way"
OTHER = Cure(OTHER_STEP, PROVIDER)

_ROWS: tuple[tuple[Cure, str], ...] = (
    # The secret, the certificate, the federated token: the app is registered at the provider.
    (Cure("check client_secret: it must be the secret's value, not its id", PROVIDER), "7000215 70002 50126"),
    (Cure("make a new client secret for the app and put it in the vault: this one has expired", PROVIDER), "7000222"),
    (Cure("give client_secret, client_certificate_path or federated_token_file: Entra got none of them", PROVIDER),
     "7000218 7000216 900144 90014"),
    (Cure("switch «Allow public client flows» off in the app registration: it refuses every credential", PROVIDER),
     "700025"),
    (Cure("upload the certificate to the app registration: this one is not registered there", PROVIDER),
     "700027 50012 700030 50003"),
    (Cure("register a certificate with an RSA key of 2048 bits or more", PROVIDER), "50032"),
    (Cure("get a fresh federated token, or set this machine's clock: the assertion is out of its time", PROVIDER),
     "700024 500133 50013 90114"),
    (Cure("add a federated credential whose issuer, subject and audience match the token", PROVIDER),
     "70021 70025 700211 700212 700213 50048"),
    (Cure("check federated_token_file: it must hold one token of its issuer, whole and for this client_id", PROVIDER),
     "700021 50006 50027 50120 900384 90016 700229 240002"),
    # Azure/azure-workload-identity: the keys of the issuer are read from here.
    (Cure("let Entra reach the issuer of the federated token: it could not read its keys", PROVIDER), "50166 90061"),
    # The app.
    (Cure("check client_id", PROVIDER), "50034 700022"),
    (Cure("make the app registration multitenant (accounts in any organizational directory)", PROVIDER), "50194 50020"),
    (Cure("have Microsoft's support look at the app: it is closed, or may not be used by others", PROVIDER),
     "1000031 65002"),
    (Cure("the app has no service principal in this tenant: have its admin consent to client_id there", CUSTOMER),
     "700016 7000229 700011"),
    (Cure("have the tenant's admin enable the enterprise application («Enabled for users to sign in»); where it is "
          "enabled there, enable the app registration", CUSTOMER), "7000112 70001"),
    (Cure("have the tenant's admin assign the app to the resource, or take «Assignment required» off it", CUSTOMER),
     "50105 501051"),
    (Cure("have the tenant's admin consent to client_id again: its permissions are not granted", CUSTOMER),
     "65001 65004 65005 650053 650056 650057 90008 90094 90095 90099"),
    # The resource.
    (Cure("check cloud and the tenant id; else this tenant has no such service: have its admin set it up", CUSTOMER),
     "500011 50001"),
    (Cure("have the tenant's admin license or enable the service that the text names", CUSTOMER),
     "650052 650054 500014 51000"),
    (Cure("check cloud and the URLs of the endpoints: Entra knows no such resource or scope", PROVIDER),
     "70011 28002 28003 700023 1002012 901002 90010"),
    # The tenant and its cloud.
    (Cure("check the tenant id: this cloud knows no such tenant", PROVIDER), "90002"),
    (Cure("check the tenant id: it is not one", PROVIDER), "900021 900023 50029 50059 50128 90019 90013"),
    (Cure("set cloud to the one that the tenant lies in", PROVIDER),
     "90038 90043 90051 900382 900432 1000104 50049 50134"),
    (Cure("check authority_url: its path is of no one tenant", PROVIDER), "9001023 9002332 90124 90130 50050"),
    (Cure("have the tenant's admin reopen it at Microsoft: it is blocked or was left unused", CUSTOMER),
     "5000224 5000225"),
    # What a customer's policies forbid.
    (Cure("have the tenant's admin exclude the app from the Conditional Access policy, or allow this machine's "
          "address", CUSTOMER),
     "53003 53000 53001 53002 53010 530001 530002 530003 530004 530005 530032 530035 50005 50097 50131 50129 50155 "
     "50158 50187 70043"),
    (Cure("have the tenant's admin exclude the app from the policy that demands multi-factor authentication: an app "
          "has no second factor", CUSTOMER), "50072 50074 50076 50078 50079 53004 700020 16000 50058"),
    (Cure("have the tenant's admin look at the app under «Risky workload identities» and dismiss the risk", CUSTOMER),
     "53011 50053 530034"),
    (Cure("have the tenant's admin allow this app, or the provider's tenant, in the cross-tenant access settings",
          CUSTOMER), "500212 500213"),
    (Cure("have whoever keeps the proxy on the way add the tenant to its tenant restrictions", PROVIDER),
     "50002 500021 500022 5000211"),
    # What passes.
    (Cure("run again later, with fewer runs at once: Entra throttles these sign-ins", ""), "90055 50196 90024 50088"),
    (Cure("run again: Entra has a passing fault of its own", ""),
     "50033 50087 90006 90012 90033 90090 90091 90092 50000 80012"),
    (Cure("give Microsoft's support the trace id: Entra has a fault of its own", PROVIDER), "90036 50007 50086 90123"),
    # What this program should never send.
    (Cure("report the text: Entra does not understand the request", PROVIDER),
     "90004 90023 9002313 90100 90102 90117 90121 70003 50192 900561"),
)  # fmt: skip
CURES = {f"AADSTS{number}": cure for cure, numbers in _ROWS for number in numbers.split()}


def cure(code: str) -> Cure:
    return CURES.get(code, OTHER)


def whose(error: OnboardingError, tenant: str, customer: str) -> str:
    """Who can cure a failed sign-in: in a tenant that is not the customer's everything is the provider's."""
    return (error.owner if tenant == customer else "") or PROVIDER
