"""Candidates that are wrong before any reranker sees them."""

from __future__ import annotations

import numpy as np
import pytest

from harness.measuring.alarms.alarm import Alarm
from harness.result.store import Results
from harness.scoring.ground import CandidatePool, prepare
from harness.scoring.retrieve import first_stage
from tests.fixtures import Command
from tests.planted_candidates import QUERIES, WIDTH, hashed, planted
from tests.tiny_collection import FIRST, Place


def names(found: CandidatePool) -> list[str]:
    return [alarm.name for alarm in found.alarms]


def test_positives_that_were_appended_to_the_lists_are_seen(place: Place) -> None:
    found = planted(place, relevant=lambda query: (query % 3 if query % 7 else 8) if query % 4 else WIDTH - 1)
    assert names(found) == ["injected-positives"]
    assert "the last candidate is relevant for 10 of 40 queries" in found.alarms[0].message
    assert found.alarms[0].hard


def test_relevant_documents_all_over_the_list_were_not_appended(place: Place) -> None:
    assert planted(place, relevant=lambda query: query % WIDTH, queries=120).alarms == ()


def test_queries_without_candidates_raise_an_alarm(place: Place) -> None:
    found = planted(place, missing=3)
    assert [str(alarm) for alarm in found.alarms] == ["3 of 40 queries have no candidates and count as 0"]


@pytest.mark.parametrize("declared", [True, False])
def test_a_query_among_its_own_candidates_is_seen_by_id_and_text(place: Place, declared: bool) -> None:
    """As in ArguAna: the document has the query's id, and its title before the query's text."""
    found = planted(
        place,
        name=lambda query, rank: f"q{query}" if rank == 7 else hashed(query, rank),
        text=lambda query, rank: f"Title. Question {query}" if rank == 7 else f"answer {rank} to {query}",
        rules="drop_identical_ids = true" if declared else "",
    )
    if declared:
        assert found.alarms == ()
        assert len(found.candidates) == QUERIES * (WIDTH - 1)
    else:
        assert names(found) == ["self-retrieval"]
        assert "40 of 40 queries" in found.alarms[0].message
        assert "drop_identical_ids" in found.alarms[0].message


def test_the_querys_own_text_under_another_id_is_seen(place: Place) -> None:
    found = planted(place, text=lambda query, rank: f"question {query}" if rank == 7 else f"answer {rank} to {query}")
    assert names(found) == ["self-retrieval"]


def test_numbers_that_queries_and_documents_share_by_coincidence_are_no_self_retrieval(place: Place) -> None:
    found = planted(
        place,
        name=lambda query, rank: f"q{query}" if rank == 7 else hashed(query, rank),
        text=lambda query, rank: f"answer {rank} to {query}",
    )
    assert found.alarms == ()


def test_the_answer_may_be_the_question(place: Place) -> None:
    found = planted(place, text=lambda q, rank: f"question {q}" if rank == q % 5 else f"answer {rank} to {q}")
    assert found.alarms == ()


def test_one_text_with_two_labels_raises_an_alarm_and_an_unjudged_one_does_not(place: Place) -> None:
    def text(query: int, rank: int) -> str:
        return f"the same for {query}" if rank in {query % 5, 9} else f"answer {rank} to {query}"

    found = planted(place, text=text)
    assert names(found) == ["contradicting-labels"]
    assert "in 40 of 40 queries" in found.alarms[0].message


def test_an_unjudged_twin_contradicts_nothing(place: Place) -> None:
    def text(query: int, rank: int) -> str:
        return f"the same for {query}" if rank in {query % 5, 9} else f"answer {rank} to {query}"

    assert planted(place, text=text, judged=lambda _query, rank: rank < 9).alarms == ()


def test_ids_that_carry_the_label_are_seen(place: Place) -> None:
    found = planted(place, name=lambda query, rank: f"{'z' if rank == query % 5 else 'a'}{hashed(query, rank)}")
    assert set(names(found)) == {"labelled-ids"}


