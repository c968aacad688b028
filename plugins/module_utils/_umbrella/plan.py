# Copyright (c) 2026, the mssp.onboarding contributors
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is to be done with the key of a log export: pure, and all that knows when a key is rotated.

Facts: a key of a Cisco-managed bucket ends 90 days after its rotation; the API tells no key's age and rotates on each
request; the new secret is in the answer and nowhere else; the first rotation is done by hand. Assumed: the old key is
dead at once.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from .._core.errors import OnboardingError
from .._core.freshness import stamp
from .._core.policy import ON_REQUEST
from .._core.status import BLOCKED, DRIFTED, IN_SYNC, WAITING
from .._core.verdict import Verdict, unknown

DAY = 86400.0
ENDS = 90 * DAY
ROTATE, KEEP, FINISH, SWITCH, REVOKE = "rotate", "keep", "finish", "switch", "revoke"
WHEN_DUE, NOW, NEVER = "when_due", "now", "never"
# What listing below the prefix with a pair comes to.
WORKS, DEAD, WRONG_SECRET, DENIED = "works", "dead", "wrong_secret", "denied"
FIRST_STEP = (
    "in Umbrella's dashboard, Admin > Log Management > Amazon S3, use a Cisco-managed bucket, choose region and "
    "retention, and copy the access key, the secret key and the data path, which are shown once; of an export that is "
    "there already, generate the keys anew: the first rotation can be done by hand only. Give them as access_key_id, "
    "secret_access_key, bucket and prefix of the export"
)


class Pair(NamedTuple):
    """An access key with its secret, which no repr tells."""

    access_key_id: str
    secret_access_key: str

    def __repr__(self) -> str:
        return f"Pair({self.access_key_id})"


class Kept(NamedTuple):
    """What an export's file holds.

    created: when the pair was made, 0 for not known; proven: whether it has listed the bucket; asked: when a rotation
    was asked for whose answer is not here, 0 for none; previous: the pair before, while it still works; leaving: the
    rotation was to end all keys that anybody holds.
    """

    pair: Pair
    created: float = 0.0
    proven: bool = False
    asked: float = 0.0
    previous: Pair | None = None
    leaving: bool = False


class Consumer(NamedTuple):
    """Who reads the bucket, by a file of AWS' shared credentials on this machine."""

    credentials_file: str
    profile: str


class Export(NamedTuple):
    """A log export as the tenant file wants it. organization: of a child, '' for the API key's own."""

    name: str
    bucket: str
    prefix: str
    region: str
    organization: str = ""
    first: Pair | None = None
    created: float = 0.0
    consumers: tuple[Consumer, ...] = ()


class Policy(NamedTuple):
    """again: the access key whose lost rotation may be done once more; after: seconds until a key is rotated."""

    rotate: str = WHEN_DUE
    after: float = 75 * DAY
    again: str = ""
    leaving: bool = False


class Found(NamedTuple):
    """What was seen of an export.

    kept: None for no file; listing: of the pair that is kept, else of the first one; None where it is not known, for
    the reason that error has; behind: consumers that have another pair; previous: whether the pair before still works.
    """

    kept: Kept | None = None
    listing: str | None = None
    error: OnboardingError | None = None
    behind: tuple[str, ...] = ()
    previous: bool = False


def plan(export: Export, found: Found, policy: Policy, now: float) -> Verdict:
    """The verdict on one export."""
    kept = found.kept or (Kept(export.first, export.created) if export.first else None)
    if policy.leaving:
        return _leaving(export, found, kept)
    if kept is None:
        return _first(export, policy)
    if kept.asked:
        return _lost(export, kept, found, policy)
    if found.listing is None:
        return unknown(export.name, found.error, **facts(kept)) if found.error else _first(export, policy)
    return _judged(export, kept, found, policy, now)._replace(facts=facts(kept))


def _leaving(export: Export, found: Found, kept: Kept | None) -> Verdict:
    """Rotated once more, the key that the SIEM holds is worth nothing: the pair of the tenant file, too."""
    if kept is None or (found.kept is None and found.listing in (DEAD, WRONG_SECRET)):
        return Verdict(export.name, IN_SYNC)
    if found.kept is None and found.error:
        return unknown(export.name, found.error, **facts(kept))
    reason = "whoever holds its key is to lose it"
    return Verdict(export.name, DRIFTED, ("unexpected",), reason, REVOKE, "delete", before=view(kept),
                   subject=(export, kept))  # fmt: skip


def _first(export: Export, policy: Policy) -> Verdict:
    if policy.rotate == NOW:
        return _due(export, Kept(Pair("", "")), "requested", "no key is known, and rotate asks for one", ON_REQUEST)
    reason = "no key of it is known, and the first one is made by hand"
    return Verdict(export.name, WAITING, ("first_rotation",), reason, next_step=FIRST_STEP)


