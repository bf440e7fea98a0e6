"""Answer files of TREC RAG 2024 and 2025, whose sentences list their citations as places in `references`, from 0."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.citing.answers import Answer, CitationMark, CitedReference, Statement
from harness.citing.marks import runs_of
from harness.citing.parsing import unmarked
from harness.citing.reading.rows import AnswerRow, RefusedRow, as_object, as_text
from harness.data.sources.jsonl import kind_of


def of_trec(row: AnswerRow, passages: Mapping[str, CitedReference]) -> list[Answer]:
    """The answer of a row. Its sentences and citations are taken as they are given; marks in the text of a sentence
    cite nothing. The answer's text is the sentences with their citations as marks.

    Raises:
        RefusedRow: a field is missing or has another type, or the passages lack a document.
    """
    about = AnswerRow("", 0, as_object(row.fields.get("metadata") or {}, "the field 'metadata'"))
    names, topics = ("topic_id", "narrative_id", "id"), ("topic", "narrative", "title", "question")
    id = row.identifier(*names) or about.identifier(*names)
    if id is None:
        raise RefusedRow("the field 'topic_id' (2024) or 'metadata.narrative_id' (2025) is missing; add it")
    references = tuple(_reference(one, at, passages) for at, one in enumerate(row.items("references"), 1))
    text, given = _joined(row, [one.id for one in references])
    question = row.optional_text(*topics) or about.optional_text(*topics) or ""
    return [Answer(id, question, text, references, language=None, where=row.where, given=given)]


def _reference(value: object, number: int, passages: Mapping[str, CitedReference]) -> CitedReference:
    id = as_text(value, f"reference {number}")
    if id not in passages:
        raise RefusedRow(f"reference {number} ({id}) has no text; give a file of passages that has it")
    return CitedReference(passages[id].text, passages[id].title, id)


def _joined(row: AnswerRow, ids: Sequence[str]) -> tuple[str, tuple[Statement, ...]]:
    """The text and its statements."""
    name = "answer" if isinstance(row.fields.get("answer"), list) else "responses"
    text, found = "", list[Statement]()
    for at, value in enumerate(row.items(name), 1):
        fields = AnswerRow("", at, as_object(value, f"sentence {at}"))
        sentence = fields.text("text").strip()
        start, begin = len(text), len(text) + len(sentence)
        marks = list[CitationMark]()
        text += sentence
        for number in cited_numbers(fields.items("citations"), ids, at):
            shown = f" [{number}]" if not marks else f"[{number}]"
            text += shown
            marks.append(CitationMark((len(text) - len(shown.strip()), len(text)), (number,)))
        text += " "
        claim = unmarked(sentence, runs_of(sentence, len(ids))).text.strip()
        found.append(Statement(claim, (start, max(begin, len(text))), tuple(marks)))
    return text, tuple(found)


def cited_numbers(values: Sequence[object], ids: Sequence[str], sentence: int) -> list[int]:
    """The numbers, from 1. A place that is not there, or an id that is not in `references`, is a number beyond them:
    one for each distinct value, in the order of the sentence.

    Raises:
        RefusedRow: a value is neither a whole number nor text.
    """
    beyond = dict[int | str, int]()
    return [_number(_place_or_id(value, sentence), ids, beyond) for value in values]


def _place_or_id(value: object, sentence: int) -> int | str:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise RefusedRow(f"a citation of sentence {sentence} is {kind_of(value)}; write places in 'references', from 0")
    return value


def _number(value: int | str, ids: Sequence[str], beyond: dict[int | str, int]) -> int:
    if isinstance(value, int) and 0 <= value < len(ids):
        return value + 1
    if isinstance(value, str) and value in ids:
        return ids.index(value) + 1
    return beyond.setdefault(value, len(ids) + 1 + len(beyond))
