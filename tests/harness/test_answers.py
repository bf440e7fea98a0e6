"""What a call gives: values that are looked up by name, one line in an interpreter, tables in a notebook that no name
can turn into markup, and nothing on standard output."""

from __future__ import annotations

import json
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import harness
from adapters import tiny
from harness.api import arguments
from harness.progress import Silent, Terminal
from tests.fixtures import Command
from tests.tiny_collection import CORPUS, FIRST, QRELS, QUERIES, Place

ORACLE, REVERSE, PLAIN = "control:oracle", "control:reverse", "tests.fake_adapters:Plain"
EVIL = "<script>alert(1)"


def ran(place: Place, *targets: object, **options: Any) -> harness.Outcome:
    """A run on a small collection, or on those that are named."""
    named = targets or (place.path / "coll" if (place.path / "coll").exists() else place.beir(),)
    settings = {"first_stage": FIRST, "rerankers": [ORACLE, REVERSE], "depth": 5, "workspace": place.workspace.path}
    return harness.run(*named, **{**settings, **options})  # type: ignore[arg-type]


def compared(place: Place) -> harness.Comparison:
    ran(place)
    return harness.compare(f"{FIRST} (first stage)", ORACLE, REVERSE, workspace=place.workspace.path)


def decided(place: Place) -> harness.Decision:
    policy = harness.Policy(first_stage=FIRST, depth=5)
    return harness.gate(REVERSE, policy, targets=place.beir(), anchor=ORACLE, workspace=place.workspace.path)


def checked(place: Place) -> harness.CheckReport:
    folder = place.path / "coll" if (place.path / "coll").exists() else place.beir()
    return harness.check(PLAIN, folder, first_stage=FIRST, workspace=place.workspace.path)


def explained(place: Place) -> harness.Explanation:
    ran(place)
    return harness.why(ORACLE, REVERSE, workspace=place.workspace.path)


ANSWERS: list[Callable[[Place], Any]] = [ran, compared, decided, checked, explained]
each_answer = pytest.mark.parametrize("answer", ANSWERS, ids=[one.__name__ for one in ANSWERS])


@each_answer
def test_an_answer_is_one_line_in_an_interpreter(place: Place, answer: Callable[[Place], Any]) -> None:
    shown = repr(answer(place))
    assert "\n" not in shown
    assert len(shown) < 400
    assert "array(" not in shown


@each_answer
def test_nothing_is_printed_on_standard_output(
    place: Place, answer: Callable[[Place], Any], capfd: pytest.CaptureFixture[str]
) -> None:
    answer(place)
    assert capfd.readouterr() == ("", "")


@each_answer
def test_a_notebook_and_markdown_show_the_tables(place: Place, answer: Callable[[Place], Any]) -> None:
    found = answer(place)
    for table in found.tables():
        assert f"<caption>{table.title}" in found._repr_html_().replace("&#x27;", "'")
        assert table.title.replace("*", "\\*") in found.table()


@each_answer
def test_as_dict_is_what_json_can_hold(place: Place, answer: Callable[[Place], Any]) -> None:
    assert json.loads(json.dumps(answer(place).as_dict(), allow_nan=False))