def _lost(export: Export, kept: Kept, found: Found, policy: Policy) -> Verdict:
    name = kept.pair.access_key_id or "none"
    reason = lost(kept, found.listing)
    if policy.again == name:
        return _due(export, kept, "answer_lost", reason, ON_REQUEST)
    step = f"rotate once more by umbrella_logs_rotate_again={name}, at a moment when nobody reads the bucket"
    return Verdict(export.name, BLOCKED, ("answer_lost",), reason, before=view(kept), next_step=step,
                   facts=facts(kept))  # fmt: skip


def lost(kept: Kept, listing: str | None) -> str:
    """Which key works after a rotation whose answer never came."""
    old = kept.pair.access_key_id
    told = f"a rotation was asked for at {stamp(kept.asked)}, and its answer never came: "
    if not old:
        return told + "there may be a new key, whose secret nobody has"
    if listing == WORKS:
        return told + f"{old} still works, so it was most probably not done"
    if listing in (DEAD, WRONG_SECRET):
        return told + f"{old} works no longer, and the secret of the key that took its place is lost"
    return told + f"whether {old} still works could not be seen"


def _judged(export: Export, kept: Kept, found: Found, policy: Policy, now: float) -> Verdict:
    if found.listing == DENIED:
        step = "correct bucket and prefix by the data path in Umbrella's dashboard, Admin > Log Management"
        reason = f"{kept.pair.access_key_id} is taken, and may not list {export.bucket}/{export.prefix}"
        return _blocked(export, kept, "denied", reason, step)
    if found.listing == DEAD and not kept.proven and found.kept:
        return _write(export, kept, "not_proven", "its new key has not listed the bucket yet", FINISH, "create")
    why, reason = due(kept, policy, now)
    if why:
        if policy.rotate == NEVER:
            return _blocked(export, kept, why, reason, "rotate it, or let this role do it by umbrella_logs_rotate")
        return _due(export, kept, why, reason, ON_REQUEST if why == "requested" else "update")
    if found.listing != WORKS:
        reason = f"AWS refuses {kept.pair.access_key_id} ({found.listing}): somebody else has rotated it"
        step = "give the pair that took its place, or take it back by umbrella_logs_rotate=now, which ends theirs"
        return _blocked(export, kept, found.listing or "dead", reason, step)
    if found.kept is None:
        return _write(export, kept, "not_kept", "its key is in no file yet", KEEP, "create")
    if not kept.proven:
        return _write(export, kept, "not_proven", "a run ended before its new key was proven", FINISH, "create")
    if found.behind:
        reason = f"another key is in {', '.join(found.behind)}"
        return _write(export, kept, "consumer", reason, SWITCH, "update")
    if found.previous and kept.previous:
        reason = f"the key before, {kept.previous.access_key_id}, still works"
        return Verdict(export.name, IN_SYNC, reason=reason, before=view(kept),
                       next_step=f"{reason}: see who uses it, and have them take the new one")  # fmt: skip
    return Verdict(export.name, IN_SYNC, before=view(kept))


def due(kept: Kept, policy: Policy, now: float) -> tuple[str, str]:
    """(the class of drift, the reason) of a key that has to be rotated, '' for none."""
    age = now - kept.created
    if policy.rotate == NOW:
        return "requested", "rotate asks for it"
    if not kept.created:
        return "age_unknown", "nobody knows how old its key is, and it ends with 90 days"
    if age >= policy.after:
        ended = ": it has ended, and the bucket is shut" if age >= ENDS else ""
        return "due", f"its key is {int(age / DAY)} days old{ended}"
    return "", ""


def _due(export: Export, kept: Kept, why: str, reason: str, level: str) -> Verdict:
    return _write(export, kept, why, reason, ROTATE, level)


def _write(export: Export, kept: Kept, drift: str, reason: str, action: str, level: str) -> Verdict:
    after = {"key": "a new one" if action == ROTATE else kept.pair.access_key_id, "proven": True}
    return Verdict(export.name, DRIFTED, (drift,), reason, action, level, before=view(kept), after=after,
                   subject=(export, kept), facts=facts(kept))  # fmt: skip


def _blocked(export: Export, kept: Kept, drift: str, reason: str, step: str) -> Verdict:
    return Verdict(export.name, BLOCKED, (drift,), reason, before=view(kept), next_step=step)


def view(kept: Kept) -> dict[str, Any]:
    """A file's content that may be shown."""
    return {"key": kept.pair.access_key_id, "proven": kept.proven}


def facts(kept: Kept) -> dict[str, Any]:
    """What evidence tells of a key: when it was made, when it ends."""
    ends = kept.created + ENDS if kept.created else None
    return {"access_key_id": kept.pair.access_key_id, "created": stamp(kept.created or None), "expires": stamp(ends)}