@pytest.mark.parametrize(
    ("reranker", "name"),
    [("control:random", "few-labelled-ids"), ("control:constant", "labelled-ids"), (None, "few-labelled-ids")],
)
def test_ids_that_carry_the_label_are_a_remark_for_a_system_without_ties(
    place: Place, reranker: str | None, name: str
) -> None:
    ground = planted(place, name=lambda query, rank: f"{'z' if rank == query % 5 else 'a'}{hashed(query, rank)}")
    stage = f"run:{place.path / 'run.trec'}"
    found = place.evaluations(
        ground.collection, rerankers=[reranker] if reranker else [], depth=WIDTH, first=stage, measures=["nDCG@10"]
    )[-1]
    (alarm,) = [alarm for alarm in found.alarms if "labelled-ids" in alarm.name]
    assert alarm.name == name
    assert ("no two texts are tied here" in alarm.message) == (name == "few-labelled-ids")
    assert not alarm.hard
    with Results(place.workspace.results) as results:
        stored = results.find(found.id).audit.alarms
    assert name in {one.name for one in stored}


def test_one_tie_between_different_texts_keeps_the_alarm(place: Place) -> None:
    """The last two candidates of one query are tied: little, and still decided by an id."""
    ground = planted(place, name=lambda query, rank: f"{'z' if rank == query % 5 else 'a'}{hashed(query, rank)}")
    run = place.path / "run.trec"
    lines = run.read_text("utf-8").splitlines()
    lines[WIDTH - 1] = lines[WIDTH - 1].replace(str(1 / WIDTH), str(1 / (WIDTH - 1)))
    run.write_text("\n".join(lines), "utf-8")
    (found,) = place.evaluations(ground.collection, depth=WIDTH, first=f"run:{run}", measures=["nDCG@10"])
    assert found.audit.tied == 2
    assert "labelled-ids" in {alarm.name for alarm in found.alarms}


def test_equal_texts_are_no_tie_that_an_id_decides(place: Place) -> None:
    ground = planted(
        place,
        name=lambda query, rank: f"{'z' if rank == query % 5 else 'a'}{hashed(query, rank)}",
        text=lambda query, rank: f"answer {min(rank, WIDTH - 2)} to question {query}",
    )
    run = place.path / "run.trec"
    text = run.read_text("utf-8").replace(str(1 / WIDTH), str(1 / (WIDTH - 1)))
    run.write_text(text, "utf-8")
    (found,) = place.evaluations(ground.collection, depth=WIDTH, first=f"run:{run}", measures=["nDCG@10"])
    assert found.audit.tied == 0
    assert "few-labelled-ids" in {alarm.name for alarm in found.alarms}


def test_a_remark_is_printed_as_one(place: Place, command: Command) -> None:
    planted(place, name=lambda query, rank: f"{'z' if rank == query % 5 else 'a'}{hashed(query, rank)}")
    said = command("run", place.path / "planted", "--first-stage", f"run:{place.path / 'run.trec'}", "--reranker",
                   "control:constant", "--depth", WIDTH, "--workspace", place.workspace.path)  # fmt: skip
    named = [line.split()[0] for line in said.out.splitlines() if "labelled-ids]" in line]
    assert named == ["REMARK", "ALARM"]


def test_alarms_of_the_candidates_are_found_once(place: Place) -> None:
    (first, second) = place.evaluations(first=FIRST, rerankers=["tests.fake_adapters:Plain"])
    assert first.ground is second.ground
    assert first.ground.alarms is first.ground.alarms
    assert np.array_equal(first.ground.first_stage, second.ground.first_stage)


def ruled(place: Place, rule: str, qrels: str, **files: object) -> list[Alarm]:
    """What a collection with judgments that need a rule raises about the rule."""
    corpus = {f"d{n}": f"text {n}" for n in range(100)} | dict(files.get("corpus", {}))  # type: ignore[call-overload]
    folder = place.beir(
        "ruled", corpus, {f"q{n}": f"which text has number {n}" for n in range(100)}, rules=f'allow = ["{rule}"]'
    )
    (folder / "qrels" / "test.tsv").write_text(qrels, "utf-8")
    with place.session() as session:
        found = prepare(place.load(folder), first_stage(FIRST, place.workspace), 5, [], session).alarms
    return [alarm for alarm in found if alarm.name.endswith("let-through")]


SOUND = "".join(f"q{n} 0 d{n} 1\n" for n in range(98))
UNSOUND = {
    "unknown-documents": "q{n} 0 gone{n} 1\n",
    "unknown-queries": "z{n} 0 d{n} 1\n",
    "repeated-judgments": "q{n} 0 d{n} 1\n",
    "contradicting-labels": "q{n} 0 d{n} 2\n",
}


