# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Umbrella engines in this process, against the lab's API and moto's S3, IAM and STS."""

from __future__ import annotations

import json
import time
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.mssp.onboarding.plugins.module_utils._core.entry import execute
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import NoAnswerError
from ansible_collections.mssp.onboarding.plugins.module_utils._core.one_run import locked
from ansible_collections.mssp.onboarding.plugins.module_utils._core.status import DRIFTED
from ansible_collections.mssp.onboarding.plugins.module_utils._core.verdict import Verdict, judged
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella import capability, keyfile, options, rotation
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.client import Umbrella
from ansible_collections.mssp.onboarding.plugins.module_utils._umbrella.plan import DAY
from lab.client import LabClient
from lab.umbrella.client import CONTOSO, CONTOSO_KEY, LITWARE, PROSEWARE_KEY, WINGTIP
from tests.moto import MANAGED, moto

NUMBERS = count()


class Tenant:
    """One export of an organization: below a prefix that no other test has."""

    def __init__(self, lab: LabClient, folder: Path, organization: str = CONTOSO, key: str = CONTOSO_KEY) -> None:
        self.lab, self.folder, self.organization = lab, folder, organization
        self.aws = moto()
        self.aws.user(f"umbrella-{organization}", MANAGED)
        lab.umbrella.attach(self.aws.url, *self.aws.keys, organization)
        self.prefix = f"export{next(NUMBERS)}_{organization}/"
        self.identity = {
            "api_url": lab.url,
            "api_key": key,
            "api_secret": lab.umbrella.secret(key),
            "ca_file": lab.ca_file,
            "aws_endpoint_url": self.aws.url,
        }
        self.export: dict[str, Any] = {"bucket": MANAGED, "prefix": self.prefix}
        if organization != CONTOSO:
            self.export["organization"] = organization

    def first(self, **more: Any) -> dict[str, Any]:
        """The pair of the dashboard, as the tenant file has it."""
        one = self.lab.umbrella.organization(self.organization)
        return {"access_key_id": one["key"], "secret_access_key": one["secret"], **more}

    def run(self, engine: Any, spec: dict[str, Any], check: bool, given: dict[str, Any]) -> dict[str, Any]:
        wanted = {"exports": {"contoso": self.export}, "key_folder": str(self.folder / "keys")}
        found = ArgumentSpecValidator(spec, **options.RULES).validate({**self.identity, **wanted, **given})
        assert not found.error_messages, found.error_messages
        secrets = found._no_log_values
        return execute(engine, "umbrella_logs", found.validated_parameters, check=check, diff=False, secrets=secrets)

    def converge(self, check: bool = False, **given: Any) -> dict[str, Any]:
        return self.run(capability.converge, options.ROTATION_SPEC, check, given)

    def verify(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.verify, options.READ_SPEC, False, given)

    def preflight(self, **given: Any) -> dict[str, Any]:
        return self.run(capability.preflight, options.READ_SPEC, False, given)

    @property
    def file(self) -> Path:
        return self.folder / "keys" / "contoso.json"

    def kept(self) -> dict[str, Any]:
        return dict(json.loads(self.file.read_text()))

    def keep(self, **changed: Any) -> None:
        """A proven key of ten days, but for what is said."""
        self.file.parent.mkdir(exist_ok=True, mode=0o700)
        held = {**self.first(), "created": time.time() - 10 * DAY, "proven": True, **changed}
        self.file.write_text(json.dumps(held))

    def current(self) -> str:
        return str(self.lab.umbrella.organization(self.organization)["key"])

    def rotations(self) -> int:
        return int(self.lab.umbrella.state()["rotations"])


@pytest.fixture
def tenant(lab: LabClient, tmp_path: Path) -> Tenant:
    return Tenant(lab, tmp_path)


def outcome(found: dict[str, Any]) -> tuple[bool, str]:
    return found["changed"], found["summary"]["outcome"]


