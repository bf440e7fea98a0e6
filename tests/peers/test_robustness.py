"""Attacks succeed as often as sentence-transformers' own scores of the same texts say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest

import harness
from adapters.protocols import Floats
from harness.checks.unrelated import chosen_queries
from harness.measuring.robustness.perturbations import ATTACKS
from harness.measuring.robustness.perturbed import RELEVANT


def test_success_is_that_of_the_peers_scores(cross_encoder: Path, tmp_path: Path) -> None:
    peer = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed (extra: models)")
    model = peer.CrossEncoder(str(cross_encoder))

    def scored(query: str, texts: Sequence[str]) -> Floats:
        return np.asarray(model.predict([(query, text) for text in texts], activation_fn=_as_it_is()))

    _agree(cross_encoder, scored, tmp_path / "workspace")


def test_an_embedder_that_reranks_is_examined_by_its_similarities(embedder: Path, tmp_path: Path) -> None:
    peer = pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed (extra: models)")
    model = peer.SentenceTransformer(str(embedder))

    def scored(query: str, texts: Sequence[str]) -> Floats:
        return np.asarray(model.similarity(model.encode([query]), model.encode(list(texts))))[0]

    _agree(embedder, scored, tmp_path / "workspace")


def _agree(folder: Path, scored: Callable[[str, Sequence[str]], Floats], workspace: Path) -> None:
    """Compare every margin of every attack with that of the peer's scores."""
    outcome = harness.run(
        "demo/en", first_stage="bm25", rerankers=folder, depth=5, robustness="attacks", skip_probe=True,
        workspace=workspace,
    )  # fmt: skip
    done = outcome.evaluations[-1]
    chosen = chosen_queries(done.collection, done.ground.judged, 300)
    queries, unrelated = done.collection.queries.take(chosen.rows), done.collection.corpus.take(chosen.unrelated)
    grades, run = done.ground.judged.grades, done.run
    found = {one.name: one for one in done.perturbed if one.measure == RELEVANT}
    assert found.keys() == {one.name for one in ATTACKS}
    for place, (row, query) in enumerate(zip(chosen.rows.tolist(), queries, strict=True)):
        rows = [at for at in range(run.offsets[row], run.offsets[row + 1]) if grades[at] >= 1]
        relevant = done.collection.corpus.take(run.documents[rows].astype(np.int64))
        attacking = [attack.document(query, unrelated[place]) for attack in ATTACKS]
        scores = scored(query, [*relevant, *attacking])
        margins = scores[len(relevant) :] - scores[: len(relevant)].max()
        ours = np.array([found[attack.name].values[place] for attack in ATTACKS])
        assert ours == pytest.approx(margins, abs=1e-5)
        assert ((ours >= 0) == (margins >= 0))[np.abs(margins) > 1e-5].all()


def _as_it_is() -> object:
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: models)")
    return torch.nn.Identity()
