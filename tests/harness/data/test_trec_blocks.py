"""The quick way to read a run gives what reading line by line gives: the same values, or the same refusal."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.errors import DataError
from harness.data import trec, trec_blocks
from harness.data.collection import Collection
from harness.data.runs import Run
from harness.data.trec import read_run, run_of, trec_lines
from harness.workspace import Workspace
from tests.tiny_collection import Place

GOOD = b"q1 Q0 d1 1 0.9 t\nq1 Q0 d2 2 0.5 t\nq2 Q0 d3 1 0.1 t\n"


@pytest.fixture(scope="module", params=["strict", "partial"])
def collection(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Collection:
    folder = tmp_path_factory.mktemp(request.param)
    (folder / "mine").mkdir()
    place = Place(folder / "mine", Workspace.open(folder / "workspace"))
    rules = 'allow = ["unknown-documents"]' if request.param == "partial" else ""
    queries = {"q1": "a", "q2": "b", "#3": "c", "é": "d"}
    return place.load(place.beir(request.param, queries=queries, qrels=[(q, "d1", 1) for q in queries], rules=rules))


def outcome(run: object) -> object:
    """What reading gave, comparable to the last bit."""
    if isinstance(run, Run):
        return (
            run.digest,
            run.offsets.tolist(),
            run.outside,
            run.unknown_queries,
            [run.documents.dtype, run.scores.dtype],
        )
    return str(run)


def attempt(file: Path, collection: Collection, quick: bool) -> object:
    try:
        if quick:
            return outcome(read_run(file, collection))
        return outcome(run_of(file, trec_lines(file, set(collection.queries.ids())), collection))
    except DataError as error:
        return outcome(error)


def test_the_quick_way_is_taken(collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*_: object) -> None:
        raise AssertionError("read line by line")

    file = tmp_path / "run.trec"
    monkeypatch.setattr(trec, "trec_lines", never)
    for content in (
        GOOD,
        GOOD.replace(b"\n", b"\r\n"),
        GOOD.replace(b" ", b"\t"),
        GOOD.replace(b" ", b"   "),
        GOOD.replace(b" t\n", b"\n"),
        GOOD.replace(b" t\n", b" my own tag\n"),
        b"\xef\xbb\xbf# a comment\n\n" + GOOD + GOOD.replace(b"q", b"x").rstrip(),
    ):
        file.write_bytes(content)
        assert len(read_run(file, collection)) == 3


SPACES = st.sampled_from([b" ", b" ", b" ", b" ", b"\t", b"  ", b" \t", b"\x0b", b"\x0c", b"\r", b""])
ENDS = st.sampled_from([b"\n", b"\n", b"\n", b"\r\n", b" \n", b"\n\n", b"\n \n", b"\r", b"\n\xef\xbb\xbf", b"\n "])
QUERIES = st.sampled_from(
    [b"q1", b"q1", b"q2", b"#3", b"#4", "é".encode(), b"other", b"", b"\xef\xbb\xbfq2", b"q\x002"]
)
DOCUMENTS = st.sampled_from(
    [*(b"d%d" % n for n in range(1, 9)), b"gone", b"gone", b"lost", b'"d1"', b"d\xff", b"d1\x00", b"d" * 70]
)
RANKS = st.sampled_from([b"1", b"1", b"1", b"-7", b"1.5", b"x", b""])
SCORES = st.one_of(
    st.floats(width=32, allow_nan=False, allow_infinity=False).map(lambda score: repr(score).encode()),
    st.sampled_from(
        b"0.5 -0.0 +1 1_0 nan inf -inf 1e39 -3.5e38 1e-400 1e400 5. .5 -.5 . 0x1 1e 1E5 1.5e+3 NA null true".split()
    ),
    st.just(b""),
)  # fmt: skip
TAGS = st.sampled_from(
    [b"t", b"t", b"t", b"", b"my tag", b"7", b"1 0.5", b"#", b"t\xff", b"\xc2\xa0", b"tq2 Q0 d8 1 0.5 t"]
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Lines of which some are broken, in some of many ways; often all have one separator."""
    usual, end, tag = draw(SPACES), draw(ENDS), draw(TAGS)
    content = b""
    for _ in range(draw(st.integers(0, 9))):
        odd = draw(st.integers(0, 11))
        fields = [draw(QUERIES) if odd == 1 else draw(st.sampled_from([b"q1", b"q2"])), b"Q0"]
        fields.append(draw(DOCUMENTS) if odd in (2, 3) else b"d%d" % draw(st.integers(1, 8)))
        fields += [draw(RANKS) if odd == 4 else b"1", draw(SCORES) if odd < 9 else b"0.25"]
        fields.append(draw(TAGS) if odd == 5 else tag)
        separator = draw(SPACES) if odd == 6 else usual
        content += separator.join(fields) + (draw(ENDS) if odd == 7 else end)
    return content.rstrip(b"\n") if draw(st.booleans()) else content


