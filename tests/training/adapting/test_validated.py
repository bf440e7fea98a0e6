"""Each task's queries are compared with dev's, and the result is recorded. A user would lose a warning."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.data.collection import Collection
from harness.progress import Silent
from harness.result.adaptation.reading import read_record
from harness.scoring.session import opened
from tests.fake_adapters import asked
from tests.tiny_collection import CORPUS, FIRST, Place
from tests.training.adapting import toy
from tests.training.adapting.making import asked_of, settings_for
from tests.training.adapting.test_loop import Dying
from tests.training.adapting.toy import Honest
from tests.training.loop import HASH
from tests.training.validating.fake_embedders import SPEC
from training.adapting import validated as module
from training.adapting.targets import AdaptTargets, tiers_of
from training.adapting.validated import FOLDER, decision_line, validated
from training.adapting.watching import Finished
from training.validating.measures import Case
from training.validating.validate import read_validation, validation


def dev(place: Place, *languages: str | None) -> list[Collection]:
    """A collection of four queries for each language."""
    found = []
    for language in languages:
        name = f"dev-{language}"
        queries = {f"{name}-{row}": f"{name} asks for number {row}" for row in range(4)}
        rules = f'language = "{language}"\n' if language else ""
        judged = [(query, "d1", 1) for query in queries]
        found.append(place.load(place.beir(name, CORPUS, queries, judged, rules)))
    return found


def task(place: Place, collections: Sequence[Collection], **more: Any) -> dict[str, Any]:
    """What is said of the English task on the tiny corpus."""
    settings, watch = settings_for(place, **more), list[Finished]()
    one = asked_of(place, settings)
    folder = place.path / "run" / "tasks" / one.task.name
    with place.session() as session:
        decision = validated(one, settings, collections, folder, session, watch.append)
    return {**read_validation(folder), "events": watch, "folder": folder, "returned": decision}


def rows(found: dict[str, Any], id: str) -> list[dict[str, Any]]:
    return [row for row in found["rows"] if row["id"] == id]


@pytest.fixture
def cases(monkeypatch: pytest.MonkeyPatch) -> list[Case]:
    """What was compared."""
    found: list[Case] = []
    measure = validation

    def noted(case: Case, session: Any) -> dict[str, Any]:
        found.append(case)
        return measure(case, session)

    monkeypatch.setattr(module, "validation", noted)
    return found


def test_the_record_has_the_validation_of_the_task(honest: Honest) -> None:
    place, record = honest
    (row,) = record.tasks
    assert row.validation == str(place.path / "out" / "tasks" / "corpus" / "validation.json")
    found = json.loads(Path(row.validation).read_text("utf-8"))
    assert row.validated == found["decision"]["state"]
    (event,) = [one for one in record.timeline if one.stage == "validate"]
    assert (event.name, event.state) == ("corpus", "done")
    assert event.detail == f"{row.validated}: {found['decision']['reasons'][0]}"


def test_a_warning_stops_nothing(honest: Honest) -> None:
    """A set that a classifier recognises has improved a student; only the gate can know."""
    _, record = honest
    assert (record.tasks[0].validated, record.tasks[0].left_out) == ("warned", False)
    assert record.state == "accepted" and not any("blocked" in one for one in record.reasons)


@pytest.mark.parametrize("despite", [False, True])
def test_nothing_is_trained_on_a_blocked_task_unless_the_user_says_so(place: Place, despite: bool) -> None:
    """A block that nothing follows from teaches its readers to ignore it."""
    settings = toy.settings(place, generator=f"{toy.HERE}:Asks?same=true", documents=20)
    more = {"despite_validation": True, "reporter": Dying("fit")} if despite else {}
    if despite:
        with pytest.raises(KeyboardInterrupt):
            toy.run(place, settings, toy.target(place), **more)
    else:
        assert toy.run(place, settings, toy.target(place)).state == "refused"
    record = read_record(place.path / "out")
    assert [(one.validated, one.left_out) for one in record.tasks] == [("blocked", not despite)]
    fitted = [one.name for one in record.timeline if one.stage == "fit" and one.name != "stage-1"]
    assert fitted == (["single-corpus-s0"] if despite else [])
    (row,) = record.tasks
    made = {one.stage for one in record.timeline if one.name == row.name}
    assert ({"mine", "teach"} <= made, row.pairs > 0, row.examples > 0) == (despite,) * 3
    assert (place.path / "out" / "tasks" / "corpus" / "pool").exists() == despite
    if not despite:
        assert "no queries are left to train on" in record.reasons[0]
        assert any("corpus are blocked by their validation, and were left out: V15" in one for one in record.reasons)


def test_a_blocked_task_costs_no_teacher(place: Place) -> None:
    """The teacher is the dearest stage of a task, and the validation reads nothing of what it says."""
    corpora = tuple(str(toy.bare(place, name, first, 10)) for name, first in (("corpus", 200), ("other", 220)))
    log = place.log()
    settings = toy.settings(
        place,
        corpora=corpora,
        documents=20,
        generator=f"{toy.HERE}:Asks?same=true",
        teachers=(f"{toy.TEACHER}?log={log}",),
    )
    assert toy.run(place, settings, toy.target(place)).state == "refused"
    paid = asked(log)
    assert paid and all(pair.startswith("seek") for pair in paid), "dev's questions only"


def test_a_run_that_was_killed_while_it_was_taught_validates_nothing_again(place: Place, cases: list[Case]) -> None:
    settings, target = toy.settings(place, documents=20), toy.target(place)
    for death in ("mine", "teach", "fit"):
        with pytest.raises(KeyboardInterrupt):
            toy.run(place, settings, target, reporter=Dying(death))
    assert len(cases) == 1
    stages = [one.stage for one in read_record(place.path / "out").timeline if one.name == "corpus"]
    assert stages == ["synthesize", "clean", "validate", "mine", "teach"]


def test_nothing_but_dev_is_compared_in_the_loop(honest: Honest) -> None:
    """What was compared with the gate's or the final queries is adapted to them."""
    place, _ = honest
    with opened(place.workspace, Silent()) as session:
        tiers = tiers_of(AdaptTargets(str(place.path / "target")), toy.POLICY, session)
    folder = place.path / "out" / "tasks" / "corpus"
    manifest = json.loads((folder / FOLDER / "manifest.json").read_text("utf-8"))
    assert manifest["real"] == [one.fingerprint for one in tiers.dev.collections]
    assert read_validation(folder)["sets"]["real"] == sum(len(one.queries) for one in tiers.dev.collections)
    others = [one.fingerprint for tier in (tiers.gate, tiers.final) for one in tier.collections]
    assert not {*manifest["real"]} & {*others}