@pytest.mark.parametrize("rule", list(UNSOUND))
def test_a_rule_that_lets_more_than_one_line_in_a_hundred_through_raises_an_alarm(place: Place, rule: str) -> None:
    found = ruled(place, rule, SOUND + UNSOUND[rule].format(n=1) + UNSOUND[rule].format(n=2))
    (alarm,) = found
    assert alarm.name == "let-through"
    assert alarm.message.startswith(f"the rule {rule} let 2 of 100 lines of the judgments through (2.0 %): ")
    assert not alarm.hard


@pytest.mark.parametrize("rule", list(UNSOUND))
def test_up_to_one_line_in_a_hundred_it_is_a_remark(place: Place, rule: str) -> None:
    found = ruled(place, rule, SOUND + "q99 0 d99 1\n" + UNSOUND[rule].format(n=1))
    (alarm,) = found
    assert alarm.name == "few-let-through"
    assert alarm.message.startswith(f"the rule {rule} let 1 of 100 lines of the judgments through (1.0 %): ")


def test_grades_below_zero_need_no_rule_and_raise_no_alarm_in_trecs_form(place: Place) -> None:
    assert ruled(place, "unknown-documents", SOUND + "q98 0 d1 -1\nq98 0 d2 -2\n") == []


def test_in_other_forms_many_grades_below_zero_raise_one(place: Place) -> None:
    qrels = "".join(f"q{n}\td{n}\t{1 if n else -1}\n" for n in range(50))
    (alarm,) = ruled(place, "unknown-documents", qrels)
    assert alarm.name == "let-through"
    assert alarm.message == "1 of 50 lines of the judgments (2.0 %) have grades below zero (they count as 0)"


def test_texts_that_are_missing_raise_an_alarm_above_one_in_a_hundred(place: Place) -> None:
    folder = place.beir("holes", {f"d{n}": f"text {n}" for n in range(99)}, {"q1": "text"}, [("q1", "d1", 1)])
    names = []
    for missing in (1, 2):
        with (folder / "corpus.jsonl").open("a", encoding="utf-8") as file:
            file.write(f'{{"_id": "hole{missing}", "text": null}}\n')
        with place.session() as session:
            found = prepare(place.load(folder), first_stage(FIRST, place.workspace), 5, [], session).alarms
        names.append([(alarm.name, alarm.message) for alarm in found if "missing" in alarm.message])
    message = "of {} lines of the documents ({} %) have texts that are null or missing (they are empty)"
    assert names == [
        [("few-let-through", f"1 {message.format(100, '1.0')}")],
        [("let-through", f"2 {message.format(101, '2.0')}")],
    ]


def test_a_judged_query_without_a_text_raises_an_alarm(place: Place) -> None:
    folder = place.beir("asked", queries={"q1": "ferry", "q2": " "}, qrels=[("q1", "d1", 1), ("q2", "d3", 1)])
    with place.session() as session:
        found = prepare(place.load(folder), first_stage("bm25", place.workspace), 5, [], session).alarms
    (alarm,) = [alarm for alarm in found if alarm.name == "empty-queries"]
    assert alarm.message.startswith("1 of 2 judged queries has no text")


def test_a_rule_that_is_declared_in_vain_raises_nothing(place: Place) -> None:
    assert ruled(place, "unknown-documents", SOUND) == []


def test_each_file_has_a_share_of_its_own(place: Place) -> None:
    qrels = "query-id\tcorpus-id\tscore\n" + "".join(f"q{n}\td{n}\t1\n" for n in range(2)) + "q2\tthe tower\t1\n"
    found = ruled(place, "white-space-ids", qrels, corpus={"the tower": "a tower"})
    assert [(alarm.name, alarm.message.partition(":")[0]) for alarm in found] == [
        ("few-let-through", "the rule white-space-ids let 1 of 101 lines of the documents through (1.0 %)"),
        ("let-through", "the rule white-space-ids let 1 of 3 lines of the judgments through (33.3 %)"),
    ]


def test_the_alarm_is_printed_under_the_table(place: Place, command: Command) -> None:
    ruled(place, "unknown-documents", SOUND + "q98 0 gone1 1\nq99 0 gone2 1\n")
    folder = place.path / "ruled"
    said = command("run", folder, "--first-stage", "bm25", "--workspace", place.workspace.path)
    assert (
        "ALARM ruled · bm25 (first stage): the rule unknown-documents let 2 of 100 lines of the judgments" in said.out
    )
    assert "[let-through]" in said.out
    assert "2 judged documents are not in the corpus; they count in the ideal ranking" in said.out
