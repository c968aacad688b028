"""The HTML file: nothing but itself, nothing of others, and nothing that was reported can act in it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.model import Point, build
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.page import HERE, page
from ansible_collections.mssp.onboarding.plugins.plugin_utils._report.trend import chart, nice
from tests.unit.plugins.plugin_utils._report.fleets import REFUSED, fleet_of, history, row, run, story

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>\" onload=alert(3) '{{ 7*7 }}{% x %}"
DIRECTIONS = "abc\u202egnp.exe\u2066\x00\x1b[31m\x07\ud800"
LONG = "x" * 100_000


class Parsed(HTMLParser):
    """All elements with their attributes, the text, and what was opened and not closed."""

    VOID = ("meta", "input", "br", "wbr", "line", "rect", "img")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


def made(*runs: dict[str, Any], only: str = "") -> str:
    return page(build(history(*runs), runs[-1], only))


@pytest.fixture(scope="module")
def fleet() -> str:
    return made(*story(80))


@pytest.fixture(scope="module")
def hostile() -> str:
    text = HOSTILE + DIRECTIONS + LONG
    problem = REFUSED | {"code": text, "message": text, "next_step": text}
    name = text.replace("\ud800", "")  # which no inventory can hold
    names = {"a": {"tenant": "a", "name": name, "ring": name, "roles": ["x", HOSTILE]}}
    credentials = [{"name": text, "expires": "2026-11-02T00:00:00Z"}]
    more = {"msg": text, "changes": [text], "credentials": credentials, "evidence": text}
    rows = [row("a", "x", "failed", problem, **more), row("a", HOSTILE, "failed", problem)]
    return made(run(1, *rows, fleet=names, playbook=name, run=name))


def test_the_file_is_well_formed(fleet: str) -> None:
    assert Parsed(fleet).open == []


def test_the_file_needs_nothing_beside_itself(fleet: str) -> None:
    parsed = Parsed(fleet)
    assert {tag for tag, _ in parsed.elements} & {"link", "img", "iframe", "object", "base", "use", "image"} == set()
    for _tag, attributes in parsed.elements:
        assert not set(attributes) & {"src", "srcset", "action", "formaction", "style", "onclick", "onload", "onerror"}
        assert str(attributes.get("href", "#")).startswith("#")
    assert not re.search(r"https?:|url\(|@import", fleet)


def test_the_policy_allows_the_two_texts_of_ours_and_nothing_else(fleet: str) -> None:
    (policy,) = [
        meta["content"] or ""
        for meta in Parsed(fleet).named("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    ]
    assert policy.startswith("default-src 'none'; ")
    for tag, directive in (("style", "style-src"), ("script", "script-src")):
        (text,) = re.findall(rf"<{tag}>(.*?)</{tag}>", fleet, re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{directive} 'sha256-{digest}'" in policy
    assert "unsafe" not in policy


def test_hostile_text_stays_text(hostile: str) -> None:
    parsed = Parsed(hostile)
    assert parsed.open == []
    assert len(parsed.named("script")) == 1
    assert parsed.named("img") == []
    assert {name for _, attributes in parsed.elements for name in attributes} & {"onerror", "onload"} == set()
    assert "<script>alert(1)" in parsed.text
    assert "{{ 7*7 }}" in parsed.text


def test_control_characters_and_directions_are_taken_out(hostile: str) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069\ud800-\udfff]", hostile)


def test_very_long_text_is_cut(hostile: str) -> None:
    assert len(hostile) < 60_000
    assert "xxx…" in hostile


def test_every_status_is_told_in_words(fleet: str) -> None:
    for sign in ("✕ failed", "? unknown", "≠ drifted", "– never run", "↻ corrected", "✓ in sync"):
        assert sign in fleet


def test_it_opens_on_what_is_wrong(fleet: str) -> None:
    body = fleet[fleet.index("<body>") :]
    order = [
        body.index(text) for text in ("are not in sync.</h1>", 'id="why"', 'id="news"', 'id="matrix"', 'id="trend"')
    ]
    assert order == sorted(order)


def test_tables_headings_and_landmarks_are_marked(fleet: str) -> None:
    parsed = Parsed(fleet)
    assert all(attributes.get("scope") in ("col", "row") for attributes in parsed.named("th"))
    ids = [attributes["id"] for _, attributes in parsed.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _tag, attributes in parsed.elements:
        for name in (attributes.get("aria-labelledby") or "").split():
            assert name in ids
    assert [len(parsed.named(tag)) for tag in ("main", "header", "footer", "h1")] == [1, 1, 1, 1]
    assert len(parsed.named("svg")) >= 1
    assert any(attributes.get("aria-live") == "polite" for _, attributes in parsed.elements)


def test_the_page_of_a_tenant_holds_nothing_of_any_other() -> None:
    runs = story(80)
    slugs = list(runs[-1]["fleet"])
    made_history = history(*runs)
    ill = build(made_history, runs[-1]).unwell[0].slug
    text = page(build(made_history, runs[-1], ill)).casefold()
    names = {slug: str(runs[-1]["fleet"][slug]["name"]) for slug in slugs}
    assert names[ill].casefold() in text
    for slug in set(slugs) - {ill}:
        assert slug not in text
        assert names[slug].casefold() not in text
    assert "canary" not in text
    assert "<script>" not in text
    assert Parsed(text).open == []


def test_the_page_of_a_tenant_names_no_path_of_ours() -> None:
    told = run(1, row("a", "x", "failed", REFUSED, evidence="/srv/mssp/evidence/a.jsonl"), fleet=fleet_of(["a"], []))
    assert "/srv/mssp" not in made(told, only="a")
    assert "/srv/mssp" in made(told)


def luminance(colour: str) -> float:
    """Of a colour as #rgb or #rrggbb (WCAG 2.2, relative luminance)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_that_of_wcag_aa(scheme: int) -> None:
    blocks = re.findall(r":root \{(.*?)\}", (HERE / "page.css").read_text(), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", blocks[scheme]))
    for text in ("text", "quiet", "link"):
        for ground in ("card", "page"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    for status in ("failed", "unknown", "drifted", "never", "waiting", "pending", "corrected", "in-sync"):
        assert contrast(colours[f"{status}-on"], colours[f"{status}-in"]) >= 4.5, status
        assert contrast(colours[status], colours["card"]) >= 3, status
    assert contrast(colours["failed-on"], colours["card"]) >= 4.5
    assert contrast(colours["focus"], colours["card"]) >= 3


def points(*tenants: dict[str, int]) -> list[Point]:
    told = history(*(run(number, row("a", "x")) for number in range(1, len(tenants) + 1)))
    return [Point(one, given) for one, given in zip(told.runs(), tenants, strict=True)]


def test_the_trend_is_stacked_from_the_worst() -> None:
    drawn = chart(points({"in_sync": 2, "failed": 1}, {"in_sync": 3}))
    assert drawn
    assert drawn.drawn == ["failed", "in_sync"]
    failed, in_sync, all_in_sync = drawn.boxes
    assert failed.y + failed.height == drawn.floor
    assert in_sync.y + in_sync.height == pytest.approx(failed.y, abs=0.2)
    assert all_in_sync.height == pytest.approx(in_sync.height * 1.5, abs=0.2)
    assert [tick.text for tick in drawn.ticks] == ["0", "1", "2", "3", "4"]


def test_tenants_in_sync_do_not_hide_the_others() -> None:
    drawn = chart(points({"in_sync": 990, "failed": 10}, {"in_sync": 995, "drifted": 5}))
    assert drawn
    assert drawn.in_sync_left_out
    assert drawn.drawn == ["failed", "drifted"]
    assert max(box.height for box in drawn.boxes) > 100


def test_one_run_is_no_trend() -> None:
    assert chart(points({"in_sync": 1})) is None


@pytest.mark.parametrize(
    ("number", "top"), [(0, 1), (1, 1), (3, 4), (5, 6), (9, 10), (11, 20), (81, 100), (1000, 1000)]
)
def test_the_axis_ends_at_a_number_that_divides_well(number: int, top: int) -> None:
    assert nice(number) == top
