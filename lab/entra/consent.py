# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page on which an administrator lets an app into the tenant, at once and without a sign-in.

Source: learn.microsoft.com, v2-admin-consent (form 2.0: one resource, by `scope`), and the form 1.0, which asks for all
that the application's requiredResourceAccess names. AADSTS650052: PostHog/posthog#43486. Assumed: words and status of
the pages, that without redirect_uri the first one is meant, that ids of another cloud's roles are found by name, and
the words that go back after Cancel. At /common and /organizations whoever signs in says whose tenant it is: here, where
nobody signs in, the domain of login_hint.
"""

from __future__ import annotations

import time
from html import escape
from urllib.parse import parse_qsl, urlencode

from lab.entra import directory_roles, token_endpoint
from lab.entra.directory import App
from lab.entra.state import Entra, Tenant
from lab.kernel.http import Call, Refusal, Reply

HTML = "text/html; charset=utf-8"
_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;margin:3rem auto;max-width:34rem;padding:0 1rem;color:#1b1b1b;"
    "background:#fff}code{overflow-wrap:anywhere}form{display:inline}button{font:inherit;padding:.4rem 1.6rem;"
    "margin:1rem .5rem 0 0;border:1px solid #0b5cad;background:#fff;color:#0b5cad;cursor:pointer}"
    "button.yes{background:#0b5cad;color:#fff}"
)
Wanted = list[tuple[str, str]]  # (resource app id, name of a role)


def page(entra: Entra, call: Call) -> Reply:
    """GET /{tenant}/adminconsent and /{tenant}/v2.0/adminconsent"""
    tenant, app, wanted, _redirect = _asked(entra, call)
    return _html(
        200, "Permissions requested", _question(entra, tenant, app, wanted, f"{call.path}?{call.query_string}")
    )


def decide(entra: Entra, call: Call) -> Reply:
    """POST of either form of the page: decision is accept or cancel. 302 back to the app."""
    tenant, app, wanted, redirect = _asked(entra, call)
    query = call.query
    state = {"state": query["state"]} if "state" in query else {}
    if dict(parse_qsl(call.body.decode("utf-8", "replace"))).get("decision") == "accept":
        entra.consent(tenant.id, app, wanted, time.time())
        scope = {"scope": query["scope"]} if "scope" in query else {}
        answer = {"admin_consent": "True", "tenant": tenant.id, **state, **scope}
    else:
        text = "AADSTS65004: User declined to consent to access the app."
        answer = {"error": "access_denied", "error_description": text, **state}
    call.extra["Location"] = redirect + ("&" if "?" in redirect else "?") + urlencode(answer)
    return Reply(302, content_type=HTML)


# -- what is asked ----------------------------------------------------------------------------------------------------


def _asked(entra: Entra, call: Call) -> tuple[Tenant, App, Wanted, str]:
    """Of a link: whom, for which app, which permissions, and where to go afterwards; or a page that says no."""
    query = call.query
    tenant = _tenant(entra, call)
    if tenant is None:
        raise _no(90002, f"Tenant '{call.path.split('/')[1]}' not found. The lab has no sign-in that would tell it.")
    client_id = query.get("client_id", "")
    app = entra.apps.get(client_id.lower())
    if app is None or not app.known_in(tenant.id):
        raise _no(
            700016,
            f"Application with identifier '{client_id}' was not found in the directory '{tenant.domain}'. This can "
            "happen if the application has not been installed by the administrator of the tenant or consented to by "
            "any user in the tenant.",
        )
    redirect = query.get("redirect_uri") or next(iter(app.redirect_uris), "")
    if redirect not in app.redirect_uris:
        raise _no(
            50011,
            f"The redirect URI '{redirect}' specified in the request does not match the redirect URIs configured for "
            f"the application '{app.client_id}'.",
        )
    return tenant, app, _wanted(entra, call, tenant, app), redirect


def _tenant(entra: Entra, call: Call) -> Tenant | None:
    name = call.low.split("/")[1]
    signed_in = call.query.get("login_hint", "").casefold().rpartition("@")[2]
    return entra.tenant_named(signed_in if name in ("common", "organizations") else name)


def _wanted(entra: Entra, call: Call, tenant: Tenant, app: App) -> Wanted:
    """Of delegated permissions (type Scope) nothing is kept: no token here has them."""
    found = [
        (resource["resourceAppId"], item["id"])
        for resource in app.required
        for item in resource["resourceAccess"]
        if item["type"] == "Role"
    ]
    if call.low.endswith("/v2.0/adminconsent"):
        only = _resource(entra, call, tenant)
        found = [(resource, id_) for resource, id_ in found if resource == only]
    return [(resource, _name(entra, tenant, resource, id_)) for resource, id_ in found]


def _resource(entra: Entra, call: Call, tenant: Tenant) -> str:
    """The app id of the resource that the scope names."""
    scope = call.query.get("scope", "")
    if not scope:
        raise _no(900144, "The request body must contain the following parameter: 'scope'.")
    name = scope.removesuffix("/.default")
    found = token_endpoint.resource_of(entra, tenant.id, name)
    if found is None:
        raise _no(500011, f"The resource principal named {name} was not found in the tenant named {tenant.domain}.")
    return found.app_id


def _name(entra: Entra, tenant: Tenant, resource: str, role_id: str) -> str:
    if entra.directory.find(tenant.id, resource) is None:
        known = directory_roles.BY_ID.get(resource)
        raise _no(
            650052,
            f"The app is trying to access a service '{resource}'({known.name if known else 'unknown'}) that your "
            f"organization '{tenant.id}' lacks a service principal for. Contact your IT Admin to review the "
            "configuration of your service subscriptions or consent to the application in order to create the required "
            "service principal.",
        )
    name = directory_roles.name_of(resource, role_id)
    if name is None:
        raise _no(650053, f"The application asked for permission '{role_id}' that doesn't exist on '{resource}'.")
    return name


# -- pages ------------------------------------------------------------------------------------------------------------


def _question(entra: Entra, tenant: Tenant, app: App, wanted: Wanted, target: str) -> str:
    names = "".join(
        f"<li>{escape(directory_roles.BY_ID[resource].name)}: <code>{escape(name)}</code></li>"
        for resource, name in wanted
    )
    buttons = "".join(
        f'<form method="post" action="{escape(target)}"><button name="decision" value="{value}" class="{look}">'
        f"{text}</button></form>"
        for value, look, text in (("accept", "yes", "Accept"), ("cancel", "no", "Cancel"))
    )
    home = entra.tenants[app.home_tenant].domain
    return (
        f"<p>Administrator of <b>{escape(tenant.domain)}</b>: <b>{escape(app.name)}</b> of {escape(home)} (application "
        f"<code>{escape(app.client_id)}</code>) asks for</p><ul>{names or '<li>Sign-in only</li>'}</ul>"
        f"<p>If you accept, it gets this for all of your organization.</p>{buttons}"
    )


def _no(code: int, text: str) -> Refusal:
    return Refusal(
        _html(400, "Sorry, but we’re having trouble signing you in.", f"<p>AADSTS{code}: {escape(text)}</p>")
    )


def _html(status: int, title: str, content: str) -> Reply:
    text = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{content}</main></body></html>"
    )
    return Reply(status, text.encode(), HTML)
