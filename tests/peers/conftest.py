"""The peers' packages, tiny models that both sides load, and excerpts of real collections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters import tiny
from tests.peers.mteb_side import quiet


@pytest.fixture(scope="session")
def mteb() -> Any:
    """The package, or a skip."""
    with quiet():
        _need_first_stages()
        return pytest.importorskip("mteb", reason="mteb is not installed (extra: mteb)")


@pytest.fixture(scope="session")
def beir() -> Any:
    """`beir.retrieval.evaluation`, or a skip."""
    with quiet():
        _need_first_stages()
        return pytest.importorskip("beir.retrieval.evaluation", reason="beir is not installed (extra: beir)")


@pytest.fixture(autouse=True)
def _one_thread() -> Iterator[None]:
    """Two cores, and others who need them."""
    torch = pytest.importorskip("torch", reason="torch is not installed (extra: models)")
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def embedder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a mean-pooling embedder."""
    return tiny.bert_embedder(tmp_path_factory.mktemp("models") / "embedder")


@pytest.fixture(scope="session")
def cross_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a cross-encoder."""
    return tiny.cross_encoder(tmp_path_factory.mktemp("models") / "cross-encoder")


@pytest.fixture(scope="session")
def models(embedder: Path, cross_encoder: Path) -> tuple[Path, Path]:
    """Both."""
    return embedder, cross_encoder


def _need_first_stages() -> None:
    pytest.importorskip("sentence_transformers", reason="sentence-transformers is not installed (extra: models)")
    pytest.importorskip("Stemmer", reason="PyStemmer is not installed (extra: bm25)")
