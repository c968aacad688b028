# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exists in the lab's Umbrella cloud: organizations, API keys, and the key of each organization's log export.

S3 itself is moto's server, where one is attached: then the keys are those of users there, and AWS' own refusals come
from it. moto looks at no Condition of a policy, so a key may list beside its prefix there.
"""

from __future__ import annotations

import secrets
import string
from dataclasses import dataclass, field
from typing import Any, ClassVar

from lab.kernel.context import Lab, State
from lab.kernel.registration import Scenario

_LETTERS = string.ascii_uppercase + string.digits


@dataclass(slots=True)
class Organization:
    """user: its user in AWS; first_rotation: somebody has made the first keys by hand; traffic: users are at work."""

    id: str
    name: str
    parent: str = ""
    first_rotation: bool = True
    traffic: bool = True
    key: str = ""
    secret: str = ""

    @property
    def user(self) -> str:
        return f"umbrella-{self.id}"


@dataclass(slots=True)
class ApiKey:
    key: str
    organization: str
    secret: str
    scopes: list[str] = field(default_factory=lambda: ["admin.iam:write", "reports"])


class Umbrella(State):
    """umbrella_error_in_200: a refusal comes as 200 with C(error); umbrella_old_key_lives: a rotation leaves it."""

    configurable: ClassVar[tuple[str, ...]] = ("umbrella_error_in_200", "umbrella_old_key_lives")

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.organizations: dict[str, Organization] = {}
        self.keys: dict[str, ApiKey] = {}
        self.tokens: dict[
            str, tuple[str, str, float]
        ] = {}  # token -> (API key, organization, world seconds of its end)
        self.iam: Any = None  # boto3's client of the AWS that has the keys
        self.rotations = 0
        self.umbrella_error_in_200 = False
        self.umbrella_old_key_lives = False

    def attach(self, aws: dict[str, str]) -> None:
        """The AWS that has the keys; its client stays as long as the lab runs."""
        import boto3  # type: ignore[import-untyped]

        self.iam = self.lab.once(
            f"umbrella {aws['url']}",
            lambda: boto3.client(
                "iam",
                region_name="us-east-1",
                endpoint_url=aws["url"],
                aws_access_key_id=aws["access_key_id"],
                aws_secret_access_key=aws["secret_access_key"],
            ),
        )

    def rotate(self, one: Organization) -> str:
        """A new key in the place of the old one; the id of the old one."""
        old, self.rotations = one.key, self.rotations + 1
        one.key, one.secret = self._minted(one) if self.iam else (_access_key(), secrets.token_hex(20))
        return old

    def _minted(self, one: Organization) -> tuple[str, str]:
        held = [each["AccessKeyId"] for each in self.iam.list_access_keys(UserName=one.user)["AccessKeyMetadata"]]
        # AWS gives a user two keys; the older one goes where both are there.
        for key in held[:-1] if one.key and self.umbrella_old_key_lives else held:
            self.iam.delete_access_key(UserName=one.user, AccessKeyId=key)
        made = self.iam.create_access_key(UserName=one.user)["AccessKey"]
        return made["AccessKeyId"], made["SecretAccessKey"]


def _access_key() -> str:
    return "AKIA" + "".join(secrets.choice(_LETTERS) for _ in range(16))


def load(umbrella: Umbrella, scenario: Scenario) -> None:
    """The key C(umbrella) of a scenario."""
    text = scenario.get("umbrella", {})
    for item in text.get("organizations", []):
        one = Organization(**item)
        umbrella.organizations[one.id] = one
        if one.first_rotation:
            umbrella.rotate(one)
    for item in text.get("keys", []):
        umbrella.keys[item["key"]] = ApiKey(secret=umbrella.lab.derive(item["key"]).hex(), **item)
    umbrella.rotations = 0
