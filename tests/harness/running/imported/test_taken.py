"""What others computed is measured by the same rules, and nothing of it can be mistaken for ours."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from harness.data.trec import write_run
from harness.progress import Silent
from harness.result.evaluation import Evaluation
from harness.result.gathered import gathered
from harness.running.imported.taken import WantedRun, is_run, take_run
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_adapters:Plain"


def tevatron(place: Place, evaluation: Evaluation, name: str = "run.tsv") -> Path:
    """The scores of an evaluation as tevatron writes them."""
    run, collection = evaluation.run, evaluation.collection
    queries, documents = collection.queries.ids(), collection.corpus.ids(run.documents)
    rows = zip(run.queries, documents, run.scores, strict=True)
    return place.run_file([f"{queries[query]}\t{document}\t{score!s}" for query, document, score in rows], name)


def trec(place: Place, evaluation: Evaluation, name: str) -> Path:
    file = place.path / name
    write_run(file, evaluation.run, evaluation.collection, "tag")
    return file


def take(place: Place, wanted: WantedRun) -> list[Evaluation]:
    return take_run(wanted, [place.load()], place.workspace, Silent())


def test_an_imported_run_has_the_values_and_the_audit_that_it_would_have_as_ours(place: Place) -> None:
    ours = place.evaluations(rerankers=[FAKE], measures=["nDCG@10", "RR@10"], depth=5)
    first, file = trec(place, ours[0], "first.trec"), tevatron(place, ours[1])
    wanted = WantedRun(file, "theirs", first_stage_run=first, depth=5, measures=("nDCG@10", "RR@10"))
    theirs = take(place, wanted)
    assert [one.system.label for one in theirs] == ["first (imported) (first stage)", "theirs (imported)"]
    for imported, own in zip(theirs, ours, strict=True):
        assert np.array_equal(imported.values, own.values)
        assert imported.audit.ties == own.audit.ties and imported.audit.candidates == own.audit.candidates
        assert imported.run.candidates == own.run.candidates and imported.id != own.id


def test_nothing_imported_is_mistaken_for_measured(place: Place) -> None:
    """As like a measured system as can be, in name, first stage and depth: two rows, never one."""
    ours = place.evaluations(rerankers=[FAKE], depth=5)
    file = place.run_file(tevatron(place, ours[1]).read_text("utf-8").replace("\t0.", "\t-0.").splitlines())
    take(place, WantedRun(file, "tests.fake_adapters.Plain", first_stage=FIRST, depth=5))
    found = {one.system: one for one in gathered(place.workspace.path) if one.system.reranker}
    assert len(found) == 2
    measured, imported = sorted(found.values(), key=lambda one: one.imported)
    assert not measured.imported and measured.value == ours[1].values.mean()
    assert imported.imported and imported.system.label == "tests.fake_adapters.Plain (imported)"
    said = imported.stored.identity["imported"]
    assert isinstance(said, dict) and len(said.pop("digest")) == 32
    assert said == {
        "kind": "run", "format": "tevatron", "source": "run.trec", "evaluator": "rerank-harness", "stated": {},
    }  # fmt: skip
    first = next(one for one in gathered(place.workspace.path) if one.system.reranker is None)
    assert not first.imported and first.system == imported.system.base


def test_a_run_without_candidates_is_a_first_stage_of_its_own(place: Place) -> None:
    (ours,) = place.evaluations(depth=8)
    (theirs,) = take(place, WantedRun(trec(place, ours, "whole.trec"), "their search", depth=3))
    assert theirs.system.reranker is None and theirs.system.label == "their search (imported) (first stage)"
    assert int(np.diff(theirs.run.offsets).max()) == 3
    assert gathered(place.workspace.path)[-1].imported


def test_given_lists_are_the_candidates_where_there_are_any(place: Place) -> None:
    rows = place.load(place.reranking_rows())
    ours = place.evaluations(rows, rerankers=[FAKE], first="given")
    done = take_run(WantedRun(tevatron(place, ours[1]), "theirs"), [rows], place.workspace, Silent())
    assert [one.system.label for one in done] == ["given (first stage)", "theirs (imported)"]
    assert np.array_equal(done[1].values, ours[1].values) and done[0].id == ours[0].id


def test_a_candidate_without_a_score_is_never_a_zero(place: Place) -> None:
    ours = place.evaluations(rerankers=[FAKE], depth=5)
    lines = tevatron(place, ours[1]).read_text("utf-8").splitlines()
    file = place.run_file(lines[1:])
    with pytest.raises(DataError, match=r"1 of 20 candidates of coll have no score in it; .*lower --depth"):
        take(place, WantedRun(file, "theirs", first_stage=FIRST, depth=5))


def test_a_query_without_candidates_counts_as_zero_and_is_reported(place: Place) -> None:
    file = place.run_file(["q1\td1\t0.5", "q2\td3\t0.5"])
    (done,) = take(place, WantedRun(file, "theirs"))
    assert done.values.mean() < 0.5 and done.audit.queries_without_candidates == 2
    assert any(alarm.name == "missing-queries" for alarm in done.alarms)


def test_the_name_tells_two_imports_of_one_file_apart(place: Place) -> None:
    file = place.run_file(["q1\td1\t0.5"])
    (one,), (two,) = take(place, WantedRun(file, "one")), take(place, WantedRun(file, "two"))
    (again,) = take(place, WantedRun(file, "one"))
    assert one.id == again.id != two.id


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({}, "names no system; name it with --name"),
        ({"name": "run:x"}, "--name 'run:x'"),
        ({"name": "x", "first_stage": "given", "first_stage_run": Path("x")}, "both name the candidates"),
        ({"name": "x", "first_stage": "given"}, "coll has no candidate lists"),
    ],
)
def test_what_cannot_be_known_is_asked_for(place: Place, wanted: dict[str, str], said: str) -> None:
    file = place.run_file(["q1\td1\t0.5"])
    with pytest.raises(UsageError, match=said):
        take(place, WantedRun(file, **wanted))  # type: ignore[arg-type]


def test_one_file_is_of_one_collection(place: Place) -> None:
    collections = [place.load(place.beir("one")), place.load(place.beir("two"))]
    with pytest.raises(UsageError, match="a run file is for one collection, not for 2: one, two"):
        take_run(WantedRun(place.run_file(["q1\td1\t0.5"]), "x"), collections, place.workspace, Silent())


def test_a_folder_is_no_run(tmp_path: Path) -> None:
    assert not is_run(tmp_path)


def run_import(command: Command, place: Place, file: Path, *options: object) -> tuple[int, str, str]:
    said = command(
        "import", file, "--target", place.path / "coll", "--workspace", place.workspace.path, *options
    )  # fmt: skip
    return said.code, said.out, said.err


def test_the_command_shows_what_it_took_and_lists_it_marked(place: Place, command: Command) -> None:
    place.beir()
    file = place.run_file(["q1\td1\t0.5", "q1\td4\t0.25"])
    code, out, err = run_import(command, place, file, "--name", "theirs", "--audit", "--depth", 5)
    assert code == 0, err
    assert "theirs (imported)" in out and "ALARM" in out
    listed = command("list", "results", "--workspace", place.workspace.path)
    assert "theirs (imported)" in listed.out and "(imported): computed elsewhere" in listed.out
    id = next(iter(gathered(place.workspace.path))).id
    shown = command("show", id, "--workspace", place.workspace.path)
    assert "imported:" in shown.out and "format: tevatron" in shown.out


@pytest.mark.parametrize("broken", ["q1\td1\t0.5\nq1\td1\n", '{"q1": {"d1": "x"}}'])
def test_a_broken_file_is_one_line_and_keeps_nothing(place: Place, command: Command, broken: str) -> None:
    place.beir()
    file = place.path / "broken"
    file.write_text(broken, "utf-8")
    code, _, err = run_import(command, place, file, "--name", "theirs")
    assert code == 5 and err.count("\n") == 1 and str(file) in err
    assert command("list", "--workspace", place.workspace.path, "--json").out.strip() == "[]"


def test_a_run_needs_a_target_and_results_of_mteb_none(place: Place, command: Command, tmp_path: Path) -> None:
    file = place.run_file(["q1\td1\t0.5"])
    alone = command("import", file, "--workspace", place.workspace.path)
    assert alone.code == 2 and "name the --target" in alone.err
    both = command("import", file, file, "--workspace", place.workspace.path)
    assert both.code == 2 and "import one run at a time" in both.err
    result = tmp_path / "T2Reranking.json"
    result.write_text(json.dumps({"task_name": "T2Reranking", "scores": {}}), "utf-8")
    targeted = command("import", result, "--target", "beir", "--workspace", place.workspace.path)
    assert targeted.code == 2 and "--target is for one run file" in targeted.err


class Noted(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, message: str) -> None:
        self.notes.append(message)


@pytest.mark.parametrize("as_stage", [True, False])
@pytest.mark.parametrize("name", ["their.trec", "their.tsv"])
def test_lines_of_queries_that_the_target_lacks_are_counted_in_one_note(
    place: Place, as_stage: bool, name: str
) -> None:
    ours = place.evaluations(rerankers=[FAKE], depth=5)
    file = tevatron(place, ours[1], name) if name.endswith("tsv") else trec(place, ours[1], name)
    lines = file.read_text("utf-8").splitlines()
    other = [f"x{n}\t{n}\t0.5" if name.endswith("tsv") else f"x{n} Q0 d1 1 0.5 t" for n in range(1500)]
    place.run_file([*other, *lines], name)
    said = Noted()
    wanted = WantedRun(file, "theirs", first_stage=None if as_stage else FIRST, depth=5)
    take_run(wanted, [place.load()], place.workspace, said)
    found = [note for note in said.notes if "no such query" in note]
    assert found == [f"{file}: 1,500 lines are left out because coll has no such query: 'x0', 'x1', 'x2'"]
