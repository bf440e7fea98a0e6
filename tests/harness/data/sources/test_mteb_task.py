"""Collections read through mteb's own loader: the same texts and judgments as mteb's, at the pinned revision, and
nothing of mteb or of the process changed by it."""

from __future__ import annotations

import os
import random
import sys
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError, EnvironmentFailure, MissingExtra
from harness.data.collection import Collection
from harness.data.sources.build import collection_of
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.mteb_task import MtebSource
from harness.data.sources.origin import SourceChoice
from harness.data.suites.targets import SuiteCollection
from harness.workspace import Workspace
from tests import mirror_of_hub as hub

SCIFACT = hub.entry_of("beir/scifact")
WIKIPEDIA = hub.entry_of("mteb-multilingual-v2-reranking/wikipedia-de")
MIRACL = hub.entry_of("miracl/sw")


@pytest.fixture(scope="module", autouse=True)
def mteb() -> Any:
    return pytest.importorskip("mteb", reason="mteb is not installed")


@pytest.fixture
def place(tmp_path: Path) -> Any:
    return SimpleNamespace(mirror=tmp_path / "mirror", workspace=Workspace.open(tmp_path / "workspace"))


def read(place: Any, entry: SuiteCollection, *, drift: bool = False, allow: tuple[str, ...] = ()) -> Collection:
    declared = DeclaredCollection(rules=replace(DeclaredCollection().rules, allow=allow))
    return collection_of(MtebSource(entry, declared, SourceChoice("mteb", place.mirror, drift)), place.workspace)


def refused(place: Any, entry: SuiteCollection, **options: Any) -> str:
    with pytest.raises((DataError, EnvironmentFailure)) as caught:
        read(place, entry, **options)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(str(place.mirror), "MIRROR")


def written(place: Any, entry: SuiteCollection, changed: Any = None, *, parquet: bool = False) -> SuiteCollection:
    hub.dataset(place.mirror, entry, parquet).write({**hub.pieces_of(entry), **(changed or {})})
    return entry


@pytest.mark.parametrize("parquet", [False, True])
def test_texts_and_judgments_are_those_that_mteb_reads(place: Any, parquet: bool) -> None:
    collection = read(place, written(place, SCIFACT, parquet=parquet))
    assert collection.corpus.ids() == ["d1", "d2", "d3"]
    assert list(collection.corpus) == [
        "Ferry The boat leaves at nine.",
        "The mill turns at low tide.",
        "Bread Sold until noon.",
    ]
    assert dict(zip(collection.queries.ids(), collection.queries, strict=True)) == {
        "q2": "bread",
        "q1": "when does the boat leave",
    }
    judged = zip(collection.qrels.queries, collection.qrels.documents, collection.qrels.grades, strict=True)
    assert [tuple(map(int, row)) for row in judged] == [(0, 2, 1), (1, 0, 2), (1, 1, 0)]
    assert collection.given is None
    assert (collection.name, collection.split) == ("beir/scifact", "test")


def test_what_is_stored_is_what_mteb_gives_its_models(place: Any, mteb: Any) -> None:
    entry = hub.entry_of("mteb-multilingual-v2-instruction-reranking/core17")
    collection = read(place, written(place, entry))
    from mteb._create_dataloaders import _combine_queries_with_instruction_text, _corpus_to_dict

    task = mteb.get_task(entry.mteb.task)
    folder = str(hub.dataset(place.mirror, entry).folder)
    task.metadata = task.metadata.model_copy(update={"dataset": {"path": folder, "revision": entry.mteb.revision}})
    task.load_data()
    theirs = task.dataset["default"]["test"]
    assert list(collection.corpus) == [_corpus_to_dict(row)["text"] for row in theirs["corpus"]]
    queries = _combine_queries_with_instruction_text(theirs["queries"])
    assert (collection.queries.ids(), list(collection.queries)) == (list(queries["id"]), list(queries["text"]))
    assert "bread No boats, q2." in collection.queries


def test_a_subset_is_read_from_a_mirror_that_has_no_other(place: Any) -> None:
    folder = hub.dataset(place.mirror, written(place, WIKIPEDIA))
    english = hub.entry_of("mteb-multilingual-v2-reranking/wikipedia-en")
    folder.readme([*hub.pieces_of(WIKIPEDIA), *hub.pieces_of(english)])
    collection = read(place, WIKIPEDIA)
    assert collection.given is not None
    lists = np.split(collection.given.documents, collection.given.offsets[1:-1])
    assert [found.tolist() for found in lists] == [[0, 1, 2], [0, 1]], (
        "in the order of the corpus, which tells no label"
    )


def test_a_split_that_is_not_named_is_taken_when_it_is_the_only_one(place: Any) -> None:
    pieces = hub.pieces_of(MIRACL)
    alone = {(name, "queries" if "queries" in name else "corpus"): rows for (name, _), rows in pieces.items()}
    hub.dataset(place.mirror, MIRACL).write(alone)
    assert read(place, MIRACL).queries.ids() == ["q2", "q1"]


def test_each_split_of_a_task_is_a_collection_of_its_own(place: Any) -> None:
    cat, geo = (hub.entry_of(f"mteb/WebLINXCandidatesReranking/{split}") for split in ("test_cat", "test_geo"))
    written(place, cat)
    more = {("corpus", "test_geo"): [*hub.DOCUMENTS, {"_id": "d4", "title": "", "text": "Only in geo."}]}
    written(place, geo, more)
    assert [len(read(place, entry).corpus) for entry in (cat, geo)] == [3, 4]


