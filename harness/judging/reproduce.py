"""`harness reproduce`: runs a stored evaluation again from its sources, with the same specs.

It reads the source of the collection again and makes candidates, terms, vectors and scores in a workspace of its own.
So it costs what the first run did: reading the source, searching, and scoring every pair.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from adapters.budgets import carry_records
from adapters.errors import DataError, HarnessError
from adapters.identity import digest
from adapters.known_digests import read_again
from adapters.protocols import Identity
from adapters.spec import identity_of
from harness.data.collection import Collection
from harness.data.sources.build import collection_of as converted
from harness.data.sources.request import kept
from harness.progress import Reporter, Silent
from harness.result.evaluation import Evaluation
from harness.result.opening import stored_in
from harness.result.recall import as_measured, collection_of
from harness.result.select import evaluation_named
from harness.result.stemming import spelled_as
from harness.result.stored import Stored
from harness.running.experiment import evaluate
from harness.scoring.ground import prepare
from harness.scoring.retrieve import candidates_file, first_stage, load_candidates, save_candidates
from harness.scoring.session import opened
from harness.scoring.system import ModelReranker, systems
from harness.workspace import Workspace

SAME = 1e-6
"""The largest difference of means that counts as the same. It allows for float32 scores of another machine."""
CLOSE = 5e-4
"""A twentieth of a point: other hardware and libraries may swap a few near-ties."""
State = Literal["OK", "close", "differs"]


@dataclass(frozen=True)
class Deviation:
    """One measure, stored and recomputed. Values are fractions."""

    measure: str
    stored: float
    again: float
    queries: int
    """The number of queries whose value changed by more than `SAME`."""
    largest: float
    """The largest change of a query's value."""


@dataclass(frozen=True)
class Reproduction:
    """The result of running an evaluation again."""

    stored: Stored
    again: str
    """The id of the new evaluation. Equal content has an equal id."""
    deviations: tuple[Deviation, ...]
    changed: tuple[str, ...]
    """The keys of the identity that changed, such as `reranker.weights`."""
    respelled: tuple[str, ...] = ()
    """Specs that replaced stored ones: a BM25 with the language that it had at that time."""

    @property
    def state(self) -> State:
        """`OK`: the same values. `close`: means within a twentieth of a point, or the same values with another
        identity. `differs`: anything else."""
        moved = max((abs(one.again - one.stored) for one in self.deviations), default=0.0)
        if moved <= SAME and not self.changed:
            return "OK"
        return "close" if moved <= CLOSE else "differs"


def reproduce(
    workspace: Workspace,
    name: str,
    reporter: Reporter | None = None,
    *,
    keep_candidates: bool = False,
    stored_texts: bool = False,
) -> Reproduction:
    """Run an evaluation again, in a separate folder inside the workspace. A killed run continues there; a finished run
    removes the folder. The stored evaluation is not changed.

    Args:
        name: an evaluation; see `harness.result.select`.
        keep_candidates: use the stored candidates, and run only the reranker again. Default: False.
        stored_texts: use the texts and judgments in the workspace, which have to match their fingerprint, and do not
            read the source. Default: False.

    Raises:
        UsageError: the name matches no evaluation, or several.
        DataError: the source is gone or has changed, or the stored texts or candidates are damaged.
        ChangedFile: a file of a model has other bytes, although nothing wrote it; see `adapters.known_digests`.
        HarnessError: the first stage or the reranker can no longer be opened.
    """
    with stored_in(workspace.results) as results:
        stored = evaluation_named(name, list(results.all()))
        values = {measure: results.result(stored.id, measure).values for measure in stored.means}
        queries = results.queries(stored.id)
    with read_again(workspace.cache):
        apart = Workspace.open(workspace.path / f"reproduce-{stored.id}")
        carry_records(workspace.cache, apart.cache)
        of_texts = collection_of(workspace, stored, queries) if stored_texts else None
        collection = of_texts or _from_source(workspace, apart, stored, queries)
        if keep_candidates:
            _carry_candidates(stored, workspace, apart)
        first, rerankers = _named_as_stored(stored, collection, apart)
        system = systems(first, rerankers, stored.depth, apart)[-1]
        with opened(apart, reporter or Silent()) as session:
            ground = prepare(collection, system.first_stage, system.depth, list(stored.means), session)
            done = evaluate(ground, system, session)
    shutil.rmtree(apart.path)
    respelled = [one for one in (first, *rerankers) if one not in (stored.first_stage, stored.reranker)]
    return Reproduction(
        stored, done.id, tuple(_deviations(done, values)), tuple(_changed(done, stored)), tuple(respelled)
    )


def _from_source(workspace: Workspace, apart: Workspace, stored: Stored, queries: list[str]) -> Collection:
    """Return the collection of an evaluation, converted again from its source into the separate workspace."""
    name, instead = stored.collection.name, "or add --stored-texts to start from the texts in the workspace"
    request = kept(workspace, stored.collection.whole)
    if request is None:
        raise DataError(
            f"the workspace does not say where {name} was read from; run again: {stored.command}; {instead}"
        )
    try:
        whole = converted(request.open(workspace), apart)
    except (HarnessError, OSError) as error:
        raise DataError(f"{name}: its source cannot be read again ({error}); restore it, {instead}") from None
    return as_measured(whole, stored, queries)


def _named_as_stored(stored: Stored, collection: Collection, apart: Workspace) -> tuple[str, list[str]]:
    """Return the stored specs. A BM25 that had another language gets an option for it."""

    def stage(spec: str) -> Identity:
        return first_stage(spec, apart).identity(collection)

    def ranker(spec: str) -> Identity:
        return identity_of(ModelReranker(spec, apart.cache).on(collection))

    parts = stored.identity
    first = _as_stored(stored.first_stage, parts["retriever"], stage)
    return first, [_as_stored(stored.reranker, parts["reranker"], ranker)] if stored.reranker else []


def _as_stored(spec: str, wanted: object, identity: Callable[[str], Identity]) -> str:
    if not isinstance(wanted, Mapping) or wanted.get("adapter") != "bm25" or digest(identity(spec)) == digest(wanted):
        return spec
    return spelled_as(spec, wanted, identity) or spec


def _carry_candidates(stored: Stored, workspace: Workspace, apart: Workspace) -> None:
    retriever, fingerprint = stored.identity["retriever"], stored.collection.fingerprint
    file = candidates_file(workspace, fingerprint, retriever, stored.depth)  # type: ignore[arg-type]
    if file.exists():
        save_candidates(apart.runs / file.name, load_candidates(file, str(stored.identity["candidates"])))


def _deviations(done: Evaluation, stored: Mapping[str, np.ndarray]) -> Iterator[Deviation]:
    again = dict(zip(map(str, done.measures), done.values, strict=True))
    if done.paired is not None:
        again["p-MRR"] = done.paired.values
    for measure, before in stored.items():
        moved = np.abs(again[measure] - before)
        means = float(np.mean(before)), float(np.mean(again[measure]))
        yield Deviation(measure, *means, int((moved > SAME).sum()), float(moved.max(initial=0.0)))


def _changed(done: Evaluation, stored: Stored) -> Iterator[str]:
    before, now = _flat(stored.identity), _flat(done.made_of.content)
    for key in sorted(before.keys() | now.keys()):
        if before.get(key) != now.get(key):
            yield key


def _flat(value: object, path: str = "") -> dict[str, object]:
    if not isinstance(value, Mapping) or not value:
        return {path: list(value) if isinstance(value, tuple) else value}
    return {
        key: leaf
        for name, inner in value.items()
        for key, leaf in _flat(inner, f"{path}.{name}" if path else name).items()
    }
