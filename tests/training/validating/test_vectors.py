"""Vectors of queries and documents. What a user would lose: the time to embed the same text twice."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.errors import UsageError
from tests.tiny_collection import CORPUS, QUERIES, Place
from tests.training.validating.clouds import cloud, queries
from tests.training.validating.fake_embedders import DIM, SPEC, vector_of
from training.corpus import corpus_of
from training.validating.numbered import limited, numbered, rows_of, stacked
from training.validating.searching import searched
from training.validating.sets import QuerySet, Sets
from training.validating.vectors import embedded

ASKED = QuerySet("synthetic", tuple(QUERIES.values()), (CORPUS["d1"], CORPUS["d3"], "", CORPUS["d8"]))


def lines(log: Path) -> list[str]:
    return log.read_text("utf-8").splitlines()


def test_every_set_gets_the_vectors_of_its_queries_and_documents(place: Place) -> None:
    place.beir()
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        found = embedded(Sets(ASKED, QuerySet("real", ("low tide",))), SPEC, corpus, session)
    assert found.real is not None
    assert found.synthetic.vectors is not None
    assert found.synthetic.document_vectors is not None
    assert found.synthetic.vectors == pytest.approx(np.array([vector_of(text) for text in ASKED.texts]))
    assert found.synthetic.document_vectors[0] == pytest.approx(vector_of(CORPUS["d1"]))
    assert not found.synthetic.document_vectors[2].any(), "a query without a document has a row of zeros"
    assert found.real.vectors is not None
    assert found.real.vectors.shape == (1, DIM)
    assert found.real.document_vectors is None


def test_nothing_is_embedded_twice_by_validation_and_search(place: Place) -> None:
    place.beir()
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    log = place.log()
    spec = f"{SPEC}?log={log}"
    with place.session() as session:
        searched(ASKED, corpus, spec, 5, session)
        known = lines(log)
        embedded(Sets(ASKED), spec, corpus, session)
        assert lines(log) == known
        embedded(Sets(ASKED), spec, corpus, session)
    assert lines(log) == known
    assert len(known) == len(set(known))


def test_without_an_embedder_nothing_changes(place: Place) -> None:
    place.beir()
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    with place.session() as session:
        assert embedded(Sets(ASKED), None, corpus, session) == Sets(ASKED)
        with pytest.raises(UsageError, match="is not an embedder"):
            embedded(Sets(ASKED), "tests.fake_adapters:Overlap", corpus, session)


def test_a_query_keeps_its_row_wherever_it_is_taken() -> None:
    known = numbered(
        Sets(queries("synthetic", cloud(1, 30)), queries("real", cloud(2, 40)), queries("other", cloud(3, 20)))
    )
    vectors = stacked(known)
    draw = np.random.default_rng(0)
    for one in known.all:
        for taken in (*one.halves(draw), one.sample(7, draw), one.resample(draw).sample(9, draw)):
            assert np.array_equal(taken.vectors, vectors[rows_of(taken)])  # type: ignore[arg-type]
    assert [rows_of(one)[0] for one in known.all] == [0, 30, 70]


def test_a_large_set_loses_whole_documents() -> None:
    groups = tuple(np.repeat(np.arange(50), 2).tolist())
    kept, note = limited(Sets(queries("synthetic", cloud(1, 100), groups), queries("real", cloud(2, 30))), 40)
    assert (len(kept.synthetic), note) == (40, "40 queries drawn of: synthetic")
    assert all(kept.synthetic.groups.count(group) == 2 for group in kept.synthetic.groups)
