"""Overlap of densities. What a user would lose: a true share of what two distributions have in common."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from tests.tiny_collection import CORPUS, Place
from tests.training.validating.clouds import ENOUGH
from tests.training.validating.fake_embedders import SPEC, vector_of
from training.corpus import corpus_of
from training.validating.sets import QuerySet, Sets
from training.validating.similarity import Densities, measure
from training.validating.vectors import embedded


def overlap(first: list[float], second: list[float]) -> float:
    values = np.array([*first, *second])
    rows = np.arange(len(values))
    return Densities.of(rows, values, len(values)).overlap(rows[: len(first)], rows[len(first) :])


def normal(seed: int, mean: float, sd: float = 1.0, size: int = 4000) -> list[float]:
    found: list[float] = np.random.default_rng(seed).normal(mean, sd, size).tolist()
    return found


def phi(x: float) -> float:
    return 0.5 * (1 + math.erf(x / math.sqrt(2)))


@pytest.mark.parametrize("apart", [0.0, 0.5, 1.0, 2.0])
def test_the_overlap_of_two_normals_is_the_known_one(apart: float) -> None:
    assert overlap(normal(1, 0), normal(2, apart)) == pytest.approx(2 * phi(-apart / 2), abs=0.035)


def test_the_overlap_of_normals_with_two_widths_is_the_known_one() -> None:
    # N(0, 1) and N(0, 4) cross at c with c^2 = 8/3 ln 2
    cross = math.sqrt(8 / 3 * math.log(2))
    known = 2 * (phi(-cross) + phi(cross / 2) - 0.5)
    assert overlap(normal(1, 0), normal(2, 0, 2.0)) == pytest.approx(known, abs=0.035)


def test_densities_that_do_not_meet_and_values_without_spread() -> None:
    assert overlap(normal(1, 0), normal(2, 60)) == pytest.approx(0, abs=0.01)
    assert overlap([0.5] * 30, [0.5] * 30) == pytest.approx(1.0)
    assert overlap([0.0] * 30, [1.0] * 30) == pytest.approx(0, abs=0.01)


def test_a_density_adds_up_to_one_and_lies_where_the_values_do() -> None:
    values = np.array(normal(3, 5.0))
    every = np.arange(len(values))
    known = Densities.of(every, values, len(every))
    shares = known.density(every)
    assert shares.sum() == pytest.approx(1)
    assert shares @ known.centres == pytest.approx(values.mean(), abs=0.02)


def at(name: str, cosines: list[float]) -> QuerySet:
    """Queries with these cosines to their documents."""
    size = len(cosines)
    lying = np.tile(np.array([1.0, 0.0], np.float32), (size, 1))
    documents = np.array([[c, math.sqrt(1 - c * c)] for c in cosines], np.float32)
    return QuerySet(name, ("a word",) * size, ("a text",) * size, (), "en", lying, documents)


def test_queries_that_lie_nearer_to_their_documents_stand_out() -> None:
    draw = np.random.default_rng(0)
    near, real = draw.normal(0.8, 0.03, 150).tolist(), draw.normal(0.6, 0.03, 150).tolist()
    same = draw.normal(0.6, 0.03, 150).tolist()
    apart = measure(Sets(at("synthetic", near), at("real", real)), enough=ENOUGH)[0]
    assert apart.above_floor
    assert apart.value is not None
    assert apart.value > 0.9
    assert apart.levels["synthetic"] == pytest.approx(0.8, abs=0.01)
    assert apart.parts["ovl"] == pytest.approx(1 - apart.value)
    assert set(apart.parts["density"]) == {"synthetic", "real"}
    alike = measure(Sets(at("synthetic", same), at("real", real)), enough=ENOUGH)[0]
    assert alike.above_floor is False


def test_a_query_without_a_document_is_left_out_and_counted() -> None:
    real = at("real", [0.5 + n / 1000 for n in range(130)])
    assert real.document_vectors is not None
    gaps = real.document_vectors.copy()
    gaps[:7] = 0
    found = measure(
        Sets(at("synthetic", [0.6 + n / 1000 for n in range(130)]), replace(real, document_vectors=gaps)), enough=ENOUGH
    )
    assert "7 real queries have no document and are left out" in found[0].note
    assert found[0].levels["real"] == pytest.approx(0.5 + (7 + 129) / 2000, abs=1e-3)


def test_unlabelled_real_queries_still_have_gaps_and_profiles(place: Place) -> None:
    """Synthetic queries are copies of documents; real ones have two words of different documents."""
    place.beir()
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    copies = tuple(CORPUS.values()) * 15
    mixed = tuple(f"{a.split()[-1]} {b.split()[1]}" for a in CORPUS.values() for b in CORPUS.values()) * 2
    with place.session() as session:
        sets = embedded(Sets(QuerySet("synthetic", copies, copies), QuerySet("real", mixed)), SPEC, corpus, session)
        positive, gap, profile = measure(sets, corpus, SPEC, session, depth=4, enough=ENOUGH)
    assert positive.value is None
    assert "of those with a document, there are 0 real queries" in positive.note
    assert gap.above_floor
    assert profile.above_floor
    means = profile.parts["profile"]["synthetic"]
    assert len(means) == 4
    assert means[0] == pytest.approx(1.0, abs=1e-5)
    assert means == sorted(means, reverse=True)


def test_the_gap_is_the_first_score_minus_the_second_by_hand(place: Place) -> None:
    place.beir(corpus={"a": "ferry", "b": "mill", "c": "tide"})
    corpus = corpus_of(str(place.path / "coll"), place.workspace)
    asked = ("ferry",) * 60 + ("mill",) * 60
    with place.session() as session:
        sets = embedded(Sets(QuerySet("synthetic", asked), QuerySet("real", asked)), SPEC, corpus, session)
        _, gap, _ = measure(sets, corpus, SPEC, session, enough=ENOUGH)
    own = {word: vector_of(word) for word in ("ferry", "mill", "tide")}
    gaps = [1 - max(float(own[word] @ own[other]) for other in own if other != word) for word in ("ferry", "mill")]
    assert gap.levels["real"] == pytest.approx(np.mean(gaps), abs=1e-5)


def test_what_cannot_be_measured_says_why() -> None:
    few = measure(Sets(at("synthetic", [0.5] * 120), at("real", [0.5] * 120)))
    assert "there are 120 real queries, but 200 are needed" in few[0].note
    assert all("no dense first stage was named" in row.note for row in few[1:])
    bare = Sets(QuerySet("synthetic", ("x",) * 120), QuerySet("real", ("y",) * 120))
    assert "no embedder was named" in measure(bare, enough=ENOUGH)[0].note
