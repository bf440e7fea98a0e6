"""Records of adaptations that never were: with as many languages and arms as a test asks for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from hashlib import blake2b
from pathlib import Path
from typing import Any

from harness.result.adaptation.reading import read_record
from harness.result.adaptation.record import AdaptationRecord

EXAMPLE = Path(__file__).parents[2] / "training" / "adapting" / "record.example.json"
GAINS = {
    "base": 0.0, "stage-1": 0.02, "single-a-s0": 0.05, "single-a-s1": 0.045, "union": 0.055, "linear": 0.058,
    "slerp": 0.064, "greedy": 0.06, "t-0.25": 0.03, "t-0.5": 0.04, "t-0.75": 0.048, "first stage": -0.06,
    "teacher": 0.1,
}  # fmt: skip
KINDS = {"base": "base", "stage-1": "stage-1", "single-a-s0": "single", "single-a-s1": "single", "union": "union",
         "linear": "linear", "slerp": "slerp", "greedy": "greedy", "t-0.25": "curve", "t-0.5": "curve",
         "t-0.75": "curve"}  # fmt: skip
EIGHTEEN = (
    "ar", "bn", "de", "en", "es", "fa", "fi", "fr", "hi", "id", "ja", "ko", "ru", "sw", "te", "th", "yo", "zh",
)  # fmt: skip


_ABOUT = {
    "version": 2, "run": "adapt-3f9c0a71be52", "name": "adapted", "started": "2026-03-14T09:26:53+00:00",
    "seconds": 765.9, "state": "accepted", "accepted": "slerp",
    "reasons": ["slerp passed the gate", "merging is not claimed"], "base": {"name": "models/small", "weights": "8f14"},
    "teachers": [{"spec": "org/teacher", "licence": "apache-2.0", "training_sets": ["MS MARCO", "NQ", "HotpotQA"]}],
    "generator": "extractive",
    "corpora": [{"name": "wiki-de", "fingerprint": "95d1", "documents": 1240, "language": "de"}], "first_stage": "bm25",
    "depth": 100, "measure": "nDCG@10", "policy": {"margin": 0.005},
}  # fmt: skip


def example() -> dict[str, Any]:
    """The record that the loop's tests have."""
    return dict(json.loads(EXAMPLE.read_text("utf-8")))


def begun() -> dict[str, list[Any]]:
    """What a record lacks before anything was done."""
    return {key: [] for key in ("timeline", "tasks", "arms", "scores", "looks", "claims", "reasons")}


def record(tmp: Path, values: Mapping[str, Any]) -> AdaptationRecord:
    """Read what was made."""
    file = tmp / "record.json"
    file.write_text(json.dumps(values), "utf-8")
    return read_record(file)


def made(
    languages: Sequence[str] = ("de", "sw"), *, singles: int = 2, source: bool = True, **more: Any
) -> dict[str, Any]:
    """A record with these languages; `more` replaces fields."""
    gains = dict(GAINS)
    kinds = dict(KINDS)
    for place in range(2, singles):
        gains[f"single-{place:02}-s0"], kinds[f"single-{place:02}-s0"] = 0.04 + 0.001 * place, "single"
    scores = [
        one
        for tier in ("dev", "gate", "final")
        for arm, gain in gains.items()
        if tier != "gate" or arm in ("base", "slerp")
        for one in _of_tier(arm, gain, tier, [(f"miracl/{language}", language) for language in languages])
    ]
    scores += [one for arm, gain in gains.items() if source and arm not in ("teacher", "first stage")
               for one in _of_tier(arm, -0.3 * gain, "source", [("msmarco", "en")])]  # fmt: skip
    broken = _arm("given-broken", "given") | {"refused": ["classifier.weight: its norm is 10.0 times that of the base"]}
    arms = [broken, *(_arm(name, kind) for name, kind in reversed(kinds.items()))]
    return {**deepcopy(_ABOUT), **_done(), "scores": scores, "arms": arms, **more}


def taught(values: dict[str, Any], more: Mapping[str, Any]) -> dict[str, Any]:
    """A record with one teacher more, which was not measured; the arm of the first is numbered then."""
    scores = [one | {"arm": "teacher 1"} if one["arm"] == "teacher" else one for one in values["scores"]]
    return values | {"teachers": [*values["teachers"], more], "scores": scores}


