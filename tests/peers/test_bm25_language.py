"""BM25's numbers with and without the collection's language, on real collections and against pytrec_eval: what a user
would lose is a first stage that is two points better as a suite than as a folder, for the same texts."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from harness import api
from harness.result.evaluation import Evaluation
from harness.result.stemming import notes, of_stored
from tests.peers.our_side import evaluated, largest_difference, means
from tests.peers.real_data import held
from tests.tiny_collection import results_in


def folder(data: Path, name: str, tmp_path: Path, rules: str = "") -> Path:
    copy = Path(shutil.copytree(data / name, tmp_path / name.replace("/", "-")))
    (copy / "collection.toml").write_text(rules)
    return copy


def bm25(target: Path | str, workspace: Path, *specs: str) -> list[Evaluation]:
    outcome = api.run(str(target), first_stage="bm25", rerankers=specs, depth=100, workspace=workspace)
    return list(outcome.evaluations)


def test_scifact_as_a_folder_has_the_number_of_the_suite_s_declaration(shared_data: Path, tmp_path: Path) -> None:
    plain = bm25(shared_data / "scifact", tmp_path / "w")
    declared = bm25(folder(shared_data, "scifact", tmp_path, 'language = "en"'), tmp_path / "w")
    assert [one.id for one in plain] == [one.id for one in declared], "the answer is in the identity, not its origin"
    assert 100 * means(plain[0])["nDCG@10"] == pytest.approx(68.49, abs=0.005)
    assert notes(of_stored(one.stored for one in results_in(plain))) == ["BM25: English stemming (detected)"]
    assert notes(of_stored(one.stored for one in results_in(declared))) == ["BM25: English stemming"]


def test_scifact_without_a_language_has_the_recorded_number_and_ids(shared_data: Path, tmp_path: Path) -> None:
    """Recorded before languages were detected: `bm25` over `bm25`, the folder as it is."""
    outcome = api.run(
        str(shared_data / "scifact"),
        first_stage="bm25?language=none",
        rerankers=["bm25?language=none"],
        depth=100,
        workspace=tmp_path,
    )
    assert [one.id for one in outcome.evaluations] == ["75b943f87c62", "fc484ad40a5d"]
    assert [float(one.values[0].mean()) for one in outcome.evaluations] == pytest.approx(
        [0.6634477520519497] * 2, abs=1e-9
    )


@pytest.mark.parametrize("spec", ["bm25", "bm25?language=none"])
def test_the_number_is_pytrec_evals(shared_data: Path, tmp_path: Path, spec: str) -> None:
    (found,) = evaluated(shared_data / "scifact", tmp_path, first_stage=spec, depth=100)
    assert largest_difference(found, held(shared_data / "scifact").qrels) <= 1e-12


def test_the_number_is_ir_measures(shared_data: Path, tmp_path: Path) -> None:
    measures = pytest.importorskip("ir_measures", reason="ir_measures is not installed")
    (found,) = evaluated(shared_data / "scifact", tmp_path, first_stage="bm25", depth=100)
    qrels = held(shared_data / "scifact").qrels
    names, documents = found.collection.queries.ids(), found.collection.corpus.ids(found.run.documents)
    run: dict[str, dict[str, float]] = {name: {} for name in names}
    for query, document, score in zip(found.run.queries.tolist(), documents, found.run.scores.tolist(), strict=True):
        run[names[query]][document] = score
    theirs = measures.calc_aggregate([measures.nDCG @ 10], qrels, run)
    assert means(found)["nDCG@10"] == pytest.approx(theirs[measures.nDCG @ 10], abs=1e-9)


def test_a_folder_of_a_set_has_the_same_number_alone(shared_data: Path, tmp_path: Path) -> None:
    (alone,) = bm25(shared_data / "xquad" / "de", tmp_path)
    outcome = api.run(str(shared_data / "xquad"), first_stage="bm25", depth=100, languages=["de"], workspace=tmp_path)
    (inside,) = outcome.evaluations
    assert alone.id == inside.id
    assert 100 * means(alone)["nDCG@10"] == pytest.approx(94.03, abs=0.005)
    assert outcome.skipped == (
        f"skipped 11 of the 12 collections of {shared_data / 'xquad'}, whose languages are ar, el, en, es, hi, ro, ru, "
        "th, tr, vi, zh",
    )


@pytest.mark.parametrize(
    ("name", "language"),
    [
        ("scifact", "en"), ("cranfield", "en"), ("trec-qa", "en"), ("limit-small", "en"),
        *((f"xquad/{one}", one) for one in ["ar", "de", "el", "en", "es", "hi", "ro", "ru", "th", "tr", "vi", "zh"]),
        *((f"mlqa-dev-r/{one}", one) for one in ["ar", "de", "en", "es", "hi", "vi", "zh"]),
    ],
)  # fmt: skip
def test_every_real_collection_is_recognised(shared_data: Path, tmp_path: Path, name: str, language: str) -> None:
    from harness.data.sources import load
    from harness.workspace import Workspace

    rules = tmp_path / "rules.toml"
    rules.write_text('allow = ["white-space-ids"]' if name == "limit-small" else "")
    (found,) = load(str(shared_data / name), Workspace.open(tmp_path / "w"), rules=rules)
    assert (found.language, found.detected_language) == (None, language)
