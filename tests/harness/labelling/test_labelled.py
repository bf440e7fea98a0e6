"""Labels of people are read as they were published: a user would lose claims, or count one of them three times."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError
from adapters.judges.vocabulary import worth_of
from harness.labelling.labelled import label_of, read_labelled


def written(file: Path, *rows: object) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def wice(id: str, label: str, evidence: str, claim: str = "c") -> dict[str, Any]:
    return {"id": id, "label": label, "claim": claim, "evidence": str([evidence]), "t5_3b_anli": 0.5}


def expert(support: object, evidence: object = ("[1] https://x.org/a\n\nA text.",)) -> dict[str, Any]:
    claim = {"claim_string": "It is so [1].", "support": support, "evidence": list(evidence or ())}  # type: ignore[call-overload]
    return {"question": "q", "answers": {"gpt4": {"claims": [claim]}}}


def test_the_unit_is_a_claim_and_its_value_the_maximum_of_its_rows(tmp_path: Path) -> None:
    rows = wice("a", "supported", "x"), wice("b", "not_supported", "y", "d"), wice("a", "supported", "z")
    found = read_labelled(written(tmp_path / "dev.jsonl", *rows))
    assert (len(found), found.premises, found.unit.tolist()) == (2, ["x", "y", "z"], [0, 1, 0])
    assert found.labels.tolist() == [1.0, 0.0]
    assert found.of_units([0.25, 0.75, 0.5]).tolist() == [0.5, 0.75]


def test_rows_without_an_id_are_claims_of_their_own(tmp_path: Path) -> None:
    rows = [
        {"premise": premise, "claim": "c", "label": label} for premise, label in (("x", 1), ("y", 0.3), ("z", True))
    ]
    found = read_labelled(written(tmp_path / "r.jsonl", *rows))
    assert found.labels.tolist() == [1.0, 0.3, 1.0]
    assert len(set(found.fitted.tolist())) == 1, "rows of one claim are in one half"
    assert set(found.clusters) == {"c"}, "and are drawn together"


def test_a_row_without_an_id_that_repeats_another_counts_once_and_is_said(tmp_path: Path) -> None:
    rows = [{"premise": "x", "claim": "c", "label": label} for label in (1, 1.0, "supported", "1")]
    found = read_labelled(written(tmp_path / "r.jsonl", *rows, {"premise": "y", "claim": "c", "label": 0}))
    assert found.labels.tolist() == [1.0, 0.0]
    assert list(found.left_out.values()) == [3]
    assert "repeated" in next(iter(found.left_out))


def test_two_labels_of_the_same_texts_without_ids_are_refused_with_both_places(tmp_path: Path) -> None:
    rows = [{"premise": "x", "claim": "c", "label": label} for label in (1, 0)]
    with pytest.raises(DataError, match=r"r\.jsonl:2: the label 0 contradicts 1 in .*r\.jsonl:1"):
        read_labelled(written(tmp_path / "r.jsonl", *rows))


def test_ids_that_pandas_writes_as_floats_are_the_ids_that_they_are(tmp_path: Path) -> None:
    rows = [{"id": id, "premise": f"p{n}", "claim": "c", "label": 1} for n, id in enumerate((12.0, 12, "12", 13.0))]
    assert read_labelled(written(tmp_path / "r.jsonl", *rows)).unit.tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize("id", [12.5, 2.0**60, True, ["a"], {"a": 1}, float("nan")])
def test_an_id_that_is_none_is_refused_and_not_ignored(tmp_path: Path, id: object) -> None:
    row = {"id": id, "premise": "p", "claim": "c", "label": 1}
    with pytest.raises(DataError, match=r"r\.jsonl:1: .*(id|NaN)"):
        read_labelled(written(tmp_path / "r.jsonl", row))


@pytest.mark.parametrize(
    ("label", "value"),
    [
        ("SUPPORTS", 1.0), ("REFUTES", 0.0), ("NOT ENOUGH INFO", 0.0), ("0", 0.0), ("1", 1.0), ("0.5", 0.5),
        ("hallucinated", 0.0), ("partially supported", 0.5),
    ],
)  # fmt: skip
def test_labels_in_a_file_are_the_words_of_classifiers_and_numbers(label: str, value: float) -> None:
    assert label_of(label, "f:1") == value
    assert worth_of(label) == (None if label[0].isdigit() else value)


def test_a_half_depends_on_the_claim_alone(tmp_path: Path) -> None:
    rows = [{"premise": f"p{n}", "claim": f"claim {n}", "label": n % 2} for n in range(200)]
    one = read_labelled(written(tmp_path / "a.jsonl", *rows))
    other = read_labelled(written(tmp_path / "b.jsonl", *rows[::-1]))
    assert one.fitted.tolist() == other.fitted.tolist()[::-1]
    assert 70 < one.fitted.sum() < 130


@pytest.mark.parametrize(
    ("label", "value"),
    [("supported", 1), ("Partially Supported", 0.5), ("not-supported", 0), ("ENTAILMENT", 1), ("neutral", 0),
     ("Complete", 1), ("Incomplete", 0), (0.25, 0.25), (1, 1), (False, 0)],
)  # fmt: skip
def test_grades_are_words_or_numbers(label: object, value: float) -> None:
    assert label_of(label, "f:1") == value


@pytest.mark.parametrize("label", ["maybe", 2, -0.1, float("nan"), None, ["supported"]])
def test_any_other_label_is_refused_with_its_place(label: object) -> None:
    with pytest.raises(DataError, match=r"f:1: the label .* is neither a number from 0 to 1 nor a known word"):
        label_of(label, "f:1")


def test_rows_of_a_claim_that_disagree_are_refused(tmp_path: Path) -> None:
    rows = wice("a", "supported", "x"), wice("a", "not_supported", "y")
    with pytest.raises(DataError, match=r"dev\.jsonl:2: the id 'a' has another label in .*dev\.jsonl:1"):
        read_labelled(written(tmp_path / "dev.jsonl", *rows))
    rows = wice("a", "supported", "x"), wice("a", "supported", "y", "d")
    with pytest.raises(DataError, match="has another claim in"):
        read_labelled(written(tmp_path / "dev.jsonl", *rows))


def test_expertqa_says_what_is_left_out_and_counts_it(tmp_path: Path) -> None:
    rows = [expert("Complete"), expert("Partial"), expert("Incomplete"), expert("Missing", ()), expert("N/A")]
    rows += [expert(None), expert("Complete", ["[2] https://x.org/b"])]
    found = read_labelled(written(tmp_path / "val.jsonl", *rows))
    assert found.labels.tolist() == [1.0, 0.5, 0.0]
    assert set(found.premises) == {"A text."}
    assert set(found.claims) == {"It is so."}, "a number in brackets is no part of the claim"
    assert found.left_out == {
        "no evidence was given (Missing)": 1,
        "the evidence could not be opened (N/A)": 1,
        "not judged (null)": 1,
        "the evidence is an address without a text": 1,
    }
    assert set(found.clusters) == {"q"}, "claims of one question are not independent"


def test_another_word_of_expertqa_is_not_guessed(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"val\.jsonl:1: the label 'Somewhat'"):
        read_labelled(written(tmp_path / "val.jsonl", expert("Somewhat")))
    with pytest.raises(DataError, match="all claims were left out"):
        read_labelled(written(tmp_path / "val.jsonl", expert("Missing")))


def test_wice_has_349_claims_in_1043_rows(shared_data: Path) -> None:
    found = read_labelled(shared_data / "wice" / "dev.jsonl.gz")
    assert (len(found), len(found.claims)) == (349, 1043)
    assert np.unique(found.labels).tolist() == [0, 0.5, 1]


def test_every_claim_of_expertqa_is_read_or_counted(shared_data: Path) -> None:
    found = read_labelled(shared_data / "expertqa" / "rand_val.jsonl")
    assert len(found) + sum(found.left_out.values()) == 715 + 216 + 196 + 58 + 49 + 3
