"""Augmentation: a student is taught to resist by exactly what was declared, and the same each time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from adapters import tiny
from adapters.errors import UsageError
from harness.measuring.robustness.perturbations import PERTURBATIONS, Attack
from tests.training.fitting import QUICK, some_examples
from training.augmentation import Augmentation, AugmentedRows
from training.examples import Example, Examples
from training.fit import fit, job
from training.settings import Settings

ROWS = tuple(
    Example(f"what is the Thing number {n}", (f"text {n} a", f"text {n} b"), (1.0, 0.25 * n), ("a", "b"))
    for n in range(2000)
)


def added(rows: Iterable[Example]) -> dict[str, str]:
    """The added documents, by query."""
    return {row.query: row.documents[2] for row in rows if len(row.documents) > 2}


def test_an_attack_is_one_more_document_with_the_lowest_label() -> None:
    found = AugmentedRows(ROWS, Augmentation(stuffing=0.3), seed=0)
    for before, after in zip(ROWS, found, strict=True):
        assert after.query == before.query and after.documents[:2] == before.documents
        if after != before:
            assert before.query in after.documents[2]
            assert not any(own in after.documents[2] for own in before.documents)
            assert after.scores == (*before.scores, min(before.scores)) and len(after.ids or ()) == 3
    assert found.counts == {"stuffing": len(added(found))}
    assert 0.27 < len(added(found)) / len(ROWS) < 0.33


def test_all_attacks_of_a_family_are_taught() -> None:
    documents = added(AugmentedRows(ROWS, Augmentation(stuffing=1.0), seed=0))
    stuffed = [one for one in PERTURBATIONS.values() if isinstance(one, Attack) and one.family == "stuffing"]
    for attack in stuffed:
        made = [q for q, text in documents.items() if text in {attack.document(q, f"text {n} a") for n in range(2000)}]
        assert len(made) > 100


def test_typos_and_case_change_the_query_and_keep_the_labels() -> None:
    found = AugmentedRows(ROWS, Augmentation(typos=0.2, case=0.2), seed=0)
    changed = [(b, a) for b, a in zip(ROWS, found, strict=True) if a != b]
    assert all(replace(after, query=before.query) == before for before, after in changed)
    assert 0.3 < len(changed) / len(ROWS) < 0.42
    assert found.counts["typos"] + found.counts["case"] >= len(changed)


def test_a_larger_share_contains_the_smaller_one_and_the_order_of_the_file_changes_nothing() -> None:
    small, large = (AugmentedRows(ROWS, Augmentation(alone=share), seed=3) for share in (0.1, 0.4))
    assert added(small).items() <= added(large).items()
    turned = AugmentedRows(ROWS[::-1], Augmentation(alone=0.4), seed=3)
    assert added(turned) == added(large)
    assert added(AugmentedRows(ROWS, Augmentation(alone=0.4), seed=4)) != added(large)


def test_an_example_that_has_every_document_of_the_data_gets_none() -> None:
    rows = (Example("a query", ("one", "two"), (1.0, 0.0)),)
    assert tuple(AugmentedRows(rows, Augmentation(stuffing=1.0), 0)) == rows


@pytest.mark.parametrize("share", [-0.1, 1.1])
def test_a_share_out_of_its_range_is_refused(share: float) -> None:
    with pytest.raises(UsageError):
        Augmentation(stuffing=share)


def test_the_shares_are_part_of_a_runs_identity_and_none_changes_nothing() -> None:
    assert "augmentation" not in Settings().describe(), "runs of earlier versions keep their identity"
    assert Settings(augmentation=Augmentation(stuffing=0.3)).describe()["augmentation"] == {
        "version": 1, "stuffing": 0.3, "of": {"stuffing-start": 1, "stuffing-end": 1, "stuffing-repeated": 1},
    }  # fmt: skip


def test_a_student_is_trained_on_what_was_added_and_the_manifest_counts_it(tmp_path: Path) -> None:
    base, examples = tiny.cross_encoder(tmp_path / "base"), Examples(some_examples().rows[:8])
    settings = replace(QUICK, augmentation=Augmentation(stuffing=1.0))
    plain, taught = (
        fit(job(str(base), examples, one), tmp_path / name) for one, name in ((QUICK, "a"), (settings, "b"))
    )
    assert taught["augmented"] == {"stuffing": 8} and "augmented" not in plain
    assert plain["weights"] != taught["weights"] and plain["run"] != taught["run"]
    assert taught["examples"] == plain["examples"], "the digest is that of the data"
