# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Resource Manager says when it says no: whose turn it is, and the one step that helps.

Sources: learn.microsoft.com «Troubleshoot common Azure deployment errors», «Resolve errors for resource provider
registration», «Azure subscription states», «Azure Policy effects», «Lock resources», «Understand deny assignments»,
«Troubleshoot Azure RBAC»; where a row has another one, it stands beside it.

assumed: codes of roles, features and quotas, and words by which a type takes no settings, that stand on none of these
pages and have no source beside them; how Azure spells its codes varies, so they are compared without regard to case.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from ..._core import http
from ..._core.errors import NoAnswerError, OnboardingError, RefusedError
from ..._core.findings import CUSTOMER, PROVIDER

# Only these say that a role is missing; no other refusal is cured by granting one.
RIGHT_CODES = frozenset({"authorizationfailed", "linkedauthorizationfailed"})
# What takes no diagnostic settings. JulianHayward/AzAPICall, AzAPICallRuleSet, has the first two codes.
UNSUPPORTED_CODES = frozenset(
    {"resourcetypenotsupported", "resourceprovidernotsupported", "resourcetypenotfound", "invalidresourcetype"}
)
UNSUPPORTED_WORDS = (
    "does not support diagnostic settings",
    "doesn't support diagnostic settings",
    "not supported for diagnostic settings",
    "diagnostic settings are not supported",
    "diagnostic settings is not supported",
    "does not support diagnostics",
    "resource type is not supported",
)
# What a request meets while somebody else's is under way; it passes.
BUSY_CODES = frozenset(
    {"anotheroperationinprogress", "conflictingconcurrentwritenotallowed", "operationinprogress",
     "resourcegroupbeingdeleted", "deploymentactiveanduneditable", "retryableerror", "preconditionfailed"}
)  # fmt: skip
# Azure/durabletask#14, durabletask-netherite PR#136: the first, at Event Hubs.
BUSY_WORDS = ("another conflicting operation is in progress", "another operation is in progress", "subcode=40901")
MAX_DETAILS = 10


class Cure(NamedTuple):
    """A row: it fits a code or words of Azure's, at the statuses it names. owner: who can do it, '' who runs this."""

    step: str
    owner: str = CUSTOMER
    codes: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    statuses: frozenset[int] = frozenset()

    def fits(self, status: int, code: str, text: str) -> bool:
        """Of a code and a text in small letters."""
        if self.statuses and status not in self.statuses:
            return False
        named = code in self.codes or any(words in text for words in self.words)
        return named or not (self.codes or self.words)


def _codes(*codes: str) -> frozenset[str]:
    return frozenset(code.casefold() for code in codes)


REGISTER = "run: az provider register --namespace "
FRONT = (
    "see who answered: it was not Resource Manager. Look at the proxy, firewall and DNS on the way from here; if none "
    "is there, give Azure support the request id: its front door blocks this address"
)

