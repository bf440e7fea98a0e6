"""The noise floor of half precision: a user would lose the size below which a difference says nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from harness.checks import half_noise as measuring
from harness.checks.half_noise import BEST, PAIRS, best_of, half_noise
from harness.measuring.half_noise import HalfNoise
from harness.result.evaluation import Evaluation
from harness.result.store import Results
from harness.running.experiment import experiment
from harness.scoring.system import systems
from tests.fake_rankers import Good
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_rankers"


def run(place: Place, spec: str, measures: tuple[str, ...] = ("nDCG@10",), first: str = FIRST) -> Evaluation:
    folder = place.path / "coll"
    collection = place.load(folder if folder.exists() else place.beir())
    with place.session() as session:
        made = systems(first, [spec] if spec != first else [], 8, session.workspace)[-1]
        return next(iter(experiment([collection], [made], measures, session, skip_probe=True)))


@pytest.fixture
def model(place: Place) -> Path:
    return tiny.cross_encoder(place.path / "model")


def test_half_precision_has_its_noise_with_the_value_and_float32_has_none(place: Place, model: Path) -> None:
    half = run(place, f"{model}?dtype=bfloat16&device=cpu")
    noise = half.audit.noise
    assert noise is not None
    assert 0 < noise.pairs <= PAIRS
    assert noise.effects.keys() == {"nDCG@10"}
    assert run(place, f"{model}?device=cpu").audit.noise is None
    assert run(place, "bm25").audit.noise is None


def test_it_is_stored_and_not_measured_again(place: Place, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = f"{model}?dtype=bfloat16&device=cpu"
    made = run(place, spec)
    with Results(place.workspace.results) as results:
        assert results.find(made.id).audit.noise == made.audit.noise
    monkeypatch.setattr(measuring, "half_noise", lambda *_: pytest.fail("it was measured again"))
    assert run(place, spec).audit.noise == made.audit.noise


def test_another_measure_gets_its_own_effect_and_keeps_the_earlier_one(place: Place, model: Path) -> None:
    spec = f"{model}?dtype=bfloat16&device=cpu"
    made = run(place, spec)
    run(place, spec, ("RR@10",))
    with Results(place.workspace.results) as results:
        noise = results.find(made.id).audit.noise
    assert noise is not None and noise.effects.keys() == {"nDCG@10", "RR@10"}


@pytest.mark.parametrize("part", ["first stage", "reranker"])
def test_vectors_are_made_again_and_not_read_from_the_disk(place: Place, part: str) -> None:
    spec = f"{tiny.bert_embedder(place.path / 'embedder')}?dtype=bfloat16&device=cpu"
    noise = run(place, spec, first=spec if part == "first stage" else FIRST).audit.noise
    assert noise is not None and noise.pairs > 0


class Nervous(Good):
    """Scores that get larger with every call by as much as separates two documents."""

    calls = 0

    def score(self, queries, documents, pairs):  # type: ignore[no-untyped-def]
        Nervous.calls += 1
        found = np.asarray(super().score(queries, documents, pairs))
        return (found + 0.5 * (Nervous.calls % 2) * np.arange(len(found))).astype(np.float32)


def test_scores_that_depend_on_their_batch_have_a_floor(place: Place) -> None:
    made = run(place, f"{FAKE}:Good")
    quiet, loud = (half_noise(made.ground, made.run, kind) for kind in (Good, Nervous))
    assert quiet is not None and loud is not None
    assert (quiet.largest, quiet.turned, quiet.effects) == (0, 0, {"nDCG@10": 0})
    assert loud.largest > loud.typical > 0
    assert loud.turned > 0


def test_the_best_candidates_of_whole_queries_are_scored_again(place: Place) -> None:
    made = run(place, f"{FAKE}:Good")
    part = best_of(made.ground, made.run)
    assert part is not None
    assert np.diff(part.candidates.offsets).max() <= BEST
    whole = dict(zip(made.collection.queries.ids(), made.values[0], strict=True))
    values = part.judged.values(made.measures, part.candidates.scores)[0]
    assert [whole[id] for id in part.collection.queries.ids()] == pytest.approx(values)


def test_a_run_without_candidates_has_no_floor(place: Place) -> None:
    made = run(place, f"{FAKE}:Good")
    empty = replace(
        made.run, offsets=np.zeros_like(made.run.offsets), documents=made.run.documents[:0], scores=made.run.scores[:0],
        tiebreaks=made.run.tiebreaks[:0],
    )  # fmt: skip
    assert best_of(made.ground, empty) is None


def test_a_later_floor_keeps_the_measures_of_an_earlier_one() -> None:
    earlier, later = HalfNoise(1, 2, 0.1, 0.1, 0.1, {"a": 0.1, "b": 0.2}), HalfNoise(1, 2, 0.3, 0.1, 0.1, {"a": 0.3})
    assert later.after(earlier) == HalfNoise(1, 2, 0.3, 0.1, 0.1, {"a": 0.3, "b": 0.2})
    assert later.after(None) == later
