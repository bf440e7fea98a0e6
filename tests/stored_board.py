"""Stores of any size without a model: rows as an evaluation would have left them, with values from a seed."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path
from typing import Any

import numpy as np

from harness.result.environment import machine
from harness.result.store import Results


@dataclass(frozen=True)
class MadeCollection:
    """A collection of a store."""

    name: str
    language: str | None = None
    queries: int = 40
    group: str | None = None
    measure: str = "nDCG@10"
    split: str = "test"
    sampled_from: int | None = None
    note: str | None = None

    @property
    def fingerprint(self) -> str:
        """Equal content, equal fingerprint."""
        return _digest(self.name, self.split, self.queries, self.sampled_from)


@dataclass(frozen=True)
class MadeSystem:
    """A system of a store, with the mean that its values are drawn around."""

    name: str | None
    """The reranker; None for a first stage."""
    mean: float
    first_stage: str = "bm25"
    depth: int = 100
    speed: float | None = None
    version: int = 1
    alarms: tuple[Any, ...] = ()
    without: tuple[str, ...] = field(default=())
    """Names of collections that it was not run on."""
    imported: bool = False


def store(workspace: Path, systems: Iterable[MadeSystem], collections: Sequence[MadeCollection], seed: int = 0) -> Path:
    """Write `results.sqlite`; a second call adds to it."""
    workspace.mkdir(parents=True, exist_ok=True)
    file = workspace / "results.sqlite"
    with Results(file):  # makes the tables
        pass
    with closing(sqlite3.connect(file)) as database, database:
        for one in collections:
            _collection(database, one)
        for number, system in enumerate(systems):
            for one in collections:
                if one.name not in system.without:
                    _evaluation(database, system, one, number, seed)
    return workspace


def values_of(system: MadeSystem, collection: MadeCollection, seed: int = 0) -> Any:
    """float64 [queries] in 0..1: how hard a query is, is the same for every system."""
    hard = np.random.default_rng([seed, *collection.fingerprint.encode()]).normal(0, 0.2, collection.queries)
    parts = str((system.name, system.first_stage, system.depth, system.version)).encode()
    own = np.random.default_rng([seed, *collection.fingerprint.encode(), *parts]).normal(0, 0.06, collection.queries)
    return np.clip(system.mean + hard + own, 0, 1)


def _collection(database: sqlite3.Connection, one: MadeCollection) -> None:
    counts = {"documents": 1000, "queries": one.queries, "judgments": 5 * one.queries, "judged_zero": 0}
    rules = {"main_measure": one.measure, "note": one.note}
    queries = [f"q{place}" for place in range(one.queries)]
    row = (
        one.fingerprint, one.name, one.split, one.language, one.sampled_from, json.dumps(counts), json.dumps(rules),
        json.dumps(queries), None, one.group,
    )  # fmt: skip
    database.execute(f"insert or replace into collection values ({_marks(row)})", row)


def _evaluation(database: sqlite3.Connection, system: MadeSystem, one: MadeCollection, number: int, seed: int) -> None:
    values = values_of(system, one, seed)
    id = _digest(system.name, system.first_stage, system.depth, system.version, one.fingerprint)[:12]
    made = {"adapter": "made", "weights": _digest(system.name, system.version), "max_length": 512}
    identity: dict[str, Any] = {
        "evaluator": 1, "collection": one.fingerprint, "retriever": {"adapter": "bm25", "k1": 1.2},
        "depth": system.depth, "candidates": _digest(system.first_stage, one.name), "reranker": made,
    }  # fmt: skip
    if system.imported:
        identity["imported"] = {"from": "a file"}
    candidates = one.queries * system.depth
    audit = {
        "candidates": candidates, "ties": {one.measure: [float(values.mean()), float(values.mean())]},
        "tokens": {"truncated": candidates // 20} if system.name else None, "alarms": list(system.alarms),
    }  # fmt: skip
    controls = {"chance": {one.measure: 0.11}, "oracle": {one.measure: 0.97}}
    environment = {"python": "3.11", "machine": machine(), "packages": {"numpy": "2", "torch": None}}
    at = f"2026-01-{system.version:02d}T00:00:{number % 60:02d}+00:00"
    row = (
        id, one.fingerprint, system.first_stage, system.name, system.depth, "c", json.dumps(identity),
        json.dumps(audit), json.dumps(controls), json.dumps(environment), f"harness run {one.name}", at, at,
    )  # fmt: skip
    database.execute(f"insert or replace into evaluation values ({_marks(row)})", row)
    value = (id, one.measure, float(values.mean()), values.astype("<f8").tobytes(), None)
    database.execute("insert or replace into value values (?, ?, ?, ?, ?)", value)
    if system.speed and system.name:
        timing = (id, machine(), candidates, candidates / system.speed, at)
        database.execute("insert into timing values (?, ?, ?, ?, ?)", timing)


def _digest(*parts: object) -> str:
    return blake2b(repr(parts).encode(), digest_size=16).hexdigest()


def _marks(row: Sequence[object]) -> str:
    return ", ".join("?" * len(row))