# The first row that fits counts: what says most comes first.
CURES = (
    # Registration, where the text names what is missing.
    Cure(REGISTER + "Microsoft.Insights",
         words=("not registered to use microsoft.insights", "namespace 'microsoft.insights'",
                "please register the subscription")),
    Cure("have an Owner of the subscription run: az provider register --namespace Microsoft.ManagedServices",
         words=("use namespace 'microsoft.managedservices'",)),
    Cure(REGISTER + "Microsoft.EventHub", words=("use namespace 'microsoft.eventhub'",)),
    # Azure/ALZ-Bicep#565, Enterprise-Scale#1712: a 409 that wraps this code with an empty text.
    Cure(REGISTER + "Microsoft.Insights in the destination's subscription, and in the resource's", PROVIDER,
         codes=_codes("InvalidAuthenticationToken"), statuses=frozenset({409})),
    # Azure/azure-dev#5425, MicrosoftDocs/azure-docs-cli PR#5403: a policy of Microsoft's own; a claims challenge.
    Cure("sign in again with multi-factor authentication and give that access_token; an app's own token needs none", "",
         words=("mfaforazure", "multi-factor authentication", "multifactor authentication", "mfa is required",
                "insufficient_claims", "claims challenge")),
    # PIM with an authentication context: Azure/azure-powershell#25421.
    Cure("sign in again as the Conditional Access policy asks and give that access_token", "",
         codes=_codes("RoleAssignmentRequestAcrsValidationFailed"),
         words=("conditional access", "&claims=", 'claims="')),
    # microsoft/vscode-apimanagement#464, Azure/static-web-apps#1709.
    Cure("choose another region, or have Azure support open this one: Microsoft restricts this subscription",
         codes=_codes("RequestDisallowedByAzure", "DisallowedByAzure", "RegionDoesNotAllowProvisioning"),
         words=("disallowed by azure",)),
    Cure("have the offer or the spending limit of the subscription changed: it does not allow this provider",
         codes=_codes("DisallowedProvider", "DisallowedOperation", "DisallowedResourceType")),
    # Azure-Landing-Zones#4283 for the effect denyAction.
    Cure("have the policy that the text names exempt this, or change the policy; no role helps",
         codes=_codes("RequestDisallowedByPolicy", "PolicyViolation", "DisallowedByPolicy"),
         words=("disallowed by policy", "denied by policy", "policy violation", "disallowed by one or more policies",
                "denyaction")),
    Cure("have the owner of the deny assignment (a deployment stack, a managed application) exclude the app; no role "
         "helps", codes=_codes("DenyAssignmentAuthorizationFailed"), words=("deny assignment",)),
    Cure("remove the lock for the change, or exclude the resource",
         codes=_codes("ScopeLocked"), words=("scope is locked", "scope(s) are locked", "remove the lock")),
    Cure("enable the subscription, or exclude it",
         codes=_codes("ReadOnlyDisabledSubscription", "SubscriptionDisabled", "DisabledSubscription",
                      "SubscriptionNotActive"),
         words=("subscription is disabled", "disabled and therefore marked as read only")),
    # Settings and destinations.
    Cure("remove a setting that is no longer needed from this resource", words=("diagnostic settings was reached",)),
    Cure("give a destination for the region in regional_destinations", PROVIDER,
         words=("should be in the same region",)),
    Cure("another setting sends the same logs to the same destination: see on_conflict", words=("data sink",)),
    Cure("correct what the text says of the transform, the columns or the table", PROVIDER,
         codes=_codes("InvalidPayload")),
    # Whose right is missing where.
    Cure("run with the access_token of an Owner of the subscription who is no guest there",
         words=("microsoft.managedservices/",)),
    Cure("run with the access_token of an Owner, or of a User Access Administrator, of the scope",
         words=("microsoft.authorization/roleassignments/",)),
    Cure("grant the app's service principal Contributor on the resource group of the Event Hub",
         words=("authorization to perform action 'microsoft.eventhub/",)),
    Cure("grant the app's service principal Log Analytics Contributor on the workspace",
         words=("authorization to perform action 'microsoft.operationalinsights/",)),
    Cure("grant the app's service principal Monitoring Contributor on the resource group of the data collection rule",
         words=("authorization to perform action 'microsoft.insights/datacollectionrules/",)),
    Cure("make the resource group, or grant the app's service principal Contributor on the subscription",
         words=("authorization to perform action 'microsoft.resources/subscriptions/resourcegroups/write'",)),
    Cure("name the destination's tenant in auxiliary_tenant_ids and have the app consented there, "
         "or delegate the subscriptions by Azure Lighthouse and set managing_tenant_id", PROVIDER,
         words=("is not authorized to access linked subscription",)),
    Cure("grant the app Log Analytics Contributor on the destination, or the right named", PROVIDER,
         codes=_codes("LinkedAuthorizationFailed")),
    Cure("grant the app's service principal Monitoring Contributor on the subscription",
         codes=_codes("AuthorizationFailed")),
    # What takes no settings.
    Cure("exclude the resource type: it takes no diagnostic settings", "",
         codes=UNSUPPORTED_CODES, words=UNSUPPORTED_WORDS),
    Cure("register the feature that the text names in the subscription",
         codes=_codes("SubscriptionNotRegisteredForFeature", "FeatureNotRegistered", "RequiredFeatureNotEnabled")),
    Cure("register the resource provider that the text names in the subscription",
         codes=_codes("MissingSubscriptionRegistration", "SubscriptionNotRegistered", "NoRegisteredProviderFound",
                      "InvalidSubscriptionRegistrationState", "MissingRegistrationForLocation"),
         words=("is not registered to use", "is not registered with")),
    # The token.
    Cure("check tenant_id, or managing_tenant_id where access is by Lighthouse; a new delegation counts after up to 15 "
         "minutes", PROVIDER, codes=_codes("InvalidAuthenticationTokenTenant")),
    Cure("give a token of Resource Manager (az account get-access-token), and check cloud", "",
         codes=_codes("InvalidAuthenticationTokenAudience", "InvalidAuthenticationInfo", "InvalidTokenError")),
    Cure("get a fresh token, and set this machine's clock", "", codes=_codes("ExpiredAuthenticationToken")),
    Cure("check the identity: Azure did not take its token", PROVIDER,
         codes=_codes("InvalidAuthenticationToken", "AuthenticationFailed", "AuthenticationFailedMissingToken")),
    # What is not there.
    Cure("check that the app's service principal has a role on the subscription",
         codes=_codes("SubscriptionNotFound", "InvalidSubscriptionId")),
    Cure("run again: the resource went away between the inventory and this request", "",
         codes=_codes("ResourceNotFound")),
    Cure("run again: the resource group went away between the inventory and this request", "",
         codes=_codes("ResourceGroupNotFound")),
    Cure("run again: what it lies in is not there yet, or has gone", "", codes=_codes("ParentResourceNotFound")),
    # Roles and delegations: learn.microsoft.com «Troubleshoot Azure RBAC»; modern-web-app-pattern-dotnet PR#129.
    Cure("check principal_id and tenant_id; a principal that is new is known after a minute or two", "",
         codes=_codes("PrincipalNotFound")),
    Cure("set principal_type to what the principal is: ServicePrincipal, User or Group", "",
         codes=_codes("UnmatchedPrincipalType")),
    Cure("remove the role assignment that the operation names, then run again",
         codes=_codes("RoleAssignmentUpdateNotPermitted")),
    Cure("run again: the role is assigned already, by another assignment", "", codes=_codes("RoleAssignmentExists")),
    Cure("remove role assignments that nobody needs, or assign the role to a group: Azure's limit is reached",
         codes=_codes("RoleAssignmentLimitExceeded", "RoleDefinitionLimitExceeded")),
    Cure("check the name of the role and its assignable scopes", "",
         codes=_codes("RoleDefinitionDoesNotExist", "RoleDefinitionNotFound")),
    Cure("choose the built-in roles that Lighthouse takes, as its text says", PROVIDER,
         codes=_codes("InvalidRegistrationDefinitionCreateRequest")),
    # What passes, and what a limit forbids.
    Cure("run again: another operation on the same thing is under way", "", codes=BUSY_CODES, words=BUSY_WORDS),
    Cure("free what nobody needs, or have Azure support raise the quota that the text names",
         codes=_codes("QuotaExceeded", "ResourceQuotaExceeded", "OperationNotAllowed", "SkuNotAvailable",
                      "DeploymentQuotaExceeded", "LocationNotAvailableForResourceType"),
         words=("subcode=40300", "exceeds the quota", "exceeding approved", "maximum number of")),
    Cure("run again later or with fewer requests in flight: Azure kept throttling", "", statuses=frozenset({429})),
    Cure("run again: Azure did not answer in its own time; if it stays, give Azure support the request id", "",
         codes=_codes("RequestTimeout", "ServerTimeout", "GatewayTimeout")),
    # Resource Manager gives every refusal a code: Azure/azure-cli#33746, #30718, #33744 show who else answers.
    Cure(FRONT, "", codes=frozenset({""}),
         statuses=frozenset({*range(300, 400), 400, 401, 403, 404, 405, 407, 409, 411, 413, 414, 431, 451, 502})),
    Cure("grant the app's service principal the right that the text names",
         words=("not authorized", "authorization to perform", "permission"), statuses=frozenset({403})),
    Cure("do what the text says: it names no right that is missing", statuses=frozenset({403})),
    Cure("check the identity: Azure did not take its token", PROVIDER, statuses=frozenset({401})),
    Cure("check that it still exists and that the identity may read it", "", statuses=frozenset({404})),
    Cure("run again: something is in the way of this change; if it stays, do what the text says", "",
         statuses=frozenset({409, 412})),
    Cure("run again; if it stays, give Azure support the request id", ""),
)  # fmt: skip


