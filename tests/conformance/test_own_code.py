"""Folders with code of their own: without these tests, their scores could be wrong, or their code could run unasked."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import EnvironmentFailure, ModelError
from adapters.own_code_client import OwnCodeProcess
from adapters.protocols import Floats, IndexPairs, ListwiseReranker, Scored, StreamingReranker
from adapters.spec import identity_of, open_ranker, refuse_early
from tests.conformance.foreign_code import TEMPLATES, asked_of, by_hand, folder_of, write_weights

pytest.importorskip("transformers", reason="models need the extra 'models'")

QUERIES = ["who wrote it", "", "谁写的书?", "is it relevant given the query " * 6]
DOCUMENTS = ["the system can answer", "", "a passage that is by the user " * 30, "鲁迅写的书。", "x" * 99]
PAIRS: IndexPairs = np.array([(q, d) for q in range(len(QUERIES)) for d in range(len(DOCUMENTS))])
TEXTS = [(QUERIES[query], DOCUMENTS[document]) for query, document in PAIRS]
LENGTH, LAYER = 150, 3
"""The longest document is cut, the others are not."""
SCORING = ["pair", "text", "layers", "querit", "compute_score"]


def spec_of(folder: Path, call: str, **options: object) -> str:
    """A spec with everything that a call needs."""
    if call in TEMPLATES:
        template = folder.with_name(f"{folder.name}.toml")
        template.write_text(TEMPLATES[call])
        options["template"] = template
    options |= {"layer": LAYER} if call == "layers" and "layer" not in options else {}
    options |= {} if call in ("compute_score", "rerank") else {"max_length": LENGTH}
    given = {"code": "own", "call": call, "device": "cpu", **options}
    return f"{folder}?{'&'.join(f'{name}={value}' for name, value in given.items())}"


def opened(folder: Path, call: str, **options: object) -> StreamingReranker:
    reranker = open_ranker(spec_of(folder, call, **options))
    assert isinstance(reranker, StreamingReranker)
    return reranker


def rows_of(stream: list[Scored]) -> dict[int, tuple[int, int, int]]:
    """Tokens before and after truncation, and the digest of the input, by row."""
    return {
        int(row): (int(tokens), int(kept), int(digest))
        for one in stream
        for row, tokens, kept, digest in zip(one.rows, one.tokens, one.kept, one.inputs, strict=True)
    }


def alone(reranker: StreamingReranker, row: int) -> Floats:
    query, document = TEXTS[row]
    return reranker.score([query], [document], np.array([[0, 0]]))


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Floats]]:
    """A folder for each call, and its scores by hand."""
    place = tmp_path_factory.mktemp("published")
    asked = [asked_of(folder_of(place / call, call), call, TEXTS, LENGTH, layer=LAYER) for call in SCORING]
    asked += [
        asked_of(place / "layers", "layers", TEXTS, LENGTH, **more)
        for more in ({"layer": LAYER, "compress": True}, {"layer": 6})
    ]
    return place, dict(zip([*SCORING, "merged", "last"], by_hand(*asked), strict=True))


@pytest.mark.parametrize("call", SCORING)
def test_scores_are_those_of_the_folder_s_own_code(published: tuple[Path, dict[str, Floats]], call: str) -> None:
    """By hand with trust_remote_code, cut and not, in batches and alone."""
    place, by_call = published
    reranker, expected = opened(place / call, call), by_call[call]
    scores = reranker.score(QUERIES, DOCUMENTS, PAIRS)
    assert scores.dtype == np.float32
    assert scores.std() > 0.1
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5)
    np.testing.assert_allclose([alone(reranker, row)[0] for row in (2, 17)], expected[[2, 17]], rtol=0, atol=1e-5)
    seen = rows_of(list(reranker.stream(QUERIES, DOCUMENTS, PAIRS)))
    if call == "compute_score":
        assert set(seen.values()) == {(-1, -1, 0)}, "its own method does not say what it cut"
    else:
        cut = {row for row, (tokens, kept, _) in seen.items() if kept < tokens}
        assert {row for row in cut if row % 5 == 2} == {2, 7, 12, 17}
        assert all(kept >= 0 for _, kept, _ in seen.values())
        assert seen[0][:2] == seen[5][:2] == (4, 4)
        assert len({digest for _, _, digest in seen.values()}) == len(PAIRS)


def test_a_listwise_model_gives_the_order_of_its_own_method(tmp_path: Path) -> None:
    reranker = open_ranker(spec_of(folder_of(tmp_path / "own", "rerank"), "rerank"))
    assert isinstance(reranker, ListwiseReranker)
    assert not hasattr(reranker, "score")
    order = reranker.order(QUERIES[0], DOCUMENTS)
    assert sorted(order) == list(range(len(DOCUMENTS)))
    shuffled = [DOCUMENTS[place] for place in (3, 0, 4, 1, 2)]
    assert [shuffled[one] for one in reranker.order(QUERIES[0], shuffled)] == [DOCUMENTS[one] for one in order]


def test_layers_and_merged_tokens_are_those_that_were_chosen(published: tuple[Path, dict[str, Floats]]) -> None:
    place, by_call = published
    merged = opened(place / "layers", "layers", compress_ratio=2, compress_layers=1)
    np.testing.assert_allclose(merged.score(QUERIES, DOCUMENTS, PAIRS), by_call["merged"], rtol=0, atol=1e-5)
    last = opened(place / "layers", "layers", layer=6)
    np.testing.assert_allclose(last.score(QUERIES, DOCUMENTS, PAIRS), by_call["last"], rtol=0, atol=1e-5)
    assert len({scores.tobytes() for scores in by_call.values()}) == len(by_call)
    assert identity_of(last) != identity_of(merged)


FOREIGN = """
import os, pathlib, sys
import transformers
transformers.poisoned = True
with open("{marker}", "a") as file:
    file.write(f"{{os.getpid()}} {{os.environ.get('HF_TOKEN')}} {{sys.stdin.read()!r}}\\n")
