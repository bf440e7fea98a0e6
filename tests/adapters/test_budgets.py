"""How a model is called stays as it was; otherwise a resumed run would have other last digits than a whole one."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters import budgets, tiny
from adapters.budgets import CallRecord, ForwardPath, calls_of, fastest, kept_in, measuring, recorded
from adapters.cross_encoder import CrossEncoder
from adapters.embedding import SentenceEmbedder
from adapters.protocols import Floats, Identity, Integers
from adapters.sums import DamageWarning

IDENTITY: Identity = {"adapter": "x/1", "weights": "w", "dtype": "float32", "instruction": "find"}
BOTH: tuple[ForwardPath, ...] = ("packed", "plain")


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Path]:
    with kept_in(tmp_path):
        yield tmp_path


def kept(cache: Path, identity: Identity = IDENTITY) -> CallRecord:
    (record,) = recorded(cache, identity)
    return record


def test_the_first_call_decides_and_later_ones_follow(cache: Path) -> None:
    path, budget = calls_of(IDENTITY, "cpu", ("plain",))
    assert (path, budget.tokens) == ("plain", 2048)
    assert calls_of(IDENTITY, "cpu", BOTH)[0] == "plain", "a faster path of a later version would change last digits"
    assert str(kept(cache)) == "plain forward on cpu, 2,048 tokens per call"


def test_a_model_has_one_record_whatever_its_prompt_and_its_part(cache: Path) -> None:
    inside = {"weights": "w", "dtype": "float32"}
    calls_of(inside, "cpu", BOTH)
    assert kept(cache) == kept(cache, {"adapter": "dense", "version": 1, "embedder": {**inside, "prompts": {"q": ""}}})
    assert recorded(cache, {**inside, "dtype": "bfloat16"}) == ()


def test_an_asked_number_of_tokens_has_its_own_record(cache: Path) -> None:
    assert calls_of(IDENTITY, "cpu", BOTH, asked=300)[1].tokens == 300
    assert calls_of(IDENTITY, "cpu", BOTH)[1].tokens == 2048
    assert {one.asked for one in recorded(cache, IDENTITY)} == {None, 300}


def test_a_halved_budget_is_used_from_then_on(cache: Path) -> None:
    _, first = calls_of(IDENTITY, "cpu", BOTH)
    _, other = calls_of(IDENTITY, "cpu", BOTH)
    with pytest.warns(UserWarning, match="out of memory"):
        first.halve(1000)
        other.halve(2048)  # another process, which had not halved it so far
    assert kept(cache).batch_tokens == calls_of(IDENTITY, "cpu", BOTH)[1].tokens == 512


def test_a_path_that_is_gone_is_replaced_with_a_warning(cache: Path) -> None:
    calls_of(IDENTITY, "cpu", BOTH, name="'m'")
    with pytest.warns(UserWarning, match=r"^'m': was called by the packed forward in this workspace.*plain"):
        assert calls_of(IDENTITY, "cpu", ("plain",), name="'m'")[0] == "plain"
    assert kept(cache).path == "plain"


@pytest.mark.parametrize("content", ["{", "[]", '{"model": "m"}', None], ids=["cut", "list", "another", "changed"])
def test_a_damaged_record_is_decided_again(cache: Path, content: str | None) -> None:
    calls_of(IDENTITY, "cpu", BOTH)
    (file,) = (cache / "calls").iterdir()
    changed = json.dumps({**json.loads(file.read_text()), "batch_tokens": 7})
    file.write_text(changed if content is None else content)
    assert recorded(cache, IDENTITY) == ()
    with pytest.warns(DamageWarning, match="how the model is called is decided again"):
        assert calls_of(IDENTITY, "cpu", BOTH)[1].tokens == 2048
    assert kept(cache).batch_tokens == 2048


def test_of_two_processes_that_decide_the_first_one_is_followed(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest, seen = budgets._read, list[Path]()

    def late(file: Path) -> CallRecord | None:
        """The other process writes between the look and the decision of this one."""
        seen.append(file)
        if len(seen) > 1:
            return honest(file)
        monkeypatch.setattr(budgets, "_read", honest)
        calls_of(IDENTITY, "cpu", ("plain",), measured=lambda _: 999)
        monkeypatch.setattr(budgets, "_read", late)
        return None

    monkeypatch.setattr(budgets, "_read", late)
    path, budget = calls_of(IDENTITY, "cpu", BOTH)
    assert (path, budget.tokens) == ("plain", 999)
    assert sorted(file.suffix for file in (cache / "calls").iterdir()) == [".json"]


def test_nothing_is_kept_outside_of_a_workspace_or_where_nothing_can_be_written(tmp_path: Path) -> None:
    assert calls_of(IDENTITY, "cpu", BOTH)[1].tokens == 2048
    (tmp_path / "calls").write_text("a file in place of the folder")
    with kept_in(tmp_path):
        assert calls_of(IDENTITY, "cpu", BOTH)[0] == "packed"


class Card:
    """A device on which calls of some sizes are fast, with its own clock."""

    def __init__(self, rate: Callable[[int], float], most: int = 10**9) -> None:
        self.now, self.calls = 0.0, list[int]()
        self._rate, self._most = rate, most

    def forward(self, rows: Integers) -> Floats:
        tokens = 100 * len(rows)
        self.calls.append(tokens)
        if tokens > self._most:
            raise MemoryError
        self.now += tokens / self._rate(tokens)
        return rows.astype(np.float32)


LENGTHS = np.full(3000, 100)


def test_the_fastest_budget_is_used() -> None:
    card = Card(lambda tokens: 5e5 if tokens > 40_000 else 1e5)
    assert fastest(LENGTHS, card.forward, 32_000, clock=lambda: card.now) == 64_000


@pytest.mark.parametrize("gain", [1.0, 1.04])
def test_the_default_stays_where_another_budget_is_hardly_faster(gain: float) -> None:
    card = Card(lambda tokens: 1e5 * (gain if tokens > 40_000 else 1))
    assert fastest(LENGTHS, card.forward, 32_000, clock=lambda: card.now) == 32_000


def test_a_slow_device_is_not_measured_for_long() -> None:
    card = Card(lambda _: 1e4)
    assert fastest(LENGTHS, card.forward, 32_000, clock=lambda: card.now) == 32_000
    assert len(card.calls) == 2, "one to warm up, and the default"


def test_a_budget_that_does_not_fit_is_not_chosen() -> None:
    card = Card(lambda tokens: float(tokens) * 100, most=70_000)
    assert fastest(LENGTHS, card.forward, 32_000, clock=lambda: card.now) == 64_000


def test_only_large_requests_on_gpus_are_measured() -> None:
    forward = Card(lambda _: 1.0).forward
    assert measuring(LENGTHS, forward, "cpu") is None
    assert measuring(LENGTHS[:1999], forward, "cuda:0") is None
    assert measuring(LENGTHS, forward, "cuda:0") is not None


def test_a_recorded_path_is_that_of_the_scores(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("transformers")
    folder = str(tiny.cross_encoder(cache / "model", seed=3))
    texts = (
        ["who", "what is it"],
        ["the passage", "", "answers " * 9],
        np.array([[q, d] for q in (0, 1) for d in range(3)]),
    )
    with monkeypatch.context() as patched:
        patched.setattr("adapters.score_head.packed_classifier", lambda _: None)
        plain = CrossEncoder(folder, device="cpu").score(*texts)
    again = CrossEncoder(folder, device="cpu")
    assert again.score(*texts).tobytes() == plain.tobytes()
    assert again._inputs.paths == ("packed", "plain")
    assert kept(cache, again.identity).path == "plain"


def test_an_embedder_and_its_records(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sentence_transformers")
    folder = str(tiny.bert_embedder(cache / "model", seed=3))
    texts = ["the passage", "answers " * 9, "who"]
    with monkeypatch.context() as patched:
        patched.setattr("adapters.sentence_model.packed_sentences", lambda _: None)
        plain = SentenceEmbedder(folder, device="cpu").encode(texts, "query")
    again = SentenceEmbedder(folder, device="cpu")
    assert again.encode(texts, "query").tobytes() == plain.tobytes()
    assert kept(cache, {"adapter": "embedder-reranker", "embedder": again.identity}).path == "plain"


def test_a_language_model_records_that_it_shares_prefixes(cache: Path) -> None:
    pytest.importorskip("transformers")
    from adapters.spec import open_reranker

    model = open_reranker(f"{tiny.causal_lm(cache / 'model')}?device=cpu")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.score(["who"], ["the passage", "answers"], np.array([[0, 0], [0, 1]]))
    assert kept(cache, model.identity).path == "prefixes"
