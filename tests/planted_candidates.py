"""Candidates in which a fault can be planted: forty queries with twelve documents each, in an order that helps."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import blake2b

import numpy as np
import numpy.typing as npt

from harness.measuring.alarms.alarm import Alarm
from harness.measuring.ranking import ranks
from harness.scoring.audit import audit
from harness.scoring.ground import CandidatePool, prepare
from harness.scoring.retrieve import first_stage
from harness.scoring.system import Scores
from tests.tiny_collection import Place

QUERIES, WIDTH = 40, 12
Table = npt.NDArray[np.float32]
"""A score for every query and rank of the first stage, [QUERIES, WIDTH]."""


def hashed(query: int, rank: int) -> str:
    """An id that says nothing."""
    return blake2b(f"{query} {rank}".encode(), digest_size=8).hexdigest()


def planted(
    place: Place,
    *,
    relevant: Callable[[int], int] = lambda query: query % 5,
    text: Callable[[int, int], str] = lambda query, rank: f"answer {rank} to question {query}",
    name: Callable[[int, int], str] = hashed,
    judged: Callable[[int, int], bool] = lambda *_: True,
    rules: str = "",
    measures: tuple[str, ...] = ("nDCG@10", "RR@10"),
    missing: int = 0,
    query_text: Callable[[int], str] = lambda query: f"question {query}",
    queries: int = QUERIES,
) -> CandidatePool:
    """Ranks count from 0; the first stage puts rank 0 first."""
    corpus, qrels, lines = {}, [], []
    for query in range(queries):
        for rank in range(WIDTH):
            corpus[name(query, rank)] = text(query, rank)
            if query >= missing:
                lines.append(f"q{query} Q0 {name(query, rank)} 1 {1 / (rank + 1)} t")
            if rank == relevant(query) or judged(query, rank):
                qrels.append((f"q{query}", name(query, rank), int(rank == relevant(query))))
    asked: Mapping[str, str] = {f"q{query}": query_text(query) for query in range(queries)}
    collection = place.load(place.beir("planted", corpus, asked, qrels, rules=rules))
    with place.session() as session:
        stage = first_stage(f"run:{place.run_file(lines)}", place.workspace)
        return prepare(collection, stage, WIDTH, list(measures), session)


def sane(seed: int = 0, queries: int = QUERIES) -> Table:
    """What a reranker that likes the first ranks a little gives: no two scores alike."""
    noise = np.random.default_rng(seed).normal(size=(queries, WIDTH))
    return (noise - 0.2 * np.arange(WIDTH)).astype(np.float32)


def alarms_of(ground: CandidatePool, table: Table, kind: str = "run-file") -> dict[str, Alarm]:
    """The alarms of a reranker with these scores, by name; of several of one name the first.

    Args:
        kind: the key of its identity. Only a file has "run-file".
    """
    run = ground.candidates
    scores = table[run.queries, ranks(run) - 1].astype(np.float32)
    found = audit(ground, Scores(run.rescored(scores), {kind: "planted"})).alarms
    return {alarm.name: alarm for alarm in reversed(found)}
