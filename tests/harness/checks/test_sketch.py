"""What a checkpoint was trained on stays with it. What a user would lose: the knowledge that a gain comes from training
on the queries that measure it."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import ModelError
from harness.checks import sketch
from harness.checks.seen import is_locked, leaks, seen
from harness.checks.sketch import (
    HASHES,
    KEY,
    VARIABLE,
    Sketch,
    TrainedQueries,
    found_in,
    inherited,
    joined,
    sketch_of,
    trained_on,
)  # fmt: skip

QUERIES = [f"who built the {noun} of {place}" for noun in ("castle", "harbour", "opera") for place in
           ("Lisbon", "Oslo", "Quito", "Hanoi", "กรุงเทพ", "北京")]  # fmt: skip
OTHERS = [f"how does a {animal} {does}" for animal in ("whale", "spider", "bat") for does in ("sleep", "hear", "swim")]


def of(*texts: str) -> TrainedQueries:
    return TrainedQueries((sketch_of(texts),), True)


def unlike(count: int) -> list[str]:
    """Questions with hardly any letters in common."""
    return [" ".join(blake2b(f"{place}-{word}".encode(), digest_size=3).hexdigest() for word in range(5))
            for place in range(count)]  # fmt: skip


def written(folder: Path, trained: TrainedQueries, name: str = "manifest.json") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(json.dumps({KEY: trained.as_dict()}), "utf-8")
    return folder


def test_trained_queries_are_found_whatever_their_case_and_punctuation() -> None:
    found = found_in(sketch_of(QUERIES), [f"  {text.upper()}?! " for text in QUERIES] + OTHERS + ["", "?"])
    assert found.tolist() == [True] * len(QUERIES) + [False] * (len(OTHERS) + 2)


def test_a_sketch_has_32_bytes_for_each_distinct_query_and_no_text() -> None:
    one = sketch_of([*QUERIES, *QUERIES, "", QUERIES[0].title()])
    assert one.rows.shape == (len(QUERIES), HASHES) and one.rows.dtype == np.uint8 and one.queries == len(QUERIES)
    assert "castle" not in json.dumps(TrainedQueries((one,), True).as_dict())
    assert sketch_of([]).rows.shape == (0, HASHES) and not found_in(sketch_of([]), QUERIES).any()


def test_more_than_a_small_share_is_a_leak_and_less_is_none() -> None:
    hundred = unlike(100)
    for count, leak in ((0, False), (2, False), (5, False), (6, True), (100, True)):
        found = seen(of(*hundred[:count], *OTHERS), "quiz", hundred)
        assert (found.matched, found.queries, found.is_leak) == (count, 100, leak)
    assert not seen(of(*hundred[:2]), "quiz", hundred[:10]).is_leak, "two queries may be equal by chance"
    assert [str(one) for one in leaks(of(*hundred), [("quiz", hundred), ("other", OTHERS)])] == [
        "was trained on 100 of the 100 queries of quiz"
    ]


def test_a_large_training_keeps_a_share_and_still_shows_the_leak(monkeypatch: pytest.MonkeyPatch) -> None:
    many = unlike(2000)
    whole = sketch_of(many)
    monkeypatch.setattr(sketch, "MOST", 300)
    half = sketch_of(many)
    assert len(half.rows) <= 300 and half.kept == 1 / 8 and half.queries == pytest.approx(2000, rel=0.2)
    found = seen(TrainedQueries((half,), True), "quiz", many[:400])
    assert found.share == pytest.approx(1, abs=0.3) and found.is_leak
    (both,) = joined([sketch_of(many[:1000]), sketch_of(many[1000:])])
    assert np.array_equal(both.rows, half.rows), "parts give the sketch of the whole"
    assert len(whole.rows) == 2000


def test_with_a_secret_only_its_owner_can_compare(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "mine")
    trained = inherited([], QUERIES)
    assert not is_locked(trained) and seen(trained, "quiz", QUERIES).is_leak
    monkeypatch.setenv(VARIABLE, "yours")
    assert is_locked(trained) and not seen(trained, "quiz", QUERIES).is_leak
    monkeypatch.delenv(VARIABLE)
    assert is_locked(trained) and not found_in(trained.sketches[0], QUERIES).any()
    assert "mine" not in json.dumps(trained.as_dict())


def test_a_query_in_the_open_and_in_the_keyed_sketch_counts_once(monkeypatch: pytest.MonkeyPatch) -> None:
    hundred = unlike(100)
    opened = sketch_of(hundred[:4])
    keyed = sketch_of(hundred[:5], "mine")
    monkeypatch.setenv(VARIABLE, "mine")
    found = seen(TrainedQueries((opened, keyed), True), "quiz", hundred)
    assert (found.matched, found.share, found.is_leak) == (5, 0.05, False)
    apart = seen(TrainedQueries((opened, sketch_of(hundred[4:8], "mine")), True), "quiz", hundred)
    assert (apart.matched, apart.share, apart.is_leak) == (8, 0.08, True)
    half = Sketch(opened.rows, 0.5)
    for parts in ((half, keyed), (keyed, half)):
        assert seen(TrainedQueries(parts, True), "quiz", hundred).share == 0.05, "the whole sketch knows better"


def test_what_is_made_of_a_checkpoint_inherits_its_queries(tmp_path: Path) -> None:
    parts = [written(tmp_path / "a", of(*QUERIES[:9])), written(tmp_path / "b", of(*QUERIES[9:]), "merge.json")]
    made = inherited(parts, OTHERS)
    assert made.whole and seen(made, "quiz", QUERIES).matched == len(QUERIES)
    assert seen(made, "other", OTHERS).matched == len(OTHERS)
    (tmp_path / "hub").mkdir()
    assert trained_on(tmp_path / "hub") is None
    assert not inherited([*parts, tmp_path / "hub"]).whole, "what the model of the hub was trained on is unknown"


@pytest.mark.parametrize(
    "wrong", [7, {"hashes": 16, "whole": True, "parts": []}, {"whole": True, "parts": []},
              {"hashes": 32, "whole": True, "parts": [{"key": None, "kept": 1, "rows": "?"}]},
              {"hashes": 32, "whole": True, "parts": [{"key": None, "kept": 1, "rows": "AAAA"}]},
              {"hashes": 32, "whole": True, "parts": [{"key": None, "kept": 0, "rows": ""}]}],
)  # fmt: skip
def test_a_damaged_sketch_is_one_line_with_the_file(tmp_path: Path, wrong: object) -> None:
    (tmp_path / "manifest.json").write_text(json.dumps({KEY: wrong}), "utf-8")
    with pytest.raises(ModelError) as refusal:
        trained_on(tmp_path)
    assert str(tmp_path / "manifest.json") in str(refusal.value) and "\n" not in str(refusal.value)


@pytest.mark.parametrize(("one", "other"), [("xquad/en", "mlqa-dev-r/en"), ("xquad/zh", "mlqa-dev-r/zh"),
                                            ("mlqa-dev-r/hi", "xquad/hi")])  # fmt: skip
def test_disjoint_real_collections_raise_no_alarm(one: str, other: str, shared_data: Path) -> None:
    ours, theirs = (
        [json.loads(line)["text"] for line in (shared_data / name / "queries.jsonl").read_text("utf-8").splitlines()]
        for name in (one, other)
    )
    assert seen(of(*ours), other, theirs).matched == 0 and seen(of(*ours), one, ours).share == 1


def test_training_and_test_queries_of_one_set_raise_no_alarm(shared_data: Path) -> None:
    """SciFact has a few claims in both, which is less than the limit."""
    folder = shared_data / "scifact"
    rows = map(json.loads, (folder / "queries.jsonl").read_text("utf-8").splitlines())
    texts = {row["_id"]: row["text"] for row in rows}

    def asked(split: str) -> list[str]:
        lines = (folder / "qrels" / f"{split}.tsv").read_text("utf-8").splitlines()[1:]
        return [texts[key] for key in {line.split("\t")[0] for line in lines}]

    found = seen(of(*asked("train")), "scifact", asked("test"))
    assert 0 < found.matched < 10 and not found.is_leak


def test_an_empty_sketch_adds_no_query() -> None:
    empty = Sketch(np.zeros((0, HASHES), np.uint8))
    assert joined([empty, sketch_of(QUERIES)])[0].queries == len(QUERIES)


def test_the_page_says_which_changed_queries_are_still_found(shared_data: Path) -> None:
    """A user would take a base without an alarm for one that never saw the queries."""
    lines = (shared_data / "xquad/en/queries.jsonl").read_text("utf-8").splitlines()
    texts = [json.loads(line)["text"] for line in lines]
    trained = sketch_of(texts)

    def found(changed: Callable[[str, int], str]) -> int:
        """In percent, with a place drawn within a word of each query."""
        draw = random.Random(0)
        places = [[at for at in range(1, len(text) - 2) if text[at : at + 2].isalpha()] for text in texts]
        asked = [changed(text, draw.choice(own)) for text, own in zip(texts, places, strict=True)]
        return round(100 * float(found_in(trained, asked, None).mean()))

    swapped = found(lambda text, at: f"{text[:at]}{text[at + 1]}{text[at]}{text[at + 2 :]}")
    doubled, preceded = found(lambda text, at: text[: at + 1] + text[at:]), found(lambda text, _: f"also {text}")
    page = " ".join((Path(__file__).parents[3] / "docs/adapting.md").read_text("utf-8").split())
    says = f"{swapped} % are still found with two letters swapped, {doubled} % with a letter doubled, and {preceded} %"
    assert f'{says} with "also" before them' in page
