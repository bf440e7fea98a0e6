"""Promises of `--dtype auto`: a number format is measured on this device, once for each architecture, and kept. The
clock is the test's own."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from adapters import precision, precision_probe, tiny
from adapters.errors import ModelError, UsageError
from adapters.precision import Dtype
from adapters.precision_probe import PrecisionChoice, Timers, read_choice, resolve
from adapters.sums import DamagedFile, DamageWarning

pytest.importorskip("torch")


@dataclass
class Clock:
    """A device on which half precision is some times faster, by products and by whole models."""

    products: float
    models: float = 1.0
    failure: Exception | None = None
    asked: list[str] = field(default_factory=list)

    @property
    def timers(self) -> Timers:
        return Timers(self.product, self.model)

    def product(self, dtype: Dtype, device: str, width: int) -> float:
        self.asked.append(f"{dtype} {device} {width}")
        return 1.0 if dtype == "float32" else 1 / self.products

    def model(self, spec: str) -> float:
        self.asked.append(spec)
        if "dtype" not in spec:
            return 1.0
        if self.failure is not None:
            raise self.failure
        return 1 / self.models


@pytest.fixture
def model(tmp_path: Path) -> str:
    return f"{tiny.cross_encoder(tmp_path / 'model')}?device=cpu"


def stored(folder: Path) -> list[Path]:
    return sorted((folder / precision_probe.FOLDER).glob("*.json"))


def test_half_precision_is_chosen_where_the_model_is_faster_in_it(model: str, tmp_path: Path) -> None:
    clock = Clock(products=4, models=2.5)
    found = resolve(model, tmp_path, clock.timers)
    assert (found.dtype, found.speedup, found.by) == ("bfloat16", 2.5, "the model")
    assert clock.asked == ["float32 cpu 32", "bfloat16 cpu 32", model, f"{model}&dtype=bfloat16"]


def test_no_model_is_loaded_where_products_are_slower(model: str, tmp_path: Path) -> None:
    clock = Clock(products=1 / 70)
    found = resolve(model, tmp_path, clock.timers)
    assert (found.dtype, found.by) == ("float32", "products of matrices")
    assert str(found) == "float32 (bfloat16 is 0.0143 times as fast as float32 here, by products of matrices)"
    assert len(clock.asked) == 2


@pytest.mark.parametrize(("models", "dtype"), [(1.29, "float32"), (1.3, "bfloat16")])
def test_a_small_gain_is_not_worth_the_rounding(model: str, models: float, dtype: str) -> None:
    assert resolve(model, None, Clock(4, models).timers).dtype == dtype


def test_an_answer_is_kept_and_shared_by_checkpoints_of_one_architecture(model: str, tmp_path: Path) -> None:
    first = resolve(model, tmp_path, Clock(4, 2.5).timers)
    other = tiny.cross_encoder(tmp_path / "other", seed=1)
    clock = Clock(1)
    assert resolve(model, tmp_path, clock.timers) == resolve(f"{other}?device=cpu", tmp_path, clock.timers) == first
    assert clock.asked == []
    assert [read_choice(file) for file in stored(tmp_path)] == [first]


def test_another_architecture_is_measured_itself(model: str, tmp_path: Path) -> None:
    resolve(model, tmp_path, Clock(4, 2.5).timers)
    other = tiny.cross_encoder(tmp_path / "other", architecture="modernbert")
    assert resolve(f"{other}?device=cpu", tmp_path, Clock(1).timers).dtype == "float32"
    assert len(stored(tmp_path)) == 2


def test_a_damaged_answer_is_set_aside_and_measured_again(model: str, tmp_path: Path) -> None:
    resolve(model, tmp_path, Clock(1).timers)
    (file,) = stored(tmp_path)
    file.write_text(file.read_text("utf-8").replace("float32", "bfloat16"), "utf-8")
    with pytest.raises(DamagedFile):
        read_choice(file)
    with pytest.warns(DamageWarning, match="the number format is measured again"):
        assert resolve(model, tmp_path, Clock(1).timers).dtype == "float32"
    assert read_choice(file).dtype == "float32"


def test_an_answer_without_its_digest_is_measured_again(model: str, tmp_path: Path) -> None:
    resolve(model, tmp_path, Clock(1).timers)
    (file,) = stored(tmp_path)
    content = json.loads(file.read_text("utf-8"))
    del content["sum"]
    file.write_text(json.dumps(content), "utf-8")
    with pytest.warns(DamageWarning, match="no digest"):
        resolve(model, tmp_path, Clock(1).timers)


def test_a_model_that_fails_in_half_precision_is_run_in_float32(model: str) -> None:
    clock = Clock(4, failure=ModelError("a score is nan"))
    assert resolve(model, None, clock.timers) == PrecisionChoice(
        "float32", "bfloat16", 0.0, "an error", precision_probe._device_name("cpu")
    )


def test_a_device_without_half_precision_is_no_error(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def attempt(*_: str) -> None:
        raise RuntimeError("not implemented")

    monkeypatch.setattr(precision, "_attempt", attempt)
    clock = Clock(4, 4)
    assert resolve(model, None, clock.timers).dtype == "float32"
    assert clock.asked == []


def test_a_model_that_scores_no_pairs_is_asked_to_name_its_format() -> None:
    with pytest.raises(UsageError, match=r"--dtype auto times pairs, so write \?dtype= for this model"):
        precision_probe.time_model("tests.fake_rankers:AsGiven")


@pytest.mark.parametrize("make", [tiny.cross_encoder, tiny.causal_lm, tiny.bert_embedder])
def test_the_real_clock_measures_every_kind_of_model(make: object, tmp_path: Path) -> None:
    spec = f"{make(tmp_path / 'model')}?device=cpu"  # type: ignore[operator]
    assert precision_probe.time_model(spec) > 0
    assert precision_probe.time_product("bfloat16", "cpu", 32) > 0
