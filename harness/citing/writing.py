"""Refined answers as rows of the file that they were read from: only the marks of the answers differ."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.citing.answers import Answer, Statement
from harness.citing.reading.files import AnswerFile
from harness.citing.reading.rows import AnswerRow, rows_of
from harness.citing.reading.trec_rag import cited_numbers
from harness.citing.rewriting import numbers_of
from harness.workspace import write_atomically

_FIELDS = {"answers": "answer", "WebGLM-QA": "answer", "ALCE demonstrations": "answer", "ALCE": "output"}
"""The field with the text of an answer, by format."""


def write_answers(file: AnswerFile, answers: Sequence[Answer], out: Path) -> None:
    """Write answers as JSON lines in the format of the file that they were read from, with all other fields of its
    rows. Rows that could not be read are left out.

    Args:
        answers: in any order; each has the place of its row.
    """
    own = defaultdict[str, list[Answer]](list)
    for answer in answers:
        own[answer.where].append(answer)
    rows = [row for row in rows_of(file.path) if isinstance(row, AnswerRow) and row.where in own]
    out.parent.mkdir(parents=True, exist_ok=True)
    with write_atomically(out) as unfinished, unfinished.open("w", encoding="utf-8", newline="\n") as stream:
        for row in rows:
            fields = _with_texts(file.format, row.fields, own[row.where])
            stream.write(json.dumps(fields, ensure_ascii=False) + "\n")


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
        return {**fields, name: [{**one, "citations": _places(one, goal, ids)} for one, goal in sentences]}
    return {**fields, _FIELDS[form]: answers[0].text}


def _places(sentence: Mapping[str, Any], goal: Statement, ids: Sequence[str]) -> list[object]:
    """The citations of a sentence: those that stay as they are written, then the new ones in the same form."""
    written: list[object] = list(sentence.get("citations") or [])
    before, wanted = cited_numbers(written, ids, 0), numbers_of(goal)
    kept = [value for value, number in zip(written, before, strict=True) if number in wanted]
    new = sorted(wanted - set(before))
    return [*kept, *(ids[i - 1] if any(isinstance(one, str) for one in written) else i - 1 for i in new)]
