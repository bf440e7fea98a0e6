"""An alarm is written in one place: whoever adds one finds it with the number, wherever the number is shown."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.measuring.alarms.alarm import Alarm, counted, is_hard
from harness.measuring.alarms.catalogue import HAZARDS, Hazard
from harness.result.store import Results
from harness.scoring.alarms.registered import OF_CANDIDATES, OF_SCORES, alarm_of_candidates, alarm_of_scores
from harness.scoring.alarms.scores import SystemScores
from harness.scoring.ground import CandidatePool
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

PLAIN = "tests.fake_adapters:Plain"
SAID = "all scores are below 1 [small-scores]"


def forget(*names: str) -> None:
    for name in names:
        HAZARDS.pop(name, None)
        OF_SCORES.pop(name, None)
        OF_CANDIDATES.pop(name, None)


@pytest.fixture
def _small_scores() -> Iterator[None]:
    """An alarm about scores that a plug-in adds."""

    @alarm_of_scores(Hazard("small-scores", "scores that look like probabilities", hard=True))
    def small(scored: SystemScores) -> Iterator[Alarm]:
        if (scored.run.scores < 1).all():
            yield Alarm("small-scores", "all scores are below 1")

    yield
    forget("small-scores")


@pytest.fixture
def _short_texts() -> Iterator[None]:
    """An alarm about candidates that a plug-in adds."""

    @alarm_of_candidates(Hazard("short-texts", "documents of few words"), Hazard("few-short-texts", "a few of them"))
    def short(ground: CandidatePool) -> Iterator[Alarm]:
        lengths = [len(text.split()) for text in ground.collection.corpus.take(ground.candidates.documents)]
        count = sum(length < 7 for length in lengths)
        yield from counted("short-texts", count, len(lengths), f"{count} candidates have fewer than seven words")

    yield
    forget("short-texts", "few-short-texts")


@pytest.mark.usefixtures("_small_scores")
def test_an_alarm_that_is_registered_once_is_with_the_number_wherever_it_is_shown(
    place: Place, command: Command
) -> None:
    store, out = ["--workspace", place.workspace.path], place.path / "report"
    first = ["--first-stage", FIRST, "--depth", 5]
    run = command("run", place.beir(), *first, "--reranker", PLAIN, *store)
    assert f"ALARM coll · {PLAIN}: {SAID}" in run.out
    again = json.loads(command("run", place.path / "coll", *first, "--reranker", PLAIN, *store, "--json").out)
    before, reranked = again["evaluations"]
    alarm = {"name": "small-scores", "message": "all scores are below 1"}
    assert alarm in reranked["alarms"] and alarm not in before["alarms"]
    assert SAID in command("show", reranked["id"], *store).out
    with Results(place.workspace.results) as results:
        assert [one.hard for one in results.find(reranked["id"]).audit.alarms if one.name == "small-scores"] == [True]
    assert command("report", "--out", out, *store).code == 0
    assert SAID in (out / "report.html").read_text("utf-8") and SAID in (out / "report.md").read_text("utf-8")
    gate = command("gate", place.path / "coll", *first, "--anchor", FIRST, "--candidate", PLAIN, *store)
    assert gate.code == 3 and gate.out.startswith("INVALID") and "all scores are below 1" in gate.out


@pytest.mark.usefixtures("_short_texts")
def test_an_alarm_about_candidates_is_with_every_system_that_ranks_them(place: Place) -> None:
    evaluations = place.evaluations(rerankers=[PLAIN])
    assert [[one.name for one in each.alarms if "short" in one.name] for each in evaluations] == [["short-texts"]] * 2
    assert not is_hard("short-texts")


@pytest.mark.usefixtures("_small_scores")
def test_two_alarms_never_share_a_name() -> None:
    for name in ("tied-order", "non-finite", "small-scores"):
        for adding in (alarm_of_scores, alarm_of_candidates):
            with pytest.raises(ValueError, match=f"an alarm '{name}' exists already; choose another name"):
                adding(Hazard(name, "again"))(lambda _: [])
    with pytest.raises(ValueError, match="lower-case words joined by '-'"):
        alarm_of_scores(Hazard("Small scores", "again"))(lambda _: [])


def test_a_function_finds_only_what_it_declares(place: Place) -> None:
    alarm_of_scores(Hazard("declared", "a hazard"))(lambda _: [Alarm("another", "message")])
    try:
        with pytest.raises(ValueError, match="raises the alarm 'another', which it does not declare"):
            place.evaluations(rerankers=[PLAIN])
    finally:
        forget("declared")


def test_whoever_reads_stored_alarms_knows_the_whole_catalogue() -> None:
    """Without the catalogue every alarm would stop a gate."""
    code = "import harness.result.store; from harness.measuring.alarms.alarm import is_hard; print(is_hard('unjudged'))"
    root = Path(__file__).parents[4]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
