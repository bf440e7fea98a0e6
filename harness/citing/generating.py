"""Answers to the queries of a collection, written by a generator from the passages that a stored system ranks first."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adapters.errors import UsageError
from adapters.protocols import Generator, Prompt
from harness.citing.answers import Answer, CitedReference
from harness.citing.writing import write_packed
from harness.data.collection import sampling_order
from harness.progress import Reporter
from harness.result.opening import stored_in
from harness.result.recall import Recalled
from harness.result.select import Wanted, narrowed, system_named
from harness.result.stored import Stored
from harness.workspace import Workspace

INSTRUCTION = (
    "Write an accurate, engaging, and concise answer to the question with the documents below only. Some of them may "
    "be irrelevant. Cite a document for every statement, as [1] for the first document and [1][2] for two, at the end "
    "of the sentence, before the full stop. Cite at most three documents in a sentence, and only documents that "
    "support it."
)
"""What the generator is asked for, after the instruction of ALCE (Gao et al. 2023)."""
_AT_ONCE = 16


@dataclass(frozen=True)
class AskedQuestion:
    """A query and the passages that are shown to the generator."""

    id: str
    text: str
    passages: tuple[CitedReference, ...]


def stored_system(name: str, workspace: Workspace, wanted: Wanted) -> Stored:
    """Return the stored evaluation of a system on one collection.

    Raises:
        UsageError: the name matches no system, or it was measured on several collections.
    """
    with stored_in(workspace.results) as results:
        stored = list(results.all())
    found = list(system_named(name, narrowed(stored, wanted), stored).evaluations)
    places = {one.collection.fingerprint: one for one in found}
    if len(places) > 1:
        names = ", ".join(sorted({one.collection.name for one in found})[:5])
        raise UsageError(f"'{name}' was measured on several collections ({names}); name one with --collection")
    return found[-1]


def questions_of(recalled: Recalled, passages: int, queries: int | None = None) -> list[AskedQuestion]:
    """Return the queries with their first passages, in the order of the collection.

    Args:
        passages: the number of passages of a query.
        queries: take only this number of queries, those whose salted id hash is smallest. Default: all.
    """
    run, collection = recalled.run, recalled.collection
    order, ids = run.order(), collection.queries.ids()
    chosen = np.sort(sampling_order(ids, 0)[:queries]) if queries else np.arange(len(ids))
    tops = [run.documents[order[run.offsets[row] : run.offsets[row + 1]][:passages]] for row in chosen]
    texts = collection.queries.take(chosen)
    return [
        AskedQuestion(
            ids[row],
            text,
            tuple(map(CitedReference, collection.corpus.take(top), [""] * len(top), collection.corpus.ids(top))),
        )
        for row, text, top in zip(chosen.tolist(), texts, tops, strict=True)
    ]


def prompt_of(question: AskedQuestion, language: str | None) -> Prompt:
    """Return what the generator reads."""
    shown = "\n".join(f"Document [{at}]: {one.text}" for at, one in enumerate(question.passages, 1))
    text = f"{INSTRUCTION}\n\nQuestion: {question.text}\n\n{shown}\n\nAnswer:"
    document = "\n".join(one.text for one in question.passages)
    return Prompt(text, document, language=language, words=(20, 200), grammar="line")


def generated(
    questions: Sequence[AskedQuestion], generator: Generator, language: str | None, reporter: Reporter
) -> Iterator[Answer]:
    """Yield an answer for each question."""
    with reporter.stage(f"answers of {generator.name}", len(questions)) as advance:
        for start in range(0, len(questions), _AT_ONCE):
            part = questions[start : start + _AT_ONCE]
            texts = generator.generate([prompt_of(one, language) for one in part])
            for one, text in zip(part, texts, strict=True):
                advance(1)
                yield Answer(one.id, one.text, text.strip(), one.passages, language=language)


def write_generated(answers: Sequence[Answer], out: Path) -> None:
    """Write answers in our own format, as JSON lines, gzipped if the name ends in .gz."""
    write_packed("".join(json.dumps(fields_of(one), ensure_ascii=False) + "\n" for one in answers).encode(), out)


def fields_of(one: Answer) -> dict[str, object]:
    """Return an answer as a row of our own format."""
    references = [{"id": each.id, "text": each.text} for each in one.references]
    fields = {"id": one.id, "question": one.question, "answer": one.text, "references": references}
    return {**fields, **({} if one.language is None else {"language": one.language})}
