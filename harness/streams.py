"""What commands write to a terminal: no sign of a foreign name is obeyed, and every encoding can be written."""

from __future__ import annotations

import codecs
import functools
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TextIO, TypeVar, cast

from adapters.plain_text import OBEYED, escape

P = ParamSpec("P")
T = TypeVar("T")
_HANDLER = "harness-escape"
_OF_OTHERS = re.compile(f"(?![\n\t]){OBEYED}")
_OF_BARS = re.compile(f"(?![\r\n\t]){OBEYED}")
"""Progress bars of libraries return to the start of their line; they are on standard error."""


class EscapedStream:
    """A text stream that escapes what a terminal would obey.

    Args:
        stream: where the text goes.
        obeyed: a pattern of one character to be escaped.
    """

    encoding = "utf-8"
    """Any text can be written, whatever the encoding of the stream."""

    def __init__(self, stream: TextIO, obeyed: re.Pattern[str]) -> None:
        self.stream = stream
        self._obeyed = obeyed

    def write(self, text: str) -> int:
        """Write the escaped text."""
        self.stream.write(self._obeyed.sub(escape, text))
        return len(text)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


def unescaped(stream: TextIO) -> TextIO:
    """The stream below an `EscapedStream`, for text that was escaped before colours were added."""
    return stream.stream if isinstance(stream, EscapedStream) else stream


def plain_output(run: Callable[P, T]) -> Callable[P, T]:
    """Let a command write escaped text while it runs."""

    @functools.wraps(run)
    def escaped(*args: P.args, **named: P.kwargs) -> T:
        with _writable(sys.stdout), _writable(sys.stderr):
            out, err = sys.stdout, sys.stderr
            sys.stdout, sys.stderr = (
                cast(TextIO, EscapedStream(stream, obeyed)) for stream, obeyed in ((out, _OF_OTHERS), (err, _OF_BARS))
            )
            try:
                return run(*args, **named)
            finally:
                sys.stdout, sys.stderr = out, err

    return escaped


@contextmanager
def _writable(stream: Any) -> Iterator[None]:
    """Write characters that the encoding of a stream lacks as escapes that JSON has too."""
    before = getattr(stream, "errors", None)
    if before is None or not hasattr(stream, "reconfigure"):
        yield
        return
    codecs.register_error(_HANDLER, _escaped)
    stream.reconfigure(errors=_HANDLER)
    try:
        yield
    finally:
        stream.reconfigure(errors=before)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    lost = error.object[error.start : error.end].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{lost[at]:02x}{lost[at + 1]:02x}" for at in range(0, len(lost), 2)), error.end
