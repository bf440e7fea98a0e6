"""`harness cite generate` and `compare`: a user would lose the answer to whether another reranker gives better
citations."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import harness
from tests.fixtures import Command

pytest.importorskip("sentencex")
pytest.importorskip("bm25s")
QUOTING = "tests.fake_judges:Quoting"


@pytest.fixture(scope="module")
def work(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with two systems on one collection."""
    place = tmp_path_factory.mktemp("cited") / "w"
    harness.run(
        "demo/en",
        first_stage="bm25",
        rerankers=["control:oracle", "control:reverse", "tests.fake_adapters:Plain"],
        depth=10,
        workspace=place,
    )
    return place


def rows_in(file: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_the_generator_reads_the_first_passages_of_the_system(work: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "a.jsonl"
    more = ("--generator", QUOTING, "--out", out, "--top", 3, "--queries", 4, "--workspace", work)
    said = command("cite", "generate", "control:oracle", *more)
    assert said.code == 0, said.err
    rows = rows_in(out)
    assert len(rows) == 4
    assert all(len(row["references"]) == 3 and str(row["answer"]).endswith(" [1].") for row in rows)  # type: ignore[arg-type]
    reverse = harness.cite_generate("control:reverse", QUOTING, tmp_path / "b", 3, 4, workspace=work)
    assert [one.id for one in reverse.answers] == [row["id"] for row in rows]
    assert [one.references[0].id for one in reverse.answers] != [row["references"][0]["id"] for row in rows]  # type: ignore[index]


def test_rerankers_are_compared_by_the_citations_of_the_answers_from_their_passages(
    work: Path, tmp_path: Path, command: Command
) -> None:
    asked = ("--reranker", "control:reverse", "--reranker", "control:oracle", "--generator", QUOTING, "--top", 2)
    said = command("cite", "compare", *asked, "--judge", "lexical", "--out", tmp_path, "--workspace", work, "--json")
    assert said.code == 0, said.err
    assert {one.name for one in tmp_path.iterdir()} == {"answers-1.jsonl", "answers-2.jsonl"}
    assert "answers of control:oracle" in said.out


def test_answers_to_some_of_the_questions_are_compared_on_the_common_ones(
    work: Path, tmp_path: Path, command: Command
) -> None:
    harness.cite_generate("control:oracle", QUOTING, tmp_path / "a.jsonl", workspace=work)
    harness.cite_generate("control:reverse", QUOTING, tmp_path / "b.jsonl", queries=8, workspace=work)
    said = command(
        "cite", "compare", tmp_path / "a.jsonl", tmp_path / "b.jsonl", "--judge", "lexical", "--workspace", work
    )
    assert said.code == 0, said.err
    assert "12 questions are left out: not in all files" in said.out
    assert "8 queries" in said.out


def test_a_file_that_cites_nothing_does_not_hide_the_precision_of_the_others(tmp_path: Path, command: Command) -> None:
    def file(name: str, mark: str) -> Path:
        rows = [
            {"id": str(at), "question": "Why?", "answer": f"Bees dance{mark}.", "references": ["Bees dance.", "Ants."]}
            for at in range(8)
        ]
        place = tmp_path / f"{name}.jsonl"
        place.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
        return place

    files = file("right", " [1]"), file("wrong", " [1][2]"), file("silent", "")
    found = harness.cite_compare(files, "lexical", workspace=tmp_path / "w")
    assert found.comparison.value("wrong", measure="citation-precision") == 0.5
    assert found.comparison.difference("wrong", measure="citation-precision").value == -0.5
    assert found.comparison.value("silent", measure="citation-F1") == 0
    said = command("cite", "compare", *files, "--judge", "lexical", "--workspace", tmp_path / "w")
    assert said.code == 0, said.err
    assert "citation-precision against right" in said.out
    assert "citation-precision: silent left out, because no answer has a value" in said.out
    assert "silent: 8 answers have no citation that counts, and no citation-precision" in said.out
    said = command("cite", "compare", files[2], *files[:2], "--judge", "lexical", "--workspace", tmp_path / "w")
    assert said.code == 0, said.err
    assert "(silent, " in said.out


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("a.jsonl",), "name two or more files"),
        (("a.jsonl", "other.jsonl"), "no id is in all files"),
        (("a.jsonl", "asked.jsonl"), "has another question"),
        (("a.jsonl", "a.jsonl", "--reranker", "bm25"), "not both"),
        (("a.jsonl", "other.jsonl", "./a.jsonl"), "./a.jsonl is named twice"),
        (
            ("--reranker", "a", "--reranker", "b", "--generator", "g", "--out", "o", "--passages", "a.jsonl"),
            "leave out --passages",
        ),
        (("--reranker", "control:oracle", "--reranker", "control:reverse"), "need a --generator"),
    ],
)
def test_what_cannot_be_compared_is_one_line(
    tmp_path: Path, command: Command, monkeypatch: pytest.MonkeyPatch, asked: tuple[str, ...], said: str
) -> None:
    for name, id, question in (("a", "1", "Why?"), ("other", "2", "Why?"), ("asked", "1", "Who?")):
        row = {"id": id, "question": question, "answer": "Bees dance [1].", "references": ["Bees dance."]}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    monkeypatch.chdir(tmp_path)
    found = command("cite", "compare", *asked, "--judge", "lexical", "--workspace", tmp_path / "w")
    assert (found.code in (2, 5), len(found.err.strip().splitlines())) == (True, 1), found.err
    assert said in found.err


