"""Each process gets its own part of the machine; otherwise two of them would be slower than one, or fill the memory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from adapters import tiny
from harness.scoring.workers import machine
from harness.scoring.workers.machine import automatic, available_bytes, core_groups, gpus, model_bytes, variables


@pytest.fixture
def eight_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 4, 5, 8, 9, 10, 11}, raising=False)
    monkeypatch.setattr(machine, "gpus", lambda _=None: 0)


def limit(monkeypatch: pytest.MonkeyPatch, models: float, size: int = 1000) -> None:
    monkeypatch.setattr(machine, "model_bytes", lambda _: size)
    monkeypatch.setattr(machine, "available_bytes", lambda: int(2 * models * size))


@pytest.mark.parametrize("workers", [1, 2, 3, 5, 8])
def test_every_core_belongs_to_one_process(eight_cores: None, workers: int) -> None:  # noqa: ARG001
    groups = core_groups(workers)
    assert sorted(core for group in groups for core in group) == [2, 3, 4, 5, 8, 9, 10, 11]
    assert max(map(len, groups)) - min(map(len, groups)) <= 1


def test_processes_share_cores_if_there_are_too_few(eight_cores: None) -> None:  # noqa: ARG001
    groups = core_groups(10)
    assert len(groups) == 10
    assert all(len(group) == 1 for group in groups)


@pytest.mark.parametrize(("models", "workers"), [(0.5, 1), (1, 1), (3.7, 3), (8, 8), (100, 8)])
def test_all_models_together_take_half_of_the_memory(
    eight_cores: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
    models: float,
    workers: int,
) -> None:
    limit(monkeypatch, models)
    assert automatic("./model") == workers


def test_a_model_without_weights_uses_every_core(eight_cores: None, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    limit(monkeypatch, 1, size=0)
    assert automatic("module:Class") == 8


def test_there_is_a_process_for_each_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.delenv("HARNESS_DEVICE", raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert automatic("./model") == 4
    assert [variables(number, [0], 4)["HARNESS_DEVICE"] for number in range(5)] == [
        "cuda:0", "cuda:1", "cuda:2", "cuda:3", "cuda:0",
    ]  # fmt: skip


@pytest.mark.parametrize(("variable", "option", "found"), [("cuda", None, 4), ("cpu", None, 0), ("cuda", "cuda:1", 0)])
def test_a_device_that_the_user_names_is_not_changed(
    monkeypatch: pytest.MonkeyPatch, variable: str, option: str | None, found: int
) -> None:
    torch = pytest.importorskip("torch")
    monkeypatch.setenv("HARNESS_DEVICE", variable)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 4)
    assert gpus(option) == found
    assert variables(1, [0], gpus())["HARNESS_DEVICE"] == ("cuda:1" if variable == "cuda" else "cpu")


@pytest.mark.parametrize(("asked", "threads"), [(None, "3"), ("1", "1"), ("16", "3"), ("many", "3")])
def test_a_process_has_a_thread_for_each_of_its_cores(
    monkeypatch: pytest.MonkeyPatch, asked: str | None, threads: str
) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if asked is not None:
        monkeypatch.setenv("OMP_NUM_THREADS", asked)
    assert variables(0, [0, 1, 2], 0)["OMP_NUM_THREADS"] == threads


def test_the_size_of_a_model_is_that_of_its_weights_in_memory(tmp_path: Path) -> None:
    pytest.importorskip("transformers")
    folder = tiny.cross_encoder(tmp_path / "model")
    size = (folder / "model.safetensors").stat().st_size
    assert model_bytes(str(folder)) == size
    config = (folder / "config.json").read_text("utf-8").replace('"float32"', '"bfloat16"')
    assert '"bfloat16"' in config
    (folder / "config.json").write_text(config, "utf-8")
    assert model_bytes(str(folder)) == 2 * size
    assert model_bytes(f"{folder}?dtype=bfloat16") == size
    assert model_bytes("tests.fake_adapters:Plain") == model_bytes("bm25") == model_bytes("no/such") == 0


def test_the_memory_of_a_container_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = available_bytes()
    assert whole > 0
    (tmp_path / "max").write_text("1000\n")
    (tmp_path / "used").write_text("400\n")
    monkeypatch.setattr(machine, "_GROUP_LIMIT", tmp_path / "max")
    monkeypatch.setattr(machine, "_GROUP_USED", tmp_path / "used")
    assert available_bytes() == 600
    (tmp_path / "max").write_text("max\n")
    assert available_bytes() > 600