print("hello from the model", flush=True)
os.write(1, b"and past Python\\n")
"""


def test_code_runs_only_when_it_is_asked_for_and_never_in_this_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It can patch libraries, print where answers are expected, read the input, and look for secrets."""
    import transformers

    monkeypatch.setenv("HF_TOKEN", "a secret")
    marker = tmp_path / "marker"
    folder = folder_of(tmp_path / "own.v2", "pair", first=FOREIGN.format(marker=marker))
    with pytest.raises(ModelError, match=r"is run only on request.*\?code=own executes the code"):
        open_ranker(f"cross-encoder:{folder}")
    reranker = opened(folder, "pair")
    refuse_early(reranker)
    assert not marker.exists()
    np.testing.assert_allclose(alone(reranker, 0), by_hand(asked_of(folder, "pair", TEXTS[:1], LENGTH))[0], atol=1e-5)
    ran = [line.split() for line in marker.read_text().splitlines()]
    assert ran[0][1:] == ["None", "''"]
    assert str(os.getpid()) not in {line[0] for line in ran}
    assert not hasattr(transformers, "poisoned")
    assert sorted(file.name for file in folder.iterdir() if file.name.startswith(("__", "."))) == []


@pytest.mark.parametrize(
    ("first", "message"),
    [
        (
            "import sys\nsys.exit('no licence found')\n",
            r"its own code ended with 1 \(no licence found\) while loading$",
        ),
        ("import os\nos.kill(os.getpid(), 9)\n", r"its own code was ended by SIGKILL while loading$"),
        (
            "raise ValueError('two\\nlines')\n",
            r"fails while loading: ValueError: two lines; .* for transformers 4, and this is 5",
        ),
        ("import no_such_package\n", r"fails while loading: .*no_such_package.*pip install no_such_package"),
    ],
)
def test_code_that_ends_its_process_is_one_line(tmp_path: Path, first: str, message: str) -> None:
    folder = folder_of(tmp_path / "own", "pair", name="NewForSequenceClassification", first=first)
    reranker = opened(folder, "pair")
    for _ in range(2):  # the second time nothing is started
        with pytest.raises(ModelError, match=message) as error:
            alone(reranker, 0)
        assert "\n" not in str(error.value)


