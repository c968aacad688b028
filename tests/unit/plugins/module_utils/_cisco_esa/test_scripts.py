# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The dialogue with the lab's command lines, in this process: two releases, and whatever else they may do."""

from __future__ import annotations

import pytest

from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa import api, scripts
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.contract import Release, release_of
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.dialogue import Pending, Unexpected
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.plan import Wanted, differing, found, ours
from ansible_collections.mssp.onboarding.plugins.module_utils._cisco_esa.session import Session
from ansible_collections.mssp.onboarding.plugins.module_utils._core.errors import (
    InternalError,
    NoAnswerError,
    OnboardingError,
    RefusedError,
)
from lab.cisco_esa.state import Box

from .boxes import HOST_KEY, NEW, OLD, SCP, SYSLOG, USER_KEY, box, session


def write(of: Box, wanted: Wanted = SCP, action: str = "NEW", *, commits: bool = True) -> Session:
    """As api.write does it, without its comparison."""
    open_, release = session(of), release_of_box(of)
    identity = open_.run(scripts.identify())
    open_.run(scripts.clustered(identity, scripts.CLUSTER))
    answers = {"confirm": "yes"} if action == "DELETE" else api.for_release(wanted, release).answers()
    open_.run(scripts.write(release, action, wanted.name, answers))
    if commits:
        open_.run(scripts.commit(release))
    return open_


def release_of_box(of: Box) -> Release:
    return release_of(session(of).run(scripts.identify()).version)


@pytest.mark.parametrize("version", [OLD, NEW])
@pytest.mark.parametrize("pager", [0, 12])
@pytest.mark.parametrize("wanted", [SCP, SYSLOG], ids=["scp", "syslog"])
def test_a_subscription_through_its_life(version: str, pager: int, wanted: Wanted) -> None:
    """Numbers and order of questions differ by release; what is read back is what was wanted."""
    of = box(version, pager=pager)
    before = of.shared.config.copy()
    open_ = write(of, wanted)
    release = release_of_box(of)
    held = found(open_.run(scripts.export(release)))
    (one,) = held.named(wanted.name)
    assert differing(api.for_release(wanted, release), one, held) == ((), "")
    assert ours(wanted, one)
    assert of.shared.config.host_keys == ({"192.0.2.9": [HOST_KEY]} if wanted is SCP else {})
    louder = wanted._replace(fields={**wanted.fields, "log_level": "debug"})
    write(of, louder, "EDIT")
    assert of.shared.config.logs[-1]["level"] == "Debug"
    write(of, wanted, "DELETE")
    assert of.shared.config.logs == before.logs
    assert [comment for _user, comment, _config in of.shared.commits] == [scripts.COMMENT] * 3


def test_nothing_counts_before_the_commit() -> None:
    of = box()
    before = of.shared.config.copy()
    write(of, commits=False).close()
    assert of.shared.config == before


@pytest.mark.parametrize("version", [OLD, NEW])
def test_the_public_key_is_read_in_one_piece(version: str) -> None:
    of = box(version)
    assert session(of).run(scripts.public_keys(release_of_box(of))) == [USER_KEY]


@pytest.mark.parametrize("topic", ["type", "name", "host", "max_size", "host_key_by", "comment"])
@pytest.mark.parametrize("version", [OLD, NEW])
def test_a_question_that_no_book_has_ends_the_session_without_a_commit(version: str, topic: str) -> None:
    of = box(version, extra=topic)
    with pytest.raises(Unexpected, match="Renew it now"):
        write(of)
    assert of.shared.commits == []


def test_an_answer_that_is_not_taken_is_not_given_again() -> None:
    of = box()
    with pytest.raises(Unexpected, match="the answer to max_size was not taken"):
        write(of, SCP._replace(fields={**SCP.fields, "max_size": "ten"}))
    assert of.shared.commits == []


def test_what_a_list_does_not_offer_is_not_chosen() -> None:
    """The older release has no TLS."""
    of = box(OLD)
    with pytest.raises(Unexpected, match="0 entries of the list are TLS"):
        write(of, SYSLOG._replace(fields={**SYSLOG.fields, "transport": "tls"}))
    assert of.shared.commits == []


@pytest.mark.parametrize("told", ["banner", "commit"])
def test_changes_of_another_are_told_with_names_and_not_committed(told: str) -> None:
    of = box(pending=["alice", "bob"], pending_told=told)
    with pytest.raises(Pending, match="alice, bob"):
        write(of)
    assert of.shared.commits == []


@pytest.mark.parametrize("topic", ["logconfig", "type", "host_key_check", "commit", "rollback"])
def test_a_session_that_is_cut_has_committed_nothing(topic: str) -> None:
    of = box(cut=topic)
    with pytest.raises(NoAnswerError):
        write(of)
    assert of.shared.commits == []


def test_the_clusters_level_is_taken_and_no_override_is_made() -> None:
    of = box(cluster="contoso", override=True)
    write(of)
    assert "clustermode cluster" in of.lines
    alone = box(cluster="contoso", override=True)
    open_ = session(alone)
    release = release_of_box(alone)
    open_.run(scripts.write(release, "NEW", SCP.name, SCP.answers()))
    open_.run(scripts.commit(release))
    assert alone.shared.config.logs[-1]["name"] == SCP.name


def test_an_operator_is_told_what_the_menu_lacks() -> None:
    of = box(operator=True)
    with pytest.raises(RefusedError, match="does not offer NEW, only HOSTKEYCONFIG"):
        write(of)


def test_the_probe_rolls_over_the_log_of_that_name() -> None:
    of = box(cluster="contoso")
    write(of)
    open_ = session(of)
    open_.run(scripts.rollover(release_of_box(of), SCP.name))
    assert of.sent == [{"log": SCP.name, "error": ""}]
    with pytest.raises(Unexpected, match="0 logs of the list are named mail"):
        open_.run(scripts.rollover(release_of_box(of), "mail"))


def test_a_line_that_commits_is_sent_by_the_commit_alone_and_once() -> None:
    def smuggled() -> scripts.Script[None]:
        yield scripts.Line("commit now")

    of = box()
    with pytest.raises(InternalError):
        session(of).run(smuggled())
    open_ = write(of)
    with pytest.raises(InternalError):
        open_.run(scripts.commit(release_of_box(of)))
    assert len(of.shared.commits) == 1


def test_an_error_closes_the_session() -> None:
    of = box(extra="type")
    open_ = session(of)
    with pytest.raises(OnboardingError):
        open_.run(scripts.write(release_of_box(of), "NEW", SCP.name, SCP.answers()))
    assert open_._terminal.closed  # type: ignore[attr-defined]
