"""A source is converted once; an edit of any file, however sly, is noticed."""

from __future__ import annotations

import os
import shutil
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError
from adapters.sums import DamageWarning
from harness.data import columns
from harness.data.sources import beir_folder, jsonl, judgments, seen


def forbid_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Iterator[object]:
        raise AssertionError("a text was read")

    for module, name in (
        (jsonl, "lines"),
        (beir_folder, "read_documents"),
        (beir_folder, "read_queries"),
        (beir_folder, "read_judgments"),
    ):
        monkeypatch.setattr(module, name, fail)


def test_a_second_load_of_an_unchanged_source_reads_no_text(
    session: Any, aged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session.beir(rules='allow = ["unknown-documents"]\ninstruction = "x"')
    aged(folder)
    first = session.load(folder)
    forbid_reading(monkeypatch)
    second = session.load(folder)
    assert list(second.corpus) == list(first.corpus)
    assert second.qrels.grades.tolist() == first.qrels.grades.tolist()
    for name in ("name", "split", "language", "rules", "counts", "fingerprint"):
        assert getattr(second, name) == getattr(first, name)


def test_reranking_rows_come_back_with_their_lists(session: Any, aged: Any) -> None:
    session.rows([{"query": "x", "positive": ["p"], "negative": ["n"]}])
    aged(session.path)
    first, second = session.load(session.path / "rows.jsonl"), session.load(session.path / "rows.jsonl")
    assert second.given.documents.tolist() == first.given.documents.tolist()


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_an_edit_is_noticed(session: Any, aged: Any, name: str) -> None:
    folder = session.beir()
    aged(folder)
    before = session.load(folder)
    file = folder / name
    file.write_text(file.read_text().replace("1\n", "3\n").replace("nine", "noon").replace("when", "wen "))
    assert session.load(folder).fingerprint != before.fingerprint


def test_an_edit_that_keeps_size_and_time_is_noticed(session: Any, aged: Any) -> None:
    folder = session.beir()
    aged(folder)
    before = session.load(folder)
    file = folder / "corpus.jsonl"
    state = file.stat()
    file.write_text(file.read_text().replace("nine", "noon"))
    os.utime(file, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert file.stat().st_size == state.st_size
    assert session.load(folder).fingerprint != before.fingerprint


def test_a_change_of_the_rules_is_noticed(session: Any, aged: Any) -> None:
    folder = session.beir()
    aged(folder)
    assert session.load(folder).rules.instruction is None
    assert session.load(folder, rules=session.rules('instruction = "x"')).rules.instruction == "x"


def test_a_file_that_is_younger_than_the_clock_is_coarse_is_not_trusted(
    session: Any, aged: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = session.beir()
    aged(folder)
    written = (folder / "corpus.jsonl").stat().st_mtime_ns
    monkeypatch.setattr(seen, "now_ns", lambda: written + 1_000_000_000)
    session.load(folder)
    assert not (session.workspace.collections / "seen").exists()
    monkeypatch.setattr(seen, "now_ns", lambda: written + 3_000_000_000)
    session.load(folder)
    assert len(list((session.workspace.collections / "seen").iterdir())) == 1


def test_a_file_that_changes_while_it_is_read_is_refused(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = session.beir()
    read = judgments.read_judgments

    def read_and_edit(*arguments: Any) -> object:
        with (folder / "corpus.jsonl").open("a") as file:
            file.write('{"_id": "d9", "text": "late"}\n')
        return read(*arguments)

    monkeypatch.setattr(beir_folder, "read_judgments", read_and_edit)
    assert session.refused(DataError, folder) == "coll/corpus.jsonl: changed while it was read; run again"


def test_a_collection_that_was_removed_from_the_workspace_is_converted_again(session: Any, aged: Any) -> None:
    folder = session.beir()
    aged(folder)
    first = session.load(folder)
    shutil.rmtree(session.workspace.collections / first.fingerprint)
    assert session.load(folder).fingerprint == first.fingerprint


def test_a_damaged_entry_costs_a_conversion_and_nothing_else(session: Any, aged: Any) -> None:
    folder = session.beir()
    aged(folder)
    first = session.load(folder)
    for entry in list((session.workspace.collections / "seen").iterdir()):
        entry.write_text(entry.read_text("utf-8").replace('"split": "test"', '"split": "tent"'))
    with pytest.warns(DamageWarning, match=r"\.json: .* not what was written .*, and its source is read again"):
        again = session.load(folder)
    assert (again.fingerprint, again.split) == (first.fingerprint, "test")


def test_a_refused_source_leaves_nothing_behind(session: Any) -> None:
    session.refused(DataError, session.beir(qrels="q1 d9 1\n"))
    assert list(session.workspace.collections.iterdir()) == []


def test_memory_does_not_grow_with_the_texts(session: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    many = 200_000
    folder: Path = session.beir()
    with (folder / "corpus.jsonl").open("a") as file:
        file.writelines(f'{{"_id": "x{i}", "text": "passage {i} {"word " * 4}"}}\n' for i in range(many))
    batches: list[int] = []
    write = columns.TextWriter._write

    def counted(writer: columns.TextWriter) -> None:
        batches.append(len(writer._ids))
        if len(batches) == 2:
            tracemalloc.start()
        elif len(batches) == 14:
            grown.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
        write(writer)

    grown: list[int] = []
    monkeypatch.setattr(columns.TextWriter, "_write", counted)
    assert session.load(folder).counts.documents == many + 3
    assert max(batches) <= 4096
    assert sum(batches) == many + 5
    assert grown[0] < 2_500_000, "the texts of twelve batches would be 9 MB"