def test_callers_and_the_process_are_left_as_they_were(place: Any, mteb: Any) -> None:
    import datasets

    before = mteb.get_task("SciFact").metadata.dataset.copy()
    environment, cache = dict(os.environ), datasets.config.HF_DATASETS_CACHE
    random.seed(7)
    np.random.seed(7)
    expected = random.Random(7).random(), np.random.RandomState(7).random_sample()
    read(place, written(place, SCIFACT))
    assert (random.random(), np.random.random_sample()) == expected, "mteb seeded the process"
    assert mteb.get_task("SciFact").metadata.dataset == before
    assert dict(os.environ) == environment
    assert cache == datasets.config.HF_DATASETS_CACHE


def test_another_revision_than_mteb_pins_is_refused_or_marked(place: Any) -> None:
    other = replace(SCIFACT, mteb=replace(SCIFACT.mteb, revision="a" * 40))
    message = refused(place, written(place, other))
    assert "a" * 40 in message
    assert SCIFACT.mteb.revision in message
    assert "--allow-drift" in message
    marked = read(place, other, drift=True)
    assert marked.name == "beir/scifact†"
    assert marked.rules.note is not None
    assert SCIFACT.mteb.revision in marked.rules.note


def test_a_mirror_without_the_dataset_names_the_command_that_fetches_it(place: Any) -> None:
    message = refused(place, SCIFACT)
    assert message.startswith(f"MIRROR/datasets/mteb/scifact/{SCIFACT.mteb.revision}: not found")
    assert message.endswith("harness fetch beir/scifact --mirror MIRROR")


def test_a_hub_that_cannot_be_reached_is_one_line(place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import datasets

    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "empty")
    place.mirror = None
    with pytest.raises(
        EnvironmentFailure, match=r"^mteb/scifact@d56462d: cannot be fetched from the hub \(ConnectionError: "
    ):
        read(place, SCIFACT)


def test_a_folder_that_datasets_would_take_for_the_hub_is_refused(
    place: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mteb" / "scifact").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    place.mirror = None
    with pytest.raises(DataError, match=r"^\./mteb/scifact: would be read instead of the hub's dataset"):
        read(place, SCIFACT)


@pytest.mark.parametrize(
    ("pieces", "expected"),
    [
        ({"corpus": None}, "mteb/scifact@d56462d: no configuration 'corpus' (configurations: default, queries)"),
        ({"default": None}, "no configuration 'default' (configurations: corpus, queries)"),
        (
            {"corpus": [{"_id": "d1", "body": "x"}]},
            "corpus: no column 'text' (columns: id, body); its layout has changed",
        ),
        ({"corpus": [{"_id": "d1", "text": ["x"]}]}, "corpus: column 'text' holds lists, not text"),
        ({"default": [{"query-id": "q1", "document": "d1", "score": 1}]}, "corpus-id"),
    ],
)
def test_a_changed_layout_is_refused_in_one_line(place: Any, pieces: dict[str, Any], expected: str) -> None:
    whole = {name: rows for (name, _), rows in hub.pieces_of(SCIFACT).items()} | pieces
    hub.dataset(place.mirror, SCIFACT).write({(name, "test"): rows for name, rows in whole.items() if rows})
    assert expected in refused(place, SCIFACT)


def test_a_missing_split_is_answered_with_those_that_are_there(place: Any) -> None:
    pieces = {(name, split): rows for (name, _), rows in hub.pieces_of(SCIFACT).items() for split in ("dev", "train")}
    hub.dataset(place.mirror, SCIFACT).write(pieces)
    assert "no split 'test' in configuration 'corpus' (splits: dev, train)" in refused(place, SCIFACT)


def test_a_reranking_task_without_its_lists_is_refused(place: Any) -> None:
    pieces = {key: rows for key, rows in hub.pieces_of(WIKIPEDIA).items() if "top_ranked" not in key[0]}
    hub.dataset(place.mirror, WIKIPEDIA).write(pieces)
    assert "no configuration 'de-top_ranked'" in refused(place, WIKIPEDIA)


def test_judgments_and_candidates_without_a_document_are_refused_or_counted(place: Any) -> None:
    unknown = {"query-id": "q1", "corpus-id": "d9", "score": 1}
    lists = [{"query-id": "q1", "corpus-ids": ["d1", "d9", "d1"]}, {"query-id": "q2", "corpus-ids": ["d3"]}]
    written(place, WIKIPEDIA, {("de-qrels", "test"): [*hub.QRELS, unknown], ("de-top_ranked", "test"): lists})
    assert "candidate 'd9' of query 'q1' is not in the corpus" in refused(place, WIKIPEDIA)
    collection = read(place, WIKIPEDIA, allow=("unknown-documents",))
    assert collection.counts.let_through == {"unknown-documents": 2}, "a judgment and a candidate"
    assert collection.counts.repeated_candidates == 1
    assert len(collection.qrels) == 3


def test_a_judged_document_that_the_corpus_lacks_is_named(place: Any) -> None:
    written(place, SCIFACT, {("default", "test"): [*hub.QRELS, {"query-id": "q1", "corpus-id": "d9", "score": 1}]})
    assert "qrels: document 'd9', judged for 'q1', is not in the corpus" in refused(place, SCIFACT)


def test_judged_queries_without_a_text_are_refused_or_counted(place: Any) -> None:
    unknown = {"query-id": "q9", "corpus-id": "d1", "score": 1}
    written(place, SCIFACT, {("default", "test"): [*hub.QRELS, unknown]})
    assert "the judged query 'q9' is not in the queries" in refused(place, SCIFACT)
    assert len(read(place, SCIFACT, allow=("unknown-queries",)).queries) == 2


def test_without_mteb_the_message_says_what_to_install(place: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written(place, SCIFACT)
    monkeypatch.setitem(sys.modules, "mteb", None)
    with pytest.raises(MissingExtra, match=r"pip install 'rerank-harness\[mteb\]'"):
        read(place, SCIFACT)
