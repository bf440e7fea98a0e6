"""Two processes and one give the same bits; otherwise a result would depend on the machine that it was made on."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

import harness
from adapters import tiny
from adapters.filling import _SMALLEST_PART
from harness.scoring import engine
from harness.scoring.ledger.store import RECORD
from tests.tiny_collection import Place

DOCUMENTS, QUERIES, DEPTH = 2 * _SMALLEST_PART + 40, 24, 12
WORDS = ("ferry", "noon", "low", "tide", "after", "mill", "baker", "sells", "bread", "old", "boat", "in", "winter")


def text(number: int) -> str:
    words = np.random.default_rng(number).choice(WORDS, number % 40 + 2)
    return f"{' '.join(words)} {number}"


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    pytest.importorskip("transformers")
    folder = tmp_path_factory.mktemp("models")
    made = {
        "bert": tiny.cross_encoder(folder / "bert"),
        "modernbert": tiny.cross_encoder(folder / "modernbert", architecture="modernbert"),
        "causal": tiny.causal_lm(folder / "causal"),
        "embedder": tiny.bert_embedder(folder / "embedder"),
        "qwen3": tiny.qwen3_embedder(folder / "qwen3"),
    }
    return {name: f"{path}?device=cpu" for name, path in made.items()}


def run(place: Place, models: dict[str, str], workers: int) -> Path:
    """The workspace after a run, with the written run files in it."""
    workspace = place.path / f"workers-{workers}"
    rerankers = [models[name] for name in ("bert", "modernbert", "causal", "qwen3")]
    found = harness.run(
        place.path / "coll", first_stage=models["embedder"], rerankers=rerankers, depth=DEPTH, workspace=workspace,
        workers=workers, skip_probe=True,
    )  # fmt: skip
    found.write(workspace / "out")
    return workspace


def pairs(workspace: Path) -> dict[tuple[int, bytes], list[bytes]]:
    """What the ledger holds."""
    with closing(sqlite3.connect(workspace / "ledger.sqlite")) as ledger:
        rows = ledger.execute("SELECT scorer, query, pairs FROM part").fetchall()
    held: dict[tuple[int, bytes], list[bytes]] = {}
    for scorer, query, blob in rows:
        held.setdefault((scorer, query), []).extend(record.tobytes() for record in np.frombuffer(blob, RECORD))
    return {key: sorted(records) for key, records in held.items()}


def vectors(workspace: Path) -> dict[str, dict[bytes, bytes]]:
    """What the stores of vectors hold, by the identity of the embedder and the digest of the text."""
    held: dict[str, dict[bytes, bytes]] = {}
    for file in (workspace / "cache" / "embeddings").rglob("*.digests.npy"):
        found = np.load(file.with_name(file.name.replace(".digests", "")))
        rows = zip(np.load(file), found, strict=True)
        held.setdefault(file.parent.name, {}).update({digest.tobytes(): row.tobytes() for digest, row in rows})
    return held


def arrays(workspace: Path) -> dict[str, dict[str, bytes]]:
    """The stored candidates and scores of every evaluation, by their id."""
    files = [file for name in ("runs", "scored") for file in (workspace / name).rglob("*.npz")]
    held = {}
    for file in files:
        with np.load(file) as loaded:
            held[str(file.relative_to(workspace))] = {name: loaded[name].tobytes() for name in loaded.files}
    return held


def values(workspace: Path) -> list[tuple[object, ...]]:
    found = harness.results(workspace=workspace)
    return sorted((row["id"], row["system"], row["measure"], row["value"]) for row in found.to_dict("records"))


def written(workspace: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in (workspace / "out" / "runs").iterdir()}


def test_two_processes_and_one_store_the_same_bits(
    place: Place, models: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "_SMALLEST", 40)
    corpus = {f"d{number}": text(number) for number in range(DOCUMENTS)}
    queries = {f"q{number}": text(1000 + number) for number in range(QUERIES)}
    place.beir("coll", corpus, queries, [(query, f"d{row}", 1) for row, query in enumerate(queries)])
    one, two = (run(place, models, workers) for workers in (1, 2))
    assert pairs(one) == pairs(two)
    assert sum(map(len, pairs(one).values())) >= 4 * QUERIES * DEPTH
    assert vectors(one) == vectors(two)
    assert sum(map(len, vectors(one).values())) >= DOCUMENTS + QUERIES
    assert arrays(one) == arrays(two)
    assert len(arrays(one)) >= 5
    assert written(one) == written(two)
    assert values(one) == values(two)