def cure(status: int, code: str, text: str) -> Cure:
    """The row of a refusal; there is always one."""
    code, text = code.casefold(), text.casefold()
    return next(row for row in CURES if row.fits(status, code, text))


def lacks_right(error: OnboardingError) -> bool:
    """Whether Azure itself has said that a role is missing: no policy, lock, proxy or demand for MFA says so."""
    denied = _code(error) in RIGHT_CODES
    return denied and "deny assignment" not in str(error).casefold()


def not_delegated(error: OnboardingError) -> bool:
    """Whether Azure has said that the subscription is not of, nor delegated to, the tenant of the token.

    It says so of a new delegation, too, for 10 to 15 minutes: Azure/OpenShift#8. SubscriptionNotFound says less: the id
    may be a wrong one, or the subscription gone.
    """
    return _code(error) == "invalidauthenticationtokentenant"


def is_busy(error: OnboardingError) -> bool:
    """Whether another operation is in the way, which passes."""
    return _code(error) in BUSY_CODES or any(words in error.message.casefold() for words in BUSY_WORDS)


def is_gone(error: OnboardingError) -> bool:
    """Whether Azure itself has said that there is no such thing; a 404 without its code is somebody else's."""
    return error.status == 404 and _code(error).endswith("notfound")


def _code(error: OnboardingError) -> str:
    """Azure's code in small letters, '' where no answer came that could be read."""
    return "" if isinstance(error, NoAnswerError) else error.code.casefold()


