"""`harness judge calibrate`: a user would trust a judge whose threshold was fitted on the claims that praise it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import harness
from adapters.errors import DataError, UsageError
from adapters.spec import identity_of, open_judge
from tests.fixtures import Command
from tests.tiny_collection import Place

PLAIN = "reranker:tests.fake_adapters:Plain"


def claims(place: Place, count: int = 120, **more: object) -> Path:
    """Claims whose wording is in the premise more often the better they are supported."""
    generator = np.random.default_rng(0)
    rows = []
    for number in range(count):
        grade = (0.0, 0.5, 1.0)[number % 3]
        shared = int(np.clip(round(10 * (0.25 + 0.5 * grade) + generator.normal(0, 1.5)), 0, 10))
        words = [f"w{number}x{place}" for place in range(10)]
        language = ("de", "en")[number % 2]
        rows.append(
            {"premise": " ".join(words[:shared]) or "none", "claim": " ".join(words), "label": grade,
             "language": language, **more}
        )  # fmt: skip
    file = place.path / "claims.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return file


def report(place: Place, *judges: str, **more: object) -> harness.JudgeReport:
    wanted = list(judges or ("lexical",))
    return harness.judge_calibrate(claims(place), wanted, workspace=place.workspace.path, **more)  # type: ignore[arg-type]


def test_figures_are_of_the_half_that_nothing_was_fitted_on(place: Place) -> None:
    found = report(place)
    (one,) = found.found
    fitted = found.labelled.fitted
    assert len(one.verdicts) == int((~fitted).sum())
    truth = found.labelled.labels[~fitted] == 1
    assert one.verdicts.supported.tolist() == truth.tolist()
    assert found.figures()["AUC"].value > 0.85
    assert found.figures()["AUC"].low < found.figures()["AUC"].value < found.figures()["AUC"].high
    supported = found.labelled.labels[fitted] == 1
    values = one.values[fitted]
    least = found.threshold()
    accuracy = (np.mean(values[supported] >= least) + np.mean(values[~supported] < least)) / 2
    assert accuracy > 0.75, "the threshold is fitted on the first half"


def test_a_changed_label_in_the_second_half_changes_no_threshold(place: Place) -> None:
    before = report(place)
    file = place.path / "claims.jsonl"
    rows = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    for row, fitted in zip(rows, before.labelled.fitted, strict=True):
        row["label"] = row["label"] if fitted else 1.0 - row["label"]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    after = harness.judge_calibrate(file, "lexical", workspace=place.workspace.path)
    assert after.threshold() == before.threshold()
    assert after.found[0].cuts == before.found[0].cuts
    assert after.figures()["AUC"].value < 0.5


def test_a_reranker_gets_a_threshold_and_its_file_makes_it_a_judge(place: Place) -> None:
    found = report(place, PLAIN, "lexical")
    found.write(place.path / "out")
    file = place.path / "out" / "calibration-1.json"
    judge = open_judge(f"{PLAIN}?calibration={file}")
    labelled, one = found.labelled, found.found[0]
    decided = judge.judge(labelled.premises, labelled.claims)
    assert decided.tolist() == (one.values >= one.calibration.threshold).astype(float).tolist()
    chance = open_judge(f"{PLAIN}?calibration={file}&answer=probability").judge(labelled.premises, labelled.claims)
    assert np.allclose(chance[~labelled.fitted], one.verdicts.chances, atol=1e-6)
    assert sorted(path.name for path in (place.path / "out").iterdir()) == [
        "calibration-1.json", "calibration-2.json", "index.html", "judges.json", "plots",
    ]  # fmt: skip
    with pytest.raises(UsageError, match=r"was fitted for .*, whose weights or settings differ"):
        open_judge(f"reranker:tests.fake_adapters:Constant?calibration={file}")
    written = json.loads(file.read_text("utf-8"))
    for change, said in {"version": "version 2, and this program reads version 1", "threshold": "threshold"}.items():
        broken = {**written, change: 2 if change == "version" else "high"}
        (place.path / "broken.json").write_text(json.dumps(broken), "utf-8")
        with pytest.raises(DataError, match=said):
            open_judge(f"{PLAIN}?calibration={place.path / 'broken.json'}")


def test_a_threshold_that_is_given_is_kept_and_its_file_is_of_the_same_reranker(place: Place) -> None:
    given = f"{PLAIN}?threshold=0.4"
    found = report(place, PLAIN, given)
    bare, own = found.found
    supported = own.verdicts.supported
    raw = bare.values[~found.labelled.fitted]
    assert own.calibration.threshold == 0.4 != bare.calibration.threshold
    assert own.verdicts.decided.tolist() == (raw >= 0.4).tolist()
    assert own.verdicts.given.tolist() == [2 * int(score >= 0.4) for score in raw], "a decision is no partial support"
    recalls = np.mean(raw[supported] >= 0.4), np.mean(raw[~supported] < 0.4)
    assert found.figures(given)["supported: balanced accuracy"].value == pytest.approx(np.mean(recalls))
    assert np.array_equal(own.verdicts.chances, bare.verdicts.chances), "the probability is of the score, not of 0 or 1"
    assert found.figures(given)["ECE"].value == found.figures(PLAIN)["ECE"].value
    found.write(place.path / "out")
    decides = open_judge(f"{PLAIN}?calibration={place.path / 'out' / 'calibration-2.json'}")
    assert identity_of(decides) == identity_of(open_judge(given))


@pytest.mark.parametrize("answer", ["decision", "probability"])
def test_a_reranker_with_a_calibration_keeps_it(place: Place, answer: str) -> None:
    report(place, PLAIN).write(place.path / "out")
    spec = f"{PLAIN}?calibration={place.path / 'out' / 'calibration-1.json'}&answer={answer}"
    bare, own = report(place, PLAIN, spec).found
    assert own.calibration == replace(bare.calibration, figures=own.calibration.figures)
    assert own.verdicts.decided.tolist() == bare.verdicts.decided.tolist()
    assert np.array_equal(own.verdicts.chances, bare.verdicts.chances)
    if answer == "probability":
        assert np.array_equal(own.values[~report(place, PLAIN).labelled.fitted], own.verdicts.chances)


def test_a_reranker_is_compared_with_a_threshold_and_without(place: Place) -> None:
    assert len(report(place, PLAIN, f"{PLAIN}?threshold=0").found) == 2


def test_the_second_time_nothing_is_judged(place: Place) -> None:
    assert [one.judgments.fresh for one in report(place, PLAIN, "lexical").found] == [120, 120]
    assert [one.judgments.fresh for one in report(place, PLAIN, "lexical").found] == [0, 0]


def test_languages_and_lengths_have_their_own_rows(place: Place) -> None:
    (one,) = report(place).found
    names = list(one.groups)
    assert names[:2] == ["language de", "language en"]
    assert sum(len(one.groups[name]) for name in names[:2]) == len(one.verdicts)
    assert any(name.startswith("short premise") for name in names) or len(one.verdicts) < 60


def test_too_few_claims_are_refused(place: Place) -> None:
    with pytest.raises(DataError, match=r"each half needs 20 claims, supported ones and others: label more"):
        harness.judge_calibrate(claims(place, 30), "lexical", workspace=place.workspace.path)
    with pytest.raises(DataError, match="0 of them supported"):
        harness.judge_calibrate(claims(place, 120, label=0), "lexical", workspace=place.workspace.path)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"judges": []}, "name each judge once"),
        ({"judges": ["lexical", "lexical"]}, "name each judge once"),
        ({"judges": "lexical", "supported_from": 0}, "above 0 and at most 1"),
        ({"judges": 3}, "judges must be a name or a list of names"),
        ({"judges": "bm25"}, "cannot be a judge"),
    ],
)
def test_wrong_arguments_are_one_line(place: Place, more: dict[str, object], said: str) -> None:
    with pytest.raises(harness.HarnessError) as refused:
        harness.judge_calibrate(claims(place), workspace=place.workspace.path, **more)  # type: ignore[arg-type]
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_command_prints_what_the_call_gives(place: Place, command: Command) -> None:
    found = report(place, PLAIN)
    options = ["--judge", PLAIN, "--workspace", place.workspace.path]
    said = command("judge", "calibrate", place.path / "claims.jsonl", *options, "--json")
    assert said.code == 0, said.err
    assert (
        json.loads(said.out)["judges"][0]["figures"] == json.loads(json.dumps(found.as_dict()))["judges"][0]["figures"]
    )
    shown = command("judge", "calibrate", place.path / "claims.jsonl", *options, "--out", place.path / "o")
    assert shown.code == 0, shown.err
    assert "judges and people: claims.jsonl, 120 claims in 120 rows" in shown.out
    assert "written:" in shown.out
    page = (place.path / "o" / "index.html").read_text("utf-8")
    assert "<script" not in page
    assert "data:image/" in page


def test_no_text_becomes_markup_on_the_page(place: Place, command: Command) -> None:
    file = claims(place)
    evil = file.with_name("<script>alert(1).jsonl")
    file.rename(evil)
    said = command("judge", "calibrate", evil, "--judge", "lexical", "--out", place.path / "o",
                   "--workspace", place.workspace.path)  # fmt: skip
    assert said.code == 0, said.err
    assert "<script" not in (place.path / "o" / "index.html").read_text("utf-8")


def test_a_judge_that_is_wrong_ends_with_its_exit_code(place: Place, command: Command) -> None:
    said = command("judge", "calibrate", claims(place), "--judge", "nil:./x", "--workspace", place.workspace.path)
    assert said.code == 2
    assert said.err.count("\n") == 1
    assert command("judge", "calibrate", place.path / "none.jsonl", "--judge", "lexical").code == 2


def test_one_judge_by_two_specs_is_refused(place: Place, command: Command) -> None:
    servers = [f"chat:http://127.0.0.1:{port}/v1?model=m" for port in (1, 2)]
    said = command("judge", "calibrate", claims(place), "--judge", servers[0], "--judge", servers[1],
                   "--workspace", place.workspace.path)  # fmt: skip
    assert said.code == 2
    assert f"{servers[0]} and {servers[1]} are the same judge" in said.err


def test_a_corrected_mean_is_a_call_too() -> None:
    found = harness.corrected_mean([1, 0, 1, 0.5], [0.9, 0.2, 0.8, 0.4], [0.5] * 20)
    assert found.low < found.value < found.high
    few = harness.corrected_mean(
        [1, 0, 1], [1, 0, 1], [0.5] * 20, judge="lexical", candidates=["packaged:english-cross-encoder"]
    )
    assert "the judge is ignored: 3 labels" in few.remarks[0], "a judge that is checked keeps the other remarks"
    with pytest.raises(harness.HarnessError, match="labels is the text '101'; give a list of numbers"):
        harness.corrected_mean("101", [1, 0, 1], [1])  # type: ignore[arg-type]
    with pytest.raises(harness.HarnessError, match=r"corrected_mean: .*at least 3"):
        harness.corrected_mean([1], [1], [1])
    with pytest.raises(harness.HarnessError, match="unknown population"):
        harness.corrected_mean([1, 0, 1], [1, 0, 1], [1], population="all")  # type: ignore[arg-type]
