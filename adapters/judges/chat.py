"""A language model behind an OpenAI-compatible server as a judge."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from importlib import resources
from itertools import islice

import numpy as np

from adapters.batching import collect
from adapters.chat import ChatGenerator
from adapters.errors import EnvironmentFailure, HarnessError, ModelError, UsageError
from adapters.identity import digest
from adapters.judges.pairs import named
from adapters.paths import user_path
from adapters.protocols import Floats, Identity, Scored

_PROMPT = "support-1"
_WORTH = {"supported": 1.0, "partial": 0.5, "unsupported": 0.0}
_THINKING = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_ANSWER = re.compile(r"(supported|partial|unsupported)\.?", re.IGNORECASE | re.ASCII)
"""Only ASCII: without case, Unicode takes other letters for s and i."""
_FIELDS = re.compile(r"\{(premise|claim)\}")
_SHOWN = 60


class ChatJudge:
    """Asks a server about each pair. The answer has to be one of the words SUPPORTED, PARTIAL and UNSUPPORTED.

    Any other answer, a refusal, a time-out or a temporary failure is counted and asked again, with another seed. A pair
    without a valid answer after all attempts is an error that names it: it is never skipped and has no default value.

    Args:
        address: as in `http://127.0.0.1:8000/v1`.
        model: the name that the server knows the model by.
        prompt: `support-1`, or a text file with the fields {premise} and {claim} that asks for the same words.
        asks: attempts to get a valid answer.
        timeout: seconds for one answer.
        retries: further requests after a temporary failure of the server.
        parallel: requests at a time.

    Raises:
        UsageError: the address, the model, the prompt or a number is wrong.
    """

    grades = (0.0, 0.5, 1.0)

    def __init__(
        self,
        address: str,
        *,
        model: str = "",
        prompt: str = _PROMPT,
        asks: int = 3,
        temperature: float = 0.0,
        max_tokens: int = 2048,
        seed: int = 0,
        timeout: float = 60.0,
        retries: int = 3,
        pause: float = 1.0,
        parallel: int = 4,
        key_variable: str = "OPENAI_API_KEY",
    ) -> None:
        if asks < 1:
            raise UsageError(f"chat:{address}: asks={asks} is not possible; it is 1 or more")
        self._chat = ChatGenerator(
            address, model=model, temperature=temperature, max_tokens=max_tokens, seed=seed, timeout=timeout,
            retries=retries, pause=pause, parallel=parallel, key_variable=key_variable,
        )  # fmt: skip
        self._prompt, self._asks, self._parallel = _prompt(prompt), asks, parallel
        self._rejected: list[str] = []

    @property
    def name(self) -> str:
        """The name of the model."""
        return self._chat.name

    @property
    def identity(self) -> Identity:
        """The model's name, the settings and the prompt, but not the address."""
        return {
            "judge": "chat",
            "version": 1,
            "prompt": digest({"text": self._prompt}),
            "chat": dict(self._chat.identity),
        }

    @property
    def asked_again(self) -> dict[str, int]:
        """How often a pair was asked again, by reason: `malformed`, `refused`, `time-out`, a status, `no answer`."""
        return dict(sorted(Counter([*self._rejected, *self._chat.failures]).items()))

    def judge(self, premises: Sequence[str], claims: Sequence[str]) -> Floats:
        """Return float32 [len(claims)]: 1, 0.5 or 0."""
        return collect(self.stream(premises, claims), len(claims))

    def stream(self, premises: Sequence[str], claims: Sequence[str]) -> Iterator[Scored]:
        """Yield every answer when it comes. The next pair is sent when the caller has taken an answer, so a caller that
        keeps each one loses at most `parallel` answers to a kill. Answers that came before a failure are yielded
        first."""
        pairs = iter(enumerate(zip(premises, claims, strict=True)))
        failure: BaseException | None = None
        with ThreadPoolExecutor(self._parallel) as pool:
            asked = {pool.submit(self._value, *pair): row for row, pair in islice(pairs, self._parallel)}
            while asked:
                done = next(iter(wait(asked, return_when=FIRST_COMPLETED).done))
                row = asked.pop(done)
                if (error := done.exception()) is None:
                    yield _one(row, done.result())
                else:
                    failure = failure or error
                if failure is None:
                    asked |= {pool.submit(self._value, *pair): row for row, pair in islice(pairs, 1)}
        if failure is not None:
            raise failure

    def _value(self, premise: str, claim: str) -> float:
        texts = {"premise": premise, "claim": claim}
        asked = _FIELDS.sub(lambda field: texts[field[1]], self._prompt)
        last = ""
        for attempt in range(self._asks):
            try:
                last = self._chat.answer(asked, attempt=attempt)
            except HarnessError as error:
                kind = type(error) if isinstance(error, EnvironmentFailure) else ModelError
                raise kind(f"{error}, for {named(premise, claim)}") from None
            found = _ANSWER.fullmatch(_THINKING.sub("", last).strip())
            if found is not None:
                return _WORTH[found[1].lower()]
            self._rejected.append("malformed" if last.strip() else "refused")
        shown = " ".join(last.split())[:_SHOWN]
        raise ModelError(
            f"{self.name}: no valid answer in {self._asks} attempts for {named(premise, claim)}; the last was "
            f"{shown!r}; the answer has to be SUPPORTED, PARTIAL or UNSUPPORTED alone; use another model, or raise "
            "?max_tokens="
        )


def _one(row: int, value: float) -> Scored:
    unknown = np.array([-1], np.int32)
    return Scored(np.array([row]), np.array([value], np.float32), unknown, unknown, np.zeros(1, np.uint64))


def _prompt(name: str) -> str:
    if name == _PROMPT:
        return (resources.files("adapters.judges") / f"prompts/{_PROMPT}.txt").read_text("utf-8")
    file = user_path(name)
    try:
        text = file.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"prompt={name} is neither {_PROMPT} nor a text file that can be read ({error})") from None
    if sorted({field[1] for field in _FIELDS.finditer(text)}) != ["claim", "premise"]:
        raise UsageError(f"{file}: a prompt has the fields {{premise}} and {{claim}}; add what is missing")
    return text
