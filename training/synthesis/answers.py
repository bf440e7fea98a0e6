"""The answers of a generator, written line by line as they come, so that a kill or a failure loses none of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from adapters.errors import DataError, ModelError
from adapters.protocols import Generator, Prompt

_TOGETHER = 16
"""Documents per call of a generator."""


def known_answers(file: Path, documents: Iterable[str]) -> list[str]:
    """Read the answers in a file, which have to belong to the first documents. An incomplete last line is removed.

    Raises:
        DataError: the file belongs to other documents.
    """
    if not file.exists():
        return []
    content = file.read_bytes()
    whole = content[: content.rfind(b"\n") + 1]
    if len(whole) < len(content):
        os.truncate(file, len(whole))
    answers = []
    for number, (line, document) in enumerate(zip(whole.splitlines(), documents, strict=False), 1):
        answers.append(_answer(line, document, f"{file}:{number}"))
    return answers


def ask(generator: Generator, prompts: Iterable[tuple[str, Prompt]], file: Path) -> Iterator[str]:
    """Send prompts to a generator, and yield each answer after it is written to the file.

    Raises:
        ModelError: the generator returned more or fewer answers than prompts.
    """
    with file.open("a", encoding="utf-8") as written:
        for batch in _batches(prompts):
            count = 0
            for answer in generator.generate([prompt for _, prompt in batch]):
                if count == len(batch):
                    raise ModelError(f"{generator.name} gave more than {len(batch)} answers to {len(batch)} prompts")
                row = {"document": batch[count][0], "answer": answer}
                written.write(json.dumps(row, ensure_ascii=False) + "\n")
                written.flush()
                count += 1
                yield answer
            if count < len(batch):
                raise ModelError(f"{generator.name} gave {count} answers to {len(batch)} prompts")
            os.fsync(written.fileno())


def _batches(prompts: Iterable[tuple[str, Prompt]]) -> Iterator[list[tuple[str, Prompt]]]:
    batch: list[tuple[str, Prompt]] = []
    for prompt in prompts:
        batch.append(prompt)
        if len(batch) == _TOGETHER:
            yield batch
            batch = []
    if batch:
        yield batch


def _answer(line: bytes, document: str, where: str) -> str:
    try:
        row = json.loads(line)
        if row["document"] == document:
            return str(row["answer"])
    except (ValueError, KeyError, TypeError):
        pass
    raise DataError(f"{where}: not the answer for document '{document}'; name an empty folder with --out")
