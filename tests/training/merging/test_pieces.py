"""Large tensors are read in pieces; the size of a piece changes no result."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.training.merging import pico
from tests.training.merging.test_reference import RECIPES, SEEDS, read
from training.merging import combine
from training.merging.merge import merge
from training.merging.mergekit_yaml import from_mapping
from training.merging.methods import METHODS, Values, whole
from training.merging.sparse import Sparse
from training.merging.tensors import Floats

DRAWN = {"dare_ties", "dare_linear", "della", "della_linear"}
"""Their random numbers depend on where a piece begins, so pieces have a fixed size."""


@pytest.mark.parametrize(
    "name", [name for name, recipe in RECIPES.items() if recipe["merge_method"] not in DRAWN and "f32" not in name]
)
def test_small_pieces_give_the_same_numbers(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for model, seed in SEEDS.items():
        pico.write(tmp_path / model, pico.tensors(seed))
    merge(from_mapping(RECIPES[name], tmp_path), tmp_path / "one")
    monkeypatch.setattr(combine, "PIECE", 20)
    merge(from_mapping(RECIPES[name], tmp_path), tmp_path / "many")
    one, many = (read(tmp_path / each / "model.safetensors") for each in ("one", "many"))
    for tensor, values in one.items():
        np.testing.assert_allclose(many[tensor], values, rtol=0, atol=2e-6, err_msg=tensor)


def thinned(method: str, delta: Floats, shape: tuple[int, ...], **settings: float) -> Floats:
    """The differences that are left."""
    shared = {"lambda": 1.0, "normalize": False, "rescale": False, "int8_mask": False}
    values = Values(shared, {name: np.array([value]) for name, value in {"weight": 1.0, **settings}.items()})
    place = slice(0, len(delta))
    return Sparse(method, values, lambda: iter([(place, [delta.copy()])]), shape, "0/x").mix([delta.copy()], place)


def test_della_keeps_large_elements_of_a_row_more_often() -> None:
    rows, length = 400, 100
    delta = np.tile(np.arange(1, length + 1, dtype=np.float32), rows)
    kept = thinned("della", delta, (rows, length), density=0.5, epsilon=0.3).reshape(rows, length) != 0
    share = kept.mean(axis=0)
    wanted = np.linspace(0.2, 0.8, length)
    assert abs(share - wanted).max() < 5 * np.sqrt(0.25 / rows)  # five standard errors


def test_della_keeps_the_only_element_of_a_row_with_the_density() -> None:
    kept = thinned("della", np.ones(4_000, np.float32), (4_000, 1), density=0.3, epsilon=0.1) != 0
    assert abs(kept.mean() - 0.3) < 5 * np.sqrt(0.21 / 4_000)


def test_breadcrumbs_leave_out_the_largest_and_the_smallest() -> None:
    delta = np.random.default_rng(0).permutation(np.arange(1, 101)).astype(np.float32)
    left = thinned("breadcrumbs", delta, (100,), density=0.6, gamma=0.1)
    assert sorted(left[left != 0]) == list(range(31, 91))
    few = thinned("breadcrumbs", delta, (100,), density=0.95, gamma=0.1)  # the density goes before the outliers
    assert sorted(few[few != 0]) == list(range(1, 96))


@pytest.mark.parametrize("method", METHODS)
def test_only_methods_by_row_read_whole_rows(method: str) -> None:
    values = Values({"nuslerp_flatten": True, "nuslerp_row_wise": False}, {})
    assert whole(method, values, (7, 5)) == (5 if method.startswith("della") else 1)
    assert whole(method, values, ()) == 1