def test_weights_that_are_not_in_the_folder_are_not_made_up(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "pair")
    write_weights(folder, json.loads((folder / "config.json").read_text())["vocab_size"], 0, head=False)
    with pytest.raises(ModelError, match=r"lacks 2 weights, such as classifier\.bias: they would be random"):
        alone(opened(folder, "pair"), 0)


def test_a_model_that_sees_padding_is_given_one_pair_at_a_time(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "pair")
    at_end = "last = (mask * torch.arange(1, mask.shape[1] + 1)).argmax(dim=1)"
    code = (folder / "modeling.py").read_text()
    assert at_end in code
    (folder / "modeling.py").write_text(code.replace(at_end, "last = 0 * mask.sum(dim=1) + mask.shape[1] - 1"))
    (expected,) = by_hand(asked_of(folder, "pair", TEXTS[:5], LENGTH))
    scores = opened(folder, "pair").score(QUERIES, DOCUMENTS, PAIRS[:5])
    np.testing.assert_allclose(scores, expected, rtol=0, atol=1e-5)


def test_a_query_that_leaves_no_room_is_refused_and_the_process_goes_on(tmp_path: Path) -> None:
    reranker = opened(folder_of(tmp_path / "own", "text"), "text")
    before = alone(reranker, 0)
    with pytest.raises(ModelError, match=r"leave no token for a document in max_length=150: raise max_length to \d+"):
        reranker.score(["long " * 200], ["a"], np.array([[0, 0]]))
    np.testing.assert_array_equal(alone(reranker, 0), before)


def test_scores_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path / "own", "pair")
    code = (folder / "modeling.py").read_text()
    (folder / "modeling.py").write_text(code.replace("(self.at_end(", "(float('nan') * self.at_end("))
    with pytest.raises(ModelError, match="is nan, not a number that can be ranked"):
        alone(opened(folder, "pair"), 0)


def test_code_in_another_repository_is_found_and_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """gte and others name `org/repo--modeling.Class`."""
    folder = folder_of(tmp_path / "own", "pair")
    (expected,) = by_hand(asked_of(folder, "pair", TEXTS[:5], LENGTH))
    config = json.loads((folder / "config.json").read_text())
    config["auto_map"] = {auto: f"org/impl--{name}" for auto, name in config["auto_map"].items()}
    (folder / "config.json").write_text(json.dumps(config))
    code = tmp_path / "mirror" / "models" / "org" / "impl"
    monkeypatch.setenv("HARNESS_MIRROR", str(tmp_path / "mirror"))
    with pytest.raises(EnvironmentFailure, match=r"not there.*harness fetch --model 'org/impl\?code=own' --mirror"):
        refuse_early(opened(folder, "pair"))
    code.mkdir(parents=True)
    for name in ("modeling.py", "names.py"):
        (folder / name).rename(code / name)
    reranker = opened(folder, "pair")
    np.testing.assert_allclose(reranker.score(QUERIES, DOCUMENTS, PAIRS[:5]), expected, rtol=0, atol=1e-5)
    before = identity_of(reranker)
    (code / "names.py").write_text('HEAD = "classifier"  # another content\n')
    assert identity_of(opened(folder, "pair")) != before


def test_another_interpreter_can_run_the_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It gets nothing of this Python's path."""
    import sys

    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$PYTHONPATH." >> "{tmp_path}/paths"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", "/for/this/python")
    folder = folder_of(tmp_path / "own", "pair")
    found = alone(opened(folder, "pair", python=python), 0)
    np.testing.assert_allclose(found, by_hand(asked_of(folder, "pair", TEXTS[:1], LENGTH))[0], atol=1e-5)
    assert set((tmp_path / "paths").read_text().split()) == {"."}


def test_a_run_keeps_what_the_code_scored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Pairs and lists alike: the second run starts no process."""
    import harness

    specs = [spec_of(folder_of(tmp_path / call, call), call) for call in ("pair", "rerank")]

    def values() -> list[float]:
        place = tmp_path / "workspace"
        outcome = harness.run("demo/en", first_stage="bm25", rerankers=specs, depth=3, skip_probe=True, workspace=place)
        return [outcome.value(system) for system in outcome.systems]

    first = values()
    assert len(first) == 3
    monkeypatch.setattr(OwnCodeProcess, "ask", None)
    assert values() == first
