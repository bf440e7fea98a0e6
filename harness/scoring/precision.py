"""The number format of a run: specs that name none get the one of `--dtype`, so that every name says what it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from adapters.precision import HALVES, WHOLE
from adapters.precision_probe import resolve
from adapters.spec import Part, has_option, parse, with_option
from harness.progress import Reporter
from harness.scoring.costs.plan import WITHOUT_MODEL
from harness.scoring.retrieve import GIVEN

RunDtype = Literal["auto", "float32", "float16", "bfloat16"]
OPTION = "dtype"
CHOICES = ("auto", WHOLE, *HALVES)


def with_dtype(spec: str, dtype: str | None, part: Part, cache: Path | None, reporter: Reporter) -> str:
    """A spec with the number format of a run, if its model has the option and names none. float32 is the default of
    every model, so it adds nothing.

    Args:
        dtype: one of `CHOICES`; `auto` is measured on this device, once for each architecture. None: float32.
        cache: the folder that keeps what was measured; None keeps nothing.

    Raises:
        HarnessError: the spec cannot be opened.
    """
    if dtype in (None, WHOLE) or not takes_dtype(spec, part):
        return spec
    assert dtype is not None
    if dtype != "auto":
        return with_option(spec, OPTION, dtype)
    choice = resolve(spec, cache)
    reporter.note(f"{spec}: {choice}")
    return spec if choice.dtype == WHOLE else with_option(spec, OPTION, choice.dtype)


def run_with_dtype(
    first: str, rerankers: Sequence[str], dtype: str | None, cache: Path | None, reporter: Reporter
) -> tuple[str, list[str]]:
    """The first stage and the rerankers of a run with its number format; see `with_dtype`. A note says if no model of
    the run takes it."""
    parts: list[tuple[str, Part]] = [(first, "retriever"), *((one, "reranker") for one in rerankers)]
    if dtype not in (None, WHOLE) and not any(takes_dtype(*one) for one in parts):
        reporter.note(f"--dtype {dtype} changes nothing: every model of this run names its number format, or has none")
    named = [with_dtype(one, dtype, "reranker", cache, reporter) for one in rerankers]
    return with_dtype(first, dtype, "retriever", cache, reporter), named


def takes_dtype(spec: str, part: Part) -> bool:
    """Whether a model of a run gets the number format of the run: it has the option, and its spec does not set it."""
    if spec == GIVEN or spec.startswith(WITHOUT_MODEL) or OPTION in parse(spec).options:
        return False
    return has_option(spec, part, OPTION)
