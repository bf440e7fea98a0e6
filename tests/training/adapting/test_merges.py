"""The proposals of an adaptation. What a user would lose: a soup with a broken part, or a merge that is not what its
name says."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from adapters import tiny
from adapters.errors import ModelError, UsageError
from harness.result.adaptation.record import ArmRecord
from tests.training.adapting.making import rewritten
from tests.training.merging import pico
from training.adapting.merges import bagged, facts, greedy, linear, sequential, slerp


def part(folder: Path, seed: int, distance: float = 0.3) -> ArmRecord:
    path = folder / f"single-{seed}"
    if not path.exists():
        pico.write(path, pico.tensors(seed, distance=distance))
    return ArmRecord(f"single-{seed}", "single", str(path))


def weights(one: ArmRecord) -> pico.Tensors:
    from safetensors.numpy import load_file

    return dict(load_file(Path(one.path) / "model.safetensors"))


def mean(*parts: ArmRecord) -> pico.Tensors:
    return {name: sum(weights(one)[name] for one in parts) / len(parts) for name in pico.SHAPES}  # type: ignore[misc]


def near(one: pico.Tensors, other: pico.Tensors) -> bool:
    return all(np.allclose(one[name], other[name], atol=1e-6) for name in pico.SHAPES)


def test_linear_is_the_mean_of_all_parts(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed) for seed in (1, 2, 3)]
    made = linear(parts, tmp_path / "run")
    assert made == ArmRecord(
        "linear", "linear", str(tmp_path / "run" / "checkpoints" / "linear"), ("single-1", "single-2", "single-3")
    )
    assert near(weights(made), mean(*parts))


def test_a_heavier_part_counts_more(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed) for seed in (1, 2)]
    made = linear(parts, tmp_path / "run", weights={"single-1": 3.0})
    assert near(weights(made), mean(parts[0], parts[0], parts[0], parts[1]))
    chain = sequential(parts, tmp_path / "run", weights={"single-1": 3.0})
    assert near(weights(chain), weights(slerp(parts[0], parts[1], 0.25, tmp_path / "run")))


def test_the_chain_of_slerps_follows_its_order(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed, 1.0) for seed in (1, 2, 3)]
    one = sequential(parts, tmp_path / "one")
    other = sequential(parts[::-1], tmp_path / "other")
    assert (one.name, one.kind, one.parts) == ("slerp", "slerp", ("single-1", "single-2", "single-3"))
    assert not near(weights(one), weights(other))
    half = slerp(parts[0], parts[1], 0.5, tmp_path / "one")
    assert near(weights(one), weights(slerp(half, parts[2], 1 / 3, tmp_path / "one"))), "t_k = 1/k"


def test_bags_are_merged_by_direction_with_equal_weights(tmp_path: Path) -> None:
    """Of two parts of equal length this is the middle of the arc, whatever the order of the parts."""
    parts = [part(tmp_path, seed, 1.0) for seed in (1, 2)]
    one, other = bagged(parts, tmp_path / "one"), bagged(parts[::-1], tmp_path / "other")
    assert (one.name, one.kind, one.parts) == ("bagged", "bagged", ("single-1", "single-2"))
    assert near(weights(one), weights(other))
    for name, value in weights(one).items():
        first, second = (weights(each)[name].astype(float) for each in parts)
        direction = first / np.linalg.norm(first) + second / np.linalg.norm(second)
        length = (np.linalg.norm(first) + np.linalg.norm(second)) / 2
        assert np.allclose(value, direction / np.linalg.norm(direction) * length, atol=1e-6), name


@pytest.mark.parametrize("values", [(0.1, -0.2), (2e-5, -1e-5), (0.1, 0.2, -0.3, -0.4), (0.0, 0.0, 0.0)])
def test_biases_of_one_number_that_cancel_out_are_averaged(values: Sequence[float], tmp_path: Path) -> None:
    """They have no mean direction; the run would end after all its trainings, or the bias would be rounding errors."""
    tiny.cross_encoder(tmp_path / "start")
    parts = [
        rewritten(tmp_path / "start", tmp_path / f"bag-{number}", partial(_bias, value))
        for number, value in enumerate(values)
    ]
    assert weights(bagged(parts, tmp_path / "run"))["classifier.bias"] == pytest.approx(np.mean(values))


def _bias(value: float, content: pico.Tensors) -> None:
    content["classifier.bias"][:] = value


def test_the_curve_goes_from_the_first_to_the_second(tmp_path: Path) -> None:
    first, second = part(tmp_path, 1), part(tmp_path, 2)
    ends = [slerp(first, second, t, tmp_path / "run") for t in (0.0, 1.0)]
    assert near(weights(ends[0]), weights(first)) and near(weights(ends[1]), weights(second))
    middle = slerp(first, second, 0.25, tmp_path / "run")
    assert (middle.name, middle.kind, middle.t, middle.parts) == ("t-0.25", "curve", 0.25, ("single-1", "single-2"))
    name = "model.layers.0.mlp.up_proj.weight"
    far = [float(np.linalg.norm(weights(middle)[name] - weights(one)[name])) for one in (first, second)]
    assert far[0] < far[1]
    with pytest.raises(UsageError, match="take 0 to 1"):
        slerp(first, second, 1.5, tmp_path / "run")


def test_a_merge_with_itself_changes_nothing(tmp_path: Path) -> None:
    one = part(tmp_path, 1)
    again = ArmRecord("again", "given", one.path)
    for made in (linear([one, again], tmp_path), sequential([one, again], tmp_path), slerp(one, again, 0.3, tmp_path)):
        assert all((weights(made)[name] == weights(one)[name]).all() for name in pico.SHAPES)


def test_one_part_is_itself_under_the_new_name(tmp_path: Path) -> None:
    one = part(tmp_path, 1)
    for made in (linear([one], tmp_path / "run"), sequential([one], tmp_path / "run")):
        assert (made.path, made.parts) == (one.path, ("single-1",))
    assert not (tmp_path / "run").exists()
    assert facts(linear([one], tmp_path / "run")) is None


def test_a_refused_part_is_never_merged(tmp_path: Path) -> None:
    one, bad = part(tmp_path, 1), ArmRecord("bad", "single", "nowhere", refused=("it has NaN",))
    merges: list[Callable[[], object]] = [
        lambda: linear([one, bad], tmp_path), lambda: sequential([bad, one], tmp_path),
        lambda: slerp(one, bad, 0.5, tmp_path), lambda: greedy([one, bad], lambda _: 1.0, tmp_path, 0.5),
        lambda: linear([bad], tmp_path),
    ]  # fmt: skip
    for made in merges:
        with pytest.raises(ModelError, match=r"bad was refused \(it has NaN\); it cannot be merged"):
            made()
    with pytest.raises(UsageError, match="no checkpoint to merge"):
        linear([], tmp_path)


def test_greedy_keeps_what_is_no_worse_and_asks_once_for_each(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed) for seed in (1, 2, 3, 4)]
    values = {("single-1", "single-2"): 0.6, ("single-1", "single-2", "single-3"): 0.59,
              ("single-1", "single-2", "single-4"): 0.6}  # fmt: skip
    asked: list[tuple[str, ...]] = []

    def value_of(one: ArmRecord) -> float:
        asked.append(one.parts)
        return values[one.parts]

    made, steps = greedy(parts, value_of, tmp_path / "run", 0.5)
    assert asked == list(values)
    assert [(one.ingredient, one.kept, one.before) for one in steps] == [
        ("single-2", True, 0.5), ("single-3", False, 0.6), ("single-4", True, 0.6)
    ]  # fmt: skip
    assert (made.name, made.kind, made.parts) == ("greedy", "greedy", ("single-1", "single-2", "single-4"))
    assert near(weights(made), mean(parts[0], parts[1], parts[3]))
    assert str(steps[1]) == "single-3 left out: 59.00 with it, 60.00 without"


def test_greedy_may_be_the_best_single_alone(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed) for seed in (1, 2)]
    made, steps = greedy(parts, lambda _: 0.4, tmp_path / "run", 0.5)
    assert (made.path, made.parts) == (parts[0].path, ("single-1",))
    assert [one.kept for one in steps] == [False]
    assert greedy(parts[:1], lambda _: 0.4, tmp_path / "run", 0.5)[1] == []


def test_a_value_that_is_no_number_decides_nothing(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed) for seed in (1, 2)]
    with pytest.raises(ModelError, match="is NaN"):
        greedy(parts, lambda _: math.nan, tmp_path / "run", 0.5)


def test_a_finished_merge_is_found_again(tmp_path: Path) -> None:
    parts = [part(tmp_path, seed) for seed in (1, 2)]
    made = linear(parts, tmp_path / "run")
    written = (Path(made.path) / "model.safetensors").stat().st_mtime_ns
    assert linear(parts, tmp_path / "run") == made
    assert (Path(made.path) / "model.safetensors").stat().st_mtime_ns == written
    with pytest.raises(UsageError, match="holds another merge"):
        linear([*parts, part(tmp_path, 3)], tmp_path / "run")


def test_the_fact_sheet_tells_a_slerp_that_was_none(tmp_path: Path) -> None:
    near_by = sequential([part(tmp_path / "near", seed, 0.01) for seed in (1, 2)], tmp_path / "near")
    found = facts(near_by)
    assert found is not None and (found.slerped, found.as_linear) == (0.0, 1.0)
    assert "0% of 35 tensors slerped, 100% fell back to linear; median angle" in str(found)
    wide = facts(sequential([part(tmp_path / "far", seed, 1.0) for seed in (1, 2)], tmp_path / "far"))
    assert wide is not None and wide.slerped > 0.5 and wide.median_angle is not None and wide.median_angle > 10
    soup = facts(linear([part(tmp_path / "far", seed) for seed in (1, 2)], tmp_path / "far"))
    assert soup is not None and (soup.slerped, soup.as_linear) == (0.0, 0.0)
    assert json.loads((tmp_path / "far/checkpoints/linear/merge-report.json").read_text("utf-8"))["method"] == "linear"
