"""A collection through ir_datasets is the same collection, and other users of the library are not affected."""

from __future__ import annotations

import gzip
import importlib.util
import os
import pickle
import sys
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, EnvironmentFailure, MissingExtra, UsageError
from harness.data.collection import Collection, Rules
from harness.data.sources.beir_download import beir_zip_source
from harness.data.sources.build import collection_of
from harness.data.sources.declared import DeclaredCollection
from harness.data.sources.ir_dataset import irds_source
from harness.data.sources.irds_library import HOME, downloads, library
from harness.data.sources.origin import SourceChoice
from harness.data.suites.targets import find, suites
from tests.harness.data.sources.test_beir_download import entry_of, packed

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("ir_datasets") is None, reason="ir_datasets is not installed: pip install '.[irds]'"
)
CORPUS = [
    {"_id": "d1", "title": "Ferry", "text": "The boat leaves at nine.", "metadata": {}},
    {"_id": "d2", "title": "", "text": " The mill turns at low tide. ", "metadata": {}},
    {"_id": "d3", "title": "Brot", "text": "Verkauf bis zwölf – täglich.", "metadata": {}},
]
QUERIES = [
    {"_id": "q0", "text": "of another split", "metadata": {}},
    {"_id": "q1", "text": "when does the boat leave", "metadata": {}},
    {"_id": "q2", "text": "bread ", "metadata": {}},
]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td3\t1\n"


def through_library(
    session: Any, target: str, mirror: Path | None, declared: DeclaredCollection | None = None
) -> Collection:
    (entry,) = find(target)
    return collection_of(
        irds_source(entry, declared or DeclaredCollection(), SourceChoice(mirror=mirror)), session.workspace
    )


def refused(session: Any, target: str, mirror: Path | None) -> str:
    with pytest.raises((DataError, EnvironmentFailure)) as caught:
        through_library(session, target, mirror)
    message = str(caught.value)
    assert "\n" not in message
    return message.replace(f"{session.path}/", "")


def mirrored(session: Any, folder: Path, name: str = "scifact", mirror: str = "mirror") -> Path:
    home = session.path / mirror / "irds" / "beir" / name
    packed(folder, home / "source.zip", name)
    return Path(session.path / mirror)


def beir_folder(session: Any, name: str = "folder", **changed: Any) -> Path:
    return Path(session.beir(name, **{"corpus": CORPUS, "queries": QUERIES, "qrels": QRELS, **changed}))


def test_folder_zip_file_and_ir_datasets_have_one_fingerprint(session: Any) -> None:
    folder = beir_folder(session)
    mirror = mirrored(session, folder)
    file = packed(folder, mirror / "beir" / "scifact.zip", "scifact")
    zipped = beir_zip_source(entry_of(file), DeclaredCollection(), SourceChoice(mirror=mirror), session.path)
    found = [
        session.load(folder),
        collection_of(zipped, session.workspace),
        through_library(session, "beir/scifact", mirror),
    ]
    assert len({one.fingerprint for one in found}) == 1
    assert (found[2].name, found[2].split) == ("beir/scifact", "test")
    assert list(found[2].corpus) == [
        "Ferry The boat leaves at nine.",
        "The mill turns at low tide.",
        "Brot Verkauf bis zwölf – täglich.",
    ]
    assert (found[2].counts.judged_zero, found[2].counts.queries) == (1, 2)


def test_judged_documents_that_the_corpus_lacks_stay_through_the_library_too(session: Any) -> None:
    qrels = QRELS + "q1\tgone\t3\n"
    folder = beir_folder(session, qrels=qrels, rules='allow = ["unknown-documents"]')
    rules = Rules(allow=("unknown-documents",))
    through = through_library(session, "beir/scifact", mirrored(session, folder), DeclaredCollection(rules=rules))
    assert through.qrels.missing.ids == ("gone",)
    assert through.fingerprint == session.load(folder).fingerprint
    assert through.published is not None
    assert through.published.of(["q1"]) == {"q1": {"d1": 2, "d2": 0, "gone": 3}}