def drift(found: dict[str, Any]) -> list[str]:
    return list(found["summary"]["drift"])


def test_one_export_through_its_life(tenant: Tenant) -> None:
    found = tenant.converge()
    assert (outcome(found), drift(found)) == ((False, "waiting"), ["first_rotation"])
    assert "Log Management" in found["problems"][0]["next_step"]
    # The first pair, of an age that nobody knows: that is «rotate now».
    tenant.export |= (first := tenant.first())
    found = tenant.converge(check=True)
    assert (outcome(found), drift(found), tenant.rotations()) == ((True, "drifted"), ["age_unknown"], 0)
    assert not tenant.file.exists()
    found = tenant.converge()
    assert (outcome(found), tenant.rotations()) == ((True, "corrected"), 1)
    kept = tenant.kept()
    assert kept["access_key_id"] == tenant.current() != first["access_key_id"]
    assert (kept["proven"], kept["previous"], kept["asked"]) == (True, None, 0.0)
    assert tenant.file.stat().st_mode & 0o777 == 0o600
    assert kept["secret_access_key"] not in str(found)
    assert found["keys"][0]["access_key_id"] == kept["access_key_id"]
    # A second run asks AWS once, and Umbrella nothing.
    found = tenant.converge()
    assert (outcome(found), found["summary"]["requests"]) == ((False, "in_sync"), {"s3:list_objects_v2": 1})
    found = tenant.converge(state="absent")
    assert (outcome(found), tenant.rotations(), tenant.file.exists()) == ((True, "corrected"), 2, False)
    assert outcome(tenant.converge(state="absent")) == (False, "in_sync")


def test_who_leaves_ends_a_first_pair_that_no_file_has(tenant: Tenant) -> None:
    tenant.export |= (first := tenant.first())
    assert (outcome(tenant.converge(state="absent")), tenant.rotations()) == ((True, "corrected"), 1)
    assert (tenant.current() != first["access_key_id"], tenant.file.exists()) == (True, False)
    assert (outcome(tenant.converge(state="absent")), tenant.rotations()) == ((False, "in_sync"), 1)


def test_a_first_pair_of_a_known_age_is_kept_and_not_rotated(tenant: Tenant) -> None:
    tenant.export |= tenant.first(created=time.strftime("%Y-%m-%d", time.gmtime()))
    found = tenant.converge()
    assert (outcome(found), drift(found), tenant.rotations()) == ((True, "corrected"), ["not_kept"], 0)
    assert outcome(tenant.converge()) == (False, "in_sync")


@pytest.mark.parametrize(
    ("days", "given", "classes"),
    [
        (74, {}, []),
        (76, {}, ["due"]),
        (91, {}, ["due"]),
        (10, {"rotate": "now"}, ["requested"]),
        (20, {"rotate_after_days": 15}, ["due"]),
    ],
)
def test_a_key_is_rotated_in_time(tenant: Tenant, days: int, given: dict[str, Any], classes: list[str]) -> None:
    tenant.keep(created=time.time() - days * DAY)
    found = tenant.converge(**given)
    assert (drift(found), tenant.rotations()) == (classes, len(classes))
    assert tenant.kept()["access_key_id"] == tenant.current()


def test_vault_encrypts_what_is_kept_and_consumers_get_the_new_pair(tenant: Tenant) -> None:
    credentials = tenant.folder / "credentials"
    others = "# of others\n[other]\naws_access_key_id = AKIAOTHER\n"
    credentials.write_text(others)
    tenant.export |= {**tenant.first(), "consumers": [{"credentials_file": str(credentials), "profile": "umbrella"}]}
    assert outcome(tenant.converge(vault_password="canary-password")) == (True, "corrected")
    assert tenant.file.read_text().startswith("$ANSIBLE_VAULT;1.1;AES256\n")
    text = credentials.read_text()
    assert text.startswith(others)
    assert f"[umbrella]\naws_access_key_id = {tenant.current()}\n" in text
    assert outcome(tenant.converge(vault_password="canary-password")) == (False, "in_sync")
    credentials.write_text(text.replace(tenant.current(), "AKIASOMEBODYELSE0000"))
    found = tenant.converge(vault_password="canary-password")
    assert (outcome(found), drift(found), tenant.rotations()) == ((True, "corrected"), ["consumer"], 1)
    found = tenant.converge(vault_password="another")
    assert (outcome(found), tenant.rotations()) == ((False, "unknown"), 1)


