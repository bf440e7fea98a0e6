"""A suite by name: which collections, with which declarations, from which origin, and of the published sizes or not."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, EnvironmentFailure, UsageError
from harness.data.collection import Collection
from harness.data.sources import SourceChoice, load, suite_source
from harness.data.sources.mteb_task import MtebSource
from harness.data.sources.suite_source import suite_sources
from harness.data.suites.table import UNINSTRUCTED
from harness.data.suites.targets import find, suites
from harness.workspace import Workspace
from tests import mirror_of_hub as hub


@pytest.fixture
def place(tmp_path: Path) -> Any:
    class Place:
        mirror = tmp_path / "mirror"
        workspace = Workspace.open(tmp_path / "workspace")

        def load(self, target: str, *, drift: bool = False, **options: Any) -> list[Collection]:
            origin = SourceChoice("mteb", self.mirror, drift)
            return load(target, self.workspace, origin=origin, **options)

    return Place()


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Tables with the sizes of the small datasets."""
    monkeypatch.setattr(suite_source, "find", lambda target: [hub.sized(one) for one in find(target)])


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize("target", [suite.collections[-1].target for suite in suites().values()])
def test_every_suite_loads_from_a_mirror(place: Any, target: str) -> None:
    pytest.importorskip("mteb", reason="mteb is not installed")
    entry = hub.entry_of(target)
    hub.dataset(place.mirror, entry).write(hub.pieces_of(entry))
    (collection,) = place.load(target)
    assert (collection.name, collection.language, collection.split) == (target, entry.language, entry.mteb.split)
    assert (len(collection.queries), len(collection.corpus), len(collection.qrels)) == (2, 3, 3)
    assert (collection.given is not None) == bool(entry.candidates)
    assert collection.rules.main_measure == entry.main_measure
    assert collection.rules.instruction == entry.instruction
    assert collection.rules.drop_identical_ids == entry.drop_identical_ids


def test_sizes_that_are_not_the_published_ones_are_refused_or_marked(place: Any) -> None:
    pytest.importorskip("mteb", reason="mteb is not installed")
    entry = hub.entry_of("beir/scifact")
    hub.dataset(place.mirror, entry).write(hub.pieces_of(entry))
    with pytest.raises(DataError) as caught:
        place.load("beir/scifact")
    assert str(caught.value) == (
        "beir/scifact: not the published data (queries: 2, not 300; documents: 3, not 5,183; relevant judgments: 2, "
        "not 339); --allow-drift accepts it and marks the numbers"
    )
    (marked,) = place.load("beir/scifact", drift=True)
    assert marked.name == "beir/scifact†"
    assert "documents: 3, not 5,183" in str(marked.rules.note)
    (again,) = place.load("beir/scifact", drift=True)
    assert again.name == "beir/scifact†"
    with pytest.raises(DataError, match="not the published data"):
        place.load("beir/scifact")


@pytest.mark.usefixtures("small")
def test_what_a_rule_lets_through_is_no_drift(place: Any, tmp_path: Path) -> None:
    pytest.importorskip("mteb", reason="mteb is not installed")
    entry = hub.entry_of("beir/scifact")
    lost = [*hub.QRELS[:2], {"query-id": "q2", "corpus-id": "d9", "score": 1}]
    hub.dataset(place.mirror, entry).write({**hub.pieces_of(entry), ("default", "test"): lost})
    rules = tmp_path / "rules.toml"
    rules.write_text('instruction = "mine"\n[scifact]\nallow = ["unknown-documents"]\n')
    (collection,) = place.load("beir/scifact", rules=rules)
    assert (collection.name, collection.rules.instruction) == ("beir/scifact", "mine")
    assert collection.counts.queries == 2, "a query whose only document is missing still counts"


@pytest.mark.usefixtures("small")
def test_judgments_of_missing_documents_are_among_the_published_ones(place: Any, tmp_path: Path) -> None:
    """mteb counts them too, so a rule that lets them through excuses no relevant judgment that is not there."""
    pytest.importorskip("mteb", reason="mteb is not installed")
    entry = hub.entry_of("beir/scifact")
    lost = [*hub.QRELS[1:2], {"query-id": "q2", "corpus-id": "d9", "score": 1}, {**hub.QRELS[2], "score": 0}]
    hub.dataset(place.mirror, entry).write({**hub.pieces_of(entry), ("default", "test"): lost})
    rules = tmp_path / "rules.toml"
    rules.write_text('[scifact]\nallow = ["unknown-documents"]\n')
    with pytest.raises(DataError, match="not the published data \\(relevant judgments: 1, not 2\\)"):
        place.load("beir/scifact", rules=rules)


