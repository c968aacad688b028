"""Where an action takes its options from: the task's own arguments, then the variables of the role that it names."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import ansible.template
import pytest
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import Module
from ansible_collections.mssp.onboarding.plugins.plugin_utils import _authority
from ansible_collections.mssp.onboarding.plugins.plugin_utils._action import EngineAction

SPEC: dict[str, dict[str, Any]] = {
    "tenant_id": {"type": "str", "required": True},
    "client_secret": {"type": "str", "no_log": True},
    "state": {"type": "str", "default": "present"},
    "count": {"type": "int", "default": 1},
    "logs": {"type": "dict", "default": {}},
    "families": {"type": "list", "elements": "str", "default": ["all"]},
    "return_keys": {"type": "bool", "default": False},
    "evidence_path": {"type": "path"},
}


async def engine(params: dict[str, Any], reporter: Any, redactor: Any, *, check: bool, diff: bool) -> dict[str, Any]:
    return {"changed": False, "failed": False, "params": dict(params)}


class Action(EngineAction):
    MODULE = Module(engine, "acme", SPEC, secret_option="return_keys")
    sent: dict[str, Any]

    def _execute_module(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.sent = kwargs["module_args"]
        return {"changed": False}


def trusted(value: Any) -> Any:
    """As of a file: ansible-core 2.19 and later template only what they trust."""
    trust = getattr(ansible.template, "trust_as_template", lambda text: text)
    if isinstance(value, str):
        return trust(value)
    if isinstance(value, dict):
        return {key: trusted(inner) for key, inner in value.items()}
    return [trusted(inner) for inner in value] if isinstance(value, list) else value


def action(
    args: dict[str, Any],
    variables: dict[str, Any],
    transport: str = "local",
    no_log: bool = False,
    kind: type[Action] = Action,
) -> Any:
    task = SimpleNamespace(
        args=args, action="mssp.onboarding.acme", check_mode=False, diff=False, async_val=0, no_log=no_log
    )
    connection = SimpleNamespace(transport=transport, has_native_async=False, _shell=SimpleNamespace(tmpdir="/tmp/x"))
    templar = Templar(loader=DataLoader(), variables=variables)
    return kind(task, connection, None, DataLoader(), templar, None)


def options(args: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
    """What the module is given, evidence left out, by the two ways that there are."""
    variables = {"inventory_hostname": "contoso", **variables}
    given = action(args, variables)._given(variables, "contoso")
    away = action(args, variables, transport="ssh")
    away.run(task_vars=variables)
    assert away.sent == given
    return {name: value for name, value in given.items() if name != "evidence_path"}


FROM = {"options_from": "acme"}


@pytest.mark.parametrize(
    ("args", "variables", "expected"),
    [
        ({"tenant_id": "a"}, {"acme_tenant_id": "b", "acme_count": 2}, {"tenant_id": "a"}),
        (FROM, {"acme_tenant_id": "b", "acme_count": 2, "acme_other": 3}, {"tenant_id": "b", "count": 2}),
        ({**FROM, "tenant_id": "a"}, {"acme_tenant_id": "b"}, {"tenant_id": "a"}),
        ({**FROM, "tenant_id": None}, {"acme_tenant_id": "b"}, {}),
        ({**FROM, "tenant_id": ""}, {"acme_tenant_id": "b"}, {}),
        (FROM, {"acme_tenant_id": None, "acme_client_secret": ""}, {}),
        (FROM, {"acme_families": [], "acme_return_keys": False, "acme_count": 0},
         {"families": [], "return_keys": False, "count": 0}),
        (FROM, {"acme_tenant_id": "{{ other }}", "other": "{{ third }}", "third": "c"}, {"tenant_id": "c"}),
        (FROM, {"acme_count": "{{ 1 + 1 }}"}, {"count": 2}),
        (FROM, {"acme_tenant_id": "{{ omit }}", "omit": "__omit__"}, {}),
        (FROM, {"acme_logs": {"a": ["x{{ b }}", "{{ omit }}"], "c": "{{ omit }}"}, "b": "y", "omit": "__omit__"},
         {"logs": {"a": ["xy"]}}),
    ],
    ids=["no role", "a role's variables", "arguments win", "null keeps out", "so does nothing", "not given",
         "empty is given", "templates of templates", "of another type", "omitted", "nested"],
)  # fmt: skip
def test_options_are_those_of_the_task_and_else_of_the_role(
    args: dict[str, Any], variables: dict[str, Any], expected: dict[str, Any]
) -> None:
    found = options(args, trusted(variables))
    if isinstance(found.get("count"), str):  # ansible-core 2.18 templates to strings, which the spec makes a number
        found["count"] = int(found["count"])
    assert found == expected


def test_what_a_vendor_said_is_no_template() -> None:
    """As ansible-core marks the results of tasks: untrusted since 2.19, unsafe before."""
    text: Any = "{{ 1 + 1 }}"
    if not hasattr(ansible.template, "trust_as_template"):
        from ansible.utils.unsafe_proxy import wrap_var

        text = wrap_var(text)
    assert options(FROM, {"acme_logs": {"a": [text]}}) == {"logs": {"a": ["{{ 1 + 1 }}"]}}


def test_an_encrypted_value_is_decrypted() -> None:
    class Encrypted:
        """Like both of ansible-core's: it is no string, and gives its secret as one."""

        def __str__(self) -> str:
            return "s3cret"

    assert options(FROM, {"acme_client_secret": Encrypted()}) == {"client_secret": "s3cret"}


