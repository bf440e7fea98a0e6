"""A gate never compares two number formats, and never calls better what other batches could have done."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

import harness
from adapters.errors import UsageError
from harness.judging.gate.policy import Policy
from harness.judging.gate.reasons import noise_of
from harness.measuring.half_noise import HalfNoise
from harness.result.store import Results
from tests.harness.judging.gate.fakes import FAKE, Reader, readable
from tests.harness.judging.gate.pairs import judged, paired
from tests.tiny_collection import FIRST, Place

HERE = "tests.harness.judging.gate.test_formats:Formatted"
PLAIN, HALF = f"{HERE}?wrong=0.02", f"{HERE}?wrong=0.02&dtype=bfloat16"


class Formatted(Reader):
    """A reader with a number format."""

    def __init__(
        self, *, wrong: float = 0.0, seed: int = 0, dtype: Literal["float32", "float16", "bfloat16"] = "float32"
    ) -> None:
        super().__init__(wrong=wrong, seed=seed)
        self.identity = {**self.identity, "dtype": dtype}


def gate(place: Place, candidate: str, anchor: str, workspace: Path | None = None, **more: object) -> harness.Decision:
    if not (place.path / "coll").exists():
        readable(place)
    policy = Policy(anchor=anchor, depth=5, margin=0.15, targets=(str(place.path / "coll"),), first_stage=FIRST)
    return harness.gate(candidate, policy, workspace=workspace or place.workspace.path, **more)  # type: ignore[arg-type]


def test_two_formats_are_refused_before_anything_is_scored(place: Place) -> None:
    with pytest.raises(UsageError) as refused:
        gate(place, HALF, HERE)
    assert str(refused.value) == (
        f"the anchor '{HERE}' computes in float32 and the candidate '{HALF}' in bfloat16; a gate needs one number "
        "format: write ?dtype=bfloat16 after the anchor, or ?dtype=float32 after the candidate"
    )
    with Results(place.workspace.results) as results:
        assert list(results.all()) == []


def test_the_option_gives_both_sides_one_format(place: Place) -> None:
    found = gate(place, PLAIN, HERE, dtype="bfloat16")
    assert found.verdict == "pass"
    assert found.anchor == f"{HERE}?dtype=bfloat16"
    assert gate(place, PLAIN, HERE).anchor == HERE


def test_an_anchor_without_a_format_is_comparable_with_everything(place: Place) -> None:
    assert gate(place, HALF, f"{FAKE}:Reader").verdict == "pass"


@pytest.mark.parametrize("sequential", [False, True])
def test_a_stored_anchor_of_another_format_makes_the_numbers_invalid(place: Place, *, sequential: bool) -> None:
    elsewhere = place.path / "main"
    gate(place, HERE, f"{FAKE}:Reader", elsewhere)
    found = gate(place, HALF, HERE, against=elsewhere, sequential=sequential)
    assert found.verdict == "invalid"
    assert found.reasons[0].startswith("coll: the anchor was scored in float32, the candidate in bfloat16")


def test_the_floor_of_half_precision_counts_as_noise(place: Place) -> None:
    found = gate(place, HALF, f"{HERE}?dtype=bfloat16")
    assert found.found.look is not None
    with Results(place.workspace.results) as results:
        noise = results.find(found.found.look.candidate.evaluations[0]).audit.noise
    assert isinstance(noise, HalfNoise) and noise.pairs > 0


def test_a_gain_within_the_noise_is_not_called_better() -> None:
    gains = [paired(name, 0.02) for name in "abcdefgh"]
    assert judged(*gains, policy=Policy(margin=0.2)).better
    noisy = [replace(one, noise=0.03) for one in gains]
    found = judged(*noisy, policy=Policy(margin=0.2))
    assert (found.state, found.better) == ("pass", False)
    assert noise_of(noisy, [1 / 8] * 8) == pytest.approx(0.03)  # type: ignore[arg-type]