def test_neither_the_callers_environment_nor_the_callers_library_changes(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = session.path / "theirs"
    monkeypatch.setenv(HOME, str(theirs))
    before = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "ir_datasets"}
    mirrors = [
        mirrored(
            session, beir_folder(session, name, corpus=[{**one, "text": name} for one in CORPUS]), mirror=f"m-{name}"
        )
        for name in ("a", "b")
    ]
    texts = [through_library(session, "beir/scifact", mirror).corpus[1] for mirror in mirrors]
    assert texts == ["a", "b"]
    assert os.environ[HOME] == str(theirs)
    assert not theirs.exists()
    assert before == {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "ir_datasets"}


def test_the_library_keeps_no_copy_of_the_corpus_and_another_file_is_another_collection(session: Any) -> None:
    mirror = mirrored(session, beir_folder(session))
    home = mirror / "irds" / "beir" / "scifact"
    first = through_library(session, "beir/scifact", mirror)
    assert not list(home.rglob("docs.pklz4"))
    (home / "source.zip").unlink()
    mirrored(session, beir_folder(session, "second", corpus=[{**one, "text": "new"} for one in CORPUS]))
    assert through_library(session, "beir/scifact", mirror).corpus[1] == "new"
    assert first.corpus[1] != "new"


def test_a_store_of_pickles_in_a_mirror_is_not_opened(session: Any) -> None:
    mirror = mirrored(session, beir_folder(session))
    store = mirror / "irds" / "beir" / "scifact" / "docs.pklz4"
    store.mkdir()
    (store.parent / "irds_version.txt").write_text("v2")  # else the library throws the store away
    for name in ("bin", "bin.meta", "bin.pos"):
        (store / name).write_bytes(pickle.dumps(CORPUS))
    assert len(through_library(session, "beir/scifact", mirror).corpus) == 3


def test_miracl_keeps_its_judged_zeros_and_joins_titles_as_we_do(session: Any) -> None:
    home = session.path / "mirror" / "irds" / "miracl" / "v1.0" / "sw"
    (home / "dev").mkdir(parents=True)
    (home / "docs").mkdir()
    (home / "dev" / "topics.tsv").write_text("q1\tlini meli inaondoka\nq2\tmkate\n", "utf-8")
    (home / "dev" / "qrels.tsv").write_text("q1\tQ0\td1\t1\nq1\tQ0\td2\t0\nq2\tQ0\td3\t1\n", "utf-8")
    lines = [f'{{"docid": "{one["_id"]}", "title": "{one["title"]}", "text": "{one["text"]}"}}\n' for one in CORPUS]
    (home / "docs" / "docs-0.jsonl.gz").write_bytes(gzip.compress("".join(lines).encode()))
    found = through_library(session, "miracl/sw", session.path / "mirror")
    folder = session.beir(
        corpus=CORPUS,
        queries=[{"_id": "q1", "text": "lini meli inaondoka"}, {"_id": "q2", "text": "mkate"}],
        qrels="q1\td1\t1\nq1\td2\t0\nq2\td3\t1\n",
    )
    assert found.fingerprint == session.load(folder).fingerprint
    assert (found.split, found.counts.judged_zero) == ("dev", 1)


def test_a_grade_below_zero_counts_as_zero_and_is_counted(session: Any) -> None:
    about = {"url": "u", "pubmed_id": "p", "query": "q", "narrative": "n"}
    folder = beir_folder(
        session,
        corpus=[{**one, "metadata": about} for one in CORPUS],
        queries=[{**one, "metadata": about} for one in QUERIES],
        qrels=QRELS.replace("d2\t0", "d2\t-1"),
    )
    mirror = mirrored(session, folder, "trec-covid")
    found = through_library(session, "beir/trec-covid", mirror, DeclaredCollection())
    assert found.counts.let_through == {"negative-grades": 1}
    assert found.qrels.grades.tolist() == [2, 0, 1]


def test_a_mirror_without_the_files_is_named_with_the_command_and_nothing_is_fetched(session: Any) -> None:
    mirror = session.path / "mirror"
    command = f"on a machine with a network, run: harness fetch beir/scifact --source irds --mirror {mirror}"
    command = command.replace(f"{session.path}/", "")
    assert refused(session, "beir/scifact", mirror) == f"mirror/irds: not found; {command}"
    assert not mirror.exists()
    (mirror / "irds").mkdir(parents=True)
    message = refused(session, "beir/scifact", mirror)
    assert message == f"mirror/irds/beir/scifact/source.zip: not found; {command}"


