"""The command line: what is printed where, which exit code, and that every answer to a mistake is one line."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from harness.api import measuring
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

PLAIN = "tests.fake_adapters:Plain"


def flags(place: Place) -> list[object]:
    return ["--first-stage", FIRST, "--depth", 5, "--workspace", place.workspace.path]


def test_a_run_prints_its_table_on_stdout_and_its_progress_elsewhere(place: Place, command: Command) -> None:
    said = command("run", place.beir(), *flags(place), "--reranker", PLAIN)
    assert said.code == 0
    assert f"{FIRST} (first stage)" in said.out
    assert "vs first stage" in said.out
    assert "pairs to score" in said.err
    assert "pairs to score" not in said.out


def test_json_is_all_that_a_machine_finds_on_stdout(place: Place, command: Command) -> None:
    said = command("run", place.beir(), *flags(place), "--reranker", PLAIN, "--json")
    document = json.loads(said.out)
    assert [one["system"] for one in document["evaluations"]] == [f"{FIRST} (first stage)", PLAIN]
    assert document["collections"][0]["counts"]["queries"] == 4


def test_the_audit_is_printed_when_it_is_asked_for(place: Place, command: Command) -> None:
    said = command("run", place.beir(), *flags(place), "--audit")
    for word in ("judged@10", "duplicate texts", "oracle", "chance", "anti-oracle"):
        assert word in said.out


def test_an_alarm_is_printed_unasked(place: Place, command: Command) -> None:
    said = command("run", place.beir(), *flags(place), "--reranker", "tests.fake_adapters:Constant")
    assert "ALARM coll · tests.fake_adapters:Constant: every candidate got the same score" in said.out


def test_a_folder_of_results_is_written_where_it_was_asked_for(place: Place, command: Command) -> None:
    out = place.path / "out"
    said = command("run", place.beir(), *flags(place), "--reranker", PLAIN, "--out", out)
    assert f"written: {out}/report.md" in said.out
    assert json.loads((out / "results.json").read_text("utf-8"))["format"] == 1
    assert len(list((out / "runs").glob("*.trec"))) == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["run"], (2, "name what to run on")),
        (["run", "no-such"], (2, "no collection 'no-such'")),
        (["run", "demo/en", "--dept", "3"], (2, "No such option: --dept")),
        (["run", "demo/en", "--depth", "0"], (2, "a number of 1 or more is needed")),
        (["run", "demo/en", "--measure", "ndgc@10"], (2, "Did you mean nDCG?")),
        (["run", "demo/en", "--first-stage", "bm26"], (2, "Did you mean bm25?")),
        (["run", "demo/en", "--first-stage", FIRST, "--reranker", "run:none.trec"], (5, "no run file at none.trec")),
        (["run", "demo/en", "--first-stage", "given"], (2, "has no candidate lists")),
        (["run", "demo/en", "--config", "none.toml"], (2, "none.toml")),
        (["list", "everything"], (2, "nothing to list as 'everything'")),
        (["show", "abc"], (2, "no results in")),
        (["lst"], (2, "Did you mean")),
    ],
)
def test_a_mistake_is_answered_with_one_line_and_its_code(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch, arguments: list[str], expected: tuple[int, str]
) -> None:
    code, said = expected
    monkeypatch.setenv("HARNESS_WORKSPACE", str(place.workspace.path))
    answer = command(*arguments)
    lines = [line for line in answer.err.splitlines() if line.startswith("harness: ")]
    assert (answer.code, len(lines), answer.out) == (code, 1, "")
    assert said in lines[0]
    assert lines[0].endswith(f"(exit {code})")
    assert "Traceback" not in answer.err


def test_the_command_alone_shows_its_verbs(command: Command) -> None:
    said = command()
    assert (said.code, said.out) == (2, "")
    assert "\n  run " in said.err


def test_a_line_break_in_a_name_does_not_break_the_one_line(command: Command) -> None:
    said = command("run", "two\nlines")
    assert (said.code, said.err.count("\n")) == (2, 1)


def test_a_folder_that_cannot_be_written_is_refused_before_the_work(place: Place, command: Command) -> None:
    said = command("run", place.beir(), *flags(place), "--out", place.log() / "out")
    assert (said.code, said.err.count("\n")) == (2, 1)
    assert "the folder cannot be created" in said.err


def test_a_model_that_gives_nan_and_a_missing_extra_are_no_regression(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = command("run", place.beir(), *flags(place), "--reranker", "tests.fake_adapters:Overflowing")
    assert (said.code, said.out) == (3, "")
    assert "1 scores are not finite" in said.err
    monkeypatch.setitem(sys.modules, "Stemmer", None)
    stage = "bm25?language=en"
    said = command("run", place.path / "coll", "--first-stage", stage, "--workspace", place.workspace.path)
    assert (said.code, said.out) == (6, "")
    assert "pip install 'rerank-harness[bm25]' (exit 6)" in said.err


def test_a_reader_that_has_seen_enough_is_no_regression() -> None:
    line = f"set -o pipefail; {sys.executable} -m harness list adapters | true"
    done = subprocess.run(["bash", "-c", line], capture_output=True, text=True, check=False, cwd=_root())
    assert (done.returncode, done.stderr) == (0, "")


def test_bad_data_is_named_by_file_and_line(place: Place, command: Command) -> None:
    folder = place.beir()
    (folder / "corpus.jsonl").write_text('{"_id": "d1", "text": "x"}\n{"_id": "d1", "text": "y"}\n', "utf-8")
    said = command("run", folder, *flags(place))
    assert said.code == 5
    assert f"{folder}/corpus.jsonl:2: " in said.err


def test_a_bug_of_the_package_is_distinguished_from_a_regression(
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(measuring, "experiment", lambda *_: 1 / 0)
    said = command("run", place.beir(), *flags(place))
    assert said.code == 70  # 1 means "refused": a crash must never look like a verdict
    assert "Traceback" in said.err
    assert "please report" in said.err


def test_a_full_disk_is_one_line_and_no_defect(place: Place, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(measuring, "experiment", full)
    said = command("run", place.beir(), *flags(place))
    assert said.code == 6
    assert "No space left on device" in said.err
    assert "Traceback" not in said.err


def test_an_interrupt_says_how_to_go_on(place: Place, command: Command) -> None:
    said = command(
        "run", place.beir(), *flags(place), "--reranker", "tests.fake_adapters:Streaming?lives=1&death=interrupt"
    )
    assert said.code == 130
    assert "run the same command again to continue" in said.err


def test_four_environment_variables_are_read(place: Place, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_WORKSPACE", str(place.workspace.path))
    monkeypatch.setenv("HARNESS_JSON", "1")
    said = command("run", place.beir(), "--first-stage", FIRST, "--measure", "RR@5")
    assert list(json.loads(said.out)["evaluations"][0]["measures"]) == ["RR@5"]
    assert place.workspace.results.is_file()
    assert "not read any more" not in said.err


@pytest.mark.parametrize(
    ("variable", "value", "option"),
    [
        ("HARNESS_MEASURE", "RR@10", "--measure"),
        ("HARNESS_SOURCE", "mteb", "--source"),
        ("HARNESS_DEPTH", "1", "--depth"),
        ("HARNESS_SAMPLE_QUERIES", "1", "--sample-queries"),
        ("HARNESS_PARALLEL", "1", "--parallel"),
        ("HARNESS_RERANKER", "control:oracle", "--reranker"),
        ("HARNESS_CONFIG", "none.toml", "--config"),
        ("HARNESS_PLAN", "1", "--plan"),
    ],
)
def test_a_variable_that_used_to_set_an_option_changes_nothing_and_is_named_once(  # noqa: PLR0917
    place: Place, command: Command, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, option: str
) -> None:
    folder = place.beir()

    def values() -> tuple[object, str]:
        said = command("run", folder, *flags(place), "--json")
        document = json.loads(said.out)
        return [(one["reranker"], one["depth"], one["measures"]) for one in document["evaluations"]], said.err

    without, said = values()
    assert "not read any more" not in said
    monkeypatch.setenv(variable, value)
    with_it, said = values()
    assert with_it == without
    warnings = [line for line in said.splitlines() if "no longer read" in line]
    assert warnings == [f"harness: {variable} is no longer read; use {option}"]


def test_an_empty_variable_and_an_address_are_not_warned_about(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_MEASURE", "")
    monkeypatch.setenv("HARNESS_BEIR_URL", "http://localhost/beir")
    assert command("--help").err == ""


def test_help_names_the_variable_of_an_option_that_has_one_and_of_no_other(command: Command) -> None:
    for verb in ("run", "demo", "fetch", "list", "show", "doctor", "gate", "train fit", "train adapt"):
        described = command(*verb.split(), "--help").out.partition("Example")[0]
        named = set(re.findall(r"HARNESS_\w+", described))
        options = {line.split()[0] for line in described.splitlines() if line.startswith("  --")}
        wanted = {"--workspace", "--mirror", "--device", "--json"} & options
        assert named == {f"HARNESS_{one.removeprefix('--').upper()}" for one in wanted}, verb


def test_every_verb_shows_an_example(command: Command) -> None:
    for verb in ("run", "demo", "fetch", "list", "show", "doctor"):
        assert "harness" in command(verb, "--help").out.lower().partition("example")[2], verb


def test_a_config_file_says_what_the_options_say_and_the_command_line_wins(place: Place, command: Command) -> None:
    config = place.path / "experiment.toml"
    config.write_text(
        f'targets = ["{place.beir()}"]\nfirst-stage = "{FIRST}"\ndepth = 2\nreranker = ["{PLAIN}", "control:reverse"]\n'
        'measure = ["RR@10"]\n',
        "utf-8",
    )
    said = command("run", "--config", config, "--depth", 3, "--workspace", place.workspace.path, "--json")
    document = json.loads(said.out)
    assert [one["reranker"] for one in document["evaluations"]] == [None, PLAIN, "control:reverse"]
    assert {one["depth"] for one in document["evaluations"]} == {3}


def test_whether_a_set_is_parallel_is_an_option_and_a_key(place: Place, command: Command) -> None:
    config = place.path / "experiment.toml"
    config.write_text("parallel = false", "utf-8")

    def known(*more: object) -> list[object]:
        document = json.loads(command("run", place.path / "coll", *flags(place), "--json", *more).out)
        return [document["collections"][0][key] for key in ("parallel", "parallel_by")]

    place.beir()
    name = place.path.name
    assert known() == [None, None]
    assert known("--parallel") == [name, "option"]
    assert known("--config", config) == [None, "option"]
    assert known("--config", config, "--parallel") == [name, "option"]
    assert known("--no-parallel") == [None, "option"]


@pytest.mark.parametrize("verb", ["run", "check", "gate", "overlap"])
def test_every_verb_that_chooses_languages_has_the_option(command: Command, verb: str) -> None:
    assert "--no-parallel" in command(*verb.split(), "--help").out


def test_a_config_file_may_name_one_thing_without_a_list(place: Place, command: Command) -> None:
    config = place.path / "experiment.toml"
    lines = [f'targets = "{place.beir()}"', f'first_stage = "{FIRST}"', f'reranker = "{PLAIN}"', "json = true"]
    config.write_text("\n".join([*lines, f'workspace = "{place.workspace.path}"']), "utf-8")
    document = json.loads(command("run", "--config", config).out)
    assert [one["reranker"] for one in document["evaluations"]] == [None, PLAIN]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("depth = true", "depth: true is not a whole number; a whole number of 1 or more is needed"),
        ("depth = 0", "depth: 0 is not allowed; a whole number of 1 or more is needed"),
        ("reranker = 3", "reranker: 3 is not a text or a list of texts"),
        ("parallel = 'yes'", "parallel: 'yes' is not true or false"),
        ("source = 'hub'", "source: 'hub' is not allowed. Available: auto, beir, irds, mteb."),
        ("workspace = 3", "workspace: 3 is not a text"),
        ("first-stage = 'bm25'\nfirst_stage = 'given'", "first_stage: is given twice; write it once"),
        ("config = 'more.toml'", "config: unknown key."),
        ("depth = 3\ndepth = 4", "not TOML in line 2 (depth = 4): Cannot overwrite a value"),
    ],
)
def test_a_wrong_value_in_a_config_file_names_file_and_key(
    place: Place, command: Command, line: str, said: str
) -> None:
    config = place.path / "experiment.toml"
    config.write_text(line, "utf-8")
    answer = command("run", "demo/en", "--config", config)
    assert answer.code == 2
    assert f"{config}: {said}" in answer.err


def test_an_unknown_key_of_a_config_file_is_answered_with_the_right_one(place: Place, command: Command) -> None:
    config = place.path / "experiment.toml"
    config.write_text("dept = 3\n", "utf-8")
    said = command("run", "demo/en", "--config", config)
    assert said.code == 2
    assert "dept: unknown key. Did you mean depth" in said.err


def test_a_plan_tells_the_cost_of_a_suite_without_loading_it(place: Place, command: Command) -> None:
    said = command("run", "mteb-multilingual-v2-reranking", "--plan", "--workspace", place.path / "nowhere")
    assert said.code == 0
    assert "weblinx (WebLINXCandidatesReranking) alone has 5.6 million of the 6.0 million pairs" in said.out
    assert not (place.path / "nowhere").exists()
    rows = json.loads(command("run", "beir/scifact", "--plan", "--json").out)
    assert (rows[-1]["collection"], rows[-1]["queries"], rows[-1]["pairs"]) == ("total", "300", "30,000")


def test_a_budget_takes_as_many_queries_as_it_pays_for(place: Place, command: Command) -> None:
    said = command("run", place.beir(), *flags(place), "--budget-pairs", 11, "--json")
    assert json.loads(said.out)["collections"][0]["counts"]["queries"] == 2
    assert "one query of each" in command("run", place.path / "coll", *flags(place), "--budget-pairs", 1).err


def test_a_suite_without_its_data_is_answered_with_the_command_that_brings_it(place: Place, command: Command) -> None:
    mirror = place.path / "mirror"
    said = command("run", "beir/scifact", *flags(place), "--source", "beir", "--mirror", mirror)
    assert said.code == 6
    assert f"harness fetch beir/scifact --source beir --mirror {mirror}" in said.err


def test_fetch_tells_what_it_would_bring_and_where(place: Place, command: Command) -> None:
    mirror = place.path / "mirror"
    said = command("fetch", "beir/scifact", "--source", "beir", "--mirror", mirror, "--dry-run", "--json")
    (row,) = json.loads(said.out)
    assert (row["kind"], row["name"], row["state"]) == ("zip", "scifact.zip", "to be fetched")
    assert not mirror.exists()
    assert "name a folder with --mirror" in command("fetch", "beir/scifact").err


def test_lists_and_ids_answer_on_a_missing_an_empty_and_a_filled_workspace(place: Place, command: Command) -> None:
    missing = place.path / "nowhere"
    assert command("list", "--workspace", missing).code == 0
    assert not missing.exists()
    assert json.loads(command("list", "--workspace", place.workspace.path, "--json").out) == []
    place.evaluations(rerankers=[PLAIN])
    rows = json.loads(command("list", "--workspace", place.workspace.path, "--json").out)
    assert [row["system"] for row in rows] == [f"{FIRST} (first stage)", PLAIN]
    shown = json.loads(command("show", rows[1]["id"][:8], "--workspace", place.workspace.path, "--json").out)
    assert shown["reranker"] == PLAIN
    assert shown["made_of"]["reranker"] == {"adapter": "hash", "version": 1}
    assert list(shown["per_query"]["nDCG@10"]) == ["q1", "q2", "q3", "q4"]
    shown = command("show", rows[1]["id"], "--workspace", place.workspace.path).out
    assert "made_of:" in shown
    assert "membership_kept: True" in shown


def test_doctor_answers_without_a_workspace_and_fails_on_a_broken_store(place: Place, command: Command) -> None:
    assert command("doctor", "--workspace", place.path / "nowhere").code == 0
    place.workspace.results.write_bytes(b"notes " * 2000)
    said = command("doctor", "--workspace", place.workspace.path, "--json")
    assert said.code == 5
    states = {finding["subject"]: finding["state"] for finding in json.loads(said.out)}
    assert states["results"] == "broken"


def test_the_module_is_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "harness", "list", "adapters", "--json"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=tmp_path, env={"PYTHONPATH": _root()}
    )
    assert {"kind": "bm25", "part": "first stage", "target": "adapters.bm25:BM25Retriever"} in json.loads(done.stdout)


def _root() -> str:
    return str(Path(__file__).parents[2])


def test_the_version_is_that_of_the_package(command: Command) -> None:
    said = command("--version")
    assert (said.code, said.out) == (0, f"rerank-harness {version('rerank-harness')}\n")


def test_help_lists_every_verb_in_its_group_with_one_whole_sentence(command: Command) -> None:
    text = command("--help").out
    groups = ["Measure:", "Compare and decide:", "Show and exchange:", "Adapt:", "Workspace:"]
    assert [line for line in text.splitlines() if line in groups] == groups
    assert "Commands:" not in text
    assert "..." not in text.partition("Measure:")[2]
    for sentence in _listed(text.partition("Measure:")[2].partition("  Environment variables")[0]):
        assert re.fullmatch(r"[A-Z][^.]*\.", sentence), sentence
        assert not re.search(r"\b(told|tell|aloud|anew)\b", sentence), sentence


def test_help_of_train_lists_whole_sentences_too(command: Command) -> None:
    listed = _listed(command("train", "--help").out.partition("Commands:")[2])
    assert len(listed) == 8
    assert all(re.fullmatch(r"[A-Z][^.]*\.", sentence) for sentence in listed)


def test_help_names_the_variables_that_are_read(command: Command) -> None:
    said = " ".join(command("--help").out.split())
    assert set(re.findall(r"HARNESS_\w+", said)) == {
        f"HARNESS_{one}" for one in ["WORKSPACE", "MIRROR", "DEVICE", "JSON", "SKETCH_KEY"]
    }


def _listed(text: str) -> list[str]:
    """The sentences of a list of verbs, each on one line."""
    joined = re.sub(r"\n {3,}", " ", text)
    return [line.split(maxsplit=1)[1] for line in joined.splitlines() if re.match(r"  \S", line)]
