"""`harness train synthesize`: write synthetic queries for the documents of a corpus, with a generator and a profile."""

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
from training.synthesis.parser import AnswerFilter, ParsedQuery, as_queries
from training.synthesis.profiles import Profile

STAGE = "synthesize"
ANSWERS = "answers.jsonl"
QUERIES = "queries.jsonl"
_VERSION = 1
_SHORTEST_DOCUMENT = 20
"""The smallest number of characters of a document that queries are written for."""


@dataclass(frozen=True)
class SynthesisSettings:
    """The settings of a synthesis, without generator and profile."""

    documents: Positive | None = Synthesis.documents
    """Write queries for this number of documents, drawn by a hash of their ids; None for all. A larger number includes
    the documents of a smaller one."""
    seed: Count = SEED
    floor: Share = Synthesis.floor
    """The smallest share of queries that keep to the profile, from 0 to 1."""

    def __post_init__(self) -> None:
        check(self)


def synthesize(  # noqa: PLR0917
    corpus: Collection, generator: Generator, profile: Profile, settings: SynthesisSettings, out: Path, session: Session
) -> dict[str, Any]:
    """Ask the generator about each chosen document once. Write `answers.jsonl` as the answers come, then
    `queries.jsonl`, `conformance.json` and `manifest.json`. A second call with the same job asks only for missing
    answers.

    Raises:
        ModelError: the generator fails, or too few of its queries keep to the profile; its answers are kept.
        DataError: no document is long enough.
        UsageError: the folder holds another job.
    """
    writer = cast(Generator, bound(generator, corpus, session.workspace.cache, None))
    job = _Job(corpus, writer, profile, settings)
    if finished := begin(out, STAGE, job.about()):
        return finished
    conformance = Conformance(profile.count)
    queries = list(job.queries(out / ANSWERS, conformance, session))
    conformance.check(settings.floor, writer.name, last=True)
    write_lines(out / QUERIES, queries)
    write_json(out / "conformance.json", conformance.as_dict())
    return finish(out, STAGE, {
        **job.about(),
        **job.named(),
        "queries": len(queries),
        "conformance": conformance.as_dict(),
        "digest": file_digest(out / QUERIES),
    })  # fmt: skip


def chosen(corpus: Collection, settings: SynthesisSettings) -> Integers:
    """Rows of the documents that queries are written for, in this order. Short documents and repeated texts are left
    out."""
    order = sampling_order(corpus.corpus.ids(), settings.seed)
    seen: set[bytes] = set()
    rows: list[int] = []
    for row in order.tolist():
        words = corpus.corpus.digests[row].tobytes()
        if words in seen or len(corpus.corpus[row]) < _SHORTEST_DOCUMENT:
            continue
        seen.add(words)
        rows.append(row)
        if len(rows) == settings.documents:
            break
    if not rows:
        raise DataError(
            f"{corpus.name}: no document has {_SHORTEST_DOCUMENT} characters or more, so no query can be written"
        )
    return np.array(rows, np.int64)


@dataclass(frozen=True)
class _Job:
    corpus: Collection
    generator: Generator
    profile: Profile
    settings: SynthesisSettings

    def about(self) -> dict[str, object]:
        """Everything that can change a query. The floor is not included: it only decides when to stop."""
        return {
            "version": _VERSION,
            "corpus": self.corpus.fingerprint,
            "generator": dict(identity_of(self.generator)),
            "profile": self.profile.identity,
            "documents": self.settings.documents,
            "seed": self.settings.seed,
        }

    def named(self) -> dict[str, object]:
        """The names and settings behind the digests."""
        return {
            "corpus_name": self.corpus.name,
            "corpus_documents": len(self.corpus.corpus),
            "generator_name": self.generator.name,
            "profile_settings": asdict(self.profile),
            "language": self.profile.language,
            "floor": self.settings.floor,
        }

    def queries(self, file: Path, conformance: Conformance, session: Session) -> Iterator[dict[str, object]]:
        """The accepted queries in the order of the documents. Answers in the file are not requested again."""
        rows = chosen(self.corpus, self.settings)
        ids = self.corpus.corpus.ids(rows)
        known = known_answers(file, ids)
        if known:
            session.reporter.note(f"{len(known):,} of {len(rows):,} documents have an answer already")
        rest = ((ids[at], self.profile.prompt(self._text(rows[at]))) for at in range(len(known), len(rows)))
        answers = chain(known, ask(self.generator, rest, file))
        judge = AnswerFilter(self.profile)
        with session.reporter.stage(f"{self.generator.name}: {self.profile.name}", len(rows)) as advance:
            for row, document, answer in zip(rows, ids, answers, strict=True):
                judged = judge.judge(answer, self._text(row))
                conformance.add(judged)
                conformance.check(self.settings.floor, self.generator.name)
                yield from self._rows(document, judged)
                advance(1)

    def _rows(self, document: str, judged: list[ParsedQuery]) -> Iterator[dict[str, object]]:
        for number, query in enumerate(as_queries(judged), 1):
            named = {"language": self.profile.language, "profile": self.profile.name}
            yield {"_id": f"{document}#{number}", "text": query, "document": document, **named}

    def _text(self, row: np.int64) -> str:
        return self.corpus.corpus[int(row)]
