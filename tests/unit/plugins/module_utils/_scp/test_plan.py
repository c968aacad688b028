"""The plan is exact: it does what is needed, once, and nothing to what is not ours."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import InputError, OnboardingError
from ansible_collections.mssp.onboarding.plugins.module_utils._host import firewall
from ansible_collections.mssp.onboarding.plugins.module_utils._scp import desired, names, result, sshd, target
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.desired import Known, Wanted
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.plan import HOST, Change, Item, State, plan
from ansible_collections.mssp.onboarding.plugins.module_utils._scp.sources import sources
from tests.unit.plugins.module_utils._scp.test_sources import source

World = dict[tuple[str, str], State | None]


def wanted(given: dict[str, dict[str, Any]] | None = None, **options: Any) -> Wanted:
    whole: dict[str, Any] = {
        "tenant": "contoso",
        "sources": sources(given or {}, "contoso", 10),
        "library": {"main.py": "code\n"},
        "python": "/usr/bin/python3",
        "reader_group": "",
        "retention_days": 14,
        "min_free_mib": 1,
        "quota_mib": 1,
        "max_files": 1,
        "max_sessions": 1,
        "legacy_port": 0,
        "host_keys": ["/etc/ssh/ssh_host_rsa_key"],
    }
    return Wanted(**{**whole, **options})


def after(items: list[Item], changes: list[Change], world: World) -> World:
    """The world as it is when the changes have been made."""
    new = dict(world)
    for change in changes:
        new[change.item.kind, change.item.key] = None if change.action == "delete" else change.item.want
    return new


def test_a_second_run_changes_nothing() -> None:
    items = desired.present(wanted({"esa": source(), "fw": source()}), Known())
    first = plan(items, {})
    assert {change.action for change in first} == {"create"}
    assert plan(items, after(items, first, {})) == []


@pytest.mark.parametrize("number", range(20))
def test_each_thing_that_differs_is_put_back(number: int) -> None:
    items = desired.present(wanted({"esa": source()}), Known())
    items = [item for item in items if item.want and item.kind != "emptied"]
    world: World = after(items, plan(items, {}), {})
    item = items[number % len(items)]
    name = sorted(item.want or {})[0]
    world[item.kind, item.key] = {**(item.want or {}), name: "other"}
    (change,) = plan(items, world)
    assert (change.item, change.action, change.drift) == (item, "update", (name,))


def test_an_account_of_somebody_else_is_neither_changed_nor_removed() -> None:
    want = wanted({"esa": source(user="games")})
    world: World = {("account", "games"): {"foreign": "somebody's"}}
    blocked = [change for change in plan(desired.present(want, Known()), world) if change.blocked]
    assert [change.item.key for change in blocked] == ["games"]
    assert plan(desired.absent(want, Known()), world) == []


def test_a_source_that_goes_leaves_its_files_and_the_other_source() -> None:
    known = Known((("esa", "mssp-contoso-esa"), ("fw", "mssp-contoso-fw")))
    items = desired.present(wanted({"esa": source()}), known)
    going = [item.key for item in items if item.want is None and item.target == "fw"]
    assert f"{names.base('contoso', 'fw')}/ready" not in going
    assert names.keys("mssp-contoso-fw") in going
    assert not [item for item in items if item.target == "esa" and item.want is None]


def test_a_source_that_gets_another_account_keeps_its_directory() -> None:
    items = desired.present(wanted({"esa": source(user="new")}), Known((("esa", "old"),)))
    assert [item.key for item in items if item.kind in ("tree", "closed", "emptied") and item.target == "esa"] == []
    assert ("account", "old", None) in [(item.kind, item.key, item.want) for item in items]


def test_what_tenants_share_stays_for_the_other() -> None:
    known = Known((("esa", "mssp-contoso-esa"),), ("mssp-fabrikam-esa",))
    keys = [item.key for item in desired.absent(wanted(), known) if item.kind == "file"]
    assert names.LAUNCHER not in keys
    assert names.LAUNCHER in [item.key for item in desired.absent(wanted(), Known())]


def test_a_folder_goes_only_when_all_in_it_goes() -> None:
    items = [Item(HOST, "file", "/a/x", None), Item(HOST, "emptied", "/a", {"entries": []})]
    here = {"content": "", "mode": "0644", "owner": "root", "group": "root"}
    world: World = {("file", "/a/x"): here, ("emptied", "/a"): {"entries": ["x"]}}
    assert [change.item.key for change in plan(items, world)] == ["/a/x", "/a"]
    assert [change.item.key for change in plan(items, {**world, ("emptied", "/a"): {"entries": ["x", "y"]}})] == [
        "/a/x"
    ]


def test_keys_are_restricted_to_the_program_and_the_senders() -> None:
    (found,) = sources({"esa": source(**{"from": ["192.0.2.7", "2001:db8::/32"]})}, "contoso", 0)
    line = sshd.keys_file("contoso", found).splitlines()[-1]
    assert line.startswith(
        'restrict,from="192.0.2.7,2001:db8::/32",command="/usr/local/sbin/mssp-scp-target" ssh-ed25519 '
    )


def test_old_algorithms_are_nowhere_but_where_they_are_asked_for() -> None:
    new, old = (sshd.drop_in("contoso", sources({"esa": source(legacy_keys=on)}, "contoso", 0)) for on in (False, True))
    assert "ssh-rsa" not in new
    assert "PubkeyAcceptedAlgorithms +ssh-rsa" in old
    assert "KexAlgorithms" not in old
    port = [
        item for item in desired.present(wanted({"esa": source(legacy_transport=True)}), Known()) if item.kind == "unit"
    ]
    assert [item.want for item in port] == [None]


def test_the_firewall_lets_in_the_senders_and_old_ones_at_their_port() -> None:
    found = sources(
        {
            "esa": source(**{"from": ["192.0.2.7", "2001:db8::/32"]}),
            "old": source(**{"from": ["192.0.2.8"]}, legacy_transport=True),
        },
        "contoso",
        0,
    )
    told = [(opening.port, str(opening.network)) for opening in sshd.openings(found, [22], 2222)]
    assert sorted(told) == [
        (22, "192.0.2.7/32"),
        (22, "192.0.2.8/32"),
        (22, "2001:db8::/32"),
        (2222, "192.0.2.8/32"),
    ]
    assert not [opening for opening in sshd.openings(found, [22], 0) if opening.port != 22]


@pytest.mark.parametrize(("backend", "files"), [("nftables", 2), ("ufw", 0), ("", 0)])
def test_openings_are_kept_where_the_firewall_would_forget_them(backend: str, files: int) -> None:
    items = desired.present(wanted({"esa": source()}, backend=backend, rules=["rule"] if backend else []), Known())
    script, drop_in = names.firewall_script("contoso"), firewall.nftables_drop_in("mssp-scp-contoso")
    assert len([item for item in items if item.want and item.key in (script, drop_in)]) == files
    assert [item.want for item in items if item.kind == "openings"] == [{"rules": ["rule"]} if backend else None]


def test_what_sshd_would_do_otherwise_is_named() -> None:
    (found,) = sources({"esa": source()}, "contoso", 0)
    good = {keyword.lower(): [value.lower()] for keyword, value in sshd.RULES}
    good["authorizedkeysfile"] = [names.keys(found.user)]
    assert sshd.misunderstood(good, found) == []
    assert sshd.misunderstood({**good, "permittty": ["yes"]}, found) == ["PermitTTY yes"]
    assert sshd.misunderstood({key: value for key, value in good.items() if key != "forcecommand"}, found) == [
        "ForceCommand none"
    ]


@pytest.mark.parametrize(
    ("listed", "client", "ours", "wanted"),
    [
        (None, "192.0.2.9", False, ""),  # before OpenSSH 9.8
        ("none", "192.0.2.9", False, "192.0.2.9"),
        ("none", "", False, ""),
        ("192.0.2.0/24", "192.0.2.9", False, ""),
        ("198.51.100.0/24,10.*", "192.0.2.9", False, "10.*,192.0.2.9,198.51.100.0/24"),
        ("192.0.2.9", "192.0.2.9", True, "192.0.2.9"),
        ("192.0.2.9", "", True, "192.0.2.9"),
        ("192.0.2.9", "2001:db8::1", True, "192.0.2.9,2001:db8::1"),
        ("none", "", True, ""),
    ],
)
def test_who_earns_no_penalties(listed: str | None, client: str, ours: bool, wanted: str) -> None:
    told = {} if listed is None else {"persourcepenaltyexemptlist": [listed]}
    found = sshd.exempt(told, client, ours=ours)
    assert found.splitlines()[1:] == ([f"PerSourcePenaltyExemptList {wanted}"] if wanted else [])
    items = desired.present(wanted_of(found), Known())
    assert [item.want is not None for item in items if item.key == names.EXEMPT] == [bool(wanted)]


def wanted_of(exempt: str) -> Wanted:
    return wanted({"esa": source()}, exempt=exempt)


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("right", ["mode", "owner", "group"])
def test_rights_of_files_and_folders_are_drift(kind: str, right: str) -> None:
    items = [item for item in desired.present(wanted({"esa": source()}), Known()) if item.kind == kind and item.want]
    for item in items:
        world: World = {(kind, item.key): {**(item.want or {}), right: "other"}}
        (change,) = plan([item], world)
        assert (change.action, change.drift) == ("update", (right,))


def test_what_a_client_may_set_is_ours_to_say() -> None:
    """A host with AcceptEnv LD_* would let a source run what it has delivered."""
    (found,) = sources({"esa": source()}, "contoso", 0)
    assert "AcceptEnv MSSP_NONE\n" in sshd.drop_in("contoso", [found])
    good = {keyword.lower(): [value.lower()] for keyword, value in sshd.RULES}
    good["authorizedkeysfile"] = [names.keys(found.user)]
    assert sshd.misunderstood({**good, "acceptenv": ["MSSP_NONE", "LD_*"]}, found) == ["AcceptEnv MSSP_NONE LD_*"]


def test_an_account_of_another_tenant_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        target.system, "owners", lambda: {"mssp-fabrikam-esa": "fabrikam", "mssp-contoso-fw": "contoso"}
    )
    found = sources({"fw": source(), "x": source(user="mssp-fabrikam-esa")}, "contoso", 0)
    target.own_accounts("contoso", found[:1])
    with pytest.raises(InputError, match="another tenant has it"):
        target.own_accounts("contoso", found)


@pytest.mark.parametrize("check", [True, False])
def test_a_drop_that_cannot_be_made_is_failed_and_not_changed(check: bool) -> None:
    world: World = {("account", "games"): {"foreign": "somebody's"}}
    changes = plan(desired.present(wanted({"esa": source(user="games"), "fw": source()}), Known()), world)
    found = result.build(["esa", "fw"], changes, check=check, diff=False)
    assert (found["summary"]["outcome"], found["failed"]) == ("failed", True)
    assert found["summary"]["counts"]["failed"] == 1
    assert [problem["code"] for problem in found["problems"]] == ["foreign"]
    assert found["summary"]["correctable"] == {"safe": 0, "all": 2 * check}


def test_a_run_that_ends_in_the_middle_says_which_target_failed() -> None:
    changes = plan(desired.present(wanted({"esa": source(), "fw": source()}), Known()), {})
    error = OnboardingError("make it", "no", code="not_written")
    found = result.build(["esa", "fw"], changes[:1], check=False, diff=False, error=error, failed="fw")
    counts = found["summary"]["counts"]
    assert (found["summary"]["outcome"], counts["failed"], counts["corrected"], counts["in_sync"]) == (
        "failed",
        1,
        1,
        1,
    )
    assert (found["failed"], found["problems"][0]["target"]) == (True, "fw")


@pytest.mark.parametrize(
    ("lists", "reason"),
    [
        ({}, ""),
        ({"allowusers": ["root", "ansible"]}, ""),
        ({"allowusers": ["ansible@192.0.2.*"]}, ""),
        ({"allowusers": ["root"]}, "allowusers root"),
        ({"denyusers": ["ans*"]}, "denyusers ans*"),
        ({"allowgroups": ["wheel"]}, "allowgroups wheel"),
        ({"allowgroups": ["wheel", "sudo"]}, ""),
        ({"denygroups": ["sudo"]}, "denygroups sudo"),
        ({"port": ["2200"]}, "port 2200"),
    ],
)
def test_who_would_be_locked_out(lists: dict[str, list[str]], reason: str) -> None:
    assert sshd.not_admitted(lists, "ansible", ["ansible", "sudo"], "22") == reason


def test_a_result_in_check_mode_is_drift_and_says_what_it_would_do() -> None:
    changes = plan(desired.present(wanted({"esa": source()}), Known()), {})
    found = result.build(["esa"], changes, check=True, diff=True)
    assert (found["changed"], found["summary"]["outcome"]) == (True, "drifted")
    assert found["summary"]["counts"]["drifted"] == found["summary"]["counts"]["targets"] == 2
    code = [part["after"] for part in found["diff"] if part["after_header"].endswith("main.py")]
    assert "sha256" in code[0]
    assert "code" not in code[0]
