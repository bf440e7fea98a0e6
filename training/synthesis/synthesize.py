"""`harness train synthesize`: documents of a corpus become synthetic queries, through a generator and a profile."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any, cast

import numpy as np

from adapters.errors import DataError
from adapters.identity import file_digest
from adapters.protocols import Generator, Integers
from adapters.spec import identity_of
from adapters.typed_values import Count, Positive, Share
from harness.data.collection import Collection, sampling_order
from harness.scoring.retrieve import bound
from harness.scoring.session import Session
from training.job import begin, finish, write_json, write_lines
from training.keys import check
from training.settings import SEED
from training.stages import Synthesis
from training.synthesis.answers import ask, known_answers
from training.synthesis.conformance import Conformance
from training.synthesis.parser import Judge, ParsedQuery, as_queries
from training.synthesis.profiles import Profile

STAGE = "synthesize"
ANSWERS = "answers.jsonl"
QUERIES = "queries.jsonl"
_VERSION = 1
_SHORTEST_DOCUMENT = 20
"""Characters below which there is nothing to ask."""


@dataclass(frozen=True)
class SynthesisSettings:
    """What a user may choose beside generator and profile."""

    documents: Positive | None = Synthesis.documents
    """Ask about this number, drawn by a hash of their ids; None: all. A larger number holds the smaller one's."""
    seed: Count = SEED
    floor: Share = Synthesis.floor
    """The share of queries that have to keep to the profile, from 0 to 1."""

    def __post_init__(self) -> None:
        check(self)


def synthesize(  # noqa: PLR0917
    corpus: Collection, generator: Generator, profile: Profile, wishes: SynthesisSettings, out: Path, session: Session
) -> dict[str, Any]:
    """Ask about every chosen document once, and write `answers.jsonl` as the answers come, then `queries.jsonl`,
    `conformance.json` and `manifest.json`. A second call with the same job asks only what is missing.

    Raises:
        ModelError: the generator fails, or keeps to the profile too rarely; what it answered is kept.
        DataError: no document is long enough.
        UsageError: the folder holds another job.
    """
    writer = cast(Generator, bound(generator, corpus, session.workspace.cache, None))
    job = _Job(corpus, writer, profile, wishes)
    if finished := begin(out, STAGE, job.about()):
        return finished
    conformance = Conformance(profile.count)
    queries = list(job.queries(out / ANSWERS, conformance, session))
    conformance.check(wishes.floor, writer.name, last=True)
    write_lines(out / QUERIES, queries)
    write_json(out / "conformance.json", conformance.as_dict())
    return finish(out, STAGE, {
        **job.about(),
        **job.named(),
        "queries": len(queries),
        "conformance": conformance.as_dict(),
        "digest": file_digest(out / QUERIES),
    })  # fmt: skip


def chosen(corpus: Collection, wishes: SynthesisSettings) -> Integers:
    """Rows of the documents that are asked about, in that order: long enough, and of equal texts one."""
    order = sampling_order(corpus.corpus.ids(), wishes.seed)
    seen: set[bytes] = set()
    rows: list[int] = []
    for row in order.tolist():
        words = corpus.corpus.digests[row].tobytes()
        if words in seen or len(corpus.corpus[row]) < _SHORTEST_DOCUMENT:
            continue
        seen.add(words)
        rows.append(row)
        if len(rows) == wishes.documents:
            break
    if not rows:
        raise DataError(
            f"{corpus.name}: no document has {_SHORTEST_DOCUMENT} characters or more; there is nothing to ask"
        )
    return np.array(rows, np.int64)


@dataclass(frozen=True)
class _Job:
    corpus: Collection
    generator: Generator
    profile: Profile
    wishes: SynthesisSettings

    def about(self) -> dict[str, object]:
        """Everything that can change a query. The floor is not in it: it only says when to give up."""
        return {
            "version": _VERSION,
            "corpus": self.corpus.fingerprint,
            "generator": dict(identity_of(self.generator)),
            "profile": self.profile.identity,
            "documents": self.wishes.documents,
            "seed": self.wishes.seed,
        }

    def named(self) -> dict[str, object]:
        """What the digests stand for."""
        return {
            "corpus_name": self.corpus.name,
            "corpus_documents": len(self.corpus.corpus),
            "generator_name": self.generator.name,
            "profile_settings": asdict(self.profile),
            "language": self.profile.language,
            "floor": self.wishes.floor,
        }

    def queries(self, file: Path, conformance: Conformance, session: Session) -> Iterator[dict[str, object]]:
        """Accepted queries in the order of the documents; what the file has is not asked again."""
        rows = chosen(self.corpus, self.wishes)
        ids = self.corpus.corpus.ids(rows)
        known = known_answers(file, ids)
        if known:
            session.reporter.note(f"{len(known):,} of {len(rows):,} documents have their answer already")
        rest = ((ids[at], self.profile.prompt(self._text(rows[at]))) for at in range(len(known), len(rows)))
        answers = chain(known, ask(self.generator, rest, file))
        judge = Judge(self.profile)
        with session.reporter.stage(f"{self.generator.name}: {self.profile.name}", len(rows)) as advance:
            for row, document, answer in zip(rows, ids, answers, strict=True):
                judged = judge.judge(answer, self._text(row))
                conformance.add(judged)
                conformance.check(self.wishes.floor, self.generator.name)
                yield from self._rows(document, judged)
                advance(1)

    def _rows(self, document: str, judged: list[ParsedQuery]) -> Iterator[dict[str, object]]:
        for number, query in enumerate(as_queries(judged), 1):
            named = {"language": self.profile.language, "profile": self.profile.name}
            yield {"_id": f"{document}#{number}", "text": query, "document": document, **named}

    def _text(self, row: np.int64) -> str:
        return self.corpus.corpus[int(row)]