def test_no_name_becomes_markup_in_a_notebook(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(place.path)
    folder, spec = place.beir("evil", rules=f"name = '{EVIL}'\nnote = '{EVIL}'"), f"{PLAIN}?log={EVIL}"
    answers: list[Any] = [ran(place, folder, rerankers=[spec, "tests.fake_adapters:Constant"])]
    answers.append(harness.compare(f"{FIRST} (first stage)", spec, workspace=place.workspace.path))
    answers.append(harness.why(f"{FIRST} (first stage)", spec, workspace=place.workspace.path))
    policy = harness.Policy(targets="evil", first_stage=FIRST, depth=5)
    answers.append(harness.gate(spec, policy, anchor=FIRST, workspace=place.workspace.path))
    answers.append(harness.check(spec, folder, first_stage=FIRST, workspace=place.workspace.path))
    for answer in answers:
        tags: list[str] = []
        reader = HTMLParser()
        reader.handle_starttag = lambda tag, _, own=tags: own.append(tag)  # type: ignore[method-assign]
        reader.feed(answer._repr_html_())
        assert "table" in tags
        assert "script" not in tags
        assert "&lt;script&gt;" in answer._repr_html_()


def test_a_value_is_that_of_the_table_and_of_the_command(place: Place, command: Command) -> None:
    outcome = ran(place, measures=["nDCG@10", "RR@10"])
    said = command(
        "run", place.path / "coll", "--first-stage", FIRST, "--reranker", ORACLE, "--reranker", REVERSE, "--depth", 5,
        "--measure", "nDCG@10", "--measure", "RR@10", "--workspace", place.workspace.path, "--json",
    )  # fmt: skip
    for one in json.loads(said.out)["evaluations"]:
        for measure, figure in one["measures"].items():
            assert outcome.value(one["system"], "coll", measure) == figure["value"]
            assert outcome.figure(one["system"], "coll", measure).as_dict() == figure
            values = outcome.values(one["system"], "coll", measure)
            assert list(values) == list(QUERIES)
            assert np.mean(list(values.values())) == pytest.approx(figure["value"], abs=1e-15)


def test_a_macro_average_gives_every_collection_one_vote(place: Place) -> None:
    other = place.beir("other", queries={"q1": QUERIES["q1"]}, qrels=QRELS[:3])
    outcome = ran(place, place.beir(), other)
    each = [outcome.value(REVERSE, name) for name in ("coll", "other")]
    assert outcome.value(REVERSE) == pytest.approx(sum(each) / 2)
    assert each[0] != each[1]


def test_a_first_stage_can_be_named_as_it_was_given(place: Place) -> None:
    outcome = ran(place)
    assert outcome.value(FIRST) == outcome.value(f"{FIRST} (first stage)")
    assert outcome.value(FIRST, measure="ndcg@10") == outcome.value(FIRST)


def test_a_comparison_has_the_values_of_the_run(place: Place) -> None:
    outcome, comparison = ran(place), compared(place)
    assert comparison.candidates == [ORACLE, REVERSE]
    for system in (comparison.baseline, *comparison.candidates):
        assert comparison.value(system) == comparison.value(system, "coll") == outcome.value(system)
        assert comparison.values(system) == outcome.values(system)
    found = comparison.difference(REVERSE)
    assert found.value == pytest.approx(outcome.value(REVERSE) - outcome.value(FIRST))
    assert found.family == 2


def test_an_explanation_has_the_values_of_the_run(place: Place) -> None:
    outcome, explanation = ran(place), explained(place)
    for system in (ORACLE, REVERSE):
        assert explanation.value(system) == pytest.approx(outcome.value(system))
        assert explanation.value(system, "coll") == pytest.approx(outcome.value(system))
        assert explanation.values(system) == pytest.approx(outcome.values(system))
    assert explanation.difference.value == pytest.approx(outcome.value(REVERSE) - outcome.value(ORACLE))


def test_systems_of_one_name_are_named_by_the_ids_of_their_evaluations(place: Place) -> None:
    shallow, deep = ran(place, depth=1), ran(place, depth=5)
    ids = [outcome.evaluations[2].id for outcome in (shallow, deep)]
    comparison = harness.compare(*ids, unpaired_first_stages=True, workspace=place.workspace.path)
    explanation = harness.why(*ids, workspace=place.workspace.path)
    for answer in (comparison, explanation):
        with pytest.raises(harness.HarnessError, match=f"no system '{REVERSE}' here. Available: {REVERSE} on"):
            answer.value(REVERSE)
        assert [answer.value(id) for id in ids] == [shallow.value(REVERSE), deep.value(REVERSE)]
    assert shallow.value(REVERSE) != deep.value(REVERSE)


def test_a_decision_has_its_verdict_and_its_values(place: Place) -> None:
    decision = decided(place)
    assert (decision.verdict, decision.passed, decision.collections) == ("refused", False, ["coll"])
    assert decision.value(ORACLE) == decision.value(ORACLE, "coll") > decision.value(REVERSE)
    assert decision.difference is not None
    assert decision.difference.value == pytest.approx(decision.value(REVERSE) - decision.value(ORACLE))
    assert "<testsuite" in decision.junit()
    assert decision.summary().startswith("## Gate: REFUSED")


def test_a_check_has_its_trials(place: Place) -> None:
    report = checked(place)
    assert report.trial("shuffled").verdict == report.verdict == "OK"
    with pytest.raises(harness.HarnessError, match="no trial 'shufled' here"):
        report.trial("shufled")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (("control:oracel",), "no system 'control:oracel' here. Did you mean control:oracle"),
        ((ORACLE, "col"), "no collection 'col' here. Did you mean coll"),
        ((ORACLE, "coll", "nDGC@10"), "unknown measure 'nDGC@10'"),
        ((ORACLE, "coll", "AP@10"), "no measure 'AP@10' here. Did you mean RR@10, nDCG@10"),
        ((ORACLE, "coll"), "name a measure: nDCG@10, RR@10"),
    ],
)
@pytest.mark.parametrize("method", ["value", "values", "figure"])
def test_a_name_that_is_wrong_or_missing_is_answered_with_what_there_is(
    place: Place, asked: tuple[str, ...], said: str, method: str
) -> None:
    outcome = ran(place, measures=["nDCG@10", "RR@10"])
    with pytest.raises(harness.HarnessError, match=said.replace("(", r"\(")):
        getattr(outcome, method)(*asked)


