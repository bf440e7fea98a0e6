"""Refined answers in the layout of the file that they were read from: only the marks of the answers differ."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.citing.answers import Answer, Statement
from harness.citing.reading.files import AnswerFile
from harness.citing.reading.rows import AnswerRow, with_rows
from harness.citing.reading.trec_rag import cited_numbers
from harness.citing.rewriting import numbers_of
from harness.workspace import write_atomically

_FIELDS = {"answers": "answer", "WebGLM-QA": "answer", "ALCE demonstrations": "answer", "ALCE": "output"}
"""The field with the text of an answer, by format."""


def write_answers(file: AnswerFile, answers: Sequence[Answer], out: Path) -> None:
    """Write answers in the format and the layout of the file that they were read from, with all other fields of its
    rows. Rows that could not be read, and rows whose answers are the same, stay as they are.

    Args:
        answers: in any order; each has the place of its row.
        out: the file; gzipped if its name ends in .gz.

    Raises:
        OSError: the file cannot be written.
    """
    own = defaultdict[str, list[Answer]](list)
    for answer in answers:
        own[answer.where].append(answer)

    def change(row: AnswerRow) -> Mapping[str, Any] | None:
        fields = _with_texts(file.format, row.fields, own[row.where]) if row.where in own else row.fields
        return None if fields == row.fields else fields

    write_packed(with_rows(file.path, change), out)


def write_packed(content: bytes, out: Path) -> None:
    """Write a file and the folders above it, gzipped if its name ends in .gz.

    Raises:
        OSError: the file cannot be written.
    """
    out.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(out) as unfinished:
        unfinished.write_bytes(gzip.compress(content, mtime=0) if out.suffix == ".gz" else content)


def _with_texts(form: str, fields: Mapping[str, Any], answers: Sequence[Answer]) -> dict[str, Any]:
    if form == "ExpertQA":
        texts = {one.id.partition("/")[2]: one.text for one in answers}
        systems = {
            name: {**one, "answer_string": texts[name]} if name in texts else one
            for name, one in fields["answers"].items()
        }
        return {**fields, "answers": systems}
    if form == "TREC RAG":
        name = "answer" if isinstance(fields.get("answer"), list) else "responses"
        sentences = zip(fields[name], answers[0].given, strict=True)
        ids = [one.id for one in answers[0].references]
        named = any(isinstance(value, str) for one in fields[name] for value in one.get("citations") or [])
        return {**fields, name: [_cited(one, goal, ids, named=named) for one, goal in sentences]}
    return {**fields, _FIELDS[form]: answers[0].text}


def _cited(sentence: Mapping[str, Any], goal: Statement, ids: Sequence[str], *, named: bool) -> Mapping[str, Any]:
    """A sentence with other citations: those that stay as they are written, then the new ones. The sentence itself if
    it cites this already.

    Args:
        named: whether the row cites by ids, not by places.
    """
    written: list[object] = list(sentence.get("citations") or [])
    before, wanted = cited_numbers(written, ids, 0), numbers_of(goal)
    if wanted == set(before):
        return sentence
    kept = [value for value, number in zip(written, before, strict=True) if number in wanted]
    new = sorted(wanted - set(before))
    return {**sentence, "citations": [*kept, *(ids[i - 1] if named else i - 1 for i in new)]}