def test_a_damaged_file_is_one_line_that_names_its_folder(session: Any) -> None:
    mirror = mirrored(session, beir_folder(session))
    file = mirror / "irds" / "beir" / "scifact" / "source.zip"
    file.write_bytes(file.read_bytes()[:-60])
    message = refused(session, "beir/scifact", mirror)
    assert message.startswith("ir_datasets beir/scifact/test: cannot be read (BadZipFile: ")
    assert "delete its files in mirror/irds/beir and fetch it again" in message


@pytest.mark.parametrize(
    ("changed", "where"),
    [
        ({"corpus": [*CORPUS, CORPUS[0]]}, "docs:4: id 'd1' is already in line 1"),
        ({"corpus": CORPUS[:2]}, "qrels:3: document 'd3' is not in ir_datasets beir/scifact/test docs"),
        ({"queries": QUERIES[:2]}, "qrels:3: query 'q2' is not in ir_datasets beir/scifact/test queries"),
        ({"qrels": QRELS + "q1\td1\t0\n"}, "qrels:4: document 'd1' is already judged for query 'q1' in line 1"),
    ],
)
def test_dirt_is_met_as_in_a_folder(session: Any, changed: dict[str, Any], where: str) -> None:
    mirror = mirrored(session, beir_folder(session, **changed))
    assert refused(session, "beir/scifact", mirror).startswith(f"ir_datasets beir/scifact/test {where}")


def test_every_id_of_the_suites_is_known_with_its_files(tmp_path: Path) -> None:
    module = library(tmp_path)
    entries = [one for suite in suites().values() for one in suite.collections if one.irds]
    assert len(entries) == 57
    for one in entries:
        files = downloads(module, one.irds or "")
        handler = module.load(one.irds).docs_handler()
        assert hasattr(handler, "_docs_iter") or hasattr(handler, "_iter"), "the library would make a store of pickles"
        parts = {"miracl": (3, 68), "nanobeir": (3, 3)}.get(one.suite, (1, 1))
        assert parts[0] <= len(files) <= parts[1], one.target
        if one.beir and one.name != "msmarco":
            assert {file.expected_md5 for file in files} == {one.beir.md5}


def test_a_collection_that_the_library_does_not_have_is_refused() -> None:
    (entry,) = find("beir/scifact")
    with pytest.raises(UsageError, match="beir/scifact: ir_datasets does not have it"):
        irds_source(replace(entry, irds=None), DeclaredCollection(), SourceChoice())


def test_without_the_library_the_extra_is_named(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (session.path / "mirror" / "irds").mkdir(parents=True)
    monkeypatch.setattr(sys, "meta_path", [_Nothing(), *sys.meta_path])
    with pytest.raises(MissingExtra, match=r"pip install 'rerank-harness\[irds\]'"):
        through_library(session, "beir/scifact", session.path / "mirror")


class _Nothing:
    def find_spec(self, name: str, *_: object) -> None:
        if name == "ir_datasets":
            raise ModuleNotFoundError(f"No module named '{name}'", name=name)


def test_scifact_itself_is_the_same_through_folder_zip_file_and_library(session: Any, shared_data: Path) -> None:
    folder = shared_data / "scifact"
    mirror = session.path / "mirror"
    file = packed(folder, mirror / "beir" / "scifact.zip", "scifact")
    with zipfile.ZipFile(file) as archive:
        assert "scifact/corpus.jsonl" in archive.namelist()
    (mirror / "irds" / "beir" / "scifact").mkdir(parents=True)
    (mirror / "irds" / "beir" / "scifact" / "source.zip").hardlink_to(file)
    zipped = beir_zip_source(entry_of(file), DeclaredCollection(), SourceChoice(mirror=mirror), session.path)
    found = [
        session.load(folder),
        collection_of(zipped, session.workspace),
        through_library(session, "beir/scifact", mirror),
    ]
    assert len({one.fingerprint for one in found}) == 1
    (entry,) = find("beir/scifact")
    assert (found[0].counts.documents, found[0].counts.queries) == (entry.counts.documents, entry.counts.queries)