def test_the_queries_of_another_language_are_not_compared(place: Place, cases: list[Case]) -> None:
    english, german = dev(place, "en", "de")
    task(place, [german, english])
    (case,) = cases
    assert case.sets.real is not None and set(case.sets.real.texts) == set(english.queries)
    assert set(case.sets.synthetic.texts) == {
        json.loads(line)["text"]
        for line in (place.path / "run" / "tasks" / "coll" / "clean" / "queries.jsonl").read_text("utf-8").splitlines()
    }


def test_all_dev_collections_of_the_language_are_compared(place: Place, cases: list[Case]) -> None:
    (first,), (second,) = dev(place, "en"), dev(replace(place, path=place.path / "more"), "en")
    task(place, [first, replace(second, fingerprint="another")])
    (case,) = cases
    assert case.sets.real is not None
    assert case.sets.real.texts == (*first.queries, *second.queries)
    assert case.sets.real.documents == (CORPUS["d1"],) * 8
    assert len(case.sets.real.members) == 2, "the same row of two corpora is not the same document"


def test_without_dev_queries_in_the_language_the_rows_say_so(place: Place) -> None:
    found = task(place, dev(place, "de"))
    assert found["remarks"] == ["dev has no queries in the task's language (en), so no real query is compared"]
    assert "real" not in found["sets"]
    for id in ("V1", "V2", "V9"):
        assert rows(found, id)[0]["value"] is None
        assert "needs dev queries in the task's language (en)" in rows(found, id)[0]["note"]
    assert not any("--real" in row["note"] for row in found["rows"])
    assert found["decision"]["state"] == "warned"


