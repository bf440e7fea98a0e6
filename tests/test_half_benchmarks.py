"""The benchmarks of half precision run with tiny models, so that they work where a processor with AMX is found."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from benchmarks import half

pytest.importorskip("sentence_transformers")
ROOT = Path(__file__).parent.parent


@pytest.fixture
def collection(tmp_path: Path) -> Path:
    folder = tmp_path / "coll"
    folder.mkdir()
    bodies = ["the passage answers the query about zebras and numbers " * 12 for _ in range(12)]
    for name, texts in (("queries", [f"what is query {n}" for n in range(4)]), ("corpus", bodies)):
        lines = (json.dumps({"_id": str(n), "text": f"{text} {n}"}) for n, text in enumerate(texts))
        (folder / f"{name}.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    return folder


def ran(program: str, *arguments: object) -> dict[str, object]:
    command = [sys.executable, str(ROOT / "benchmarks" / program), *map(str, arguments), "--rounds", "1"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout[done.stdout.index("{") :])
    return found


def test_a_cross_encoder_in_half_precision_is_compared_with_the_peer_in_float32(
    tmp_path: Path, collection: Path
) -> None:
    model = tiny.cross_encoder(tmp_path / "model")
    options = ("--pairs", 100, "--dtype", "bfloat16", "--any-processor")
    found = ran("cross_encoder.py", model, collection, *options)
    assert found["dtype"] == "bfloat16"
    assert 0 <= float(str(found["same_top_10"])) <= 1
    assert found["same_model"] == half.NOT_JUDGED
    assert "processor" in found


def test_an_embedder_in_half_precision_is_compared_with_the_peer_in_float32(tmp_path: Path, collection: Path) -> None:
    model = tiny.bert_embedder(tmp_path / "model")
    found = ran("embedding.py", model, collection, "--documents", 12, "--dtype", "auto", "--any-processor")
    assert "times as fast as float32 here" in str(found["dtype"])
    assert 0 <= float(str(found["same_top_10"])) <= 1


def test_nothing_is_measured_on_a_processor_without_amx(monkeypatch: pytest.MonkeyPatch) -> None:
    for flags, result in (("x86_64+avx512_bf16", half.NO_AMX), ("x86_64+avx512_bf16+amx_bf16", None)):
        monkeypatch.setattr(half, "instruction_set", lambda flags=flags: flags)
        found = half.skipped("auto", anyway=False)
        assert found == (None if result is None else {"dtype": "auto", "processor": flags, "result": result})
    assert half.skipped("float32", anyway=False) is None


def test_the_ten_best_are_compared_as_sets() -> None:
    peer = np.arange(24, dtype=float).reshape(2, 12)
    swapped, other = peer.copy(), peer.copy()
    swapped[:, [10, 11]] = swapped[:, [11, 10]]
    other[0, [0, 11]] = other[0, [11, 0]]
    assert half.same_tops(swapped, peer) == 1
    assert half.same_tops(other, peer) == 0.5


def test_the_answer_of_the_check_is_part_of_the_result(tmp_path: Path) -> None:
    model = str(tiny.cross_encoder(tmp_path / "model"))
    assert "20 questions" in half.same_model(model, "bfloat16", "demo/en")
    assert half.same_model(model, "float32", "demo/en") == "the same number format"
