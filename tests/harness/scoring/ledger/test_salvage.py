"""A damaged ledger is salvaged with effort in proportion to its size."""

from __future__ import annotations

import sqlite3
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from adapters.identity import text_digests
from harness.scoring.ledger import salvage
from harness.scoring.ledger.store import Entries, Ledger, LedgerWarning

PAGE = 16384
QUERIES = text_digests(f"query {number}" for number in range(48))
DOCUMENTS = text_digests(f"document {number}" for number in range(100))
PAIRS = np.stack([np.arange(4800) // 100, np.arange(4800) % 100], axis=1)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A ledger of some 200 kB, of several rerankers."""
    file = tmp_path / "ledger.sqlite"
    entries = Entries.unknown(len(PAIRS))
    entries.score[:] = np.arange(len(PAIRS))
    with Ledger(file) as ledger:
        for number in range(3):
            ledger.record(
                ledger.scorer({"number": number}), QUERIES, DOCUMENTS, PAIRS[number::3], _every(entries, number)
            )
    return file


def _every(entries: Entries, number: int) -> Entries:
    return Entries(*(getattr(entries, name)[number::3] for name in ("score", "tokens", "kept", "input")))


def overwritten(path: Path, pages: list[int]) -> int:
    data = bytearray(path.read_bytes())
    for page in pages:
        data[page * PAGE : (page + 1) * PAGE] = b"\xff" * PAGE
    path.write_bytes(data)
    return len(data) // PAGE


def known(path: Path) -> float:
    """The share of pairs that are known; a known pair has its own score."""
    found = []
    with warnings.catch_warnings(record=True), Ledger(path) as ledger:
        warnings.simplefilter("always")
        for number in range(3):
            asked = PAIRS[number::3]
            is_known, entries = ledger.known(ledger.scorer({"number": number}), QUERIES, DOCUMENTS, asked)
            assert (entries.score[is_known] == np.arange(len(PAIRS))[number::3][is_known]).all()
            found.append(is_known.mean())
    return float(np.mean(found))


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    asked: list[str] = []
    scanned = salvage._Salvage._scanned

    def counted(self: salvage._Salvage, sql: str, values: salvage.Row) -> Iterator[salvage.Row]:
        asked.append(sql)
        return scanned(self, sql, values)

    monkeypatch.setattr(salvage._Salvage, "_scanned", counted)
    return asked


def test_one_lost_page_hides_only_its_own_pairs(path: Path, scans: list[str]) -> None:
    overwritten(path, [7])
    assert 0.7 < known(path) < 1
    assert len(scans) < 2_000


@pytest.mark.parametrize("seed", range(4))
def test_the_number_of_scans_follows_the_size_of_the_file(path: Path, scans: list[str], seed: int) -> None:
    pages = path.stat().st_size // PAGE
    overwritten(
        path, sorted(np.random.default_rng(seed).choice(np.arange(1, pages), pages // 2, replace=False).tolist())
    )
    known(path)
    assert len(scans) < 64 * 4 * 3 * (pages + 1)


def test_pairs_under_another_key_are_not_recovered(path: Path) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute("UPDATE part SET query = substr(query, 1, 15) || x'00' WHERE part = 0")
    connection.close()
    overwritten(path, [9])
    assert known(path) == 0


def test_a_salvage_says_how_much_was_recovered(path: Path) -> None:
    overwritten(path, [7])
    with pytest.warns(LedgerWarning, match=r"rows \(\d+ pairs\) were recovered"), Ledger(path) as ledger:
        for number in range(3):
            ledger.known(ledger.scorer({"number": number}), QUERIES, DOCUMENTS, PAIRS)
