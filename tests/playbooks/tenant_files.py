"""Tenant files for tests, made of role variables."""

from __future__ import annotations

from typing import Any

import yaml

from ansible_collections.mssp.onboarding.plugins.plugin_utils._inventory.schema import load_schema


def tenant_file(slug: str, variables: dict[str, Any], **more: Any) -> str:
    """A tenant file whose sources have these variables, named with the roles' prefixes; more: other keys."""
    head = {"plugin": "mssp.onboarding.tenants", "slug": slug, "name": slug.title()}
    return yaml.safe_dump({**head, "sources": sections(variables), **more})


def sections(variables: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Variables as the sections of their roles."""
    found: dict[str, dict[str, Any]] = {}
    for variable, value in variables.items():
        role, option = load_schema().places[variable]
        found.setdefault(role.name, {})[option] = value
    return found


def variables(sections: dict[str, Any]) -> dict[str, Any]:
    """The sections of roles as their variables."""
    roles = load_schema().roles
    return {roles[role].variable(option): value for role in sections for option, value in sections[role].items()}
