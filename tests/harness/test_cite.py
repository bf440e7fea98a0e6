"""`harness cite`: a user would lose the way from a file of answers to numbers, and from bad rows to their lines."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import UsageError
from harness.api import cite, cite_refine
from tests.fixtures import Command

pytest.importorskip("sentencex")
DOCUMENTS = ["Ada Lovelace wrote the first program in 1843.", "Paris is the capital of France.", "Bees dance."]


def row(id: str, answer: str, references: Sequence[object] = tuple(DOCUMENTS), **more: object) -> dict[str, object]:
    return {"id": id, "question": "Why?", "answer": answer, "references": list(references), **more}


def write(folder: Path, *rows: Mapping[str, object] | str, name: str = "answers.jsonl") -> Path:
    lines = [one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in rows]
    file = folder / name
    file.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return file


def rows_in(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


ROWS = (
    row("a", "Ada Lovelace wrote the first program in 1843 [1]."),
    row("b", "Paris is the capital of France [3]. Bees dance."),
)


def test_the_word_evaluate_can_be_left_out(tmp_path: Path, command: Command) -> None:
    file = write(tmp_path, *ROWS)
    asked = [str(file), "--judge", "lexical", "--workspace", str(tmp_path / "w"), "--json"]
    short, long = command("cite", *asked), command("cite", "evaluate", *asked)
    assert short.code == long.code == 0, short.err
    assert json.loads(short.out)["measures"] == json.loads(long.out)["measures"]
    first = command("cite", *asked[1:], asked[0])
    assert first.code == 0, first.err


def test_the_command_and_python_give_the_same_numbers(tmp_path: Path, command: Command) -> None:
    file = write(tmp_path, *ROWS)
    report = cite(file, "lexical", workspace=tmp_path / "w")
    assert report.value("citation-recall") == 0.5
    printed = command("cite", str(file), "--judge", "lexical", "--workspace", str(tmp_path / "w"), "--json")
    assert json.loads(printed.out) == json.loads(json.dumps(report.as_dict()))
    assert report.as_dict()["recall_causes"] == {
        "uncited": 0.25, "unsupported": 0.25, "partial only": 0, "invalid": 0, "empty": 0,
    }  # fmt: skip


def test_partial_verdicts_of_people_are_not_full_support(tmp_path: Path) -> None:
    verdicts = [{"premise": text, "claim": f"Claim {at}.", "score": at / 2} for at, text in enumerate(DOCUMENTS)]
    answers = [row(str(at), f"Claim {at} [1].", [text]) for at, text in enumerate(DOCUMENTS)]
    judge = f"recorded:{write(tmp_path, *verdicts, name='v.jsonl')}"
    file = write(tmp_path, *answers)
    assert cite(file, judge, workspace=tmp_path / "w").value("citation-recall") == pytest.approx(1 / 3)
    assert cite(file, judge, graded=True, workspace=tmp_path / "w").value("citation-recall") == 0.5


def test_empty_answers_are_called_empty_and_unused_rows_are_pointed_to(tmp_path: Path, command: Command) -> None:
    file = write(tmp_path, ROWS[0], row("c", ""), row("d", " "), *["{broken"] * 7)
    said = command("cite", file, "--judge", "lexical", "--workspace", tmp_path / "w").out
    assert "2 answers are empty, with recall 0" in said
    assert "nothing needs support" not in said
    assert "... and 2 more, which --json lists" in said


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ('"answer": null', "the field 'answer' is null; write text"),
        ('"answer": NaN', "the field 'answer' is NaN, not a number; write text"),
        ('"answer": 5', "the field 'answer' is a number; write text"),
    ],
)
def test_an_answer_that_is_no_text_is_named_as_it_is_written(tmp_path: Path, written: str, reason: str) -> None:
    bad = f'{{"id": "x", "question": "Why?", {written}, "references": ["Bees."]}}'
    found = cite(write(tmp_path, ROWS[0], bad), "lexical", workspace=tmp_path / "w").found.file.bad
    assert [one.reason for one in found] == [reason]


def test_values_of_alce_stand_beside_ours_and_change_none(tmp_path: Path, command: Command) -> None:
    said = "Bees dance.\nParis is the capital of France [2]."
    file = write(tmp_path, row("a", said, short_answers=[["Paris"], ["bees"]], long_answers=["Bees dance."]))
    plain = cite(file, "lexical", workspace=tmp_path / "w").as_dict()
    both = cite(file, "lexical", "alce", workspace=tmp_path / "w").as_dict()
    assert {**both, "alce": None} == {**plain, "pairs": both["pairs"]}
    theirs: Any = both["alce"]
    assert (theirs["str_em"], theirs["str_hit"], theirs["rougeLsum"], theirs["length"]) == (0.5, 0, 1, 2)
    assert both["correctness"]["STR-EM"] == 1  # type: ignore[index]
    shown = command("cite", file, "--judge", "lexical", "--compat", "alce", "--workspace", tmp_path / "w").out
    assert "str_em" in shown


def test_every_bad_row_is_counted_and_named_with_its_line(tmp_path: Path, command: Command) -> None:
    file = write(tmp_path, ROWS[0], "{broken", row("c", "Bees dance [1].", [{"id": "x"}]), ROWS[1], ROWS[1])
    found = command("cite", str(file), "--judge", "lexical", "--workspace", str(tmp_path / "w"))
    assert found.code == 0, found.err
    assert "4 rows are not used" in found.out
    assert all(f"answers.jsonl:{line}: " in found.out for line in (2, 3, 4, 5))
    assert "1 answer," in found.out


@pytest.mark.parametrize(
    ("content", "judge", "code", "said"),
    [
        (None, "lexical", 2, "there is no such file"),
        ("", "lexical", 5, "the file is empty"),
        ('{"a": 1}', "lexical", 5, "are of no known format"),
        (json.dumps(ROWS[0]), "nonsense:x", 2, "nonsense"),
        (json.dumps(ROWS[0]), "tests.fake_judges:Worded", 3, "Worded.identity is str; write a dict"),
        (json.dumps(ROWS[0]), "tests.fake_judges:Silent", 3, "gave no value for any pair"),
        (json.dumps(ROWS[0]), "tests.fake_judges:Late", 6, "gave no value for any pair"),
    ],
)
def test_what_cannot_be_evaluated_is_one_line_and_an_exit_code(  # noqa: PLR0917
    tmp_path: Path, command: Command, content: str | None, judge: str, code: int, said: str
) -> None:
    file = tmp_path / "answers.jsonl" if content is None else write(tmp_path, content)
    for verb, more in (("evaluate", ()), ("refine", ("--out", str(tmp_path / "out.jsonl")))):
        found = command("cite", verb, str(file), "--judge", judge, *more, "--workspace", str(tmp_path / "w"))
        assert (found.code, len(found.err.strip().splitlines())) == (code, 1), found.err
        assert said in found.err
    assert not (tmp_path / "out.jsonl").exists()


def test_an_answer_that_the_judge_fails_on_is_counted_and_the_others_have_values(tmp_path: Path) -> None:
    file = write(tmp_path, *ROWS, row("c", "A NaN is here [1].", ["NaN"]))
    found = cite(file, "tests.fake_judges:Sometimes", workspace=tmp_path / "w")
    assert found.found.scores.counts.unjudged == 1
    assert list(found.found.missing) == ["no number (NaN)"]
    assert found.value("citation-recall") == 0.5


def test_refining_writes_the_rows_with_other_marks_only(tmp_path: Path, command: Command) -> None:
    file = write(tmp_path, *ROWS, row("c", "Bees dance [3].", kept={"a": [1]}))
    out = tmp_path / "new" / "refined.jsonl"
    found = command(
        "cite", "refine", str(file), "--judge", "lexical", "--out", str(out), "--workspace", str(tmp_path / "w")
    )
    assert found.code == 0, found.err
    before, after = rows_in(file), rows_in(out)
    assert [one["answer"] for one in after] == [
        "Ada Lovelace wrote the first program in 1843 [1].", "Paris is the capital of France [2]. Bees dance [3].",
        "Bees dance [3].",
    ]  # fmt: skip
    assert [{**one, "answer": ""} for one in after] == [{**one, "answer": ""} for one in before]
    assert cite(out, "lexical", workspace=tmp_path / "w").value("citation-F1") == 1


def test_only_one_step(tmp_path: Path) -> None:
    file, place = write(tmp_path, *ROWS), tmp_path / "w"
    found = cite_refine(file, "lexical", tmp_path / "o", "remove", workspace=place)
    assert found.texts()["b"] == "Paris is the capital of France. Bees dance."
    found = cite_refine(file, "lexical", tmp_path / "o", "complete", workspace=place)
    assert found.texts()["b"] == "Paris is the capital of France [3][2]. Bees dance [3]."


def test_the_file_of_the_answers_is_not_overwritten(tmp_path: Path) -> None:
    file = write(tmp_path, *ROWS)
    with pytest.raises(UsageError, match="is the file of the answers"):
        cite_refine(file, "lexical", file, workspace=tmp_path / "w")


def refined_bytes(tmp_path: Path, content: bytes, name: str = "in.jsonl", out: str = "out") -> bytes:
    file = tmp_path / name
    file.write_bytes(content)
    cite_refine(file, "lexical", tmp_path / out, workspace=tmp_path / "w")
    return (tmp_path / out).read_bytes()


def test_rows_that_are_not_used_or_not_changed_stay_to_the_byte_in_their_places(tmp_path: Path) -> None:
    before = json.dumps(row("a", "Bees dance [1].")).encode()
    right = b'{ "id":"c", "question" : "Q","answer":"Bees dance [3].", "references":["", "", "Bees dance."]}\r'
    rest = [b"broken {", b"", json.dumps({**row("b", ""), "answer": 7}).encode(), right.replace(b'""', b'"So."')]
    after = refined_bytes(tmp_path, b"\n".join([*rest, before, *rest[:2]]))
    assert after == b"\n".join([*rest, before.replace(b"[1]", b"[3]"), *rest[:2]])


@pytest.mark.parametrize("indent", [None, 1, 4, "\t"])
@pytest.mark.parametrize("wrapped", [True, False])
def test_a_file_with_one_array_comes_back_as_one(tmp_path: Path, indent: Any, wrapped: bool) -> None:
    documents = [{"title": "", "text": one} for one in DOCUMENTS]
    rows: list[Any] = [{"question": "Q", "output": f"Bees dance [{n}].", "docs": documents} for n in (1, 3)]
    rows.insert(1, {"question": "Q", "output": 7, "docs": documents})
    value = {"args": {"seed": 42}, "data": rows} if wrapped else rows
    before = json.dumps(value, indent=indent).encode() + b"\n"
    assert refined_bytes(tmp_path, before, "in.json") == before.replace(b"[1]", b"[3]")


def test_an_array_with_one_row_on_each_line_comes_back_as_one(tmp_path: Path) -> None:
    rows = (json.dumps(row(name, f"Bees dance [{n}].")) for name, n in (("a", 1), ("b", 3)))
    before = "[\n{}\n]\n".format(",\n".join(rows)).encode()
    assert refined_bytes(tmp_path, before, "in.json") == before.replace(b"[1]", b"[3]")


def test_a_name_that_ends_in_gz_is_a_gzipped_file(tmp_path: Path) -> None:
    after = refined_bytes(tmp_path, json.dumps(row("a", "Bees dance [1].")).encode(), out="out.jsonl.gz")
    assert json.loads(gzip.decompress(after))["answer"] == "Bees dance [3]."


@pytest.mark.parametrize("only", ["complete", None])
def test_refined_trec_answers_keep_their_form(tmp_path: Path, only: Any) -> None:
    sentences = [
        {"text": "Ada Lovelace wrote the first program [sic] in 1843.", "citations": [1, 0]},
        {"text": "Bees dance.", "citations": []},
        {"text": "Paris is the capital of France.", "citations": [7]},
    ]
    answer = {"topic_id": "t", "topic": "Why?", "references": ["d1", "d2", "d3"], "answer": sentences}
    passages = write(tmp_path, *({"id": f"d{n}", "text": text} for n, text in enumerate(DOCUMENTS, 1)), name="p.jsonl")
    out = tmp_path / "out.jsonl"
    cite_refine(write(tmp_path, answer), "lexical", out, only, passages=passages, workspace=tmp_path / "w")
    (found,) = rows_in(out)
    wanted = [[1, 0], [2], [7, 1]] if only else [[0], [2], [1]]
    assert [one["citations"] for one in found["answer"]] == wanted
    assert [one["text"] for one in found["answer"]] == [one["text"] for one in sentences]


@pytest.mark.parametrize("only", ["complete", "remove", None])
def test_refined_trec_answers_change_only_sentences_with_other_citations(tmp_path: Path, only: Any) -> None:
    """A field that was missing or null stays so, and new citations have the form of the row."""
    sentences = [
        {"text": "Ada Lovelace wrote the first program in 1843.", "citations": ["d1", "d1"]},
        {"text": "Nothing is known.", "kept": 1},
        {"text": "Nobody knows.", "citations": None},
        {"text": "Bees dance.", "citations": []},
    ]
    answer = {"topic_id": "t", "topic": "Why?", "references": ["d1", "d2", "d3"], "responses": sentences}
    passages = write(tmp_path, *({"id": f"d{n}", "text": text} for n, text in enumerate(DOCUMENTS, 1)), name="p.jsonl")
    out = tmp_path / "out.jsonl"
    report = cite_refine(write(tmp_path, answer), "lexical", out, only, passages=passages, workspace=tmp_path / "w")
    assert [one.changed for one in report.refined] == [only != "remove"]
    (found,) = rows_in(out)
    [after] = report.refined
    assert "".join(after.after.answer.text[slice(*one.span)] for one in after.after.statements) == (
        after.after.answer.text
    )
    last = sentences[3] if only == "remove" else {**sentences[3], "citations": ["d3"]}
    assert found["responses"] == [*sentences[:3], last]


def test_refined_expertqa_answers_keep_the_other_systems(tmp_path: Path) -> None:
    def system(text: str) -> dict[str, object]:
        claims = [{"claim_string": text, "evidence": [f"[{n}] http://a {one}" for n, one in enumerate(DOCUMENTS, 1)]}]
        return {"answer_string": text, "attribution": [], "claims": claims}

    row = {"question": "Why?", "answers": {"one": system("Bees dance [1]."), "two": system("Bees dance [3].")}}
    out = tmp_path / "out.jsonl"
    cite_refine(write(tmp_path, row), "lexical", out, workspace=tmp_path / "w")
    (found,) = rows_in(out)
    assert {name: one["answer_string"] for name, one in found["answers"].items()} == {
        "one": "Bees dance [3].", "two": "Bees dance [3].",
    }  # fmt: skip


def test_a_judgment_is_kept_and_not_asked_for_again(tmp_path: Path) -> None:
    from tests import fake_judges

    file = write(tmp_path, *ROWS)
    cite(file, "tests.fake_judges:Counting", workspace=tmp_path / "w")
    asked = fake_judges.Counting.pairs
    assert asked
    cite(file, "tests.fake_judges:Counting", workspace=tmp_path / "w")
    assert fake_judges.Counting.pairs == asked


@pytest.mark.parametrize(("need", "code"), [("Silent", 3), ("Late", 6)])
def test_a_judge_of_need_without_any_value_ends_the_command(
    tmp_path: Path, command: Command, need: str, code: int
) -> None:
    out = tmp_path / "out.jsonl"
    for verb, more in (("evaluate", ()), ("refine", ("--out", out))):
        asked = ("--judge", "lexical", "--need-judge", f"tests.fake_judges:{need}", "--workspace", tmp_path / "w")
        found = command("cite", verb, write(tmp_path, *ROWS), *asked, *more)
        assert (found.code, len(found.err.strip().splitlines())) == (code, 1), found.err
        assert "gave no value for any statement" in found.err
    assert not out.exists()


def test_statements_without_a_value_of_the_judge_of_need_are_counted_and_its_remarks_are_printed(
    tmp_path: Path, command: Command
) -> None:
    file = write(tmp_path, row("a", "Bees dance [3]. So maybe it is."))
    asked = (file, "--judge", "lexical", "--need-judge", "tests.fake_judges:Hesitant", "--workspace", tmp_path / "w")
    for verb, more in (("evaluate", ()), ("refine", ("--out", tmp_path / "out.jsonl"))):
        said = command("cite", verb, *asked, *more)
        assert "1 statement has no value of the judge of need, so support is needed: no number (NaN)" in said.out
        assert "hesitant was fitted on news" in said.out
        printed = json.loads(command("cite", verb, *asked, *more, "--json").out)
        assert printed["need_missing"] == {"no number (NaN)": 1}
        assert "hesitant was fitted on news" in printed["remarks"]


def test_an_answer_without_claim_recall_has_its_reason_counted(tmp_path: Path) -> None:
    claims = row("a", "Bees dance [3].", sub_claims=["A NaN is here."]), row("b", "Bees dance [3].")
    found = cite(write(tmp_path, *claims), "tests.fake_judges:Sometimes", workspace=tmp_path / "w").as_dict()
    assert found["missing"] == {"no number (NaN)": 1}


def test_json_says_whether_a_law_was_checked(tmp_path: Path) -> None:
    file = write(tmp_path, row("c", "A NaN is here [1]. Bees dance [1].", ["Bees dance."]))
    for answers, checked in ((file, False), (write(tmp_path, *ROWS, name="good.jsonl"), True)):
        found: Any = cite(answers, "tests.fake_judges:Sometimes", workspace=tmp_path / "w").as_dict()
        assert {one["checked"] for one in found["controls"]} == {checked}


def test_json_has_null_where_there_is_no_number(tmp_path: Path) -> None:
    found = cite(write(tmp_path, row("a", "Bees dance.")), "lexical", "alce", workspace=tmp_path / "w").as_dict()
    json.dumps(found, allow_nan=False)
    assert found["micro_precision"] is None


def test_answers_that_cite_only_where_no_support_is_needed_do_not_cite_nothing(tmp_path: Path) -> None:
    file = write(tmp_path, row("a", "Bees dance [3]."), row("b", "It is maybe so [1]."))
    found = cite(file, "lexical", need_judge="tests.fake_judges:Hesitant", workspace=tmp_path / "w")
    assert "1 answer has no citation that counts" in found.table()
