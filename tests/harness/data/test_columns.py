"""Texts on disk come back as they went in, and what is found in them is exact, not probable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError
from adapters.identity import text_digests
from adapters.sums import DamagedFile
from harness.data import columns
from harness.data.columns import IdHashes, TextWriter, count_duplicate_texts, open_texts, texts_digest
from harness.data.texts import Guard, Texts, block_sums


def written(path: Path, rows: Sequence[tuple[str, str]]) -> Texts:
    with TextWriter(path) as writer:
        for identifier, text in rows:
            writer.add(identifier, text)
    return open_texts(path)


ROWS = [(f"d{i}", f"texté {i % 7} 本") for i in range(50)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_ROWS", 8)


@pytest.mark.usefixtures("small_batches")
def test_texts_come_back_over_all_batches(tmp_path: Path) -> None:
    texts = written(tmp_path / "t.arrow", ROWS)
    assert texts.table["text"].num_chunks == 7
    assert list(texts) == [text for _, text in ROWS]
    assert texts[6:18] == [text for _, text in ROWS[6:18]]
    assert texts[40:10:-9] == [text for _, text in ROWS[40:10:-9]]
    assert texts[49] == ROWS[49][1]
    rows = np.array([49, 0, 8, 8, 7])
    assert texts.take(rows) == [ROWS[row][1] for row in rows]
    assert texts.ids(rows) == [ROWS[row][0] for row in rows]
    assert texts.ids() == [identifier for identifier, _ in ROWS]
    assert (texts.digests == text_digests(texts)).all()


def test_long_texts_make_short_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_CHARACTERS", 100)
    texts = written(tmp_path / "t.arrow", [(str(i), "x" * 60) for i in range(10)])
    assert texts.table["text"].num_chunks == 5


def test_taking_a_few_texts_does_not_read_the_others_into_memory(tmp_path: Path) -> None:
    pa = pytest.importorskip("pyarrow")
    texts = written(tmp_path / "t.arrow", [(str(i), "word " * 200) for i in range(20_000)])
    before = pa.total_allocated_bytes()
    taken = texts.take(np.array([0, 19_999]))
    assert pa.total_allocated_bytes() - before < 100_000
    assert len(taken) == 2


def test_no_texts_at_all_are_a_file_too(tmp_path: Path) -> None:
    texts = written(tmp_path / "t.arrow", [])
    assert len(texts) == 0
    assert texts.digests.shape == (0, 2)
    assert count_duplicate_texts(texts) == 0
    assert len(texts_digest(texts)) == 32


def test_the_digest_does_not_depend_on_the_batches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = texts_digest(written(tmp_path / "a.arrow", ROWS))
    monkeypatch.setattr(columns, "_ROWS", 3)
    assert texts_digest(written(tmp_path / "b.arrow", ROWS)) == whole


def test_the_digest_sees_ids_texts_and_order(tmp_path: Path) -> None:
    variants = {
        "base": [("a", "x"), ("b", "y")],
        "order": [("b", "y"), ("a", "x")],
        "id": [("a", "x"), ("c", "y")],
        "text": [("a", "x"), ("b", "z")],
        "border": [("ab", "x"), ("", "y")],
    }
    found = {texts_digest(written(tmp_path / f"{name}.arrow", rows)) for name, rows in variants.items()}
    assert len(found) == len(variants)


@pytest.mark.usefixtures("small_batches")
def test_duplicate_texts_are_counted_beyond_the_first_of_each(tmp_path: Path) -> None:
    assert count_duplicate_texts(written(tmp_path / "t.arrow", ROWS)) == 43
    assert count_duplicate_texts(written(tmp_path / "u.arrow", [("a", "x"), ("b", "y")])) == 0


def test_half_a_collision_of_digests_is_no_duplicate_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "text_digest", lambda text: b"8 bytes." + text.encode().ljust(8))
    assert count_duplicate_texts(written(tmp_path / "t.arrow", [("a", "x"), ("b", "y"), ("c", "x")])) == 1


def test_repeated_ids_are_suspected() -> None:
    hashes = IdHashes()
    for identifier in ("a", "b", "a", "c", "b", "a"):
        hashes.add(identifier)
    assert hashes.repeated() == {hash("a"), hash("b")}


@pytest.mark.usefixtures("small_batches")
def test_a_block_is_verified_when_it_is_used_and_not_before(tmp_path: Path) -> None:
    file = tmp_path / "t.arrow"
    sums = block_sums(written(file, ROWS), "key")
    content = file.read_bytes()
    assert content.count(b"d40d41d42") == 1
    file.write_bytes(content.replace(b"d40d41d42", b"d40d42d41"))
    texts = open_texts(file, Guard(file, "key", sums))
    assert texts.take(np.array([3])) == [ROWS[3][1]]
    assert texts.ids(np.array([39, 48])) == ["d39", "d48"]
    with pytest.raises(DamagedFile, match=r"t\.arrow: the ids and digests of block 5 are not what was written"):
        texts.take(np.array([41]))
    with pytest.raises(DamagedFile):
        texts.ids()


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("other", ["key", "order", "count"])
def test_sound_blocks_of_another_file_or_in_another_place_are_noticed(tmp_path: Path, other: str) -> None:
    file = tmp_path / "t.arrow"
    sums = block_sums(written(file, ROWS), "key")
    if other == "order":
        written(file, [*ROWS[8:16], *ROWS[:8], *ROWS[16:]])
    if other == "count":
        written(file, ROWS[:48])
    with pytest.raises(DamagedFile):
        open_texts(file, Guard(file, "other" if other == "key" else "key", sums)).ids()


@pytest.mark.parametrize("content", [b"", b"ARROW1\0\0 cut off"])
def test_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "t.arrow").write_bytes(content)
    with pytest.raises(DataError, match=r"t\.arrow: it cannot be read"):
        open_texts(tmp_path / "t.arrow")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"t\.arrow: it cannot be read"):
        open_texts(tmp_path / "t.arrow")
