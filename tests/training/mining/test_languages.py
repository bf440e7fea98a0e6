"""A corpus that declares no language is stemmed by the same rules everywhere: what a user would lose is training data
that was mined with another BM25 than the one it is measured against."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from adapters.errors import MissingExtra
from adapters.spec import open_generator
from harness.data import detection
from harness.data.sources import load
from harness.scoring.retrieve import bound, first_stage
from tests.sample_texts import undeclared
from tests.tiny_collection import FIRST, Place
from training.corpus import asking, corpus_of
from training.mining.mine import mine, read_queries


def stemmer(place: Place, collection: Any, spec: str = "bm25") -> str | None:
    identity: Any = first_stage(spec, place.workspace).identity(collection)
    return identity["analyzer"]["stemmer"]  # type: ignore[no-any-return]


def test_a_corpus_is_stemmed_as_the_collection_is(place: Place) -> None:
    folder = undeclared(place.path, "de")
    corpus, (collection,) = corpus_of(str(folder), place.workspace), load(str(folder), place.workspace)
    assert stemmer(place, corpus) == stemmer(place, collection) == "german"
    assert stemmer(place, asking(corpus, ["q"], ["ein Boot"])) == "german"
    assert stemmer(place, corpus, "bm25?language=none") is None
    (folder / "collection.toml").write_text('language = "en"')
    assert stemmer(place, corpus_of(str(folder), place.workspace)) == "english"


def test_mining_names_the_stemmer_and_prefers_the_language_of_the_queries(place: Place) -> None:
    corpus = corpus_of(str(undeclared(place.path, "de")), place.workspace)
    found = {}
    for language in (None, "en"):
        file = place.path / f"{language}.jsonl"
        row = {"_id": "q", "text": "wann fährt das Boot", **({"language": language} if language else {})}
        file.write_text(json.dumps(row) + "\n")
        asked = read_queries(file, corpus)
        with place.session() as session:
            made = mine(corpus, "x", asked, ["bm25", FIRST], 3, place.path / f"pool-{language}", session)
        found[language] = (made["retrievers"][0]["analyzer"]["stemmer"], made["language"])
    assert found == {None: ("german", None), "en": ("english", "en")}


def test_the_extractive_generator_gets_the_language_too(place: Place) -> None:
    corpus = corpus_of(str(undeclared(place.path, "de")), place.workspace)

    def language(spec: str) -> object:
        made: Any = bound(open_generator(spec), corpus, None, None)
        return made.identity["language"]

    assert [language(f"extractive{option}") for option in ("", "?language=none", "?language=en")] == ["de", None, "en"]


def test_without_the_package_the_extra_is_named(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> None:
        raise MissingExtra("no package")

    monkeypatch.setattr(detection, "_identifier", missing)
    corpus = corpus_of(str(undeclared(place.path, "de")), place.workspace)
    for spec in ("extractive", "bm25"):
        with pytest.raises(MissingExtra, match=r"rerank-harness\[bm25\].*\?language=none"):
            if spec == "bm25":
                stemmer(place, corpus)
            else:
                bound(open_generator(spec), corpus, None, None)
    assert stemmer(place, corpus, "bm25?language=none") is None
    assert stemmer(place, replace(corpus, language="en")) == "english", "the queries say it"
