"""A set of queries becomes examples with the teacher's labels: a pool, every pair scored once, a draw."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from harness.scoring.session import Session
from training.examples import Example
from training.job import write_lines
from training.mining.mine import Asked, mine, read_queries
from training.sources import read_examples
from training.synthesis.synthesize import QUERIES
from training.teaching.teach import EXAMPLES, TeachingSettings, lesson_of, teach
from training.utility.judged import with_judged
from training.utility.sets import CorpusQueries
from training.utility.settings import UtilitySettings

ById = Mapping[str, Example]


def teacher_examples(
    found: CorpusQueries, wishes: UtilitySettings, folder: Path, session: Session
) -> tuple[ById, dict[str, int]]:
    """Examples by the id of their query, and how many queries have none, by reason.

    Every example has the wanted number of documents; a query with fewer is left out, so that no arm costs more.
    """
    folder.mkdir(parents=True, exist_ok=True)
    asked = _written(found, folder)
    mine(found.corpus, found.target, asked, wishes.retrievers, wishes.pool_depth, folder / "pool", session)
    lesson = lesson_of(folder / "pool", found.corpus)
    if found.name == "real":
        lesson = with_judged(lesson, asked, found, wishes.plan.per_query)
    own = TeachingSettings(wishes.plan, max_length=wishes.settings.max_length, facts=wishes.facts)
    manifest = teach(lesson, [wishes.teacher], own, folder / "examples", session)
    names = dict(zip(asked.texts, asked.ids, strict=True))
    rows = read_examples(folder / "examples" / EXAMPLES).rows
    whole = {names[row.query]: row for row in rows if len(row.documents) == wishes.plan.per_query}
    left_out = {**manifest["left_out"], f"fewer than {wishes.plan.per_query} documents": len(rows) - len(whole)}
    return whole, {reason: count for reason, count in left_out.items() if count}


def _written(found: CorpusQueries, folder: Path) -> Asked:
    rows = (
        {"_id": one.id, "text": one.text,
         **({"document": one.document} if one.document else {}),
         **({"language": found.language} if found.language else {})}
        for one in found.queries
    )  # fmt: skip
    write_lines(folder / QUERIES, rows)
    return read_queries(folder / QUERIES, found.corpus)
