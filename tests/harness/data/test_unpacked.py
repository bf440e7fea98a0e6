"""A file may not fill the memory: a line and an unpacked file have bounds, and the message says which was passed."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import zipfile
from pathlib import Path

import pytest

from adapters.errors import DataError
from adapters.judges.rows import verdict_rows
from harness.checks.training_file import training_queries
from harness.data import unpacked
from harness.data.trec import trec_lines
from harness.data.unpacked import content_of, lines_of
from harness.running.imported.formats import format_of
from harness.running.imported.json_file import json_value
from tests.tiny_collection import Place

METHODS = {
    "stored": zipfile.ZIP_STORED,
    "deflate": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
RUN = b"q1 Q0 d1 1 0.5 t\n"


@pytest.fixture(autouse=True)
def small_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same bounds, for files of a few kilobytes."""
    monkeypatch.setattr(unpacked, "LONGEST_LINE", 1 << 20)
    monkeypatch.setattr(unpacked, "RATIO_FROM", 1 << 16)


def zipped(place: Place, method: int, longer: bytes = b"") -> Path:
    folder, file = place.beir(), place.path / "coll.zip"
    with zipfile.ZipFile(file, "w", method) as archive:
        for name in ("corpus.jsonl", "queries.jsonl", "qrels/test.tsv"):
            archive.writestr(name, (folder / name).read_bytes() + (longer if name == "corpus.jsonl" else b""))
    return file


@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_zip_file_of_every_method_is_read(place: Place, method: int) -> None:
    assert place.load(zipped(place, method)).fingerprint == place.load().fingerprint


def test_a_longer_line_than_the_bound_is_refused_by_its_number(place: Place) -> None:
    folder = place.beir()
    with (folder / "corpus.jsonl").open("ab") as file:
        file.write(b'{"_id": "x", "text": "' + bytes(range(97, 123)) * 60_000 + b'"}\n')
    with pytest.raises(
        DataError, match=r"corpus\.jsonl:9: a line of more than 1 MiB; write one object or text per line"
    ):
        place.load(folder)


def test_a_longer_line_in_a_run_or_an_imported_file_is_refused(place: Place) -> None:
    run = place.path / "run.trec"
    run.write_bytes(RUN + b"q1 Q0 d2 2 0.5 " + b"t" * (1 << 21))
    with run.open("rb") as stored, pytest.raises(DataError, match="run:2: a line of more than"):
        list(lines_of(stored, "run", packed=False))
    run.write_bytes(b"x" * (1 << 21))
    with pytest.raises(DataError, match=r"run\.trec:1: a line of more than"):
        format_of(run)


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_a_zip_file_that_unpacks_as_no_text_does_is_refused_before_it_is_unpacked(place: Place, method: int) -> None:
    file = zipped(place, method, b"\n" * 3_000_000)
    with pytest.raises(DataError, match=r"corpus\.jsonl: unpacks to more than 200 times its size"):
        place.load(file)


@pytest.mark.parametrize("read", [content_of, json_value, format_of])
def test_a_gzipped_file_that_unpacks_as_no_text_does_is_refused(read: object, tmp_path: Path) -> None:
    file = tmp_path / "run.json.gz"
    file.write_bytes(gzip.compress(b"\n" * 5_000_000))
    with pytest.raises(DataError, match=r"run\.json\.gz: unpacks to more than 200 times its size"):
        read(file)  # type: ignore[operator]


def test_a_small_file_may_have_any_ratio(tmp_path: Path) -> None:
    file = tmp_path / "run.gz"
    file.write_bytes(gzip.compress(RUN * 1000))
    assert content_of(file) == RUN * 1000


@pytest.mark.parametrize("at", [3, 40, -30])
@pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
def test_a_damaged_zip_file_is_one_line(place: Place, method: int, at: int) -> None:
    file = zipped(place, method)
    content = bytearray(file.read_bytes())
    content[at] ^= 0xFF
    file.write_bytes(content)
    with pytest.raises(Exception) as caught:
        place.load(file)
    assert isinstance(caught.value, DataError) or "zip" in str(caught.value)


def test_lines_are_those_of_python() -> None:
    content = b"a\r\nb\n\n\x0cc\xe2\x80\xa8d"
    assert list(lines_of(io.BytesIO(content), "a", packed=False)) == io.BytesIO(content).readlines()
    packed = io.BytesIO(gzip.compress(content) + gzip.compress(b"e\n"))
    assert list(lines_of(packed, "a", packed=True)) == io.BytesIO(content + b"e\n").readlines()


def test_other_compressions_are_not_gzip() -> None:
    for packed in (bz2.compress(RUN), lzma.compress(RUN)):
        with pytest.raises(gzip.BadGzipFile):
            list(lines_of(io.BytesIO(packed), "a", packed=True))


OTHERS = {
    "gzip data in a file whose name does not end in": gzip.compress(RUN),
    "bzip2 data": bz2.compress(RUN),
    "xz data": lzma.compress(RUN),
    "UTF-16 text; save the file as UTF-8": RUN.decode().encode("utf-16"),
}


@pytest.mark.parametrize("name", ["run.trec", "run.trec.GZ"])
@pytest.mark.parametrize(("said", "content"), OTHERS.items())
def test_a_file_that_is_no_text_is_called_what_it_is(tmp_path: Path, said: str, content: bytes, name: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    for read in (content_of, format_of, verdict_list, lambda file: list(trec_lines(file))):
        with pytest.raises(DataError, match=rf"run\.trec(\.GZ)?: {said}"):
            read(file)


def verdict_list(file: Path) -> list[object]:
    return list(verdict_rows(file))


def test_a_pipe_is_refused_because_a_run_is_read_more_than_once(tmp_path: Path) -> None:
    pipe = tmp_path / "run.trec"
    os.mkfifo(pipe)
    for read in (format_of, json_value, lambda file: list(trec_lines(file))):
        with pytest.raises(DataError, match=r"run\.trec is not a regular file; write its content to a file"):
            read(pipe)


def test_a_run_without_lines_is_called_empty(tmp_path: Path) -> None:
    file = tmp_path / "run.trec"
    file.touch()
    with pytest.raises(DataError, match=r"run\.trec: the file is empty"):
        format_of(file)


def test_text_that_begins_like_bzip2_is_text(tmp_path: Path) -> None:
    file = tmp_path / "run.trec"
    file.write_bytes(b"BZh9 Q0 d1 1 0.5 t\n")
    assert [line.query for line in trec_lines(file)] == ["BZh9"]


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_collection_with_carriage_returns_alone_is_refused_by_the_file(place: Place, name: str) -> None:
    file = place.beir() / name
    file.write_bytes(file.read_bytes().replace(b"\n", b"\r"))
    with pytest.raises(DataError, match=rf"{file.name}:1: a carriage return \(CR\) inside the line"):
        place.load(file.parents[name.count("/")])


def test_training_queries_with_carriage_returns_alone_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_bytes(b"first\rsecond\r")
    with pytest.raises(DataError, match=r"queries\.txt:1: a carriage return"):
        list(training_queries(file))
