"""Make examples with the teacher's labels from a set of queries: mine a pool, score it, draw a sample."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.scoring.session import Session
from training.examples import Example
from training.job import write_lines
from training.mining.mine import SourcedQueries, mine, read_queries
from training.sources import read_examples
from training.synthesis.synthesize import QUERIES
from training.teaching.lesson import lesson_of
from training.teaching.settings import TeachingSettings
from training.teaching.teach import EXAMPLES, teach
from training.utility.judged import with_judged
from training.utility.sets import CorpusQueries
from training.utility.settings import UtilitySettings

ById = Mapping[str, Example]


def teacher_examples(
    query_set: CorpusQueries, settings: UtilitySettings, folder: Path, session: Session
) -> tuple[ById, dict[str, int]]:
    """Examples by the id of their query, and the number of queries without one, by reason.

    Every example has `plan.per_query` documents. Queries with fewer are left out, so that all arms cost the same.
    """
    folder.mkdir(parents=True, exist_ok=True)
    sourced = _written(query_set, folder)
    mine(
        query_set.corpus, query_set.target, sourced, settings.retrievers, settings.pool_depth, folder / "pool", session
    )
    teaching_set = lesson_of(folder / "pool", query_set.corpus)
    if query_set.name == "real":
        teaching_set = with_judged(teaching_set, sourced, query_set, settings.plan.per_query)
    teaching = TeachingSettings(settings.plan, max_length=settings.training.max_length, facts=settings.facts)
    manifest = teach(teaching_set, [settings.teacher], teaching, folder / "examples", session)
    names = dict(zip(sourced.texts, sourced.ids, strict=True))
    rows = read_examples(folder / "examples" / EXAMPLES).rows
    whole = {names[row.query]: row for row in rows if len(row.documents) == settings.plan.per_query}
    left_out = {**manifest["left_out"], f"fewer than {settings.plan.per_query} documents": len(rows) - len(whole)}
    return whole, {reason: count for reason, count in left_out.items() if count}


def _written(query_set: CorpusQueries, folder: Path) -> SourcedQueries:
    rows = (
        {"_id": one.id, "text": one.text,
         **({"document": one.document} if one.document else {}),
         **({"language": language} if (language := one.language or query_set.language) else {})}
        for one in query_set.queries
    )  # fmt: skip
    write_lines(folder / QUERIES, rows)
    return read_queries(folder / QUERIES, query_set.corpus)