def unsupported(error: RefusedError) -> bool:
    """Whether Azure has said that this kind of thing takes no diagnostic settings."""
    if error.status not in (400, 404, 405, 409):
        return False
    text = error.message.casefold()
    return error.code.casefold() in UNSUPPORTED_CODES or any(words in text for words in UNSUPPORTED_WORDS)


def error_code_and_text(body: Any) -> tuple[str, str]:
    """Azure's code and text out of both its shapes, {"error": {…}} and {"code": …}, also as JSON inside a text."""
    if isinstance(body, str):
        return "", body
    if not isinstance(body, dict):
        return "", ""
    inner = body.get("error", body)
    if not isinstance(inner, dict):
        return "", str(inner)
    code, text = str(inner.get("code") or ""), str(inner.get("message") or "")
    return _wrapped(text) or (code, "; ".join(filter(None, [text, *_details(inner.get("details"))])))


def _details(told: Any) -> list[str]:
    """What a refusal of several reasons says of each: terraform-provider-azurerm#28709."""
    listed = told if isinstance(told, list) else []
    return [str(one["message"]) for one in listed[:MAX_DETAILS] if isinstance(one, dict) and one.get("message")]


def _wrapped(text: str) -> tuple[str, str] | None:
    """An error that another one carries as JSON in its text, also behind words; None where there is none."""
    start = text.find("{")
    if start < 0:
        return None
    try:
        body, _end = json.JSONDecoder().raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    code, inner = error_code_and_text(body)
    return (code, inner) if code else None


def refused(operation: str, answer: http.Answer) -> RefusedError:
    code, text = error_code_and_text(answer.body)
    found = cure(answer.status, code, f"{text} {answer.headers.get('WWW-Authenticate', '')}")
    return RefusedError(
        operation,
        text or "Azure gave no text",
        code=code or f"HTTP{answer.status}",
        status=answer.status,
        next_step=found.step,
        request_id=answer.headers.get("x-ms-request-id", ""),
        owner=found.owner,
    )
