"""The orientation probe: what a user would lose are the hours of a run whose every number is upside down."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adapters.errors import ModelError
from harness.result.store import Results
from harness.running.experiment import experiment
from harness.scoring.system import systems
from tests.fake_adapters import asked
from tests.fixtures import Command
from tests.tiny_collection import FIRST, Place

FAKE = "tests.fake_rankers"
PLANTED = 16


def spoken(place: Place, *languages: str) -> list[Path]:
    """A collection in each language, as far as its declaration says so."""
    return [place.beir(language, rules=f'language = "{language}"\n') for language in languages]


def names(place: Place, spec: str, *folders: Path, **options: bool) -> list[list[str]]:
    """The names of the alarms of a reranker on each collection."""
    collections = [place.load(folder) for folder in folders]
    evaluated = systems(FIRST, [spec], 5, place.workspace)
    with place.session() as session:
        found = list(experiment(collections, evaluated, [], session, **options))
    probe = {"orientation", "wrong-orientation", "not-probed"}
    return [[one.name for one in each.alarms if one.name in probe] for each in found[1::2]]


def test_a_good_reranker_raises_nothing(place: Place) -> None:
    assert names(place, f"{FAKE}:Good", *spoken(place, "en", "th", "zh")) == [[], [], []]


def test_a_wrong_sign_stops_the_run_before_a_candidate_is_scored(place: Place) -> None:
    log = place.log()
    with pytest.raises(ModelError, match=r" of 12 planted answers above unrelated texts in en: .*sign.*--skip-probe"):
        names(place, f"{FAKE}:Flipped?log={log}", *spoken(place, "en"))
    assert len(asked(log)) == PLANTED
    with Results(place.workspace.results) as results:
        assert [stored.reranker for stored in results.all()] == [None]


def test_a_wrong_sign_in_the_last_language_stops_the_run_in_the_first(place: Place) -> None:
    log = place.log()
    with pytest.raises(ModelError, match="0 of 12 planted answers above unrelated texts in th"):
        names(place, f"{FAKE}:WrongInThai?log={log}", *spoken(place, "en", "de", "th"))
    assert len(asked(log)) == 3 * PLANTED


def test_the_same_command_is_stopped_again_and_costs_nothing(place: Place) -> None:
    log, folders = place.log(), spoken(place, "en", "th")
    for _ in range(2):
        with pytest.raises(ModelError, match="--skip-probe"):
            names(place, f"{FAKE}:WrongInThai?log={log}", *folders)
    assert len(asked(log)) == 2 * PLANTED


@pytest.mark.parametrize("rules", ['language = "en"\n', 'language = "tlh"\n', ""])
def test_who_learned_that_a_query_answers_nothing_is_not_refused_and_a_wrong_sign_is(place: Place, rules: str) -> None:
    folder = place.beir(rules=rules)
    assert names(place, f"{FAKE}:Resisting", folder) == [[]]
    with pytest.raises(ModelError, match="the wrong way round"):
        names(place, f"{FAKE}:Flipped", folder)


def test_a_skipped_probe_of_a_wrong_sign_leaves_an_alarm_with_the_number(place: Place) -> None:
    spec, folders = f"{FAKE}:Flipped", spoken(place, "en")
    with pytest.raises(ModelError):
        names(place, spec, *folders)
    assert names(place, spec, *folders, skip_probe=True) == [["wrong-orientation"]]
    assert names(place, spec, *folders) == [["wrong-orientation"]], "nothing is left to score, so nothing is stopped"


def test_a_skipped_probe_scores_nothing_and_is_reported(place: Place) -> None:
    log, folders = place.log(), spoken(place, "en")
    assert names(place, f"{FAKE}:Flipped?log={log}", *folders, skip_probe=True) == [["not-probed"]]
    assert len(asked(log)) == 18


def test_a_language_that_a_model_cannot_read_is_named(place: Place) -> None:
    folders = spoken(place, "en", "th")
    assert names(place, f"{FAKE}:OnlyEnglish", *folders) == [[], ["orientation"]]


def test_word_counting_is_asked_in_the_words_of_the_corpus(place: Place) -> None:
    """The planted words may be unknown to a corpus; its own queries are not."""
    pytest.importorskip("Stemmer")
    assert names(place, "bm25", *spoken(place, "en")) == [[]]


def test_a_constant_score_is_an_alarm_and_no_wrong_sign(place: Place) -> None:
    assert names(place, "tests.fake_adapters:Constant", *spoken(place, "en")) == [["orientation"]]


def test_a_pair_of_the_probe_is_scored_once_ever_and_a_known_run_asks_nothing(place: Place) -> None:
    log, folders = place.log(), spoken(place, "en", "th")
    for _ in range(2):
        names(place, f"{FAKE}:Good?log={log}", *folders)
    assert len(asked(log)) == len(set(asked(log))) == 2 * PLANTED + 18


def test_candidates_that_are_all_known_are_not_probed(place: Place) -> None:
    log, folders = place.log(), spoken(place, "en")
    names(place, f"{FAKE}:Good?log={log}", *folders, skip_probe=True)
    before = asked(log)
    assert names(place, f"{FAKE}:Good?log={log}", *folders) == [[]]
    assert asked(log) == before


@pytest.mark.parametrize("rules", ['language = "en"\n', ""])
def test_the_probe_is_in_no_count_and_in_no_speed(place: Place, rules: str) -> None:
    collections = [place.load(place.beir(rules=rules))]
    with place.session() as session:
        evaluated = systems(FIRST, [f"{FAKE}:Good"], 5, place.workspace)
        _, probed = experiment(collections, evaluated, [], session)
    assert (probed.fresh, probed.audit.candidates) == (18, 20)


def test_the_command_line_says_it_in_one_line_and_can_be_overridden(place: Place, command: Command) -> None:
    (folder,) = spoken(place, "en")
    run = ["run", folder, "--first-stage", FIRST, "--reranker", f"{FAKE}:Flipped", "--depth", 5]
    run += ["--workspace", place.workspace.path, "--json"]
    stopped = command(*run)
    assert stopped.code == 3
    assert "the wrong way round" in stopped.err.splitlines()[-1]
    skipped = command(*run, "--skip-probe")
    assert skipped.code == 0
    found = json.loads(skipped.out)["evaluations"][1]["alarms"]
    assert "wrong-orientation" in [alarm["name"] for alarm in found]