def test_languages_and_splits_choose_from_a_suite() -> None:
    assert [one.name for one in suite_sources("miracl", ["sw", "yo"])] == ["miracl/sw", "miracl/yo"]
    splits = suite_sources("mteb/WebLINXCandidatesReranking", split="test_geo")
    assert [one.split for one in splits] == ["test_geo"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"languages": ["sv"]}, "miracl: no language 'sv'. Did you mean sw"),
        ({"split": "test"}, "miracl: no split 'test'. Available: dev."),
        ({"origin": SourceChoice("beir")}, "miracl/ar: the source 'beir' does not have it. Did you mean irds?"),
    ],
)
def test_what_a_suite_does_not_have_is_answered_with_what_it_has(options: Any, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        suite_sources("miracl", **options)
    assert str(caught.value).startswith(message)


def test_a_first_stage_gets_the_instruction_of_mteb_if_a_task_has_no_prompt() -> None:
    (bare,) = suite_sources("beir/cqadupstack-tex", origin=SourceChoice("mteb", Path("mirror")))
    (prompted,) = suite_sources("beir/scifact", origin=SourceChoice("mteb", Path("mirror")))
    assert bare.declared.rules.instruction is None
    assert bare.declared.rules.first_stage_instruction == "Retrieve text based on user query."
    assert prompted.declared.rules.first_stage_instruction is None


def test_mteb_still_tells_that() -> None:
    retrieval = pytest.importorskip("mteb.abstasks.retrieval", reason="mteb is not installed")
    assert retrieval.AbsTaskRetrieval.abstask_prompt == UNINSTRUCTED


def test_a_group_is_declared_so_that_it_counts_as_one() -> None:
    assert {one.declared.group for one in suite_sources("beir/cqadupstack", (), SourceChoice("mteb"))} == {
        "cqadupstack"
    }


def kind(monkeypatch: pytest.MonkeyPatch, target: str, origin: SourceChoice, *installed: str) -> str:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name if name in installed else None)
    return suite_source._automatic(hub.entry_of(target), origin.mirror)


def test_the_origin_is_the_first_that_can_be_read(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    online, mirror = SourceChoice(), SourceChoice(mirror=tmp_path)
    assert kind(monkeypatch, "beir/scifact", online, "mteb", "ir_datasets") == "mteb"
    assert kind(monkeypatch, "beir/scifact", online) == "beir"
    assert kind(monkeypatch, "miracl/sw", online, "ir_datasets") == "irds"
    assert kind(monkeypatch, "miracl/sw", online) == "mteb", "its error says what to install"
    (tmp_path / "beir").mkdir()
    (tmp_path / "beir" / "scifact.zip").touch()
    assert kind(monkeypatch, "beir/scifact", mirror, "mteb") == "beir", "the mirror has the zip file only"
    hub.dataset(tmp_path, hub.entry_of("beir/scifact")).folder.mkdir(parents=True)
    assert kind(monkeypatch, "beir/scifact", mirror, "mteb") == "mteb"
    assert kind(monkeypatch, "beir/scifact", mirror) == "beir"


def test_a_suite_takes_precedence_over_a_folder_of_its_name(
    place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "beir").mkdir()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(EnvironmentFailure, match="harness fetch beir/scifact --mirror"):
        place.load("beir/scifact")
    with pytest.raises(UsageError, match=r"'beir' is not a collection; name a folder"):
        place.load("./beir")


def test_the_next_load_distinguishes_data_that_differ() -> None:
    plain, drifted = (
        suite_sources("beir/scifact", (), SourceChoice("mteb", allow_drift=drift))[0] for drift in (False, True)
    )
    assert plain.origin != drifted.origin
    other = replace(plain, entry=hub.sized(hub.entry_of("beir/scifact")))  # type: ignore[type-var]
    assert other.origin != plain.origin, "the table was corrected since"
    assert isinstance(getattr(plain, "inner", None), MtebSource)
