"""The plan does what is needed, once, and nothing to what is not the tenant's."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, RefusedError
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.config import values
from ansible_collections.mssp.onboarding.plugins.module_utils._crowdstrike.plan import (
    MODE,
    File,
    Observed,
    Service,
    mark,
    masked,
    plan,
    render,
    secrets_in,
)
from ansible_collections.mssp.onboarding.plugins.module_utils._host.changes import Change
from tests.unit.plugins.module_utils._crowdstrike.test_desired import cid, made

SERVICE = "cs.falconhoseclientd"
RUNS = Service(start_at_boot=True, running=True)
PATH, OTHER, FOREIGN = (f"/opt/crowdstrike/config/{name}.cfg" for name in ("contoso-main", "fabrikam-main", "hand"))
SHIPPED = """[Settings]
client_id =
client_secret =
http_proxy =
[EventTypeCollection]
FirewallMatchEvent = true
CustomerIOCEvent = true
"""


def ours(text: str = "one\n", tenant: str = "contoso") -> File:
    return File(f"{mark(tenant)}\n{text}", MODE, 1)


def seen(files: dict[str, File], service: Service = RUNS, version: str = "2.29.0") -> Observed:
    """A host where everything that is there has worked."""
    worked = {path: (file.content, version) for path, file in files.items() if path == PATH}
    return Observed(files, worked, version, service)


def planned(wanted: dict[str, File], observed: Observed, *, remove_offsets: bool = False) -> list[Change]:
    return plan("contoso", wanted, observed, SERVICE, remove_offsets=remove_offsets)


def test_a_bare_host() -> None:
    assert planned({PATH: ours()}, Observed()) == [
        Change("config", PATH, "create", "missing"),
        Change("service", SERVICE, "create", "stopped"),
    ]


def test_as_wanted() -> None:
    assert planned({PATH: ours()}, seen({PATH: ours()})) == []


@pytest.mark.parametrize(
    "found", [ours("two\n"), replace(ours(), mode=0o640), replace(ours(), owner=0)], ids=["content", "mode", "owner"]
)
def test_what_differs_is_put_back(found: File) -> None:
    assert planned({PATH: ours()}, seen({PATH: found})) == [Change("config", PATH, "update", "different")]


def test_a_cid_that_is_gone() -> None:
    extra = PATH.replace("main", "old")
    observed = seen({PATH: ours(), extra: ours()})
    assert planned({PATH: ours()}, observed) == [Change("config", extra, "delete", "unexpected")]


@pytest.mark.parametrize(
    ("service", "action"), [(Service(), "create"), (Service(True, False), "update"), (Service(False, True), "create")]
)
def test_a_stopped_service(service: Service, action: str) -> None:
    assert planned({PATH: ours()}, seen({PATH: ours()}, service)) == [Change("service", SERVICE, action, "stopped")]


def test_what_has_not_worked_yet_is_tried_again() -> None:
    """A run that was cut between writing and the heartbeat, and a new version of the package."""
    stale = [Change("service", SERVICE, "update", "stale")]
    assert planned({PATH: ours()}, replace(seen({PATH: ours()}), worked={})) == stale
    assert planned({PATH: ours()}, replace(seen({PATH: ours()}), version="2.30.0")) == stale
    assert planned({PATH: ours()}, replace(seen({PATH: ours()}), worked={PATH: ("else", "2.29.0")})) == stale


def test_a_file_that_is_not_ours_is_not_touched() -> None:
    for foreign in (File("[Settings]\n", 0o644, 0), ours(tenant="fabrikam"), ours(tenant="contoso-emea")):
        with pytest.raises(RefusedError, match="did not make"):
            planned({PATH: ours()}, Observed({PATH: foreign}))


@pytest.mark.parametrize("keys", [("offset_path",), ("output_path",), ("client_id", "app_id")])
def test_what_another_tenant_has_is_not_shared(keys: tuple[str, ...]) -> None:
    same = "".join(["[Settings]\n", *(f"{key} = /srv/one\n" for key in keys)])
    theirs = {OTHER: ours(same, "fabrikam"), FOREIGN: File("[Settings]\n", 0o644, 0)}
    with pytest.raises(RefusedError, match=f"{OTHER} has the same {keys[-1]}, /srv/one"):
        planned({PATH: ours(same)}, seen(theirs))
    assert planned({PATH: ours("[Settings]\noffset_path =\napp_id = /srv/one\n")}, seen(theirs))
    assert planned({PATH: ours(same)}, seen({PATH: ours(same)})) == []


def test_a_stream_that_somebody_reads_with_the_shipped_file_does_not_end() -> None:
    used = Observed(shipped_in_use="/opt/crowdstrike/etc/cs.falconhoseclient.cfg")
    with pytest.raises(RefusedError, match="its stream would end"):
        planned({PATH: ours()}, used)
    assert planned({}, used) == []
    assert planned({PATH: ours()}, replace(used, files={FOREIGN: File("x", 0o644, 0)}))


def test_a_file_of_ours_whose_mark_was_edited_is_put_back() -> None:
    found = replace(seen({PATH: ours()}), files={PATH: File("gone\n", MODE, 1)})
    assert planned({PATH: ours()}, found) == [Change("config", PATH, "update", "different")]


def test_offboard() -> None:
    gone = Change("config", PATH, "delete", "unexpected")
    observed = replace(seen({PATH: ours()}), offsets=("/offsets",))
    assert planned({}, observed) == [gone, Change("service", SERVICE, "delete", "unexpected")]
    assert planned({}, observed, remove_offsets=True)[-1] == Change("offsets", "/offsets", "delete", "unexpected")
    assert planned({}, Observed(service=RUNS)) == []


@pytest.mark.parametrize("other", [{OTHER: ours(tenant="fabrikam")}, {FOREIGN: File("x", 0o644, 0)}])
def test_offboard_leaves_other_files_and_their_service(other: dict[str, File]) -> None:
    assert planned({}, seen({PATH: ours(), **other})) == [Change("config", PATH, "delete", "unexpected")]


def test_offsets_are_removed_only_when_the_tenant_leaves() -> None:
    observed = replace(seen({PATH: ours()}), offsets=("/offsets",))
    assert planned({PATH: ours()}, observed, remove_offsets=True) == []


def test_rendered() -> None:
    [found] = made({"main": cid(event_types=["CustomerIOCEvent"])})
    text = render("contoso", found, SHIPPED)
    assert text.startswith(mark("contoso"))
    assert values(text, "Settings")["client_secret"] == "s3cret"
    assert values(text, "EventTypeCollection") == {"FirewallMatchEvent": "false", "CustomerIOCEvent": "true"}
    [whole] = made({"main": cid()})
    assert values(render("contoso", whole, SHIPPED), "EventTypeCollection")["FirewallMatchEvent"] == "true"


def test_an_event_type_that_this_version_does_not_have() -> None:
    [found] = made({"main": cid(event_types=["AutomatedLeadSummaryEvent"])})
    with pytest.raises(InputError, match="no event type AutomatedLeadSummaryEvent; it has FirewallMatchEvent"):
        render("contoso", found, SHIPPED)


def test_a_diff_hides_secrets_and_tells_them_apart() -> None:
    one = "[Settings]\nclient_secret = old\nhttp_proxy = http://proxy:1\n"
    other = "[Settings]\nclient_secret = new\nhttp_proxy = http://user:pass@proxy:1\n"
    hidden = "[Settings]\nclient_secret = {}\nhttp_proxy = {}\n"
    assert masked(one, other) == (
        hidden.format("(secret)", "http://proxy:1"),
        hidden.format("(another secret)", "(another secret)"),
    )
    assert masked(other, other) == (hidden.format("(secret)", "(secret)"),) * 2
    assert masked("[Settings]\nclient_secret =\n", "")[0] == "[Settings]\nclient_secret =\n"


@pytest.mark.parametrize(
    "stray",
    [
        "# client_secret = canary",
        ";Client_Secret=canary",
        "#http_proxy = http://user:canary@proxy:1",
        "[Other]\nclient_secret = canary",
    ],
)
def test_a_diff_hides_secrets_that_a_hand_has_left_behind(stray: str) -> None:
    text = f"[Settings]\nclient_secret = old\nhttp_proxy = http://proxy:1\n{stray}\n# about client_secret\n"
    before, after = masked(text, "[Settings]\nclient_secret = new\n")
    assert "canary" not in before
    assert before.splitlines()[:3] == ["[Settings]", "client_secret = (secret)", "http_proxy = http://proxy:1"]
    assert before.endswith("# about client_secret\n")
    assert after == "[Settings]\nclient_secret = (another secret)\n"


@pytest.mark.parametrize(
    ("proxy", "more"),
    [
        ("", []),
        ("http://proxy:3128", []),
        ("http://user:p@ss@proxy:3128", ["http://user:p@ss@proxy:3128", "p@ss"]),
    ],
)
def test_the_secrets_of_a_file(proxy: str, more: list[str]) -> None:
    assert secrets_in(f"[Settings]\nclient_secret = s3cret\nhttp_proxy = {proxy}\n") == ["s3cret", *more]
