"""Examples on disk: they are those of the file, they are read once, and damage is noticed before it is trained on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from adapters.sums import DamagedFile, DamageWarning
from tests.training.fitting import some_examples
from training.examples import Example, Examples, write_examples
from training.rows import facts_of
from training.sources import read_examples, read_several
from training.store import StoredRows, stored

ROWS = (
    *some_examples(5).rows,
    Example("wer", ("eins", "zwei"), (0.1, -3.0), ("d1", "d2"), "task", "de", "corpus", "Finde es"),
)


def found(rows: tuple[Example, ...] = ROWS) -> Iterator[tuple[Example, dict[str, int]]]:
    return ((row, {"repeated documents": 1} if place == 2 else {}) for place, row in enumerate(rows))


def must_not_be_read() -> Iterator[tuple[Example, dict[str, int]]]:
    raise AssertionError("the source was read again")
    yield


@pytest.fixture
def store(tmp_path: Path) -> Path:
    stored(tmp_path / "store", "name", found())
    return tmp_path / "store"


def test_stored_rows_are_the_rows(store: Path) -> None:
    rows = stored(store, "name", must_not_be_read())
    assert tuple(rows) == ROWS and [rows[place] for place in (3, 0, -1)] == [ROWS[3], ROWS[0], ROWS[-1]]
    assert rows[1:3] == ROWS[1:3] and len(rows) == len(ROWS)
    assert rows.facts == facts_of(ROWS) and rows.about.rejected == {"repeated documents": 1}
    assert Examples(rows).digest == Examples(ROWS).digest
    with pytest.raises(IndexError):
        rows[len(ROWS)]


def test_a_file_is_read_once_and_again_if_it_has_changed(tmp_path: Path) -> None:
    file, store = tmp_path / "mined.jsonl", tmp_path / "store"
    for rows in (ROWS[:3], ROWS[:3], ROWS):
        write_examples(file, rows)
        read = read_examples(file, store=store)
        assert isinstance(read.rows, StoredRows) and tuple(read.rows) == rows
    assert len(list(store.glob("*/about.json"))) == 2
    (tmp_path / "elsewhere").mkdir()
    moved = file.rename(tmp_path / "elsewhere" / "other.jsonl")
    assert tuple(read_examples(moved, limit=2, store=store).rows) == ROWS[:2]
    assert tuple(read_examples(moved, store=store).rows) == ROWS
    assert len(list(store.glob("*/about.json"))) == 3, "the same bytes under another name are no other store"


def test_several_stores_are_one_sequence_with_one_digest(tmp_path: Path) -> None:
    for name, rows in (("one", ROWS[:4]), ("other", ROWS[4:])):
        write_examples(tmp_path / f"{name}.jsonl", rows)
    files = [tmp_path / "one.jsonl", tmp_path / "other.jsonl"]
    read = read_several(files, store=tmp_path / "store")
    assert tuple(read.rows) == ROWS and [read.rows[place] for place in (3, 4, 5)] == list(ROWS[3:])
    assert read.digest == Examples(ROWS).digest and read.facts == facts_of(ROWS)


def test_a_source_that_breaks_off_leaves_nothing(tmp_path: Path) -> None:
    def broken() -> Iterator[tuple[Example, dict[str, int]]]:
        yield ROWS[0], {}
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space"):
        stored(tmp_path / "store", "name", broken())
    assert [one.name for one in (tmp_path / "store").iterdir()] == ["name.lock"]
    assert tuple(stored(tmp_path / "store", "name", found())) == ROWS


@pytest.mark.parametrize("file", ["rows", "index"])
@pytest.mark.parametrize("damage", ["cut", "gone", "longer"])
def test_a_store_without_its_files_is_made_again(store: Path, file: str, damage: str) -> None:
    content = (store / "name" / file).read_bytes()
    (store / "name" / file).write_bytes(content[:-1] if damage == "cut" else content + b"x")
    if damage == "gone":
        (store / "name" / file).unlink()
    with pytest.warns(DamageWarning):
        assert tuple(stored(store, "name", found())) == ROWS


def test_a_changed_digest_is_noticed_when_the_store_is_opened(store: Path) -> None:
    flip(store / "name" / "index", 12)
    with pytest.warns(DamageWarning):
        assert tuple(stored(store, "name", found())) == ROWS


def test_a_changed_text_is_noticed_before_it_is_trained_on(store: Path) -> None:
    flip(store / "name" / "rows", 20)
    rows = stored(store, "name", must_not_be_read())
    assert rows[1] == ROWS[1]
    with (
        pytest.warns(DamageWarning),
        pytest.raises(DamagedFile, match=r"rows: row 1 is not what was written; give the same command again"),
    ):
        rows[0]
    assert tuple(stored(store, "name", found())) == ROWS


def test_a_record_in_the_place_of_another_is_noticed(tmp_path: Path) -> None:
    one, other = (replace(ROWS[0], query=f"query {number}") for number in (1, 2))
    stored(tmp_path, "name", found((one, other)))
    file = tmp_path / "name" / "rows"
    content = file.read_bytes()
    half = len(content) // 2
    file.write_bytes(content[half:] + content[:half])
    rows = stored(tmp_path, "name", must_not_be_read())
    with pytest.warns(DamageWarning), pytest.raises(DamagedFile, match="row 2"):
        rows[1]


def flip(file: Path, place: int) -> None:
    content = bytearray(file.read_bytes())
    content[place] ^= 1
    file.write_bytes(content)
