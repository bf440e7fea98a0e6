"""Judges without a model: wording, and verdicts from a file. A missing or doubtful verdict is never filled in."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from adapters.errors import DataError, UsageError
from adapters.judges.lexical import units
from adapters.judges.recorded import RecordedJudge
from adapters.spec import identity_of, open_judge


def written(file: Path, *rows: object) -> Path:
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


@pytest.mark.parametrize(
    ("premise", "claim", "share"),
    [
        ("The cat sat on the mat.", "the CAT sat", 1.0),
        ("The cat sat.", "the dog sat", 2 / 3),
        ("東京は日本の首都です", "日本の首都", 1.0),
        ("東京は日本の首都です", "大阪", 0.0),
        ("แมวนั่งบนเสื่อ", "แมวนั่ง", 1.0),
        ("बिल्ली चटाई पर बैठी", "बिल्ली बैठी", 1.0),
        ("ＡＢＣ １２", "abc 12", 1.0),
        ("anything", "...", 0.0),
        ("", "cat", 0.0),
    ],
)
def test_wording_is_compared_in_any_script(premise: str, claim: str, share: float) -> None:
    assert open_judge("lexical").judge([premise], [claim]).tolist() == pytest.approx([share])


def test_marks_belong_to_their_word() -> None:
    assert list(units("बिल्ली, 2nd cat")) == ["बिल्ली", "2nd", "cat"]
    assert list(units("日本語x")) == ["日本", "本語", "x"]


def test_a_value_does_not_depend_on_the_other_pairs() -> None:
    judge = open_judge("lexical")
    whole = judge.judge(["a b", "c"], ["a", "c d"])
    assert whole.tolist() == [*judge.judge(["a b"], ["a"]), *judge.judge(["c"], ["c d"])]


def test_recorded_verdicts_are_found_by_their_texts(tmp_path: Path) -> None:
    rows = [{"premise": "p", "claim": "c", "score": 0.25}, {"evidence": ["p", "q"], "claim": "c", "score": 1}]
    file = written(tmp_path / "v.jsonl", *rows)
    judge = open_judge(f"recorded:{file}")
    assert judge.judge(["p q", "p"], ["c", "c"]).tolist() == [1.0, 0.25]
    packed = tmp_path / "again.jsonl.gz"
    packed.write_bytes(gzip.compress(written(tmp_path / "w.jsonl", *reversed(rows)).read_bytes()))
    assert identity_of(open_judge(f"recorded:{packed}")) == identity_of(judge), "the verdicts count, not the file"
    with pytest.raises(DataError, match=r"no verdict for the claim 'other' and the premise 'p'"):
        judge.judge(["p"], ["other"])


@pytest.mark.parametrize(
    ("scores", "option", "grades"),
    [
        ((0, 0.5, 1), "", (0, 0.5, 1)),
        ((0.5, 1), "", (0, 0.5, 1)),
        ((0, 1), "", None),
        ((0, 0.5, 0.7, 1), "", None),
        ((0, 0.25, 1), "?grades=0,0.25,1", (0, 0.25, 1)),
        ((0, 1), "?grades=0,0.5,1", (0, 0.5, 1)),
    ],
)
def test_recorded_verdicts_have_grades(
    tmp_path: Path, scores: tuple[float, ...], option: str, grades: tuple[float, ...] | None
) -> None:
    rows = [{"premise": f"p{at}", "claim": "c", "score": score} for at, score in enumerate(scores)]
    judge = open_judge(f"recorded:{written(tmp_path / 'v.jsonl', *rows)}{option}")
    assert judge.grades == grades


@pytest.mark.parametrize("wrong", ["half", "0,0.5", "1,0.5,0", "0", "0,0.5,0.5,1", "0,2,1"])
def test_wrong_grades_of_recorded_verdicts_are_refused(tmp_path: Path, wrong: str) -> None:
    file = written(tmp_path / "v.jsonl", {"premise": "p", "claim": "c", "score": 1})
    with pytest.raises(UsageError, match="write ascending numbers from 0 to 1"):
        open_judge(f"recorded:{file}?grades={wrong}")


def test_a_recorded_verdict_that_is_no_grade_is_named_with_its_line(tmp_path: Path) -> None:
    file = written(tmp_path / "v.jsonl", {"premise": "p", "claim": "c", "score": 0.4})
    with pytest.raises(DataError, match=r"v.jsonl:1: the verdict 0.4 is none of the grades 0, 0.5, 1"):
        _ = open_judge(f"recorded:{file}?grades=0,0.5,1").grades


def test_recorded_verdicts_may_be_keyed_by_ids(tmp_path: Path) -> None:
    texts = written(tmp_path / "texts.jsonl", {"id": "a", "premise": "p", "claim": "c"})
    file = written(tmp_path / "v.jsonl", {"id": "a", "score": 0.5})
    assert open_judge(f"recorded:{file}?texts={texts}").judge(["p"], ["c"]).tolist() == [0.5]
    unknown = written(tmp_path / "u.jsonl", {"id": "b", "score": 0.5})
    with pytest.raises(DataError, match=r"u\.jsonl:1: the id 'b' is not in"):
        open_judge(f"recorded:{unknown}?texts={texts}").judge(["p"], ["c"])


def test_wices_recorded_judges_are_read_from_its_own_rows(tmp_path: Path) -> None:
    row = {"id": "dev1", "label": "supported", "claim": "c", "evidence": "['One.', \"Two's.\"]", "t5_3b_anli": 0.75}
    file = written(tmp_path / "dev.jsonl", row)
    assert open_judge(f"recorded:{file}?score=t5_3b_anli").judge(["One. Two's."], ["c"]).tolist() == [0.75]
    with pytest.raises(DataError, match=r"dev\.jsonl:1: the field 'score' is missing.*numbers from 0 to 1: t5_3b_anli"):
        open_judge(f"recorded:{file}").judge(["One. Two's."], ["c"])


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"premise": "p", "claim": "c", "score": 0.5}, {"premise": "p", "claim": "c", "score": 0.6}],
         ":2: the verdict 0.6 contradicts 0.5 in"),
        ([{"premise": "p", "claim": "c", "score": 1.5}], "write a number from 0 to 1"),
        ([{"premise": "p", "claim": "c", "score": float("nan")}], "the field 'score' is NaN"),
        ([{"premise": "p", "claim": "c", "score": True}], "write a number from 0 to 1"),
        ([{"premise": "p", "score": 1}], "the field 'claim' is missing"),
        ([{"claim": "c", "score": 1}], "no premise; add a field 'premise'"),
        ([["p", "c", 1]], "not a JSON object"),
        ([], "no rows"),
    ],
)  # fmt: skip
def test_a_row_that_cannot_be_trusted_is_named(tmp_path: Path, rows: list[object], said: str) -> None:
    judge = open_judge(f"recorded:{written(tmp_path / 'v.jsonl', *rows)}")
    with pytest.raises(DataError) as refused:
        judge.judge(["p"], ["c"])
    assert said in str(refused.value)
    assert "v.jsonl" in str(refused.value)


def test_the_fields_that_the_advice_lists_are_numbers(tmp_path: Path) -> None:
    row = {"premise": "p", "claim": "c", "supported": True, "nli": 0.5, "tokens": 12, "zero": 0}
    judge = open_judge(f"recorded:{written(tmp_path / 'v.jsonl', row)}")
    with pytest.raises(DataError, match=r"\(numbers from 0 to 1: nli, zero\)"):
        judge.judge(["p"], ["c"])


def test_rounding_is_no_contradiction(tmp_path: Path) -> None:
    rows = [{"premise": "p", "claim": "c", "score": score} for score in (0.5, 0.5000004)]
    assert open_judge(f"recorded:{written(tmp_path / 'v.jsonl', *rows)}").judge(["p"], ["c"]).tolist() == [0.5]


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        open_judge(f"recorded:{tmp_path / 'none.jsonl'}").judge(["p"], ["c"])
    (tmp_path / "bad.jsonl.gz").write_bytes(b"\x1f\x8bnothing")
    with pytest.raises(DataError, match="cannot be read after line 0"):
        open_judge(f"recorded:{tmp_path / 'bad.jsonl.gz'}").judge(["p"], ["c"])


def test_recorded_ids_that_pandas_wrote_as_floats_are_found(tmp_path: Path) -> None:
    texts, file = tmp_path / "t.jsonl", tmp_path / "v.jsonl"
    texts.write_text(json.dumps({"id": "12", "premise": "p", "claim": "c"}), "utf-8")
    file.write_text(json.dumps({"id": 12.0, "score": 0.5}), "utf-8")
    assert RecordedJudge(str(file), texts=str(texts)).judge(["p"], ["c"]).tolist() == [0.5]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"id": None, "score": 0.5}, "no id; give every row one"),
        ({"id": 12.5, "score": 0.5}, "the id 12.5 is no text and no whole number"),
        (
            {"id": "12", "score": float("nan")},
            r"the field 'score' is NaN, not a number; .*\(numbers from 0 to 1: none\)",
        ),
    ],
)
def test_an_id_or_a_verdict_that_is_none_is_said_as_it_is(tmp_path: Path, row: object, said: str) -> None:
    texts, file = tmp_path / "t.jsonl", tmp_path / "v.jsonl"
    texts.write_text(json.dumps({"id": 12, "premise": "p", "claim": "c"}), "utf-8")
    file.write_text(json.dumps(row), "utf-8")
    with pytest.raises(DataError, match=rf"v\.jsonl:1: {said}"):
        RecordedJudge(str(file), texts=str(texts)).check()
