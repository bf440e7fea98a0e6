"""Real collections, counted. The numbers are those of their published descriptions and of a count by hand."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from harness.data.sources import load


def test_scifact_has_its_published_numbers(session: Any, data: Path) -> None:
    collection = session.load(data / "scifact")
    counts = collection.counts
    assert (counts.documents, counts.queries, counts.judgments) == (5183, 300, 339)
    assert (counts.judged_zero, counts.empty_documents, counts.queries_without_judgments) == (0, 0, 809)
    assert collection.corpus[0].startswith("Microstructural development of human newborn cerebral white matter")
    train = session.load(data / "scifact", split="train").counts
    assert (train.queries, train.judgments) == (809, 919)


def test_cranfield_has_judged_zeros_and_empty_documents(session: Any, data: Path) -> None:
    counts = session.load(data / "cranfield").counts
    assert (counts.documents, counts.queries, counts.judgments) == (1400, 225, 1837)
    assert (counts.judged_zero, counts.empty_documents, counts.duplicate_texts) == (225, 2, 1)


def test_xquad_is_a_set_of_twelve_languages(session: Any, data: Path) -> None:
    collections = load(str(data / "xquad"), session.workspace)
    assert [c.language for c in collections] == ["ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"]
    assert {(c.counts.documents, c.counts.queries) for c in collections} == {(240, 1190)}
    assert len({c.fingerprint for c in collections}) == 12
    assert collections[1].name == "xquad/de"


@pytest.mark.parametrize(
    ("split", "numbers"),
    [("train", (93, 1, 4718, 348, 10, 5)), ("dev", (81, 1, 1148, 222, 3, 13)), ("test", (95, 5, 1517, 284, 6, 21))],
)
def test_trec_qa_keeps_every_candidate_of_every_split(
    session: Any, data: Path, split: str, numbers: tuple[int, ...]
) -> None:
    collection = session.load(data / "trec-qa", split=split)
    counts = collection.counts
    assert numbers == (
        counts.queries,
        counts.queries_without_judgments,
        len(collection.given.documents),
        counts.judgments - counts.judged_zero,
        counts.queries_without_relevant,
        counts.queries_all_relevant,
    )
    assert counts.repeated_candidates == 0


def test_limit_small_needs_its_ids_declared(session: Any, data: Path) -> None:
    with pytest.raises(DataError, match=r"test.tsv:2: id 'Geneva Durben' has white space"):
        load(str(data / "limit-small"), session.workspace)
    collection = session.load(data / "limit-small", rules=session.rules('allow = ["white-space-ids"]'))
    assert (collection.counts.documents, collection.counts.queries) == (46, 1000)
    assert collection.counts.let_through == {"white-space-ids": 46}
