"""Candidates are found once, are the same for every reranker, and belong to exactly what made them."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

import numpy as np
import pytest

from adapters.errors import DataError, UsageError
from adapters.protocols import Identity, Setting
from adapters.sums import DamageWarning
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.scoring import retrieve as module
from harness.scoring.retrieve import first_stage, retrieve
from tests import fake_adapters
from tests.tiny_collection import CORPUS, FIRST, Place


def found(place: Place, collection: Collection, spec: str = FIRST, depth: int = 3) -> Run:
    with place.session() as session:
        return retrieve(collection, first_stage(spec, place.workspace), depth, session)


def names(run: Run, collection: Collection) -> dict[str, list[str]]:
    """Document ids by query, best first."""
    ids = collection.corpus.ids(run.documents[run.order()])
    bounds = zip(collection.queries.ids(), run.offsets[:-1], run.offsets[1:], strict=True)
    return {query: ids[start:stop] for query, start, stop in bounds}


def files(place: Place) -> list[Path]:
    return sorted(place.workspace.runs.iterdir())


def test_the_second_time_the_retriever_is_not_asked(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = place.load()
    first = found(place, collection)
    monkeypatch.setattr(fake_adapters.Overlap, "search", None)
    again = found(place, collection)
    assert again.digest == first.digest
    assert names(again, collection) == names(first, collection)


@pytest.mark.parametrize(("spec", "depth"), [(FIRST, 2), (f"{FIRST}?power=2", 3)])
def test_another_depth_or_retriever_is_another_file(place: Place, spec: str, depth: int) -> None:
    collection = place.load()
    found(place, collection)
    found(place, collection, spec, depth)
    assert len(files(place)) == 2


def test_another_text_is_another_file_but_another_name_is_not(place: Place) -> None:
    found(place, place.load(place.beir("one")))
    found(place, place.load(place.beir("copy")))
    assert len(files(place)) == 1
    found(place, place.load(place.beir("edited", corpus=CORPUS | {"d8": "the mill is closed"})))
    assert len(files(place)) == 2


def test_a_retriever_that_finds_more_than_was_asked_is_cut(place: Place) -> None:
    collection = place.load()
    generous = found(place, collection, "tests.fake_adapters:Generous", 2)
    assert np.diff(generous.offsets).tolist() == [2, 2, 2, 2]
    assert names(generous, collection)["q1"] == ["d1", "d8"]


def test_a_retriever_that_says_nothing_of_itself_is_known_by_its_source(place: Place) -> None:
    collection = place.load()
    silent = found(place, collection, "tests.fake_adapters:Silent")
    assert names(silent, collection) == names(found(place, collection), collection)


def test_given_lists_are_whole_whatever_the_depth(place: Place) -> None:
    collection = place.load(place.reranking_rows())
    run = found(place, collection, "given", depth=1)
    assert np.diff(run.offsets).tolist() == [3, 5]
    assert not run.scores.any(), "a given list has no order of its own"


def test_given_lists_that_a_collection_does_not_bring_are_a_usage_error(place: Place) -> None:
    with pytest.raises(UsageError, match="coll has no candidate lists; name a --first-stage"):
        found(place, place.load(), "given")


TWINS = {"q1": "a ferry in winter", "q2": "a ferry", "q3": "the mill", "d4": "bread"}


@pytest.mark.parametrize("spec", [FIRST, "run"])
def test_a_query_does_not_find_itself_and_loses_no_candidate_by_that(place: Place, spec: str) -> None:
    ask = {"q1": "a ferry in winter"}
    kept = place.load(place.beir("kept", TWINS, ask, [("q1", "q2", 1)]))
    dropped = place.load(place.beir("dropped", TWINS, ask, [("q1", "q2", 1)], rules="drop_identical_ids = true"))
    if spec == "run":
        spec = f"run:{place.run_file(f'q1 Q0 {name} 1 {9 - i} t' for i, name in enumerate(TWINS))}"
    assert names(found(place, kept, spec, 2), kept) == {"q1": ["q1", "q2"]}
    assert names(found(place, dropped, spec, 2), dropped)["q1"][0] == "q2"
    assert len(found(place, dropped, spec, 2)) == 2


def test_a_run_file_is_a_first_stage_and_is_cut(place: Place) -> None:
    collection = place.load()
    file = place.run_file(["q1 Q0 d1 1 0.5 t", "q1 Q0 d2 2 0.9 t", "q1 Q0 d3 3 0.7 t", "q3 Q0 d3 1 1 t"])
    run = found(place, collection, f"run:{file}", 2)
    assert names(run, collection) == {"q1": ["d2", "d3"], "q2": [], "q3": ["d3"], "q4": []}


def test_an_edited_run_file_is_read_again(place: Place) -> None:
    collection = place.load()
    file = place.run_file(["q1 Q0 d1 1 0.5 t"])
    assert names(found(place, collection, f"run:{file}"), collection)["q1"] == ["d1"]
    place.run_file(["q1 Q0 d2 1 0.5 t"])
    assert names(found(place, collection, f"run:{file}"), collection)["q1"] == ["d2"]


def test_a_half_written_run_is_never_seen(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(out: object, **_arrays: object) -> None:
        out.write(b"half of it")  # type: ignore[attr-defined]
        raise OSError("no space left")

    collection = place.load()
    with monkeypatch.context() as patched:
        patched.setattr(np, "savez", full)
        with pytest.raises(OSError, match="no space left"):
            found(place, collection)
    assert files(place) == []
    assert len(found(place, collection)) == 12


@pytest.mark.parametrize("fault", ["truncated", "flipped", "of another depth", "without checksums"])
def test_a_damaged_run_is_set_aside_and_searched_again(place: Place, fault: str) -> None:
    collection = place.load()
    sound = found(place, collection)
    (file,) = files(place)
    content = file.read_bytes()
    if fault == "of another depth":
        found(place, collection, depth=2)
        content = next(each for each in files(place) if each != file).read_bytes()
    if fault == "without checksums":
        arrays = dict(np.load(file))
        del arrays["sums"]
        np.savez(file, **{**arrays, "scores": -arrays["scores"]})
    else:
        end = {"truncated": content[:-200], "flipped": content[:300] + bytes([content[300] ^ 1]) + content[301:]}
        file.write_bytes(end.get(fault, content))
    with pytest.warns(DamageWarning, match=rf"{file.name}.*\.damaged, and the candidates are searched again"):
        assert found(place, collection).digest == sound.digest
    assert found(place, collection).digest == sound.digest, "and now the file is sound"


def test_adapters_get_the_collection_but_not_its_judgments(place: Place) -> None:
    received: list[Setting] = []

    class Curious:
        def bind(self, setting: Setting) -> object:
            received.append(setting)
            return self

    rules = 'language = "th"\ninstruction = "find the ferry"'
    collection = place.load(place.beir(rules=rules))
    module.bound(Curious(), collection, place.path, collection.rules.instruction)
    (setting,) = received
    assert (setting.language, setting.instruction) == ("th", "find the ferry")
    assert set(vars(setting)) == {"corpus", "corpus_digest", "language", "instruction", "cache"}


def test_a_first_stage_has_an_instruction_of_its_own_where_the_collection_has_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    received: list[str | None] = []

    class Asking:
        identity: Identity = MappingProxyType({"adapter": "asking"})

        def bind(self, setting: Setting) -> object:
            received.append(setting.instruction)
            return self

    monkeypatch.setattr(module, "open_retriever", lambda _: Asking())
    plain = place.load(place.beir("plain", rules='first_stage_instruction = "find text"'))
    own = place.load(place.beir("own", rules='first_stage_instruction = "find text"\ninstruction = "find ferries"'))
    stage = module.first_stage("asking", place.workspace)
    for collection in (plain, own):
        stage.identity(collection)
    assert received == ["find text", "find ferries"]
    module.bound(Asking(), plain, None, plain.rules.instruction)  # as for a reranker
    assert received[-1] is None


def test_a_run_with_documents_outside_the_corpus_needs_the_rule_each_time(place: Place) -> None:
    lines = [f"q1 Q0 {name} 1 {score} t" for score, name in enumerate(["gone", *CORPUS])]
    spec = f"run:{place.run_file(lines)}"
    strict, partial = place.load(), place.load(place.beir("partial", rules='allow = ["unknown-documents"]'))
    assert strict.fingerprint == partial.fingerprint
    for _ in range(2):
        assert found(place, partial, spec).outside == (1, 9)
        with pytest.raises(DataError, match="1 line names a document that coll lacks, first 'gone'; correct it, or"):
            found(place, strict, spec)


def test_the_lines_that_are_left_out_are_an_alarm_of_the_first_stage_and_of_a_reranker(place: Place) -> None:
    spec = f"run:{place.run_file(['q1 Q0 gone 1 0.9 t', 'q1 Q0 d1 2 0.5 t', 'q2 Q0 d3 1 0.5 t'])}"
    collection = place.load(place.beir("partial", rules='allow = ["unknown-documents"]'))
    message = "1 of 3 lines of the run name documents that the corpus lacks and are left out; trec_eval would count"
    for one in place.evaluations(collection, first=spec, rerankers=[spec]):
        alarms = [*one.ground.alarms, *one.audit.alarms]
        assert any(alarm.name == "let-through" and alarm.message.startswith(message) for alarm in alarms)
