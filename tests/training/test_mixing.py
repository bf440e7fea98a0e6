"""Mixtures of sources: an epoch has the stated share of each, and which examples it draws repeats."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import UsageError
from tests.fixtures import Command
from tests.training.fitting import QUICK, some_examples
from training import fit as fitting
from training.batches import Batches
from training.examples import Example, Examples, write_examples
from training.fit import fit, job
from training.mixing import draws, examples_of, mixed, read_mix
from training.settings import Loss, Machine


def test_weights_are_shares_of_an_epoch_as_long_as_all_sources() -> None:
    assert draws([900, 100], [1, 1]) == [500, 500]
    assert draws([900, 100], [3, 1]) == [750, 250]
    assert draws([10, 10, 10], [1, 1, 2]) == [8, 7, 15], "the largest remainder gets what is left"


def test_a_temperature_is_the_exponent_of_multilingual_training() -> None:
    assert draws([900, 100], temperature=1) == [900, 100]
    shares = np.array([900, 100]) ** 0.3
    assert draws([900, 100], temperature=1 / 0.3) == np.round(shares / shares.sum() * 1000).astype(int).tolist()
    assert draws([900, 100], temperature=1e9) == [500, 500]


@pytest.mark.parametrize(
    ("weights", "temperature", "says"),
    [
        ([1.0], 2.0, "only one"),
        ([1.0], None, "weights: 1, sources: 2"),
        ([1.0, 0.0], None, "not above 0"),
        ([], -1.0, "not above 0"),
        ([1.0, float("nan")], None, "not above 0"),
        ([1e308, 1e308], None, "sum of the weights is too large"),
        ([], 0.001, "with the temperature 0.001 the shares are too large; use a higher one"),
    ],
)
def test_mixtures_without_a_meaning_are_refused(weights: list[float], temperature: float | None, says: str) -> None:
    with pytest.raises(UsageError, match=says):
        draws([9, 1], weights, temperature)


def test_a_source_without_examples_takes_no_place_in_an_epoch() -> None:
    """Otherwise steps would be empty, and the manifest would count examples that do not exist."""
    assert draws([0, 10], [1, 1]) == [0, 10]
    assert draws([0, 0], [1, 1]) == [0, 0]


def test_an_epoch_draws_all_of_a_small_source_before_one_again() -> None:
    batches = Batches(100, queries=8, mixed=((90, 50), (10, 50)))
    lengths = np.ones(100, np.int64)
    epochs = [np.concatenate(list(batches.epoch(number, lengths.take))) for number in (0, 1)]
    for epoch in epochs:
        assert np.bincount(epoch[epoch >= 90] - 90).tolist() == [5] * 10
        assert len(set(epoch[epoch < 90].tolist())) == 50, "of a large source none is drawn twice"
    assert set(epochs[0].tolist()) != set(epochs[1].tolist()), "another epoch draws others"
    assert (np.concatenate(list(batches.epoch(0, lengths.take))) == epochs[0]).all()


def test_the_mixture_is_in_the_identity_and_in_the_manifest(tmp_path: Path) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    sources = [("large", some_examples(9)), ("small", Examples(some_examples(12).rows[9:]))]
    settings = replace(QUICK, epochs=1)
    plain, even = (job(str(base), mixed(sources, weights), settings) for weights in ([], [1, 1]))
    assert plain.describe() == job(str(base), some_examples(12), settings).describe()
    assert even.describe() == {**plain.describe(), "mixture": [(9, 6), (3, 6)]}
    assert fit(even, tmp_path / "out")["examples"]["sources"] == [
        {"name": "large", "examples": 9, "drawn": 6},
        {"name": "small", "examples": 3, "drawn": 6},
    ]


def test_a_file_of_sources_says_what_the_options_say(tmp_path: Path, command: Command) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    for name, count in (("a", 9), ("b", 3)):
        write_examples(tmp_path / f"{name}.jsonl", some_examples(count).rows)
    one, other = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    file = tmp_path / "mix.toml"
    file.write_text(f'[[source]]\ndata = "{one}"\nweight = 1\nlimit = 5\n[[source]]\ndata = "{other}"\nweight = 3\n')
    read = examples_of(read_mix(file))
    assert [(part.examples, part.drawn) for part in read.parts] == [(5, 2), (3, 6)]
    fit_ = ("train", "fit", "--base", base, "--loss", "mse", "--batch-queries", 4, "--json")
    said = command(*fit_, "--mix", file, "--out", tmp_path / "mixed")
    options = ("--data", one, "--data", other, "--mix-weight", 1, "--mix-weight", 3, "--limit", 5)
    again = command(*fit_, *options, "--out", tmp_path / "again")
    assert json.loads(said.out)["run"] == json.loads(again.out)["run"]
    both = command(*fit_, *options, "--mix", file, "--out", tmp_path / "both")
    assert both.code == 2 and "--mix names all sources" in both.err


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", r"source.*missing|no \[\[source\]\]"),
        ('[[source]]\ndata = "a"\nweight = 1\n[[source]]\ndata = "b"\n', "give all sources one, or none"),
        ('temperature = 0\n[[source]]\ndata = "a"\n', "temperature"),
        ('[[source]]\nfile = "a"\n', "file"),
    ],
)
def test_a_file_of_sources_with_errors_is_refused(text: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "mix.toml").write_text(text)
    with pytest.raises(UsageError, match=says):
        read_mix(tmp_path / "mix.toml")


def test_a_source_gives_its_instruction_to_rows_without_one(tmp_path: Path) -> None:
    rows = some_examples(2).rows
    write_examples(tmp_path / "a.jsonl", (rows[0], replace(rows[1], instruction="Its own")))
    (tmp_path / "mix.toml").write_text(f'[[source]]\ndata = "{tmp_path}/a.jsonl"\ninstruction = "Find it"\n')
    for store in (None, tmp_path / "store"):
        read = examples_of(read_mix(tmp_path / "mix.toml"), store=store)
        assert [row.instruction for row in read.rows] == ["Find it", "Its own"]


def test_replayed_examples_are_drawn_in_the_proportions_of_their_mixture() -> None:
    batches = Batches(80, 100, 0.2, mixed=(), replay_mixed=((90, 25), (10, 75)))
    members = np.concatenate(list(batches.epoch(0, np.ones(180, np.int64).take)))
    replayed = members[members >= 80] - 80
    assert len(replayed) == batches.drawn == 20
    assert ((replayed < 90).sum(), (replayed >= 90).sum()) == (5, 15)
    plain = Batches(80, 100, 0.2)
    assert len(np.concatenate(list(plain.epoch(0, np.ones(180, np.int64).take)))) == 100


def history(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]


def test_the_history_has_the_loss_of_each_source_and_their_mean_is_the_loss(tmp_path: Path) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    sources = [("large", some_examples(9)), ("large", Examples(some_examples(12).rows[9:]))]
    work = job(str(base), mixed(sources, [1, 1]), replace(QUICK, epochs=2))
    fit(work, tmp_path / "out")
    both = 0
    for row, members in zip(history(tmp_path / "out"), work.plan(fitting._prepared(work, Machine())[1]), strict=True):
        counts = {"loss/large": int((members < 9).sum()), "loss/large (2)": int((members >= 9).sum())}
        found = {name: value for name, value in row.items() if name.startswith("loss/")}
        assert set(found) == {name for name, count in counts.items() if count}
        mean = sum(value * counts[name] for name, value in found.items()) / len(members)
        assert mean == pytest.approx(row["loss"], rel=1e-5), "every example has four documents"
        both += len(found) == 2
    assert both


def test_the_loss_of_each_source_changes_no_weight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    work = job(str(base), mixed([("a", some_examples(9)), ("b", some_examples(3))], [1, 1]), QUICK)
    seen = fit(work, tmp_path / "seen")
    monkeypatch.setattr(fitting, "by_source_of", lambda *_: None)
    unseen = fit(work, tmp_path / "unseen")
    assert seen["weights"] == unseen["weights"]
    assert not any(name.startswith("loss/") for row in history(tmp_path / "unseen") for name in row)


def test_a_source_whose_examples_have_no_pair_has_a_loss_that_is_null_or_zero(tmp_path: Path) -> None:
    base = tiny.cross_encoder(tmp_path / "base")
    flat = Examples((Example("all the same", ("a", "b"), (1.0, 1.0)),))
    work = job(str(base), mixed([("a", some_examples(9)), ("flat", flat)], [1, 1]), replace(QUICK, loss=Loss("hinge")))
    fit(work, tmp_path / "out")
    values = {row.get("loss/flat") for row in history(tmp_path / "out")}
    assert values <= {None, 0.0}