@given(content=files())
@example(content=b"")
@example(content=b"\n\n")
@example(content=b"# only a comment\n")
@example(content=GOOD + b"q1 Q0 gone 1 0.5 t\nq1 Q0 gone 2 0.4 t\n")
@example(content=b"q1 Q0 d1 1 0.5 t\nq2 Q0 d1 1 1e39 t\nq1 Q0 d1 1 0.5 t\n")
@example(content=b"x Q0 d1 1 1e39 t\n" + GOOD)
@example(content=b"q1  d1 1 0.5 t\nq1  d2 1 0.5 t\n")
@example(content=b"q1 Q0 d1 1 0.5 \nq1 Q0 d2 1 0.4 \n")
@example(content=b"q1 Q0 d1 1 0.5 tq2 Q0 d1 1 0.5 t\n")
@example(content=b"q1 Q0 d1 1 0.5 t\rq1 Q0 d2 1 0.4 t\r")
@example(content=GOOD + b"q1 Q0 d3 1 0.3 t\rq1 Q0 d4 1 0.2 t\r")
@example(content=GOOD.decode().encode("utf-16"))
@example(content=gzip.compress(GOOD))
@example(content=b'q1 Q0 "d1 1 0.5 t\nq1 Q0 d2" 1 0.4 t\n')
@settings(max_examples=400, deadline=None)
def test_both_ways_give_the_same_run_or_the_same_refusal(
    collection: Collection, tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = tmp_path_factory.getbasetemp() / "either.trec"
    file.write_bytes(content)
    assert attempt(file, collection, quick=True) == attempt(file, collection, quick=False)


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("at_once", [1, 20, 100])
def test_where_a_block_ends_does_not_matter(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, packed: bool, at_once: int
) -> None:
    monkeypatch.setattr(trec_blocks, "_READ", at_once)
    lines = [f"q{1 + n % 2} Q0 d{1 + n // 2 % 8} 1 {n / 7} t" for n in range(16)]
    content = "\n".join(["x Q0 nowhere 1 0.5 t", *lines, "y Q0 d1 1 0.5 t", "z Q0 d1 1 1 t", "w Q0 d1 1 1 t"]).encode()
    file = tmp_path / ("run.trec.gz" if packed else "run.trec")
    file.write_bytes(gzip.compress(content) if packed else content)
    read = read_run(file, collection)
    assert outcome(read) == attempt(file, collection, quick=False)
    assert (len(read), read.unknown_queries.lines, read.unknown_queries.examples) == (16, 4, ("x", "y", "z"))


@pytest.mark.parametrize("at_once", [1, 20, 100])
def test_a_tag_of_other_words_is_refused_wherever_a_block_ends(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(trec_blocks, "_READ", at_once)
    file = tmp_path / "run.trec"
    file.write_bytes(GOOD + b"q1 Q0 d3 3 0.3\n" + b"q1 Q0 d4 4 0.2 my tag\n")
    assert attempt(
        file, collection, quick=True
    ) == f"{file}:5: 7 columns, but 6 in the first line; a newline may be " + (
        "missing, and a tag of several words needs as many in every line"
    )


def test_equal_scores_are_ordered_by_the_bytes_of_ids_of_any_length(place: Place) -> None:
    names = [
        "b",
        "a",
        "a" * 8,
        "a" * 9,
        "aé",
        "B",
        "~",
        "a" * 20,
        "a" * 64,
        "a" * 63 + "b",
        "日本",
        "10",
        "9",
        "a1",
        "a-",
    ]
    for more in ([], ["a" * 70, "a" * 71]):
        ids = names + more
        collection = place.load(place.beir(f"c{len(ids)}", corpus={name: name for name in ids}, qrels=[("q1", "b", 1)]))
        file = place.run_file(f"q1 Q0 {name} 1 0.5 t" for name in ids)
        run = read_run(file, collection)
        ranked = collection.corpus.ids(run.documents[run.order()])
        assert ranked == sorted(ids, key=str.encode, reverse=True)


def test_lines_of_other_queries_are_remarked_on_in_one_line(collection: Collection, tmp_path: Path) -> None:
    file = tmp_path / "run.trec"
    file.write_bytes(GOOD + b"".join(b"x%d Q0 d1 1 0.5 t\nx%d Q0 d2 1 0.5 t\n" % (n, n) for n in range(600)))
    said = read_run(file, collection).unknown_queries.remark(file, "mine")
    assert said == f"{file}: 1,200 lines are left out because mine has no such query: 'x0', 'x1', 'x2'"
    file.write_bytes(GOOD)
    assert read_run(file, collection).unknown_queries.remark(file, "mine") is None