def test_collections_of_one_name_are_named_by_their_fingerprints(place: Place) -> None:
    folders = [place.beir("coll"), place.beir("more/coll", corpus={**CORPUS, "d9": "a new quay"})]
    outcome = ran(place, *folders)
    with pytest.raises(harness.HarnessError, match="2 collections are named 'coll'; give the first digits of one"):
        outcome.value(ORACLE, "coll")
    prints = [one.collection.fingerprint for one in outcome.evaluations if one.system.label == ORACLE]
    assert outcome.value(ORACLE, prints[1][:8]) == outcome.value(ORACLE, prints[1])


def test_one_name_may_stand_for_a_list_of_one(place: Place) -> None:
    folder = place.beir()
    alone = ran(place, folder, rerankers=ORACLE, measures="RR@10", languages="en")
    listed = ran(place, [folder], rerankers=[ORACLE], measures=["RR@10"], languages=["en"])
    assert alone.as_dict()["macro"] == listed.as_dict()["macro"]
    base, where = f"{FIRST} (first stage)", {"workspace": place.workspace.path}
    one = harness.compare(base, ORACLE, collections="coll", measures="RR@10", **where)  # type: ignore[arg-type]
    assert one.as_dict() == harness.compare(base, [ORACLE], collections=["coll"], measures=["RR@10"], **where).as_dict()  # type: ignore[arg-type]
    assert harness.why(base, ORACLE, measure="RR@10", collections="coll", **where).collections == ["coll"]  # type: ignore[arg-type]
    assert harness.Policy(targets="demo", languages="de").targets == ("demo",)
    pytest.importorskip("pandas")
    assert set(harness.results(systems=ORACLE, measures="RR@10", **where)["measure"]) == {"RR@10"}  # type: ignore[arg-type]


def test_a_path_is_a_folder_and_never_the_name_of_a_suite_or_a_model(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place.path)
    place.beir("beir")
    assert ran(place, Path("beir")).collections == ["beir"]
    assert arguments.name_of("x", Path("mine/checkpoint")) == "./mine/checkpoint"
    assert arguments.name_of("x", Path("/mine/checkpoint")) == "/mine/checkpoint"
    assert arguments.name_of("x", Path("../checkpoint")) == "../checkpoint"


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: harness.run("demo", rerankers=[None]),
            "rerankers must be a name or a list of names; the list contains None",
        ),
        (lambda: harness.run("demo", depth="10"), "depth must be a whole number, 1 or more, not '10'"),
        (
            lambda: harness.run("demo", rerankers={"bm25": 1}),
            "rerankers must be a name or a list of names, not {'bm25'",
        ),
        (lambda: harness.run("demo", first_stage=""), "first_stage is an empty name"),
        (lambda: harness.run("demo", first_stage=["bm25"]), "first_stage must be a name, not ['bm25']"),
        (lambda: harness.run("demo", reporter=print), "reporter needs the methods 'note' and 'stage'"),
        (lambda: harness.gate(PLAIN, {"margin": 0.5}), "policy must be a harness.Policy or a TOML file, not {'margin'"),
        (lambda: harness.compare("a", "b", equivalent_within="0.2"), "equivalent_within must be a number, not '0.2'"),
        (lambda: harness.why("a", "b", measure=None), "measure must be a name, not None"),
        (lambda: harness.merge("out", method="linear", models="a", weights="12"), "weights must be a number, not '1'"),
        (lambda: harness.run("demo", budget_pairs=0), "budget_pairs must be a whole number"),
        (lambda: harness.check(PLAIN, pairs=0), "pairs must be a whole number"),
        (lambda: harness.check(PLAIN, reference="sbert"), "unknown reference 'sbert'. Available: sentence-transf"),
        (lambda: harness.gate(PLAIN, targets="demo", tier="gaet"), "unknown tier 'gaet'. Did you mean gate"),
        (lambda: harness.gate(PLAIN, targets="demo", depth=0), "depth must be a whole number, 1 or more, not 0"),
        (
            lambda: harness.merge("out", method="linear", models="a", weights=2),
            "weights must be a list of numbers, not 2",
        ),
        (lambda: harness.gate(PLAIN, "none.toml"), "none.toml: there is no such file"),
        (lambda: harness.Policy(margin=0.5 * 100), "margin must be a fraction, such as 0.005 for half a point, not 50"),
        (lambda: harness.compare("a"), "name at least one candidate to compare with 'a'"),
        (lambda: harness.compare("a", "b"), "no results in"),
        (lambda: harness.why("a", "b"), "no results in"),
        (lambda: harness.results(per_query=True, intervals=True), "a single query has no interval"),
        (lambda: harness.merge("out"), "name a recipe, or a method and the models to merge"),
        (lambda: harness.merge("out", method="slerb", models=["a", "b"]), "'slerb' is not supported. Did you mean sl"),
        (lambda: harness.merge("out", {"merge_method": "slerp"}, t=0.5), "a recipe already contains"),
        (lambda: harness.merge("out", method="linear", models=["a", "b"], dtype="int8"), "unknown dtype 'int8'"),
    ],
)
def test_a_mistake_is_answered_with_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: Callable[[], object], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(harness.HarnessError) as caught:
        call()
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_numbers_of_numpy_are_numbers(place: Place) -> None:
    outcome = ran(place, depth=np.int64(5), sample_queries=np.int32(2))
    assert outcome.evaluations[0].id == ran(place, depth=5, sample_queries=2).evaluations[0].id


