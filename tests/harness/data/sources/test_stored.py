"""What is stored of a collection is what its source says, or the source is read again: a changed letter never becomes a
number."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.errors import DataError
from adapters.sums import DamagedFile, DamageWarning
from harness.data.collection import Collection, with_queries
from harness.data.sources import stored
from harness.data.sources.stored import ARRAYS, MARKER, PUBLISHED, description_in
from harness.measuring.crosscheck import check_judgments

FILES = ["corpus.arrow", "queries.arrow", ARRAYS, MARKER, PUBLISHED]


def everything(collection: Collection) -> list[object]:
    """All that is read of a collection when it is measured."""
    assert collection.published is not None
    check_judgments(collection.qrels, collection.published, collection.queries.ids())
    texts = [(one.ids(), list(one), one.digests.tolist()) for one in (collection.corpus, collection.queries)]
    qrels = collection.qrels
    judged = [qrels.queries.tolist(), qrels.documents.tolist(), qrels.grades.tolist()]
    facts = [collection.name, collection.split, collection.rules, collection.counts, collection.fingerprint]
    return [texts, judged, facts, collection.published.of(collection.queries.ids())]


@pytest.fixture
def source(session: Any, aged: Any) -> Path:
    """A source, loaded once."""
    folder: Path = session.beir(rules='instruction = "find it"')
    aged(folder)
    session.load(folder)
    return folder


def in_store(session: Any) -> Path:
    """The folder of the one collection of a workspace."""
    (folder,) = (one for one in session.workspace.collections.iterdir() if stored.is_there(one))
    return folder  # type: ignore[no-any-return]


@pytest.mark.filterwarnings("ignore::adapters.sums.DamageWarning")
@pytest.mark.parametrize("name", FILES)
def test_a_changed_byte_is_noticed_or_changes_nothing(session: Any, source: Path, name: str) -> None:
    expected = everything(session.load(source))
    sound = (in_store(session) / name).read_bytes()
    for place in np.random.default_rng(5).choice(len(sound), 25, replace=False).tolist():
        changed = sound[:place] + bytes([sound[place] ^ 1 << place % 8]) + sound[place + 1 :]
        (in_store(session) / name).write_bytes(changed)
        assert everything(session.load(source)) == expected, (name, place)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 40, -1])
def test_a_truncated_file_is_set_aside_and_made_again(session: Any, source: Path, name: str, keep: int) -> None:
    expected = everything(session.load(source))
    file = in_store(session) / name
    file.write_bytes(file.read_bytes()[:keep])
    with pytest.warns(
        DamageWarning, match=rf"{name}: .* folder is kept as {file.parent.name}\.damaged, and its source is"
    ):
        assert everything(session.load(source)) == expected
    assert stored.is_there(file.parent) and not stored.is_there(file.parent.with_suffix(".damaged"))
    assert everything(session.load(source)) == expected, "and nothing is damaged any more"


@pytest.mark.parametrize("name", FILES)
def test_a_sound_file_of_another_collection_is_not_read(session: Any, source: Path, name: str) -> None:
    expected = everything(session.load(source))
    other = session.beir("other", queries=({"_id": "q1", "text": "when does it float"}, {"_id": "q2", "text": "bred"}),
                         corpus=({"_id": "d1", "text": "a"}, {"_id": "d2", "text": "b"}, {"_id": "d3", "text": "c"}),
                         qrels="query-id\tcorpus-id\tscore\nq1\td1\t1\nq1\td2\t0\nq2\td3\t2\n")  # fmt: skip
    mine = in_store(session)
    theirs = session.workspace.collections / session.load(other).fingerprint
    shutil.copy(theirs / name, mine / name)
    with pytest.warns(DamageWarning, match="its source is read again"):
        assert everything(session.load(source)) == expected


def changed(file: Path, old: bytes, new: bytes) -> None:
    content = file.read_bytes()
    assert old in content and len(old) == len(new)
    file.write_bytes(content.replace(old, new))


def test_a_text_that_changes_while_it_is_in_use_is_not_handed_on(session: Any, source: Path) -> None:
    collection = session.load(source)
    assert collection.corpus[2] == "Bread is sold until noon."
    changed(in_store(session) / "corpus.arrow", b"Bread is sold", b"Bread is cold")
    with pytest.warns(DamageWarning, match=r"corpus\.arrow: the text of 'd3' is not what was written"):
        assert collection.corpus.take(np.array([2, 0])) == [
            "Bread is sold until noon.",
            "Ferry The boat leaves at nine.",
        ]
    assert list(session.load(source).corpus) == list(collection.corpus)


@pytest.mark.parametrize("use", [lambda texts: texts.ids(), lambda texts: texts.digests, lambda texts: texts.id_column])
def test_ids_that_were_changed_are_not_handed_on(session: Any, source: Path, use: Callable[[Any], object]) -> None:
    changed(in_store(session) / "corpus.arrow", b"d1d2d3", b"d1d3d2")
    collection = session.load(source)
    with pytest.warns(DamageWarning, match=r"corpus\.arrow: the ids and digests of block 0"):
        use(collection.corpus)
    assert collection.corpus.ids() == ["d1", "d2", "d3"]


def test_a_part_of_the_queries_is_made_of_verified_texts(session: Any, source: Path) -> None:
    collection = session.load(source)
    changed(in_store(session) / "queries.arrow", b"bread", b"dread")
    with pytest.warns(DamageWarning, match=r"queries\.arrow: the text of 'q2'"):
        assert list(with_queries(collection, np.array([1])).queries) == ["bread"]


def test_two_damaged_files_are_made_again_with_one_reading(session: Any, source: Path) -> None:
    collection = session.load(source)
    changed(in_store(session) / "queries.arrow", b"bread", b"dread")
    changed(in_store(session) / "corpus.arrow", b"Bread is sold", b"Bread is cold")
    with pytest.warns(DamageWarning) as warned:
        assert (collection.queries[1], collection.corpus[2][:13]) == ("bread", "Bread is sold")
    assert len(warned) == 1


def test_a_source_that_changed_since_is_not_mixed_with_what_was_read(session: Any, source: Path) -> None:
    collection = session.load(source)
    changed(in_store(session) / "corpus.arrow", b"Bread is sold", b"Bread is cold")
    changed(source / "corpus.jsonl", b"until noon", b"until five")
    with pytest.warns(DamageWarning), pytest.raises(DataError, match=r"its source has changed since .*; run again"):
        list(collection.corpus)


@pytest.mark.usefixtures("source")
def test_a_collection_without_its_source_is_refused_when_it_is_damaged(session: Any) -> None:
    folder = in_store(session)
    changed(folder / "corpus.arrow", b"Bread is sold", b"Bread is cold")
    collection = stored.read(folder, description_in(folder))
    with pytest.raises(DamagedFile, match=r"corpus\.arrow: the text of 'd3' is not what was written"):
        list(collection.corpus)


def as_before(session: Any) -> Path:
    """Write the stored collection again as earlier versions did, without checksums and digests."""
    folder = in_store(session)
    arrays = {name: array for name, array in np.load(folder / ARRAYS).items() if "." not in name and name != "sums"}
    np.savez(folder / ARRAYS, **arrays)
    for file in (folder / MARKER, *(session.workspace.collections / "seen").iterdir()):
        content = json.loads(file.read_text("utf-8"))
        del content["sum"]
        file.write_text(json.dumps(content), "utf-8")
    return folder


def forbid_conversion(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Iterator[object]:
        raise AssertionError("the source was read")

    monkeypatch.setattr("harness.data.sources.build._convert", fail)


def test_a_collection_of_an_earlier_version_is_proven_without_its_source(
    session: Any, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = everything(session.load(source))
    folder = as_before(session)
    forbid_conversion(monkeypatch)
    assert everything(session.load(source)) == expected
    assert "sums" in np.load(folder / ARRAYS).files
    assert all(
        "sum" in json.loads(file.read_text("utf-8")) for file in (folder / MARKER, *folder.parent.glob("seen/*"))
    )


@pytest.mark.parametrize("fault", ["grade", "id", "digest", "description", "entry"])
def test_a_damaged_collection_of_an_earlier_version_is_read_again(session: Any, source: Path, fault: str) -> None:
    expected = everything(session.load(source))
    folder = as_before(session)
    if fault == "grade":
        arrays = dict(np.load(folder / ARRAYS))
        np.savez(folder / ARRAYS, **{**arrays, "grades": arrays["grades"][::-1]})
    elif fault == "id":
        changed(folder / "corpus.arrow", b"d1d2d3", b"d1d2d4")
    elif fault == "digest":
        digest = session.load(source).corpus.digests[0].tobytes()
        as_before(session)
        changed(folder / "corpus.arrow", digest, digest[::-1])
    else:
        file = folder / MARKER if fault == "description" else next(folder.parent.glob("seen/*"))
        changed(file, b"find it", b"find me")
    if fault in ("description", "entry"):
        assert everything(session.load(source)) == expected
        assert description_in(folder).rules.instruction == "find it"
    else:
        with pytest.warns(DamageWarning, match="not those of its fingerprint"):
            assert everything(session.load(source)) == expected
