"""A wrong value of an option is answered in one line in our words, before anything is computed."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters import tiny
from tests.fixtures import Command
from tests.tiny_collection import Place

FIT = ("train", "fit", "--base", "b", "--data", "d.jsonl", "--out", "o")
TEACH = ("train", "teach", "--pool", "nowhere", "--teacher", "t", "--out", "o")
WRONG = [
    (("doctor", "demo"), "doctor reads targets only with --sources"),
    (("train", "fit"), "needs --base, --data and --out"),
    ((*FIT, "--epochs", "1.5"), "'--epochs': a whole number is needed"),
    ((*FIT, "--lr", "fast"), "'--lr': a number is needed"),
    ((*FIT, "--limit", "0"), "'--limit': a number of 1 or more is needed"),
    ((*FIT, "--log-to", "nosuch"), "--log-to: 'nosuch' is not allowed"),
    ((*FIT, "--mix-weight", "0"), "the weight 0 is not above 0"),
    ((*FIT, "--mix-temperature", "inf"), "the temperature inf is not above 0 and finite"),
    ((*TEACH, "--choose-split", "dev"), "--choose-split is the split of --choose-on"),
    (TEACH, "nowhere: there is no such folder"),
    (("run", "demo/en", "--first-stage", "bm25", "--robustness", "all"), "name one, as in --reranker"),
    (("run", "demo/en", "--first-stage", "bm25", "--robustness-queries", "5"), "as in --robustness attacks"),
    (("train", "show", "nowhere"), "nowhere: no such record"),
    (("train", "adapt", "--out", "o"), "use --base, --corpus, --teacher, --dev and --policy"),
    ((*FIT, "--seed", str(10**20)), "--seed: 100000000000000000000 is too large; numbers below 2^63 are allowed"),
    (("run", "demo/en", "--depth", str(10**20)), "'--depth': a number below 2^63 is needed"),
    (("export", "--csv", "."), ". is a folder; name a file"),
    (("train", "fit", "--base", "b", "--data", "d.jsonl", "--mix", "m.toml", "--out", "o"), "leave out --data"),
    (("overlap", "t.jsonl", "--threshold", "2"), "'--threshold': a number of at most 1"),
]


@pytest.mark.parametrize(("words", "expected"), WRONG, ids=[" ".join(words[1:]) or words[0] for words, _ in WRONG])
def test_a_wrong_value_is_refused_in_our_words(
    words: tuple[str, ...], expected: str, place: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.path)
    monkeypatch.setenv("HARNESS_WORKSPACE", str(place.workspace.path))
    said = command(*words)
    assert said.code == 2 and expected in said.err.splitlines()[-1], said.err
    assert "Input should" not in said.err and "[0]" not in said.err


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (("--method", "slerp"), "slerp needs 't'; set it (--t, or in parameters)"),
        (("--method", "slerp", "--t", "nan"), "t must be a number"),
        (("--method", "linear", "--weight", "inf", "--weight", "1"), "weights must be a number"),
        (("--method", "linear", "--weight", "1e308", "--weight", "1e308"), "the weights of linear is too large"),
        (("--method", "linear", "--weight", "1", "--weight", "-1"), "the weights of linear sum to zero"),
        (("--method", "linear", "--weight", "1", "--weight", "-1"), "normalised (tensor '"),
    ],
)
def test_a_merge_with_impossible_numbers_is_a_wrong_command(
    options: tuple[str, ...], expected: str, tmp_path: Path, command: Command
) -> None:
    models = [tiny.cross_encoder(tmp_path / name, seed=seed) for seed, name in enumerate("ab")]
    said = command("merge", tmp_path / "out", *options, *(word for one in models for word in ("--model", one)))
    assert said.code == 2 and expected in said.err
    assert not (tmp_path / "out").exists()


def test_a_folder_where_a_file_is_meant_is_named_without_numbers_of_errors(place: Place, command: Command) -> None:
    said = command("cite", place.path, "--judge", "lexical", "--workspace", place.workspace.path)
    assert said.code == 5 and f"{place.path}: cannot be read (Is a directory)" in said.err
