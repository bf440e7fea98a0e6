"""The page of `harness why` as a file: a user would lose a page that stays small and that no document breaks."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from harness.judging.why.analysis import Why, why
from reports.why import page, write_page
from reports.why_data import CHARACTERS, page_data
from tests.planted import collections, faced
from tests.tiny_collection import Place

EVIL = "</script><script>window.hacked=1</script><img src=x onerror=window.hacked=1> <!-- & \u2028 {{ data }}"


def analysed(place: Place, size: int = 30) -> Why:
    return why([faced(place.load(folder)) for folder in collections(place, size)])


def whole(found: Why, shown: int = 10, **more: Any) -> dict[str, Any]:
    names = {"a": {"name": "one", "ids": ["1" * 12]}, "b": {"name": "other", "ids": ["2" * 12]}}
    return {**names, "stages": ["first, depth 10"], "notes": [], **page_data(found, shown), **more}


class Elements(HTMLParser):
    """The elements of a page, and the text of its data."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.data, self._inside = "", False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = dict(attrs).get("id") == "data"

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        self.data += data if self._inside else ""


def test_what_documents_say_stays_text(place: Place) -> None:
    data = whole(analysed(place), a={"name": EVIL, "ids": []}, headline=EVIL)
    data["documents"]["text"][0] = data["queries"]["text"][0] = data["queries"]["id"][0] = EVIL
    plain, evil = Elements(page(whole(analysed(Place(place.path / "b", place.workspace))))), Elements(page(data))
    assert [tag for tag, _ in evil.tags] == [tag for tag, _ in plain.tags]
    assert json.loads(evil.data) == json.loads(json.dumps(data))


def test_nothing_is_asked_of_the_network(place: Place) -> None:
    text = page(whole(analysed(place)))
    for tag, attributes in Elements(text).tags:
        assert tag not in {"link", "img", "iframe", "object", "base"}
        assert "src" not in attributes and attributes.get("href", "#").startswith("#")
    (policy,) = (dict(a)["content"] for t, a in Elements(text).tags if t == "meta" and "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "url(" not in text and "@import" not in text and "innerHTML" not in text
    addresses = re.findall(r"https?://[^\s\"')]+", text[: text.index('id="data"')] + text[text.rindex("<script>") :])
    assert set(addresses) == {"http://www.w3.org/2000/svg"}  # a name, not a place


def test_the_size_of_the_page_is_bounded(place: Place) -> None:
    found = analysed(place)
    data = whole(found, shown=5)
    assert len(data["details"]) == 5 and len(data["queries"]["id"]) == 60
    shown = [abs(found.deltas[int(at)]) for at in data["details"]]
    assert min(shown) >= sorted(abs(found.deltas))[-5]
    used = {row[0] for one in data["details"].values() for row in one["rows"]}
    assert used == set(range(len(data["documents"]["text"])))
    assert len(set(data["documents"]["id"])) == len(data["documents"]["id"])
    assert max(map(len, data["documents"]["text"])) <= CHARACTERS
    assert not whole(found, shown=0)["details"]


def test_every_relevant_document_is_shown_and_what_it_adds_sums(place: Place) -> None:
    found = analysed(place)
    data = whole(found, shown=60)
    for at, one in data["details"].items():
        added = [row[6] for row in one["rows"] if row[6] is not None]
        assert sum(added) == pytest.approx(found.deltas[int(at)], abs=1e-5)
        assert sum(row[1] >= 1 for row in one["rows"]) == 1
        for better, worse, effect in one["swaps"]:
            assert one["rows"][better][1] >= 1 > one["rows"][worse][1] and effect


def test_every_query_knows_its_groups(place: Place) -> None:
    data = whole(analysed(place))
    for group in data["groups"]:
        members = [at for at, own in enumerate(data["queries"]["labels"]) if set(group["labels"]) <= set(own)]
        assert len(members) == group["queries"]
        mean = sum(data["queries"]["delta"][at] for at in members) / len(members)
        assert mean == pytest.approx(group["mean"], abs=1e-5)


def test_the_same_analysis_makes_the_same_page(place: Place) -> None:
    found = analysed(place)
    assert page(whole(found)) == page(whole(found))


def test_a_page_is_written_whole_or_not_at_all(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    data, out = whole(analysed(place)), place.path / "page.html"
    write_page(data, out)
    before = out.read_bytes()
    monkeypatch.setattr("reports.why.page", {}.__getitem__)
    with pytest.raises(TypeError):
        write_page(data, out)
    assert out.read_bytes() == before and [one.name for one in place.path.glob("*page*")] == ["page.html"]
    monkeypatch.undo()
    with pytest.raises(UsageError, match="no file can be written there"):
        write_page(data, place.path)


def test_the_parts_of_the_page_are_installed() -> None:
    """They stand inside the package, so every wheel has them."""
    for name in ("why.html", "why.css", "why.js"):
        assert files("reports").joinpath("templates", name).is_file()
    assert '"reports"' in (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8").split("packages = ")[1]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_texts_can_be_read(theme: str) -> None:
    """Contrast of 4.5 and more (WCAG 2.1 AA) for every colour of text on every ground."""
    style = files("reports").joinpath("templates", "why.css").read_text("utf-8")
    block = style[: style.index("@media")] if theme == "light" else style[style.index(':root[data-theme="dark"]') :]
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", block[: block.index("}")]))
    for ink in ("ink", "muted", "gain", "loss"):
        for ground in ("bg", "surface", "soft", "mark"):
            assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)


def contrast(one: str, other: str) -> float:
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
