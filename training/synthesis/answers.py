"""What a generator said, line by line as it came: a kill or a failure costs no answer that was written down."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from adapters.errors import DataError, ModelError
from adapters.protocols import Generator, Prompt

_TOGETHER = 16
"""Documents that a generator is asked about in one call."""


def known_answers(file: Path, documents: Iterable[str]) -> list[str]:
    """The answers that are there, which have to be those of the first documents; a line that broke off is cut away.

    Raises:
        DataError: the file is not of these documents.
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
    """Ask about documents, given by id and prompt, and hand out each answer once it is written down.

    Raises:
        ModelError: the generator gave more or fewer answers than prompts.
    """
    with file.open("a", encoding="utf-8") as written:
        for batch in _batches(prompts):
            came = 0
            for answer in generator.generate([prompt for _, prompt in batch]):
                if came == len(batch):
                    raise ModelError(f"{generator.name} gave more than {len(batch)} answers to {len(batch)} prompts")
                row = {"document": batch[came][0], "answer": answer}
                written.write(json.dumps(row, ensure_ascii=False) + "\n")
                written.flush()
                came += 1
                yield answer
            if came < len(batch):
                raise ModelError(f"{generator.name} gave {came} answers to {len(batch)} prompts")
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
