"""A language model behind an HTTP server that speaks OpenAI's chat completions: vLLM, llama.cpp, Ollama, a provider."""

from __future__ import annotations

import http.client
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from adapters.errors import EnvironmentFailure, HarnessError, ModelError, UsageError
from adapters.protocols import Identity, Prompt

_VERSION = 1
_PASSING = (408, 409, 425, 429, 500, 502, 503, 504)
"""Answers after which the same request may succeed."""
_PATIENCE = 30.0
"""The longest pause between two attempts, in seconds."""


class ChatGenerator:
    """Calls `<address>/chat/completions` once for each prompt.

    No server guarantees the same answer twice, even with temperature 0 and a seed, so the answers are kept. The
    identity holds the model's name and the settings, but not the address; which weights a server uses for a name is
    unknown.

    Args:
        address: as in `http://127.0.0.1:8000/v1`.
        model: the name that the server knows the model by.
        timeout: seconds for one answer.
        retries: further attempts after a temporary failure; the pause doubles each time.
        parallel: requests at a time.
        key_variable: the environment variable that holds the key of the server.

    Raises:
        UsageError: the address is not an http address, the model has no name, or a number is out of its range.
        ModelError: the server refuses, cannot be reached, or does not use this protocol; one line says which.
    """

    def __init__(
        self,
        address: str,
        *,
        model: str = "",
        temperature: float = 0.0,
        max_tokens: int = 512,
        seed: int = 0,
        timeout: float = 60.0,
        retries: int = 3,
        pause: float = 1.0,
        parallel: int = 4,
        key_variable: str = "OPENAI_API_KEY",
    ) -> None:
        if not is_web(address):
            raise UsageError(
                f"'{address}' is no http address; write for instance chat:http://127.0.0.1:8000/v1?model=x"
            )
        if not model:
            raise UsageError(f"chat:{address} does not say which model; add ?model=NAME")
        if timeout <= 0 or retries < 0 or parallel < 1 or max_tokens < 1:
            raise UsageError(f"chat:{address}: timeout, parallel and max_tokens are above 0, retries at least 0")
        self.name = model
        self._url = f"{address.rstrip('/')}/chat/completions"
        self._settings = {"model": model, "temperature": temperature, "max_tokens": max_tokens, "seed": seed}
        self._seed, self._timeout, self._retries, self._pause = seed, timeout, retries, pause
        self._parallel, self._key_variable = parallel, key_variable
        self.failures: list[str] = []
        """Why requests were made again, for instance `time-out` or `503`."""

    @property
    def identity(self) -> Identity:
        return {"adapter": "chat", "version": _VERSION, **self._settings}

    def generate(self, prompts: Sequence[Prompt]) -> Iterator[str]:
        """Yield answers in the order of the prompts. Answers that came before a failure are yielded first."""
        with ThreadPoolExecutor(self._parallel) as pool:
            asked = [pool.submit(self.answer, prompt.text) for prompt in prompts]
            try:
                for answer in asked:
                    yield answer.result()
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def answer(self, text: str, *, attempt: int = 0) -> str:
        """The answer to one prompt; '' for a refusal without a text.

        Args:
            attempt: added to the seed, so that a prompt which is sent again may get another answer.
        """
        settings = {**self._settings, "seed": self._seed + attempt}
        body = json.dumps({**settings, "messages": [{"role": "user", "content": text}]}).encode()
        pause = self._pause
        for tried in range(self._retries + 1):
            try:
                return _content(self._posted(body), self._url)
            except (OSError, http.client.HTTPException) as error:
                if tried == self._retries or not _may_pass(error):
                    raise _kind_of(error)(_failure_message(self._url, error, tried + 1, self._timeout)) from None
                self.failures.append(_short(error))
                time.sleep(min(pause, _PATIENCE))
                pause *= 2
        raise AssertionError  # the last attempt returns or raises

    def _posted(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        if key := os.environ.get(self._key_variable):
            headers["Authorization"] = f"Bearer {key}"
        request = urllib.request.Request(self._url, body, headers)
        with urllib.request.urlopen(request, timeout=self._timeout) as answer:
            received: bytes = answer.read()
            return received


def _content(body: bytes, url: str) -> str:
    try:
        content = json.loads(body)["choices"][0]["message"]["content"]
    except (ValueError, LookupError, TypeError):
        raise ModelError(
            f"{url}: the answer is not one of OpenAI's chat completions ({body[:80]!r}); check the address"
        ) from None
    return content if isinstance(content, str) else ""


def _kind_of(error: Exception) -> type[HarnessError]:
    """A server that understands the request and refuses it says that the model or an option is wrong."""
    if not isinstance(error, urllib.error.HTTPError) or error.code >= 500:
        return EnvironmentFailure
    return EnvironmentFailure if error.code in (*_PASSING, 401, 403) else ModelError


def _may_pass(error: Exception) -> bool:
    return not isinstance(error, urllib.error.HTTPError) or error.code in _PASSING


def _short(error: Exception) -> str:
    """The kind of a temporary failure."""
    if isinstance(error, urllib.error.HTTPError):
        return str(error.code)
    return "time-out" if isinstance(getattr(error, "reason", error), TimeoutError) else "no answer"


def _failure_message(url: str, error: Exception, attempts: int, timeout: float) -> str:
    tried = f" after {attempts} attempts" if attempts > 1 else ""
    if isinstance(error, urllib.error.HTTPError):
        with error:
            answer = " ".join(error.read(200).decode("utf-8", "replace").split())
        hint = "; set its key in the variable that key_variable names" if error.code in (401, 403) else ""
        return f"{url}: the server answers {error.code} {error.reason}{tried}: {answer[:160]}{hint}"
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"{url}: no answer within {timeout:g} seconds{tried}; raise it with ?timeout=..."
    return f"{url}: no answer{tried} ({reason}); is the server running?"


def is_web(address: str) -> bool:
    """Whether an address begins with http:// or https:// and can be read as one."""
    try:
        return urllib.parse.urlsplit(address).scheme in ("http", "https")
    except ValueError:
        return False
