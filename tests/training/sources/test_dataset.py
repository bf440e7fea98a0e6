"""Data sets as the hub has them: the right shards of the right split, in order, each read once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from adapters.errors import DataError, UsageError
from harness.workspace import Workspace
from training.sources import Negatives, read_examples
from training.sources.dataset import files_of

CARD = """---
license: mit
configs:
- config_name: pair
  data_files:
  - split: train
    path: pair/train-*
- config_name: triplet
  default: true
  data_files:
  - split: train
    path: triplet/train-*
  - split: dev
    path: [triplet/dev-00000-of-00001.parquet]
---
# A data set
"""


def shard(file: Path, *queries: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    rows = [{"anchor": query, "positive": f"good {query}", "negative": f"bad {query}"} for query in queries]
    parquet.write_table(pa.Table.from_pylist(rows), file)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    home = tmp_path / "set"
    shard(home / "triplet" / "train-00001-of-00002.parquet", "c")
    shard(home / "triplet" / "train-00000-of-00002.parquet", "a", "b")
    shard(home / "triplet" / "dev-00000-of-00001.parquet", "x")
    shard(home / "pair" / "train-00000-of-00001.parquet", "p")
    (home / "README.md").write_text(CARD)
    return home


def queries(folder: Path, split: str = "train") -> list[str]:
    return [row.query for row in read_examples(folder, negatives=Negatives(split=split)).rows]


def test_the_card_says_which_shards_are_read(folder: Path) -> None:
    assert queries(folder) == ["a", "b", "c"] and queries(folder, "dev") == ["x"]
    assert [file.name for file in files_of(folder, "pair", "train")] == ["train-00000-of-00001.parquet"]
    row = read_examples(folder).rows[0]
    assert row.documents == ("good a", "bad a") and row.scores == (1.0, 0.0)


@pytest.mark.parametrize("layout", ["data/{split}-00000-of-00001.parquet", "{split}/0000.parquet", "{split}.parquet"])
def test_without_a_card_the_path_says_the_split(layout: str, tmp_path: Path) -> None:
    for split, query in (("train", "a"), ("test", "z")):
        shard(tmp_path / layout.format(split=split), query)
    assert queries(tmp_path) == ["a"] and queries(tmp_path, "test") == ["z"]


@pytest.mark.parametrize("train", ["train", "training", "Train1", "data_train", "training/0"])
@pytest.mark.parametrize("test", ["test", "testing", "eval", "evaluation", "my-test-1", "eval/0"])
def test_test_files_are_never_training_data_whatever_their_name(train: str, test: str, tmp_path: Path) -> None:
    shard(tmp_path / f"{test}.parquet", "z")
    with pytest.raises(UsageError, match="of the split 'train'"):
        queries(tmp_path)
    shard(tmp_path / f"{train}.parquet", "a")
    assert queries(tmp_path) == ["a"] and queries(tmp_path, "test") == ["z"]


@pytest.mark.parametrize("name", ["validation", "valid", "val", "dev"])
def test_the_names_of_a_split_are_one(name: str, tmp_path: Path) -> None:
    shard(tmp_path / "train.parquet", "a")
    shard(tmp_path / f"{name}.parquet", "x")
    assert queries(tmp_path, "dev") == queries(tmp_path, "validation") == ["x"]


def test_a_path_with_two_splits_is_refused(tmp_path: Path) -> None:
    shard(tmp_path / "train" / "eval.parquet", "z")
    with pytest.raises(DataError, match=r"eval\.parquet: the path names the splits 'test' and 'train'; rename it"):
        queries(tmp_path)


@pytest.mark.parametrize("has_card", [True, False])
def test_a_shard_that_is_missing_is_refused_by_its_name(has_card: bool, tmp_path: Path) -> None:
    for number in (0, 2):
        shard(tmp_path / "data" / f"train-0000{number}-of-00003.parquet", f"q{number}")
    if has_card:
        (tmp_path / "README.md").write_text(card("data_files: data/train-*"))
    with pytest.raises(DataError, match="the shard 'train-00001-of-00003' is missing; fetch the data set again"):
        queries(tmp_path)
    shard(tmp_path / "data" / "train-00001-of-00003.parquet", "q1")
    assert queries(tmp_path) == ["q0", "q1", "q2"]


def card(config: str, start: str = "") -> str:
    return f"{start}---\nconfigs:\n- config_name: default\n  {config}\n---\n"


@pytest.mark.parametrize("config", ["data_dir: pair", "data_dir: pair\n  data_files: train.parquet", "license: mit",
                                    "data_files:\n  - split: train\n    path: pair/train.parquet"])  # fmt: skip
@pytest.mark.parametrize("start", ["", "\ufeff"])
def test_a_card_may_name_a_folder_and_begin_with_a_byte_order_mark(config: str, start: str, tmp_path: Path) -> None:
    shard(tmp_path / "pair" / "train.parquet", "a")
    shard(tmp_path / "pair" / "test.parquet", "z")
    if config != "license: mit":
        shard(tmp_path / "other" / "train.parquet", "o")
    (tmp_path / "README.md").write_text(card(config, start), "utf-8")
    assert queries(tmp_path) == ["a"]


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ("data_dir: pairs", "there is no folder 'pairs'"),
        ("data_files: hf://datasets/a/b/train.parquet", "is not in the data set; copy the files"),
        ("data_files: ../train.parquet", "is not in the data set; copy the files"),
        ("data_files: [train.parquet, more.parquet]", "no file matches 'more.parquet' of the split 'train'"),
    ],
)
def test_what_a_card_names_and_is_not_there_is_refused(config: str, says: str, tmp_path: Path) -> None:
    shard(tmp_path / "train.parquet", "a")
    (tmp_path / "README.md").write_text(card(config))
    with pytest.raises(DataError, match=says):
        queries(tmp_path)


def test_a_card_without_splits_makes_no_test_file_training_data(tmp_path: Path) -> None:
    shard(tmp_path / "data" / "train-0.parquet", "a")
    shard(tmp_path / "data" / "test-0.parquet", "z")
    (tmp_path / "README.md").write_text(card("data_files: data/*.parquet"))
    with pytest.raises(DataError, match=r"test-0\.parquet: the card counts this file to 'train', against its name"):
        queries(tmp_path)
    (tmp_path / "README.md").write_text(card("data_files: data/train*.parquet"))
    assert queries(tmp_path) == ["a"]


def test_files_about_a_data_set_have_no_rows(tmp_path: Path) -> None:
    shard(tmp_path / "part.parquet", "a")
    for name in ("dataset_infos.json", ".cache/rows.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("[1]")
    assert queries(tmp_path) == ["a"]


def test_shards_that_name_no_split_are_all_read(tmp_path: Path) -> None:
    shard(tmp_path / "part-1.parquet", "b")
    shard(tmp_path / "part-0.parquet", "a")
    assert queries(tmp_path) == ["a", "b"]


def test_what_is_not_there_is_refused_by_its_name(folder: Path) -> None:
    with pytest.raises(UsageError, match=r"no configuration 'triplets'.*triplet"):
        files_of(folder, "triplets", "train")
    with pytest.raises(UsageError, match="no split 'test'"):
        queries(folder, "test")
    (folder / "README.md").write_text(CARD.replace("  default: true\n", ""))
    with pytest.raises(UsageError, match="name one of its configurations, as in NAME/pair: pair, triplet"):
        queries(folder)
    (folder / "README.md").write_text("---\nconfigs: [\n---\n")
    with pytest.raises(DataError, match=r"README\.md"):
        queries(folder)


def test_a_data_set_of_the_hub_is_fetched_once(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def fetch(repository: Any, target: Path) -> None:
        asked.append(repository.name)
        folder.rename(target)

    monkeypatch.setattr("training.sources.dataset.fetch_folder", fetch)
    monkeypatch.chdir(tmp_path)
    negatives = Negatives(workspace=Workspace.open(tmp_path / "workspace"))
    for name, found in (("owner/name", ["a", "b", "c"]), ("owner/name/pair", ["p"])):
        assert [row.query for row in read_examples(name, negatives=negatives).rows] == found
    assert asked == ["owner/name"]


def test_a_file_that_is_not_there_is_no_data_set_of_the_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("data/mined.jsonl", "nowhere", "/data/mined"):
        with pytest.raises(UsageError, match=f"no training examples at {name}; .*owner/name"):
            read_examples(name)


@pytest.mark.parametrize("name", ["train-1.csv", "train.jsonl.zst", "data/train.arrow"])
@pytest.mark.parametrize("has_card", [True, False])
def test_a_file_of_the_split_that_is_not_read_is_not_passed_over(name: str, has_card: bool, tmp_path: Path) -> None:
    """Otherwise the student is trained on a part of the split, and nothing says so."""
    shard(tmp_path / "train.parquet", "a")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("query,positive,negative\nb,c,d\n")
    (tmp_path / "test.csv").write_text("query,positive,negative\nx,c,d\n")
    if has_card:
        (tmp_path / "README.md").write_text(card(f"data_files:\n  - split: train\n    path: [train.parquet, {name}]"))
    with pytest.raises(UsageError, match=f"{name}: the split 'train' has this file, which is not read; write its rows"):
        queries(tmp_path)
    (tmp_path / name).unlink()
    if not has_card:
        assert queries(tmp_path) == ["a"]


@pytest.mark.parametrize("name", ["state.json", "dataset_dict.json"])
def test_a_folder_of_save_to_disk_is_answered_with_what_to_write(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("{}")
    (tmp_path / "data-00000-of-00001.arrow").write_bytes(b"")
    with pytest.raises(UsageError, match="load_from_disk and write the split with to_parquet"):
        queries(tmp_path)
