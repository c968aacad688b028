# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Options of the playbook: what is taken, and what is refused before anything is sent."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook import options
from ansible_collections.mssp.onboarding.plugins.module_utils._sekoia.playbook.profile import ASSUMED, profile

UUID = "5e000000-0000-4000-8000-000000000001"
GOOD: dict[str, Any] = {"api_key": "k", "target_url": "https://t.example/x", "secret": "canary"}


def setup(**given: Any) -> options.Setup:
    checked = ArgumentSpecValidator(options.CONVERGE_SPEC).validate({**GOOD, **given})
    assert not checked.error_messages, checked.error_messages
    return options.setup(checked.validated_parameters)


@pytest.mark.parametrize(("region", "api", "intake"), [
    ("fra1", "https://api.sekoia.io", "https://intake.sekoia.io"),
    ("usa1", "https://app.usa1.sekoia.io/api", "https://intake.usa1.sekoia.io/api/v1/intake-http"),
])  # fmt: skip
def test_a_region_names_its_hosts(region: str, api: str, intake: str) -> None:
    identity = setup(region=region).identity
    assert (identity.api_url, identity.intake_url) == (api, intake)
    assert setup(region=region, api_url="https://lab.example:1/api/").identity.api_url == "https://lab.example:1/api"


def test_the_alerts_are_read_with_a_key_of_their_own_where_there_is_one() -> None:
    assert [setup().alerts_key, setup(alerts_api_key="other").alerts_key] == ["k", "other"]


@pytest.mark.parametrize(("given", "told"), [
    ({"target_url": "http://t.example"}, "target_url"),
    ({"target_url": "https://t.example/{{ node.0 }}"}, "target_url"),
    ({"target_url": "https://user@t.example"}, "target_url"),
    ({"target_url": "https://t.example/?sig=canary"}, "target_url"),
    ({"target_url": "https://u:canary@t.example/"}, "target_url"),
    ({"api_url": "https://"}, "api_url"),
    ({"community_uuid": "contoso"}, "community_uuid"),
    ({"playbook_uuid": "mine"}, "playbook_uuid"),
    ({"api_key_expires": "soon"}, "api_key_expires"),
    ({"secret": None}, "auth bearer needs a secret"),
    ({"auth": "none"}, "auth none needs no secret"),
    ({"auth": "basic"}, "auth basic needs a username"),
    ({"username": "u"}, "auth bearer needs no username"),
    ({"secret": "{{ node.1 }}"}, "secret must be"),
    ({"fields": {"id": "short_idd"}}, "did you mean short_id"),
    ({"fields": {}}, "at least one"),
    ({"texts": {"a": "{% raw %}"}}, "texts"),
    ({"headers": {"X-Api-Key": "k"}}, "everybody who reads the playbook"),
    ({"headers": {"Authorization": "Bearer k"}}, "everybody who reads the playbook"),
    ({"headers": {"a b": "k"}}, "no name of a header"),
    ({"name": " x"}, "name must be"),
])  # fmt: skip
def test_what_is_wrong_is_told_before_anything_is_sent(given: dict[str, Any], told: str) -> None:
    with pytest.raises(InputError, match=told) as raised:
        setup(**given)
    assert "canary" not in str(raised.value)


@pytest.mark.parametrize("change", [
    {"version": 2}, {"confirmed": "yes"}, {"more": 1}, {"enabled": "enabled"}, {"issues": [1]},
    {"enable": []}, {"enable": [{"method": "GET", "path": "/{uuid}"}]}, {"disable": [{"method": "POST", "path": "/x"}]},
    {"enable": [{"method": "POST", "path": "/{uuid}", "more": 1}]},
])  # fmt: skip
def test_a_profile_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    assert [way.method for way in profile(None).enable] == ["POST", "PATCH"]
    with pytest.raises(InputError):
        profile({**ASSUMED, **change})