@pytest.mark.parametrize(("lives", "words"), [(True, "still works"), (False, "works no longer")])
def test_a_lost_answer_tells_which_key_works_and_is_not_asked_for_twice(
    tenant: Tenant, lives: bool, words: str
) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    old = tenant.current()
    if lives:
        tenant.lab.configure(umbrella_old_key_lives=True)
    tenant.lab.fault("drop_after", kind="umbrella.rotate", count=1)
    found = tenant.converge()
    assert (outcome(found), found["problems"][0]["code"], tenant.rotations()) == ((False, "failed"), "AnswerLost", 1)
    assert f"{old} {words}" in found["problems"][0]["message"]
    # So it stays, whatever is run, until a person says so by the key's name.
    for given in ({}, {"rotate": "now"}, {"rotate_again": "AKIAANOTHERONE000000"}):
        found = tenant.converge(**given)
        assert (drift(found), tenant.rotations()) == (["answer_lost"], 1)
        assert f"{old} {words}" in found["problems"][0]["message"]
        assert f"umbrella_logs_rotate_again={old}" in found["problems"][0]["next_step"]
    assert tenant.preflight()["findings"][-1]["status"] == "missing"
    found = tenant.converge(rotate_again=old)
    assert (outcome(found), tenant.rotations()) == ((True, "corrected"), 2)
    assert tenant.kept()["access_key_id"] == tenant.current()
    assert outcome(tenant.converge(rotate_again=old))[1] == "in_sync"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ({"status": 500, "name": "status"}, "AnswerLost"),
        ({"status": 503, "name": "status"}, "AnswerLost"),
        ({"status": 403, "name": "status"}, "HTTP403"),
        ({"status": 404, "name": "status"}, "HTTP404"),
        ({"status": 400, "name": "status"}, "HTTP400"),
        ({"name": "drop"}, "AnswerLost"),
        ({"name": "truncated"}, "AnswerLost"),
        ({"name": "html"}, "AnswerLost"),
    ],
)
def test_one_request_and_never_a_second(tenant: Tenant, fault: dict[str, Any], code: str) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    before = tenant.kept()
    name = fault.pop("name")
    tenant.lab.fault(name, kind="umbrella.rotate", **fault)
    found = tenant.converge()
    assert found["problems"][0]["code"] == code
    assert found["summary"]["requests"]["POST /admin/v2/iam/rotateKey"] == 1
    # What was refused was not done, and leaves no trace.
    asked = tenant.kept()["asked"]
    assert bool(asked) == (code == "AnswerLost")
    if not asked:
        assert tenant.kept()["access_key_id"] == before["access_key_id"]


@pytest.mark.parametrize("in_200", [False, True])
def test_an_error_within_a_200_is_one_and_the_first_rotation_is_a_persons(tenant: Tenant, in_200: bool) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    tenant.lab.configure(umbrella_error_in_200=in_200)
    tenant.lab.edit("change_umbrella_organization", id=CONTOSO, first_rotation=False)
    found = tenant.converge()
    assert (outcome(found), tenant.kept()["asked"]) == ((False, "waiting"), 0.0)
    assert "Not found IAM key info" in found["problems"][0]["message"]
    assert "first rotation can be done by hand only" in found["problems"][0]["next_step"]