def _done() -> dict[str, Any]:
    """What was done, looked at and claimed."""
    events = [
        (0.0, 60.0, "stage-1", "stage-1", "done", "800 general examples, 100 steps"),
        (60.0, 96.0, "teach", "wiki-de", "done", "471 examples"), (156.0, 96.0, "teach", "wiki-sw", "known", ""),
        (252.0, 118.0, "fit", "union", "done", "236 steps"),
        (370.0, 0.4, "integrity", "given-broken", "refused", "its norm is 10.0 times that of the base"),
        (380.0, 1.2, "merge", "slerp", "done", ""), (390.0, 2.4, "merge", "linear", "done", ""),
        (700.0, 9.0, "gate", "slerp", "pass", "+6.1 points"), (710.0, 14.0, "final", "slerp", "pass", "+5.8 points"),
    ]  # fmt: skip
    claims = [
        ("adaptation", "base", 0.058, 0.031, 0.086, 0.0004, 0.0008, 2, True, "slerp is ahead of base by 5.8 points"),
        ("merging", "union", 0.006, -0.008, 0.019, 0.41, 0.82, 2, False, "slerp cannot be distinguished from union"),
    ]
    tasks = [
        ("wiki-de", "wiki-de", "generic/de", 471, 9, 11304, 471, "t/validation.json", "warned"),
        ("wiki-sw", "wiki-sw", "generic/sw", 466, 14, 11188, 466, None, None),
    ]
    looks = [
        ("look-1", "dev", "slerp", "base", "pass", True, 0.064, 0.034, 0.094, 0.0),
        ("look-2", "gate", "slerp", "base", "invalid", False, None, None, None, 0.0125),
    ]
    return {
        "timeline": [_row("at seconds stage name state detail", one) for one in events],
        "claims": [
            _row("claim against delta low high p adjusted_p family holds told", one) | {"winner": "slerp"}
            for one in claims
        ],
        "tasks": [
            _row("name corpus profile queries removed_as_leak pairs examples validation validated", one)
            for one in tasks
        ],
        "looks": [_row("id tier candidate anchor verdict better delta low high alpha", one) for one in looks],
    }


def _row(keys: str, values: tuple[object, ...]) -> dict[str, Any]:
    return dict(zip(keys.split(), values, strict=True))


def _arm(name: str, kind: str) -> dict[str, Any]:
    t = float(name[2:]) if kind == "curve" else None
    parts = ["stage-1", "single-a-s0"] if kind == "curve" else []
    if kind in ("linear", "slerp", "greedy"):
        parts = ["single-a-s0", "single-a-s1", "stage-1"][: 2 if kind == "greedy" else 3]
    return {"name": name, "kind": kind, "path": f"out/{name}", "parts": parts, "t": t, "refused": []}


def _of_tier(arm: str, gain: float, tier: str, collections: Sequence[tuple[str, str]]) -> list[dict[str, Any]]:
    found = []
    for name, language in collections:
        value = 0.45 + 0.3 * _draw(name) + gain * (0.4 + 1.2 * _draw(arm + name)) + 0.004 * _draw(tier + arm + name)
        found.append(_score(arm, tier, name, language, value, queries=240))
    if len(found) > 1:
        value = sum(one["value"] for one in found) / len(found)
        found.append(_score(arm, tier, "macro average", None, value, queries=240 * len(collections)))
    return found


def _score(arm: str, tier: str, name: str, language: str | None, value: float, *, queries: int) -> dict[str, Any]:
    half = 0.55 / queries**0.5
    id = None if language is None else blake2b(f"{arm}{tier}{name}".encode(), digest_size=6).hexdigest()
    return {
        "arm": arm, "tier": tier, "collection": name, "language": language, "measure": "nDCG@10", "value": value,
        "low": value - half, "high": value + half, "queries": queries, "evaluation": id,
    }  # fmt: skip


def _draw(text: str) -> float:
    """0 to 1, the same for the same text."""
    return blake2b(text.encode(), digest_size=1).digest()[0] / 255
