"""What would make a number meaningless is refused in one line, and nothing of it reaches the store."""

from __future__ import annotations

import sqlite3

import pytest

from adapters.errors import HarnessError
from harness.result.store import Results
from harness.scoring.ledger.file import LedgerWarning
from tests.tiny_collection import CORPUS, FIRST, Place

FAKE = "tests.fake_adapters"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Overflowing", "scores are not finite"),
        ("TooFew", "returned scores of shape"),
        ("Dropping", "came back without a score"),
        ("Straying", "for pairs that were not requested"),
        ("Repeating", "a pair came back twice"),
    ],
)
def test_a_reranker_that_drops_adds_or_loses_itself_has_no_number(place: Place, name: str, said: str) -> None:
    with pytest.raises(HarnessError, match=said):
        place.evaluations(rerankers=[f"{FAKE}:{name}"])
    with Results(place.workspace.results) as results:
        assert [stored.system for stored in results.all()] == [FIRST]


def test_a_run_file_of_half_the_queries_has_no_number(place: Place) -> None:
    half = [f"q1 Q0 {name} 1 0.5 t" for name in CORPUS]
    with pytest.raises(HarnessError, match="candidates of coll have no score in it"):
        place.evaluations(rerankers=[f"run:{place.run_file(half)}"])


def test_a_score_that_was_changed_in_the_ledger_is_scored_again(place: Place) -> None:
    """The poisoned score is a valid one: only the checksum tells."""
    collection = place.load()
    before = place.evaluations(collection, rerankers=[f"{FAKE}:Plain"])[1]
    with sqlite3.connect(next(place.workspace.path.rglob("ledger*.sqlite"))) as ledger:
        query, blob = ledger.execute("select query, pairs from part limit 1").fetchone()
        pairs = bytearray(blob)
        pairs[16:20] = b"\0\0\x80?"  # the score 1.0
        ledger.execute("update part set pairs = ? where query = ?", (bytes(pairs), query))
    ledger.close()
    with pytest.warns(LedgerWarning, match="not what was written"):
        after = place.evaluations(collection, rerankers=[f"{FAKE}:Plain"])[1]
    assert after.fresh > 0
    assert after.values.tolist() == before.values.tolist()
