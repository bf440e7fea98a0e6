"""A process that stores one thing of every kind again and again, and what has to be there after a power cut."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from adapters.atomic import new_folder, replace_folder
from adapters.identity import digest, text_digests
from adapters.sums import load_arrays, read_sealed, save_arrays, save_sealed
from adapters.vectors import VectorStore
from harness.judging.gate.looks import Look, LookLog, SystemRecord
from harness.result.store import Results
from harness.scoring.ledger.store import Entries, Ledger
from harness.workspace import Workspace

ROUNDS = 3
_SYSTEMS = (SystemRecord("anchor", ("a",)), SystemRecord("candidate", ("c",)))
_LOOK = Look(
    "1", "gate", "s", ("c",), "nDCG@10", *_SYSTEMS, policy="p", verdict="pass", alpha=0.01, figures={"costs": []}
)
_TEXTS = text_digests(["one", "two"])
_PAIRS = np.array([[0, 1], [1, 0]])


@dataclass(frozen=True)
class _Sealed:
    number: int


def _arrays(workspace: Workspace, number: int) -> None:
    save_arrays(workspace.runs / f"{number}.npz", str(number), {"a": np.arange(number + 2000)})


def _has_arrays(workspace: Workspace, number: int) -> bool:
    file = workspace.runs / f"{number}.npz"
    return file.exists() and len(load_arrays(file, str(number))["a"]) == number + 2000


def _sealed(workspace: Workspace, number: int) -> None:
    file = workspace.collections / "seen" / "entry.json"
    file.parent.mkdir(exist_ok=True)
    save_sealed(file, "entry", {"number": number})


def _has_sealed(workspace: Workspace, number: int) -> bool:
    file = workspace.collections / "seen" / "entry.json"
    return file.exists() and read_sealed(file, _Sealed, "entry")[0].number >= number


def _vectors(workspace: Workspace, number: int) -> None:
    store = VectorStore(workspace.cache / "embeddings", digest("embedder"))
    store.append(text_digests([str(number)]), np.full((1, 500), number, np.float32))


def _has_vectors(workspace: Workspace, number: int) -> bool:
    store = VectorStore(workspace.cache / "embeddings", digest("embedder"))
    wanted = text_digests([str(number)])
    return not len(store.missing(wanted)) and bool((store.gather(wanted) == number).all())


def _folder(workspace: Workspace, number: int) -> None:
    final = workspace.collections / f"folder-{number}"
    with new_folder(final) as made:
        (made / "inner").mkdir()
        (made / "inner" / "file").write_text("x" * 5000)
        replace_folder(made, final)


def _has_folder(workspace: Workspace, number: int) -> bool:
    final = workspace.collections / f"folder-{number}"
    return final.exists() and (final / "inner" / "file").read_text() == "x" * 5000


def _pairs(workspace: Workspace, number: int) -> None:
    with Ledger(workspace.ledger) as ledger:
        entries = Entries.unknown(len(_PAIRS))
        entries.score[:] = number
        ledger.record(ledger.scorer({"number": number}), _TEXTS, _TEXTS, _PAIRS, entries)


def _has_pairs(workspace: Workspace, number: int) -> bool:
    with Ledger(workspace.ledger) as ledger:
        known, entries = ledger.known(ledger.scorer({"number": number}), _TEXTS, _TEXTS, _PAIRS)
        return bool(known.all() and (entries.score == number).all())


def _look(workspace: Workspace, number: int) -> None:
    LookLog(workspace.results).keep(replace(_LOOK, split=str(number)))


def _has_look(workspace: Workspace, number: int) -> bool:
    return str(number) in [one.split for one in LookLog(workspace.results).all()]


def _noise(workspace: Workspace, number: int) -> None:
    with Results(workspace.results) as results:
        results.keep_noise(str(number), "nDCG@10", number / 100)


def _has_noise(workspace: Workspace, number: int) -> bool:
    with Results(workspace.results) as results:
        return results.noise(str(number), "nDCG@10") == number / 100


Step = tuple[Callable[[Workspace, int], None], Callable[[Workspace, int], bool]]
STEPS: Sequence[Step] = (
    (_look, _has_look), (_arrays, _has_arrays), (_pairs, _has_pairs), (_sealed, _has_sealed), (_vectors, _has_vectors),
    (_folder, _has_folder), (_noise, _has_noise),
)  # fmt: skip


def write(folder: Path) -> None:
    """Store everything in `folder/here/workspace`, and report each in the file `folder/reports`."""
    workspace = Workspace.open(folder / "here" / "workspace")
    with (folder / "reports").open("ab", buffering=0) as reports:
        for number in range(ROUNDS):
            for step, _ in STEPS:
                step(workspace, number)
                os.write(reports.fileno(), b"stored\n")


def check(folder: Path, done: int) -> str:
    """What is wrong in `folder/here/workspace`, of which `done` things were reported as stored; empty if nothing is.

    Raises:
        HarnessError: something is damaged.
    """
    workspace = Workspace.open(folder / "here" / "workspace")
    order = [(number, place) for number in range(ROUNDS) for place in range(len(STEPS))]
    there = {one: STEPS[one[1]][1](workspace, one[0]) for one in order}
    lost = [f"{STEPS[place][0].__name__[1:]} {number}" for number, place in order[:done] if not there[number, place]]
    return f"{', '.join(lost)} was reported as stored, and is lost" if lost else ""
