"""Malformed files of every kind: without these promises a user gets a traceback, a hang or a silently wrong number.

By hand, with as many inputs as wanted: `python -m tests.fuzz --kind all --count 100000 --seed 1`.
"""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from adapters.errors import DataError
from tests.fuzz.driver import Tally, classified, fuzz, input_of, tasks_of, usable
from tests.fuzz.kinds import Disagreement, Kind, all_kinds, constant
from tests.fuzz.mutate import mutated

COUNT = 2400
SEED = 20
FORMS = sorted({kind.form for kind in all_kinds().values()})


@pytest.fixture(scope="module")
def tallies() -> dict[str, Tally]:
    """A minute of inputs, the same in every run."""
    pytest.importorskip("pytrec_eval")
    return fuzz(tasks_of(usable(), COUNT), SEED, processes=2)


def test_no_malformed_file_ends_in_a_traceback_or_is_read_differently(tallies: dict[str, Tally]) -> None:
    failures = [f"{one.kind} {one.number}: {one.detail}" for tally in tallies.values() for one in tally.failures]
    assert not failures, "\n\n".join(failures[:10])


def test_both_accepted_and_refused_inputs_of_most_kinds_occur(tallies: dict[str, Tally]) -> None:
    one_sided = [name for name, tally in tallies.items() if not tally.refused]
    assert len(one_sided) < len(tallies) / 5, one_sided
    assert sum(tally.accepted for tally in tallies.values()) > COUNT / 10


def test_accepted_files_are_compared_with_an_independent_reader(tallies: dict[str, Tally]) -> None:
    compared = {name for name, kind in usable().items() if kind.compare is not None}
    assert {"corpus", "qrels", "qrels-trec", "rows", "run", "run-json", "examples"} <= compared
    assert all(tallies[name].compared for name in compared)


@pytest.mark.parametrize("form", FORMS)
def test_the_same_number_is_the_same_input_in_every_run(form: str) -> None:
    kind = Kind("any", "a", constant(), form, lambda file: file)  # type: ignore[arg-type]
    content = [b'{"a": [1, 2.5, "x"]}\n{"b": null}\n']
    assert all(input_of(content, kind, 7, number) == input_of(content, kind, 7, number) for number in range(40))
    assert input_of(content, kind, 7, 0) == content[0]
    assert len({input_of(content, kind, 7, number) for number in range(1, 40)}) > 20


@pytest.mark.parametrize("form", FORMS)
def test_mutations_take_any_bytes(form: str) -> None:
    rng = Random(1)
    for content in (b"", b"\n", b"\xff\xfe", b"{}", b"PK\x03\x04", bytes(range(256))):
        for _ in range(30):
            assert isinstance(mutated(content, form, rng), bytes)  # type: ignore[arg-type]


def raises(error: BaseException) -> Kind:
    def read(_: Path) -> object:
        raise error

    return Kind("any", "mine/file", constant(b""), "text", read)


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (DataError("mine/file:3: not a number; write one"), "refused"),
        (DataError("not a number; write one"), "failed"),
        (DataError("mine/file: nothing was kept, please report it"), "failed"),
        (DataError("mine/file: \x1b[2J"), "refused"),
        (ValueError("mine/file"), "failed"),
        (RecursionError(), "failed"),
        (MemoryError(), "failed"),
        (KeyboardInterrupt(), "failed"),
        (Disagreement("1 here, 2 there"), "failed"),
    ],
)
def test_only_one_line_that_names_the_file_is_a_refusal(error: BaseException, state: str) -> None:
    assert classified(raises(error), Path("mine/file"))[0] == state


def test_a_raw_message_of_several_lines_is_a_failure() -> None:
    error = DataError("mine/file: one")
    error.args = ("mine/file: one\ntwo",)
    assert classified(raises(error), Path("mine/file"))[0] == "failed"


def test_a_reader_that_hangs_or_fills_the_memory_is_a_failure() -> None:
    outcomes: list[str] = []
    tallies = fuzz(
        [("driver-hangs", 0), ("driver-fills", 0), ("driver-dies", 0), ("policy", 0)],
        1,
        1,
        lambda one: outcomes.append(one.detail),
    )
    assert [tallies[name].failed for name in ("driver-hangs", "driver-fills", "driver-dies", "policy")] == [1, 1, 1, 0]
    assert "seconds" in outcomes[0] and "MemoryError" in outcomes[1] and "died" in outcomes[2]