def test_a_judge_that_is_one_of_the_rerankers_is_refused(work: Path, tmp_path: Path, command: Command) -> None:
    asked = (
        "--workspace",
        work,
        "--reranker",
        "tests.fake_adapters:Plain",
        "--reranker",
        "control:oracle",
        "--generator",
        QUOTING,
        "--out",
        tmp_path,
    )
    found = command("cite", "compare", *asked, "--judge", "reranker:tests.fake_adapters:Plain?threshold=0")
    assert found.code == 2
    assert "is the candidate" in found.err


def test_a_system_that_is_named_twice_is_refused_before_anything_is_generated(
    work: Path, tmp_path: Path, command: Command
) -> None:
    twice = ("--reranker", "control:oracle", "--reranker", "control:oracle", "--generator", QUOTING, "--out", tmp_path)
    found = command("cite", "compare", *twice, "--judge", "lexical", "--workspace", work)
    assert found.code == 2
    assert "control:oracle is named twice" in found.err
    assert not list(tmp_path.iterdir())


def write(place: Path, *rows: object) -> Path:
    place.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return place


def test_one_file_of_passages_has_the_texts_of_all_files_that_are_compared(tmp_path: Path, command: Command) -> None:
    passages = write(tmp_path / "p.jsonl", {"id": "d1", "text": "Bees dance."}, {"id": "d2", "text": "Ants walk."})
    files = [
        write(tmp_path / f"{name}.jsonl", *(
            {"topic_id": str(at), "topic": "Why?", "references": ["d1", "d2"],
             "answer": [{"text": "Bees dance.", "citations": [cited]}]}
            for at in range(4)
        ))
        for name, cited in (("right", 0), ("wrong", 1))
    ]  # fmt: skip
    asked = ("cite", "compare", *files, "--judge", "lexical", "--workspace", tmp_path / "w")
    assert "give a file of passages" in command(*asked).err
    said = command(*asked, "--passages", passages)
    assert said.code == 0, said.err
    found = harness.cite_compare(files, "lexical", passages=passages, workspace=tmp_path / "w")
    assert found.comparison.difference("wrong", measure="citation-recall").value == -1


def test_json_of_generated_answers_has_what_the_file_has(work: Path, tmp_path: Path, command: Command) -> None:
    out = tmp_path / "a.jsonl"
    more = ("--generator", QUOTING, "--out", out, "--queries", 3, "--workspace", work, "--json")
    said = command("cite", "generate", "control:oracle", *more)
    assert said.code == 0, said.err
    printed = json.loads(said.out)
    assert printed == {"system": "control:oracle", "generator": "quoting", "answers": rows_in(out)}


def test_what_the_judges_say_and_leave_out_is_named_by_file(tmp_path: Path, command: Command) -> None:
    more = {"question": "Why?", "references": ["Bees dance."]}
    one = {"id": "1", "answer": "Bees dance [1].", **more}
    files = (
        write(tmp_path / "whole.jsonl", one, {"id": "2", "answer": "Bees dance [1].", **more}),
        write(tmp_path / "part.jsonl", one, {"id": "2", "answer": "So maybe it is. A NaN is here [1].", **more}, 7),
    )
    judges = ("--judge", "tests.fake_judges:Sometimes", "--need-judge", "tests.fake_judges:Willing")
    said = command("cite", "compare", *files, *judges, "--workspace", tmp_path / "w", "--json")
    assert said.code == 0, said.err
    shared, *of_files = json.loads(said.out)["remarks"]
    assert shared == "hesitant was fitted on news"
    assert of_files[:2] == [
        "part: 1 pair has no value: no number (NaN)",
        "part: 1 statement has no value of the judge of need, so support is needed: no number (NaN)",
    ]
    assert of_files[2] == "part: 1 row is not used:"
    assert "part.jsonl:3: a number, not an object" in of_files[3]
    assert all(line.startswith("part: ") for line in of_files)
    shown = command("cite", "compare", *files, *judges, "--workspace", tmp_path / "w").out
    assert "part: 1 pair has no value" in shown
    assert shown.count("hesitant was fitted on news") == 1


def test_the_judge_is_opened_once_and_asked_for_no_controls(tmp_path: Path) -> None:
    from tests.fake_judges import Counting

    more = {"id": "1", "question": "Why?", "references": ["Bees dance.", "Ants walk.", "Wasps sting."]}
    files = [
        write(tmp_path / f"{name}.jsonl", {**more, "answer": f"Bees dance {name}."})
        for name in ("[1]", "[2]", "[1][2]")
    ]
    Counting.opened = Counting.pairs = 0
    harness.cite_compare(files, "tests.fake_judges:Counting", workspace=tmp_path / "w")
    assert Counting.opened == 1
    assert Counting.pairs == 2  # the documents that are cited, with the statement
