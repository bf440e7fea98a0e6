"""The invariance trials: whether a reranker's scores depend on anything but the pair, and on what."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from adapters.batching import pick_device
from adapters.errors import HarnessError, ModelError, UsageError
from adapters.protocols import Floats, Reranker
from adapters.spec import identity_of, open_reranker, parse, with_option
from harness.checks.shift import Shift, Verdict, other_numbers, same_input, shift
from harness.checks.trials import Way, alone, natural, next_to_long_ones, request_of, seen, shuffled
from harness.measuring.alarms.alarm import Alarm
from harness.scoring.ground import CandidatePool
from harness.scoring.retrieve import bound

SMALL_BATCH, LARGE_BATCH = 256, 16384
"""Padded tokens per model call. The default is 2,048 on a CPU and 32,768 on a GPU."""
_PRECISIONS = ("float32", "bfloat16", "float16")
_HALF_BROKEN = 0.05
"""The share of swapped pairs above which a model in half precision no longer ranks as its weights do."""
_PROMPT = 256
"""The most tokens that an input is assumed to have besides the document."""


@dataclass(frozen=True)
class InvarianceFinding:
    """The result of one trial."""

    trial: str
    verdict: Verdict
    shift: Shift | None = None
    note: str = ""
    alarm: Alarm | None = None
    detail: str = ""
    """A sentence with the figures of a trial that has no shift."""


class Examination:
    """The trials of a pairwise reranker on a few candidates. The ledger is neither read nor written.

    Args:
        grounds: a few collections with their candidates.

    Raises:
        ModelError: the reranker cannot score these candidates.
    """

    def __init__(self, spec: str, grounds: Sequence[CandidatePool]) -> None:
        self.spec, self.grounds = spec, grounds
        self._adapter = open_reranker(spec)
        self._requests = [request_of(ground) for ground in grounds]
        self.first = self._scores(self._adapter, natural)
        self.again: list[Floats] = []
        """The scores of the shuffled trial: the same system, scored again."""
        self.own = 0.0
        """The largest change of a score when the same pair was scored together with other pairs."""

    def findings(self) -> Iterator[InvarianceFinding]:
        """Yield every trial when it is done. Trials with other batches come first, because the later ones are compared
        with the changes that these find."""
        self.again = self._scores(self._adapter, shuffled)
        yield self._same("shuffled", self.again)
        yield self._same("alone", self._scores(self._adapter, alone))
        yield self._batches("small batches", SMALL_BATCH, natural)
        yield self._batches("long neighbours", LARGE_BATCH, next_to_long_ones)
        yield from self._precisions()
        yield from self._lengths()

    def bound(self, ground: CandidatePool, adapter: object | None = None) -> Reranker:
        """Return the adapter for a collection, without its caches on disk."""
        collection = ground.collection
        found: Reranker = bound(adapter or self._adapter, collection, None, collection.rules.instruction)  # type: ignore[assignment]
        return found

    @property
    def identity(self) -> Mapping[str, object]:
        """The identity of the reranker on the first collection."""
        return identity_of(self.bound(self.grounds[0]))

    def _scores(self, adapter: object, way: Way) -> list[Floats]:
        asked = zip(self.grounds, self._requests, strict=True)
        return [way(self.bound(ground, adapter), request) for ground, request in asked]

    def _same(self, trial: str, scores: list[Floats], note: str = "") -> InvarianceFinding:
        moved = shift(self.grounds, self.first, scores)
        self.own = max(self.own, moved.largest)
        verdict = same_input(moved)
        message = f"{trial}: the scores of the same pairs change by up to {moved.largest:.2g}"
        return InvarianceFinding(
            trial, verdict, moved, note, None if verdict == "OK" else Alarm("batch-dependent", message)
        )

    def _batches(self, trial: str, tokens: int, way: Way) -> InvarianceFinding:
        def judge(adapter: object) -> InvarianceFinding:
            return self._same(trial, self._scores(adapter, way), f"batch_tokens={tokens}")

        found = self._variant(trial, "batch_tokens", tokens, judge)
        if found.verdict == "not possible" and way is not natural:  # this trial needs no option
            return self._same(trial, self._scores(self._adapter, way), "its own batches")
        return found

    def _precisions(self) -> Iterator[InvarianceFinding]:
        own = _deep(self.identity, "dtype")
        if own not in _PRECISIONS:
            yield InvarianceFinding("precision", "not possible", note="no option dtype")
            return
        wanted = [dtype for dtype in _PRECISIONS if dtype != own and "float32" in (own, dtype)]
        for dtype in wanted:
            if dtype == "float16" and pick_device(parse(self.spec).options.get("device")) == "cpu":
                yield InvarianceFinding(
                    f"{own} to {dtype}", "not possible", note="not tried on a CPU: many times slower there"
                )
            else:
                yield self._variant(f"{own} to {dtype}", "dtype", dtype, lambda adapter: self._half(str(own), adapter))

    def _half(self, own: str, adapter: object) -> InvarianceFinding:
        try:
            moved = shift(self.grounds, self.first, self._scores(adapter, natural))
        except ModelError as error:
            return InvarianceFinding("", "suspicious", None, str(error), Alarm("half-precision", str(error)))
        verdict = other_numbers(moved)
        if own != "float32" and moved.turned > _HALF_BROKEN:
            verdict = "broken"
        message = f"another precision swaps {100 * moved.turned:.1f} % of the pairs of candidates"
        return InvarianceFinding("", verdict, moved, "", None if verdict == "OK" else Alarm("half-precision", message))

    def _lengths(self) -> Iterator[InvarianceFinding]:
        own = _deep(self.identity, "max_length")
        if not isinstance(own, int):
            yield InvarianceFinding("length", "not possible", note="no option max_length")
            return
        reached = [seen(self.bound(g), request) for g, request in zip(self.grounds, self._requests, strict=True)]
        longest, cut = max(one.longest for one in reached), sum(one.cut for one in reached)
        half, double = f"{own // 2} tokens", f"{2 * own} tokens"
        if 0 <= longest < own // 2 - _PROMPT:
            yield InvarianceFinding(half, "OK", note=f"no document has more than {longest} tokens")
        else:
            yield self._variant(half, "max_length", own // 2, self._shorter)
        if cut == 0:
            yield InvarianceFinding(double, "OK", note=f"no document is cut at {own} tokens")
        else:
            yield self._variant(double, "max_length", 2 * own, self._longer)

    def _shorter(self, adapter: object) -> InvarianceFinding:
        return InvarianceFinding(
            "", "OK", shift(self.grounds, self.first, self._scores(adapter, natural)), "for information, not judged"
        )

    def _longer(self, adapter: object) -> InvarianceFinding:
        if identity_of(self.bound(self.grounds[0], adapter)) == self.identity:
            return InvarianceFinding("", "not possible", note="more than the model's positions")
        moved = shift(self.grounds, self.first, self._scores(adapter, natural))
        verdict = other_numbers(moved)
        message = f"a longer maximum length swaps {100 * moved.turned:.1f} % of the pairs of candidates"
        return InvarianceFinding("", verdict, moved, "", None if verdict == "OK" else Alarm("truncation", message))

    def _variant(
        self, trial: str, option: str, value: object, judge: Callable[[object], InvarianceFinding]
    ) -> InvarianceFinding:
        """Judge the reranker with another value of an option, if it has the option."""
        try:
            return replace(judge(open_reranker(with_option(self.spec, option, str(value)))), trial=trial)
        except UsageError as error:
            missing = "unknown option" in str(error)
            return InvarianceFinding(trial, "not possible", note=f"no option {option}" if missing else _short(error))
        except (HarnessError, RuntimeError, NotImplementedError) as error:
            return InvarianceFinding(trial, "not possible", note=_short(error))


def _deep(identity: Mapping[str, object], key: str) -> object:
    """Return the value of a key in an identity, or in an identity inside it; None if there is none."""
    if key in identity:
        return identity[key]
    inner = (value for value in identity.values() if isinstance(value, Mapping))
    return next((found for value in inner if (found := _deep(value, key)) is not None), None)


def _short(error: Exception) -> str:
    line = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    return line if len(line) <= 120 else f"{line[:117]}..."