@pytest.mark.parametrize("given", [10**400, -(10**400), float("inf"), float("nan"), np.float32("nan")])
def test_a_number_that_no_float_holds_is_refused(given: float) -> None:
    with pytest.raises(harness.HarnessError, match="t must be a number"):
        arguments.number("t", given)


def test_an_unknown_keyword_is_pythons_own_error() -> None:
    with pytest.raises(TypeError, match="unexpected keyword argument 'deph'"):
        harness.run("demo", deph=3)  # type: ignore[call-arg]


def test_a_folder_that_cannot_be_written_is_refused_in_one_line(place: Place) -> None:
    with pytest.raises(harness.HarnessError, match="the folder cannot be created"):
        ran(place).write(place.log() / "out")
    with pytest.raises(harness.HarnessError, match="queries must be a whole number, 0 or more"):
        explained(place).write(place.path / "why.html", queries=-1)


def test_an_explanation_writes_its_page(place: Place) -> None:
    explained(place).write(str(place.path / "why.html"), queries=2)
    assert "<!doctype html>" in (place.path / "why.html").read_text("utf-8").lower()


def test_progress_goes_only_to_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(arguments.reporter_of(None), Silent)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True, raising=False)
    assert isinstance(arguments.reporter_of(None), Terminal)
    own = Silent()
    assert arguments.reporter_of(own) is own


def test_a_mirror_is_read_during_the_call_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with arguments.working(place.workspace, Silent(), Path("mirror")):
        assert (os.environ["HARNESS_MIRROR"], os.environ["HF_HUB_OFFLINE"]) == ("mirror", "1")
    assert "HARNESS_MIRROR" not in os.environ
    assert os.environ["HF_HUB_OFFLINE"] == "0"
    monkeypatch.setenv("HARNESS_MIRROR", "elsewhere")
    assert arguments.source_choice().mirror == Path("elsewhere")


def test_checkpoints_are_merged_by_options_and_by_a_recipe(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    a, b = tiny.cross_encoder(tmp_path / "a"), tiny.cross_encoder(tmp_path / "b", seed=1)
    first = harness.merge(tmp_path / "one", method="slerp", models=[a, b], t=0.25)
    recipe = {"merge_method": "slerp", "base_model": str(a), "models": [{"model": str(a)}, {"model": str(b)}]}
    second = harness.merge(str(tmp_path / "two"), {**recipe, "parameters": {"t": 0.25}})
    assert (first.path / "model.safetensors").read_bytes() == (second.path / "model.safetensors").read_bytes()
    assert len(repr(first)) < 300
    assert not harness.merge(tmp_path / "one", method="slerp", models=[a, b], t=0.25).new