def test_what_is_undefined_in_a_template_is_an_error() -> None:
    with pytest.raises(Exception, match="nowhere"):
        options(FROM, trusted({"acme_tenant_id": "{{ nowhere }}"}))


def test_the_role_names_the_folder_of_the_evidence() -> None:
    given = action(FROM, {})._given({"acme_evidence_path": "/var/evidence"}, "contoso")
    assert given == {"evidence_path": "/var/evidence/contoso.acme.jsonl"}


def test_the_engine_runs_in_the_worker_with_checked_options() -> None:
    variables = {"acme_tenant_id": "b", "acme_count": "3", "inventory_hostname": "contoso"}
    result = action({**FROM, "evidence_path": "/e"}, variables).run(task_vars=variables)
    assert result["params"] == {
        "tenant_id": "b", "client_secret": None, "state": "present", "count": 3, "logs": {}, "families": ["all"],
        "return_keys": False, "evidence_path": "/e",
    }  # fmt: skip


def test_a_missing_option_is_named_and_no_secret_is() -> None:
    result = action({**FROM, "evidence_path": "/e"}, {}).run(
        task_vars={"acme_client_secret": "s3cret", "acme_count": "s3cret"}
    )
    assert (result["failed"], result["summary"]["outcome"]) == (True, "failed")
    assert "tenant_id" in result["msg"]
    assert "acme_tenant_id" in result["problems"][0]["next_step"]
    assert "s3cret" not in str(result)


def test_a_variable_of_the_environment_that_is_not_set_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACME_TENANT", raising=False)
    template = "{{ '' if true else lookup('ansible.builtin.env', 'ACME_TENANT') }}"  # units have no lookups
    variables = trusted({"acme_tenant_id": template})
    (problem,) = action({**FROM, "evidence_path": "/e"}, variables).run(task_vars=variables)["problems"]
    assert problem["next_step"] == "set the environment variable ACME_TENANT (for acme_tenant_id)"


def test_a_value_that_ansible_cannot_read_is_named_with_what_to_do() -> None:
    class Closed:
        def __str__(self) -> str:
            raise AnsibleError("Attempting to decrypt but no vault secrets found.")

    (problem,) = action(FROM, {}).run(task_vars={"acme_client_secret": Closed()})["problems"]
    assert "acme_client_secret: Attempting to decrypt" in problem["message"]
    assert "--vault-id" in problem["next_step"]


@pytest.mark.parametrize("value", [True, "yes"])
def test_a_secret_in_the_result_needs_no_log(value: Any) -> None:
    variables = {"acme_tenant_id": "b"}
    with pytest.raises(AnsibleActionFail, match="return_keys needs no_log: true"):
        action({**FROM, "return_keys": value, "evidence_path": "/e"}, variables).run(task_vars=variables)
    args = {**FROM, "return_keys": value, "evidence_path": "/e"}
    assert action(args, variables, no_log=True).run(task_vars=variables)["params"]["return_keys"] is True


SPEC_OF_TLS: dict[str, dict[str, Any]] = {
    "tls_ca": {"type": "str"},
    "tls_ca_key": {"type": "str", "no_log": True},
    "tls_signed": {"type": "dict", "default": {}},
}


class Signing(Action):
    """Of a module that asks for one certificate until it has it."""

    MODULE = Module(engine, "acme", SPEC_OF_TLS, on_host=True, certificates=lambda _options: {"cert": ["c.example"]})

    def _execute_module(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self.calls = [*getattr(self, "calls", []), kwargs["module_args"]]
        return {"changed": True} if kwargs["module_args"].get("tls_signed") else {"requests": {"cert": "of the host"}}


@pytest.mark.parametrize("transport", ["local", "ssh"])
def test_an_authoritys_key_stays_here_and_the_host_gets_what_was_signed(
    transport: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []

    def signed(*given: Any) -> dict[str, str]:
        seen.append(given)
        return {"cert": "signed"}

    monkeypatch.setattr(_authority, "signed", signed)
    given = {"tls_ca": "CA", "tls_ca_key": "KEY"}
    made = action(given, {}, transport, kind=Signing)
    assert made.run(task_vars={"inventory_hostname": "contoso"}) == {"changed": True}
    assert made.calls == [{"tls_ca": "CA"}, {"tls_ca": "CA", "tls_signed": {"cert": "signed"}}]
    assert seen == [("CA", "KEY", {"cert": "of the host"}, {"cert": ["c.example"]})]
