"""Generators as a plug-in author would write them, good and bad."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

from adapters.protocols import Identity, Prompt


class Echo:
    """Asks for the first words of the document, notes what it was asked, and dies after some answers if it shall."""

    name = "echo"

    def __init__(self, *, log: str | None = None, lives: int | None = None) -> None:
        self.identity: Identity = {"adapter": "echo"}
        self._log, self._lives = log, lives

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        for prompt in prompts:
            if self._lives == 0:
                raise RuntimeError("the server went away")
            if self._lives is not None:
                self._lives -= 1
            if self._log:
                with Path(self._log).open("a", encoding="utf-8") as file:
                    file.write(prompt.document + "\n")
            yield self._answer(prompt)

    def _answer(self, prompt: Prompt) -> str:
        words = prompt.document.split()
        return json.dumps([f"when does {' '.join(reversed(words[:5]))}", f"who says {' '.join(words[1:4])}"])


class Garbage(Echo):
    """Talks instead of answering."""

    name = "garbage"

    def _answer(self, prompt: Prompt) -> str:
        return "Sure! Here are some thoughts about your document."


class Counting(Echo):
    """Gives one answer too few."""

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        yield from list(super().generate(prompts))[:-1]