def test_a_dev_set_that_declares_no_language_is_used_with_a_remark(place: Place) -> None:
    undeclared, german = dev(place, None, "de")
    found = task(place, [undeclared, german])
    assert "dev declares no language; en is assumed for its queries" in found["remarks"]
    assert found["sets"]["real"] == 4


def test_the_teacher_is_measured_elsewhere_and_no_reason_to_warn(place: Place) -> None:
    found = task(place, dev(place, "en"))
    (row,) = rows(found, "V11")
    assert row["value"] is None and "the loop measures teacher and stage 1 on dev" in row["note"]
    assert not any("V11" in reason for reason in found["decision"]["reasons"])


def test_the_embedder_and_the_search_are_those_of_the_mining(place: Place) -> None:
    """Documents that the mining has embedded are not embedded again."""
    log = place.log("vectors")
    found = task(place, dev(place, "en"), retrievers=(FIRST, f"{SPEC}?log={log}", HASH))
    assert found["wishes"]["embedder"] == f"{SPEC}?log={log}"
    assert found["wishes"]["retrievers"] == [FIRST, f"{SPEC}?log={log}"]
    embedded = [line for line in asked(log) if line.startswith("document")]
    assert len(embedded) == len(set(embedded)) == len(set(CORPUS.values()))


def test_a_finished_validation_is_not_made_again(place: Place, cases: list[Case]) -> None:
    collections = dev(place, "en")
    first, again = task(place, collections), task(place, collections)
    assert len(cases) == 1 and first["returned"] == again["returned"] == first["decision"]
    assert [one.state for found in (first, again) for one in found["events"]] == ["done", "known"]
    (first["folder"] / "validation.json").unlink()
    assert task(place, collections)["rows"] == first["rows"] and len(cases) == 2


def test_of_many_queries_some_are_drawn_always_the_same(
    place: Place, cases: list[Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 3)
    collections = dev(place, "en")
    found = task(place, collections)
    assert found["sets"] == {"synthetic": 3, "real": 3}
    assert {"3 of 14 synthetic queries were drawn", "3 of 4 dev queries were drawn"} <= set(found["remarks"])
    assert rows(found, "V13")[0]["parts"]["removed"] == 0
    assert rows(found, "V14")[0]["note"].startswith("14 of 14"), "of all queries, not of those that were drawn"
    (found["folder"] / "validation.json").unlink()
    task(place, collections)
    assert cases[0].sets.synthetic.texts == cases[1].sets.synthetic.texts


def test_every_task_of_several_is_validated_before_anything_is_trained(place: Place) -> None:
    corpora = tuple(str(toy.bare(place, name, first, 10)) for name, first in (("corpus", 200), ("other", 220)))
    settings = toy.settings(place, corpora=corpora, documents=20, adaptation=replace(toy.QUICK, max_steps=1))
    with pytest.raises(KeyboardInterrupt):
        toy.run(place, settings, toy.target(place), reporter=Dying("fit"))
    record = read_record(place.path / "out")
    assert [(one.name, one.validated) for one in record.tasks] == [("corpus", "warned"), ("other", "warned")]
    stages = [(one.stage, one.name) for one in record.timeline if one.stage in ("validate", "fit")]
    assert [name for _, name in stages[:2]] == ["corpus", "other"] and stages[2][0] == "fit"


def test_the_line_of_a_usable_set_is_one_word() -> None:
    assert decision_line({"decision": {"state": "usable", "reasons": ()}}) == "usable"
    assert decision_line({"decision": {"state": "warned", "reasons": ("one", "two")}}) == "warned: one"
