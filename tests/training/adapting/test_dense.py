"""Evaluation queries are found in the training data by their meaning too. What a user would lose: a gain that comes
from training on paraphrases of the queries that judge it."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from adapters.errors import HarnessError
from harness.data.collection import Collection
from tests.tiny_collection import FIRST, Place
from tests.training.adapting.making import prepared, settings_for
from tests.training.validating.fake_embedders import SPEC as WORDS
from training.adapting.dense import LETTERS_ONLY, dense, embedder_of, searched_by
from training.adapting.ingredients import general_of
from training.corpus import corpus_of
from training.validating.embedder import KeptVectors
from training.validating.leak import KnownQueries, matches, nearest_of

E5 = "packaged:multilingual-e5-small"
PARAPHRASED = (
    ("how tall is the eiffel tower in metres", "what is the height of the eiffel tower in meters"),
    ("who wrote the novel pride and prejudice", "which author wrote pride and prejudice"),
    ("when did the second world war end", "in what year was the end of world war two"),
    ("what causes high blood pressure", "what are the causes of hypertension"),
    ("how long does it take to boil an egg", "how many minutes should an egg be boiled"),
    ("what is the capital city of australia", "which city is australia's capital"),
    ("symptoms of vitamin d deficiency", "what are the signs of a lack of vitamin d"),
    ("how to remove coffee stains from a carpet", "getting coffee stains out of carpet"),
    ("who invented the telephone", "which person invented the telephone"),
    ("average salary of a software engineer in germany", "how much does a software engineer earn in germany"),
)  # fmt: skip
OTHERS = (
    "when was the eiffel tower painted", "which novel is set in a school", "where did the first world war begin",
    "which foods lower blood sugar", "how many eggs does a hen lay", "what is the population of new zealand",
    "how much vitamin c is in an orange", "how to brew coffee in a french press", "who invented the light bulb",
    "how many software engineers work in france",
)  # fmt: skip


def corpus(place: Place) -> Collection:
    settings_for(place)
    return corpus_of(str(place.path / "coll"), place.workspace)


def test_paraphrases_are_found_by_the_vectors_of_the_packaged_embedder(place: Place) -> None:
    known = [KnownQueries("quiz", "test", [text for text, _ in PARAPHRASED])]
    asked = [*(text for _, text in PARAPHRASED), *OTHERS]
    with place.session() as session:
        try:
            embedder = embedder_of([E5], corpus(place), session)
            found = set(matches(asked, known, 0.8, nearest_of(asked, known, embedder)))
        except HarnessError as error:
            pytest.skip(f"the packaged embedder cannot be used: {error}")
    assert len(set(matches(asked, known, 0.8))) <= 1, "their letters differ: one contains most of the other"
    assert found == set(range(len(PARAPHRASED))), "every paraphrase, and no other question"


def reordered(text: str) -> str:
    """The same short words in another order, which a bag of words cannot distinguish and trigrams can."""
    words = text.split()
    return " ".join([*words[1::2], *words[::2]][::-1])


def trained_on(place: Place, known: Sequence[str], retrievers: tuple[str, ...]) -> tuple[set[str], str]:
    """The queries that a task trains on, and how its leaks were searched."""
    one = prepared(place, settings_for(place, retrievers=retrievers), known=[KnownQueries("quiz", "test", known)])
    (place.path / "run").rename(place.path / f"run-{len(list(place.path.iterdir()))}")
    return {row.query for row in one.examples.rows}, one.leaks_by


def test_the_loop_uses_the_dense_retriever_of_its_mining(place: Place) -> None:
    leaked = sorted(trained_on(place, ["nothing alike"], (FIRST, WORDS))[0], key=len)[0]
    by_letters, searched = trained_on(place, [reordered(leaked)], (FIRST, "tests.fake_adapters:Silent"))
    assert leaked in by_letters and searched == LETTERS_ONLY
    by_vectors, searched = trained_on(place, [reordered(leaked)], (FIRST, WORDS))
    assert leaked not in by_vectors and searched == "letters and vectors of words"


def test_a_dense_first_stage_is_used_where_mining_has_no_vectors(place: Place) -> None:
    with place.session() as session:
        own = corpus(place)
        found = embedder_of([FIRST, "given", WORDS], own, session)
        assert isinstance(found, KeptVectors) and searched_by(found) == "letters and vectors of words"
        assert embedder_of([FIRST, "given"], own, session) is None and searched_by(None) == LETTERS_ONLY
        assert dense([FIRST, WORDS, "given"], own, session) == [WORDS]


def test_the_data_of_stage_1_are_searched_by_vectors_too(place: Place) -> None:
    asked = "which gold ring did the old king give away"
    rows = [{"query": text, "documents": ["one", "two"], "scores": [1, 0]} for text in (reordered(asked), "other one")]
    data = place.path / "general.jsonl"
    data.write_text("".join(f"{json.dumps(row)}\n" for row in rows), "utf-8")
    known = [KnownQueries("quiz", "test", [asked])]
    settings = settings_for(place, general=(str(data),))
    assert queries_of(general_of(settings, place.workspace, known)) == [reordered(asked), "other one"]
    with place.session() as session:
        embedder = embedder_of([WORDS], corpus(place), session)
        found = general_of(settings, place.workspace, known, embedder)
    assert queries_of(found) == ["other one"]
    assert found is not None and found.rejected == {"like an evaluation query": 1}


def queries_of(found: object) -> list[str]:
    return [row.query for row in getattr(found, "rows", ())]