def test_nothing_is_asked_where_nothing_can_be_kept(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant.keep(created=time.time() - 80 * DAY)

    def full(*_arguments: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("ansible_collections.mssp.onboarding.plugins.module_utils._host.files.write", full)
    found = tenant.converge()
    assert (found["problems"][0]["code"], tenant.rotations()) == ("KeyFileUnusable", 0)


def test_a_secret_that_could_not_be_kept_is_told_with_both_keys(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    old, write, calls = tenant.current(), rotation.KeyFile.write, count()

    def once(self: Any, kept: Any) -> None:
        if next(calls):
            raise rotation.RefusedError("write it", "No space left on device", code="KeyFileUnusable")
        write(self, kept)

    monkeypatch.setattr(rotation.KeyFile, "write", once)
    monkeypatch.setattr(rotation, "KEEP_PAUSE", 0.0)
    (problem,) = tenant.converge()["problems"]
    assert (problem["code"], tenant.rotations()) == ("SecretLost", 1)
    assert old in problem["message"]
    assert tenant.current() in problem["message"]
    monkeypatch.undo()
    assert drift(tenant.converge()) == ["answer_lost"]


def test_somebody_elses_rotation_and_a_wrong_prefix_are_told_apart(tenant: Tenant) -> None:
    tenant.keep()
    tenant.lab.edit("rotate_umbrella_key", id=CONTOSO)
    found = tenant.converge()
    assert (drift(found), tenant.rotations()) == (["dead"], 1)
    tenant.keep(secret_access_key="x" * 40)
    assert drift(tenant.converge()) == ["wrong_secret"]
    tenant.keep()
    if "elsewhere" not in {one["Name"] for one in tenant.aws.s3.list_buckets()["Buckets"]}:
        tenant.aws.make_bucket("elsewhere")
    tenant.export |= {"bucket": "elsewhere", "region": "eu-central-1"}
    found = tenant.converge()
    assert (drift(found), tenant.rotations()) == (["denied"], 1)


def test_what_aws_does_not_answer_is_unknown(tenant: Tenant) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    found = tenant.converge(aws_endpoint_url="http://127.0.0.1:1")
    assert (outcome(found), tenant.rotations()) == ((False, "unknown"), 0)


def test_a_key_that_still_works_is_watched(tenant: Tenant) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    old = tenant.current()
    tenant.lab.configure(umbrella_old_key_lives=True)
    assert outcome(tenant.converge()) == (True, "corrected")
    found = tenant.converge()
    assert outcome(found) == (False, "in_sync")
    assert f"{old}, still works" in found["problems"][0]["message"]
    tenant.aws.iam.delete_access_key(UserName=f"umbrella-{CONTOSO}", AccessKeyId=old)
    assert tenant.converge()["problems"] == []


def test_without_any_export_nothing_was_looked_at(tenant: Tenant) -> None:
    assert [one["code"] for one in tenant.converge(exports={})["problems"]] == ["NothingSeen"]


def test_who_stays_after_all_and_leaves_later_has_his_key_ended(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run that was to end the key was killed, and the one that kept it did not come to the proof."""
    tenant.keep(proven=False, leaving=True)
    old = tenant.current()

    async def cut(*_given: Any) -> None:
        raise NoAnswerError("prove it", "cut")

    with monkeypatch.context() as patch:
        patch.setattr(rotation, "proven", cut)
        assert outcome(tenant.converge())[1] == "failed"
    assert outcome(tenant.converge(state="absent")) == (True, "corrected")
    assert (tenant.rotations(), tenant.current() == old) == (1, False)


def test_two_runs_at_once_do_not_rotate_twice(tenant: Tenant) -> None:
    tenant.keep(created=time.time() - 80 * DAY)
    with locked(tenant.file.parent / keyfile.LOCK):
        found = tenant.converge()
    assert (found["problems"][0]["code"], tenant.rotations()) == ("Locked", 0)


def test_a_child_is_rotated_through_its_parents_key(lab: LabClient, tmp_path: Path) -> None:
    child = Tenant(lab, tmp_path, LITWARE, PROSEWARE_KEY)
    child.export |= child.first()
    assert outcome(child.converge()) == (True, "corrected")
    assert child.kept()["access_key_id"] == child.current()
    child.file.unlink()
    found = child.converge(exports={"contoso": {**child.export, "organization": WINGTIP}})
    assert outcome(found) == (False, "waiting")
    found = child.converge(exports={"contoso": {**child.export, "organization": CONTOSO}})
    assert (outcome(found), found["problems"][0]["code"]) == ((False, "failed"), "HTTP403")


def test_the_published_limits_hold_for_two_hundred_children() -> None:
    """14 a minute and 350 in half an hour of one key: what a full bucket lets through in any such time."""
    capacity, refill = Umbrella.LIMITS["admin"]
    assert capacity + 60 * refill <= 14
    assert capacity + 1800 * refill <= 350
    assert (200 - capacity) / refill < options.ROTATION_SPEC["time_limit_seconds"]["default"]


def test_what_asks_nothing_of_umbrella_waits_for_no_rotation() -> None:
    due = [judged(Verdict(name, DRIFTED, action=name)) for name in ("rotate", "switch", "revoke", "finish", "keep")]
    quick, asks = capability.Keys().stages(due)
    assert [one.target for one in quick] == ["switch", "finish", "keep"]
    assert [one.target for one in asks] == ["rotate", "revoke"]


def test_verify_tells_a_quiet_source_from_a_broken_export(tenant: Tenant) -> None:
    tenant.keep()
    tenant.export |= {"folders": ["dnslogs", "auditlogs"], "columns": {"dnslogs": 4}}

    def states(**given: Any) -> list[tuple[str, str]]:
        found = tenant.verify(**given)
        codes = {one["target"]: one["code"] for one in found["problems"]}
        return [(one["state"], codes.get(one["source"], "")) for one in found["flows"]]

    assert states() == [("stale", "export_broken"), ("quiet", "")]
    tenant.aws.log(tenant.prefix, ago=4 * 3600.0)
    assert states()[0] == ("stale", "export_broken")
    tenant.lab.edit("change_umbrella_organization", id=CONTOSO, traffic=False)
    assert states()[0] == ("quiet", "")
    tenant.lab.edit("change_umbrella_key", key=CONTOSO_KEY, scopes=[])
    assert states()[0] == ("stale", "stale")
    tenant.aws.log(tenant.prefix, "auditlogs", ago=60.0)
    tenant.aws.log(tenant.prefix)
    found = tenant.verify()
    assert [one["state"] for one in found["flows"]] == ["flowing", "flowing"]
    assert 290 <= found["flows"][0]["age_seconds"] <= 400
    tenant.aws.log(tenant.prefix, ago=200.0, width=6)
    assert states()[0] == ("stale", "schema_changed")
    tenant.lab.edit("rotate_umbrella_key", id=CONTOSO)
    assert {one["state"] for one in tenant.verify()["flows"]} == {"unreadable"}


def test_preflight_says_what_is_missing(tenant: Tenant) -> None:
    checks = {one["check"]: one for one in tenant.preflight()["findings"]}
    assert {name: one["status"] for name, one in checks.items()} == {
        "key_folder": "ok",
        "sign_in": "ok",
        "first_key": "missing",
    }
    tenant.keep(created=0.0)
    found = tenant.preflight()
    assert (found["summary"]["outcome"], "how old" in found["msg"]) == ("in_sync", True)
    checks = {one["check"]: one for one in tenant.preflight(api_secret="wrong")["findings"]}
    assert checks["sign_in"]["status"] == "missing"
    tenant.lab.edit("rotate_umbrella_key", id=CONTOSO)
    assert tenant.preflight()["findings"][-1]["status"] == "missing"
