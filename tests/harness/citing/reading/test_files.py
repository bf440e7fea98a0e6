"""Files of answers are read as they are published, and no row is lost unseen: a user would trust a mean of the rest."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError
from harness.citing.answers import CitedReference
from harness.citing.parsing import parsed
from harness.citing.reading.files import AnswerFile, read_answers, read_passages

OWN = {"id": "a", "question": "Why?", "answer": "It is so [1].", "references": ["Text"]}
ALCE = {
    "question": "Why?", "output": "It is so [2].", "answer": "It is.", "sample_id": "7",
    "docs": [{"title": "One", "text": "First"}, {"title": "Two", "text": "Second", "sent": "Extracted"}],
    "qa_pairs": [{"question": "When?", "short_answers": ["1894", "94"]}],
    "annotations": [{"long_answer": "Long one."}, {"long_answer": "Long two."}],
}  # fmt: skip
ELI5 = {
    "question": "Why?", "question_ctx": "[removed]", "output": "It is so [1].", "answer": "Because.",
    "claims": ["a", "b", "c"],
    "docs": [{"title": "One", "text": "First"}], "qa_pairs": None,
}  # fmt: skip
WEBGLM = {"question": "Why?", "answer": "It is so[1].", "references": ["First", "Second"]}
TREC_2024 = {
    "run_id": "run", "topic_id": "2024-1", "topic": "why is it so", "references": ["d1", "d2"], "response_length": 6,
    "answer": [{"text": "It is so.", "citations": [0, 1]}, {"text": "It was.", "citations": []}],
}  # fmt: skip
TREC_2025 = {
    "metadata": {"team_id": "t", "run_id": "r", "narrative_id": 12, "narrative": "I wonder why."}, "references": ["d2"],
    "answer": [{"text": "It is so [4].", "citations": [0]}, {"text": "It was", "citations": [5]}],
}  # fmt: skip
PASSAGES = {"d1": CitedReference("First", "One", "d1"), "d2": CitedReference("Second", "", "d2")}
EXPERTQA = {
    "question": "Why?", "annotator_id": "x", "metadata": {},
    "answers": {"gpt4": {
        "answer_string": "It is so [1]. It was [2].", "attribution": ["[1] https://a", "[2] https://b"],
        "claims": [
            {"claim_string": "It is so.", "evidence": ["[1] https://a\n\nFirst"], "support": "Complete"},
            {
                "claim_string": "It was.", "evidence": ["[2] https://b\n\nSecond text", "[1] https://a"],
                "support": "Partial",
            },
        ],
    }},
}  # fmt: skip


def lines(tmp_path: Path, *rows: object, name: str = "answers.jsonl") -> Path:
    path = tmp_path / name
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), "utf-8")
    return path


def read(tmp_path: Path, *rows: object, passages: dict[str, CitedReference] | None = None) -> AnswerFile:
    return read_answers(lines(tmp_path, *rows), passages)


def test_our_own_format(tmp_path: Path) -> None:
    row = OWN | {
        "references": ["Text", {"id": "d", "title": "T", "text": "Other"}], "short_answers": [["1894", "94"], "Oslo"],
        "sub_claims": ["It is."], "long_answers": ["Long."], "language": "en",
    }  # fmt: skip
    found = read(tmp_path, row)
    [one] = found.answers
    assert (found.format, found.bad, one.id, one.text, one.language) == ("answers", (), "a", "It is so [1].", "en")
    assert one.references == (CitedReference("Text"), CitedReference("Other", "T", "d"))
    assert (one.short_answers, one.sub_claims, one.long_answers) == (
        (("1894", "94"), ("Oslo",)),
        ("It is.",),
        ("Long.",),
    )
    assert one.where.endswith("answers.jsonl:1")


@pytest.mark.parametrize("indent", [None, 4])
@pytest.mark.parametrize("wrapped", [True, False])
def test_result_files_of_alce(tmp_path: Path, indent: int | None, wrapped: bool) -> None:
    path = tmp_path / "asqa.json"
    path.write_text(json.dumps({"args": {"seed": 1}, "data": [ALCE]} if wrapped else [ALCE], indent=indent), "utf-8")
    found = read_answers(path)
    [one] = found.answers
    assert (found.format, one.id, one.text) == ("ALCE", "7", "It is so [2].")
    assert one.references == (CitedReference("First", "One"), CitedReference("Extracted", "Two"))
    assert one.short_answers == (("1894", "94"),) and one.long_answers == ("Long one.", "Long two.")
    assert one.where == f"{path} (item 1)"


@pytest.mark.parametrize("first", ["[]", '{"data": []}', json.dumps([OWN]), json.dumps({"data": [OWN]})])
def test_no_row_after_a_first_line_with_an_array_is_dropped(tmp_path: Path, first: str) -> None:
    found = read(tmp_path, first, OWN | {"id": "b"}, "", first, OWN | {"id": "c"})
    assert [one.id for one in found.answers] == ["b", "c"]
    assert [one.where.rpartition(":")[2] for one in found.bad] == ["1", "4"]


@pytest.mark.parametrize("data", [[], [1], [{"x": 1}]])
def test_a_row_with_an_array_of_its_own_is_a_row(tmp_path: Path, data: list[object]) -> None:
    assert [one.id for one in read(tmp_path, OWN | {"data": data}).answers] == ["a"]


def test_eli5_has_claims_and_no_ids(tmp_path: Path) -> None:
    path = tmp_path / "eli5.json"
    path.write_text(json.dumps({"data": [ELI5, ELI5]}), "utf-8")
    answers = read_answers(path).answers
    assert [one.id for one in answers] == ["1", "2"]
    assert answers[0].sub_claims == ("a", "b", "c") and answers[0].long_answers == ("Because.",)


def test_webglm_qa_has_no_ids(tmp_path: Path) -> None:
    found = read(tmp_path, WEBGLM, WEBGLM)
    assert found.format == "WebGLM-QA" and [one.id for one in found.answers] == ["1", "2"]


@pytest.mark.parametrize(
    ("row", "id", "question", "statements"),
    [
        (TREC_2024, "2024-1", "why is it so", [("It is so.", (1, 2), ()), ("It was.", (), ())]),
        (TREC_2025, "12", "I wonder why.", [("It is so.", (1,), ()), ("It was", (), (2,))]),
    ],
)
def test_answer_files_of_trec_rag(
    tmp_path: Path,
    row: dict[str, Any],
    id: str,
    question: str,
    statements: list[tuple[str, tuple[int, ...], tuple[int, ...]]],
) -> None:
    """Citations are places from 0; marks in the text cite nothing; a place that is not there is invalid."""
    [one] = read(tmp_path, row, passages=PASSAGES).answers
    n = len(one.references)
    assert (one.id, one.question) == (id, question)
    given = parsed(one).statements
    assert [(own.text, own.cited(n), own.invalid(n)) for own in given] == statements
    assert "".join(one.text[slice(*own.span)] for own in given) == one.text
    marks = [(one.text[slice(*mark.span)], mark.ids) for own in given for mark in own.marks]
    assert all(shown == f"[{ids[0]}]" for shown, ids in marks)


@pytest.mark.parametrize(
    ("citations", "invalid"), [(["x", "x"], 1), ([-5, 5], 2), ([9, 9, "x"], 2), ([0, "x", 1, "y", "x"], 2), ([2, 3], 2)]
)
def test_every_distinct_citation_of_no_document_counts_once(
    tmp_path: Path, citations: list[object], invalid: int
) -> None:
    row = TREC_2024 | {"answer": [{"text": "It is so.", "citations": citations}]}
    [statement] = parsed(read(tmp_path, row, passages=PASSAGES).answers[0]).statements
    assert len(statement.invalid(2)) == invalid


@pytest.mark.parametrize("citation", [True, 1.0, None, [0]])
def test_a_citation_that_is_neither_a_place_nor_an_id_is_named(tmp_path: Path, citation: object) -> None:
    bad = TREC_2024 | {"topic_id": "b", "answer": [{"text": "It is so.", "citations": [citation]}]}
    assert "a citation of sentence 1 is" in read(tmp_path, TREC_2024, bad, passages=PASSAGES).bad[0].reason


def test_trec_rag_without_passages_names_the_document(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"no row of 1 can be used; .*:1: reference 1 \(d1\) has no text; give a file of passages"
    ):
        read(tmp_path, TREC_2024)


def test_expertqa_takes_texts_from_the_evidence_and_keeps_what_experts_said(tmp_path: Path) -> None:
    [one] = read(tmp_path, EXPERTQA).answers
    assert one.id == "1/gpt4" and [own.text for own in one.references] == ["First", "Second text"]
    claims: Any = one.people["claims"]
    assert [(own["support"], own["evidence"]) for own in claims] == [("Complete", [1]), ("Partial", [2, 1])]


def test_the_published_files_are_read(shared_data: Path) -> None:
    found = read_answers(shared_data / "expertqa/rand_val.jsonl")
    assert len(found.answers) + len(found.bad) == 217 and len(found.answers) == 141
    assert all("is cited and the row has no text of it" in one.reason for one in found.bad)
    assert all(len(read_answers(shared_data / f"alce/{name}_demos.jsonl").answers) == 4 for name in ("asqa", "eli5"))


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{broken", "not JSON"),
        ("[1, 2]", "a list, not an object"),
        ('{"id": "b", "id": "c"}', "the key 'id' occurs twice"),
        ('{"id": "\\ud800"}', "half a surrogate pair"),
        (OWN | {"id": "b", "answer": None}, "the field 'answer' is null; write text"),
        (OWN | {"id": "b", "answer": 3}, "the field 'answer' is a number; write text"),
        (OWN | {"id": "b", "question": None}, "the field 'question' is null; write text"),
        (OWN | {"id": "b", "references": None}, "the field 'references' is missing or no list"),
        (OWN | {"id": "b", "references": "Text"}, "the field 'references' is missing or no list"),
        (OWN | {"id": "b", "references": ["Text", " "]}, "reference 2 has no text"),
        (OWN | {"id": "b", "references": [{"id": "d"}]}, "reference 1 has no text"),
        (OWN | {"id": "b", "references": [7]}, "reference 1 is a number; write an object"),
        (OWN | {"id": "b", "short_answers": "1894"}, "the field 'short_answers' is text; write a list"),
        (OWN | {"id": "b", "sub_claims": [1]}, "item 1 of 'sub_claims' is a number; write text"),
        (OWN | {"id": ""}, "the field 'id' is text; write text or a whole number that is not empty"),
        ({"id": "b", "question": "Why?"}, "the fields (id, question) are not those of the rows before"),
    ],
)
def test_a_bad_row_is_named_with_file_and_line_and_the_others_are_read(
    tmp_path: Path, row: object, reason: str
) -> None:
    found = read(tmp_path, OWN, row, OWN | {"id": "z"})
    assert [one.id for one in found.answers] == ["a", "z"]
    [bad] = found.bad
    assert str(bad).startswith(f"{tmp_path}/answers.jsonl:2: ") and reason in bad.reason


def test_rows_with_one_id_are_all_bad_because_nothing_says_which_is_right(tmp_path: Path) -> None:
    found = read(tmp_path, OWN, OWN | {"id": "b"}, OWN)
    assert [one.id for one in found.answers] == ["b"]
    assert [str(one) for one in found.bad] == [
        f"{tmp_path}/answers.jsonl:{line}: the id 'a' occurs 2 times; give every answer its own" for line in (1, 3)
    ]


def test_bytes_that_are_not_utf_8_are_a_bad_row(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    path.write_bytes(json.dumps(OWN).encode() + b'\n{"id": "\xff"}\n')
    assert "byte 9 (0xff) is not UTF-8" in str(read_answers(path).bad[0])


@pytest.mark.parametrize(
    ("rows", "error", "message"),
    [
        ([], DataError, "the file is empty"),
        (["{broken"], DataError, "no row can be read; the first: .*:1: not JSON"),
        ([{"text": "So."}], DataError, r":1: the fields \(text\) are of no known format"),
        ([OWN | {"references": [""]}], DataError, "no row of 1 can be used"),
        ([EXPERTQA | {"answers": {}}], DataError, "no row of 1 can be used; .*:1: the field 'answers' is empty"),
    ],
)
def test_a_file_without_a_usable_row_is_refused(
    tmp_path: Path, rows: list[object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        read(tmp_path, *rows)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        read_answers(tmp_path / "none.jsonl")


def test_a_gzipped_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(OWN).encode()))
    assert len(read_answers(path).answers) == 1


def test_passages_are_read_by_id(tmp_path: Path) -> None:
    path = lines(tmp_path, {"docid": "d1", "title": "One", "segment": "First"}, {"docid": "d2", "segment": "Second"})
    assert read_passages(path) == PASSAGES
    with pytest.raises(DataError, match=r":2: the id 'd1' occurs twice"):
        read_passages(lines(tmp_path, {"id": "d1", "text": "a"}, {"id": "d1", "text": "b"}))
    with pytest.raises(DataError, match=r":1: the field 'text' is missing"):
        read_passages(lines(tmp_path, {"id": "d1"}))


def test_references_may_name_passages(tmp_path: Path) -> None:
    [one] = read(tmp_path, OWN | {"references": [{"id": "d1"}]}, passages=PASSAGES).answers
    assert one.references == (PASSAGES["d1"],)


@pytest.mark.parametrize("seed", range(30))
def test_no_damage_to_a_file_is_a_crash_and_every_row_is_read_or_named(tmp_path: Path, seed: int) -> None:
    chance, rows = random.Random(seed), [json.dumps(OWN | {"id": f"a{n}"}) for n in range(8)]
    text = bytearray("\n".join(rows).encode())
    for _ in range(chance.randint(1, 6)):
        text[chance.randrange(len(text))] = chance.choice(b'"{}[]:,x\\ 0\xff')
    path = tmp_path / "answers.jsonl"
    path.write_bytes(bytes(text))
    try:
        found = read_answers(path)
    except DataError:
        return
    places = Counter([one.where for one in (*found.answers, *found.bad)])
    assert set(places.values()) == {1} and len(places) == sum(bool(line.strip()) for line in text.split(b"\n"))
