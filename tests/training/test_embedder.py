"""Training an embedder: the checkpoint compares vectors as it was trained to, and others get the same scores."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.embedding import EmbedderReranker
from adapters.errors import ModelError
from adapters.models import open_folder
from adapters.protocols import Floats
from harness.progress import Silent
from tests.training.fitting import QUICK, KilledAfter, some_examples
from training.embedder import SCALE
from training.encoded import encode
from training.examples import Example
from training.fit import fit, job
from training.settings import Machine
from training.student import load_student

PROMPTS = {"query": "query: ", "document": "passage: "}
EMBEDDERS: list[Callable[[Path], Path]] = [
    lambda folder: tiny.bert_embedder(folder, prompts=PROMPTS),
    tiny.qwen3_embedder,
]


def cosines(folder: Path, example: Example) -> Floats:
    pairs = np.array([(0, place) for place in range(len(example.documents))])
    return EmbedderReranker(str(folder)).score([example.query], list(example.documents), pairs)


@pytest.fixture(params=EMBEDDERS, ids=["bert", "qwen3"])
def embedder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    made: Path = request.param(tmp_path / "embedder")
    return made


def test_the_scores_in_training_are_those_of_the_adapter(embedder: Path) -> None:
    examples = some_examples()
    student = load_student(open_folder(str(embedder)), replace(QUICK, dropout=False), Machine(device="cpu"))
    student.model.eval()
    encoded = encode(examples.rows, student.encoder)
    made = student.scores(encoded.pairs, np.arange(len(encoded.scores))).detach().numpy()
    expected = np.concatenate([cosines(embedder, row) for row in examples.rows])
    assert np.allclose(made, SCALE * expected, atol=1e-4)


def test_zero_steps_change_no_score(embedder: Path, tmp_path: Path) -> None:
    for name, settings in (("all", QUICK), ("lora", replace(QUICK, lora_rank=2))):
        fit(job(str(embedder), some_examples(), replace(settings, max_steps=0)), tmp_path / name)
        example = some_examples().rows[3]
        assert np.allclose(cosines(embedder, example), cosines(tmp_path / name, example), atol=1e-6), name


@pytest.mark.parametrize("rank", [0, 2])
def test_training_learns_the_order_of_the_teacher(embedder: Path, tmp_path: Path, rank: int) -> None:
    settings = replace(QUICK, epochs=6, learning_rate=1e-2, lora_rank=rank)
    manifest = fit(job(str(embedder), some_examples(), settings), tmp_path / "out")
    assert manifest["loss"]["last"] < 0.8 * manifest["loss"]["first"]
    assert manifest["model"]["scores"] == "20 x cosine"
    example = some_examples().rows[3]
    assert not np.allclose(cosines(embedder, example), cosines(tmp_path / "out", example), atol=1e-3)


def test_sentence_transformers_gets_the_same_scores_from_the_checkpoint(embedder: Path, tmp_path: Path) -> None:
    library = pytest.importorskip("sentence_transformers")
    fit(job(str(embedder), some_examples(), replace(QUICK, max_steps=2, max_length=24)), tmp_path / "out")
    model = library.SentenceTransformer(str(tmp_path / "out"), device="cpu", local_files_only=True)
    example = some_examples().rows[3]
    query, documents = model.encode_query([example.query]), model.encode_document(list(example.documents))
    assert model.max_seq_length == 24
    assert np.allclose(model.similarity(query, documents).numpy()[0], cosines(tmp_path / "out", example), atol=1e-5)


def test_a_killed_training_ends_in_the_same_vectors(embedder: Path, tmp_path: Path) -> None:
    work = job(str(embedder), some_examples(), replace(QUICK, epochs=2))
    fit(work, tmp_path / "whole", Machine(device="cpu"), Silent())
    machine = Machine(device="cpu", resume_seconds=0)
    with pytest.raises(KeyboardInterrupt):
        fit(work, tmp_path / "killed", machine, KilledAfter(2))
    fit(work, tmp_path / "killed", machine, Silent())
    example = some_examples().rows[3]
    assert (cosines(tmp_path / "whole", example) == cosines(tmp_path / "killed", example)).all()


def test_an_embedder_that_compares_by_a_distance_is_refused(tmp_path: Path) -> None:
    embedder = tiny.bert_embedder(tmp_path / "embedder")
    settings = embedder / "config_sentence_transformers.json"
    settings.write_text(
        settings.read_text().replace('"similarity_fn_name": "cosine"', '"similarity_fn_name": "euclidean"')
    )
    with pytest.raises(ModelError, match="compares vectors by euclidean"):
        fit(job(str(embedder), some_examples(), QUICK), tmp_path / "out")
