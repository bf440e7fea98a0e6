"""The same collection has the same fingerprint however it is packed; a damaged package is refused."""

from __future__ import annotations

import gzip
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest

from adapters.errors import DataError, UsageError


def zipped(folder: Path, file: Path, prefix: str = "") -> Path:
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            archive.write(path, prefix + path.relative_to(folder).as_posix())
    return file


def gzipped(folder: Path, copy: Path) -> Path:
    shutil.copytree(folder, copy)
    for file in [path for path in copy.rglob("*") if path.is_file() and path.suffix != ".toml"]:
        file.with_name(f"{file.name}.gz").write_bytes(gzip.compress(file.read_bytes()))
        file.unlink()
    return copy


def test_folder_gzip_and_zip_have_one_fingerprint_whatever_the_path(session: Any) -> None:
    folder = session.beir("first")
    forms = [
        folder,
        Path(shutil.copytree(folder, session.path / "elsewhere" / "second")),
        gzipped(folder, session.path / "gz"),
        zipped(folder, session.path / "flat.zip"),
        zipped(folder, session.path / "nested.zip", "scifact/"),
        zipped(folder, session.path / "deep.zip", "a/b/"),
        zipped(session.path / "gz", session.path / "both.zip"),
    ]
    collections = [session.load(form) for form in forms]
    assert len({collection.fingerprint for collection in collections}) == 1
    assert [c.name for c in collections] == ["first", "second", "gz", "flat", "nested", "deep", "both"]


def test_anything_that_changes_a_number_changes_the_fingerprint(session: Any) -> None:
    corpus = [{"_id": "d1", "text": "a"}, {"_id": "d2", "text": "b"}, {"_id": "d3", "text": "c"}]
    queries = [{"_id": "q1", "text": "x"}, {"_id": "q2", "text": "y"}]
    qrels = "q1 d1 1\nq2 d3 1\n"
    variants: dict[str, dict[str, Any]] = {
        "same": {},
        "text": {"corpus": [*corpus[:2], {"_id": "d3", "text": "C"}]},
        "id": {"corpus": [corpus[0], {"_id": "d22", "text": "b"}, corpus[2]]},
        "more": {"corpus": [*corpus, {"_id": "d4", "text": "d"}]},
        "query": {"queries": [queries[0], {"_id": "q2", "text": "yy"}]},
        "grade": {"qrels": "q1 d1 2\nq2 d3 1\n"},
        "unjudged": {"qrels": "q1 d1 1\nq1 d2 0\nq2 d3 1\n"},
        "rule": {"rules": "drop_identical_ids = true"},
    }
    base: dict[str, Any] = {"corpus": corpus, "queries": queries, "qrels": qrels}
    found = {
        name: session.load(session.beir(name, **{**base, **changed})).fingerprint for name, changed in variants.items()
    }
    assert len(set(found.values())) == len(variants)


def test_a_name_or_a_measure_is_not_content(session: Any) -> None:
    plain = session.load(session.beir("a"))
    named = session.load(session.beir("b", rules='name = "other"\nlanguage = "de"\nmain_measure = "AP@1000"'))
    assert plain.fingerprint == named.fingerprint
    assert (named.name, named.language, named.rules.main_measure) == ("other", "de", "AP@1000")
    assert (plain.name, plain.language) == ("a", None)


def test_rules_inside_the_zip_file_hold(session: Any) -> None:
    folder = session.beir(rules='instruction = "find it"')
    assert session.load(zipped(folder, session.path / "x.zip", "x/")).rules.instruction == "find it"


def test_an_error_inside_a_zip_file_names_the_line_inside(session: Any) -> None:
    folder = session.beir(corpus=[{"_id": "d1", "text": "x"}, {"_id": "d2", "text": 3}])
    message = session.refused(DataError, zipped(folder, session.path / "x.zip", "in/"))
    assert message.startswith("x.zip/in/corpus.jsonl:2: field 'text' is a number")


def test_a_zip_file_with_several_collections_is_refused(session: Any) -> None:
    session.beir("set/de")
    session.beir("set/en")
    message = session.refused(UsageError, zipped(session.path / "set", session.path / "x.zip"))
    assert message == "x.zip: several collections inside (de/, en/); unpack it and name the folder"


def test_a_zip_file_without_a_collection_is_refused(session: Any) -> None:
    (session.path / "docs").mkdir()
    (session.path / "docs" / "readme.txt").write_text("nothing")
    message = session.refused(UsageError, zipped(session.path / "docs", session.path / "x.zip"))
    assert message.startswith("x.zip: no corpus.jsonl inside")


def test_a_wrong_split_of_a_zip_file_is_answered_with_those_that_exist(session: Any) -> None:
    message = session.refused(UsageError, zipped(session.beir(), session.path / "x.zip"), split="dev")
    assert message == "x.zip/qrels: no split 'dev'. Available: test."


def test_a_truncated_gzip_file_is_named_with_the_line_it_breaks_off_at(session: Any) -> None:
    corpus = [{"_id": f"d{i}", "text": f"some text {i * i}"} for i in range(2000)]
    folder = gzipped(session.beir(corpus=corpus), session.path / "gz")
    whole = (folder / "corpus.jsonl.gz").read_bytes()
    (folder / "corpus.jsonl.gz").write_bytes(whole[: len(whole) // 2])
    message = session.refused(DataError, folder)
    file, line, rest = message.split(":", 2)
    assert file == "gz/corpus.jsonl.gz"
    assert 1 < int(line) < 2000
    assert "fetch it again" in rest


@pytest.mark.parametrize("content", [b"not gzip at all\n", b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03garbage!"])
def test_what_is_no_gzip_data_is_refused(session: Any, content: bytes) -> None:
    folder = gzipped(session.beir(), session.path / "gz")
    (folder / "corpus.jsonl.gz").write_bytes(content)
    assert session.refused(DataError, folder).startswith("gz/corpus.jsonl.gz:1: cannot be read further")


def test_a_truncated_zip_file_is_refused(session: Any) -> None:
    file = zipped(session.beir(), session.path / "x.zip")
    file.write_bytes(file.read_bytes()[:-40])
    message = session.refused(DataError, file)
    assert message.startswith("x.zip: cannot be read as a zip file")
    assert "fetch it again" in message


def test_damaged_bytes_inside_a_zip_file_are_refused(session: Any) -> None:
    file = zipped(session.beir(), session.path / "x.zip")
    content = bytearray(file.read_bytes())
    at = content.index(b"corpus.jsonl") + len("corpus.jsonl") + 20
    content[at : at + 8] = b"\0" * 8
    file.write_bytes(content)
    message = session.refused(DataError, file)
    assert message.startswith("x.zip/corpus.jsonl:")
    assert "fetch it again" in message


def test_a_zip_file_with_two_files_of_one_name_is_refused(session: Any) -> None:
    file = zipped(session.beir("first"), session.path / "twice.zip")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(file, "a") as archive:
        archive.writestr("qrels/test.tsv", "query-id\tcorpus-id\tscore\nq1\td1\t1\n")
    with pytest.raises(DataError, match=r"twice\.zip: it holds qrels/test\.tsv more than once"):
        session.load(file)
