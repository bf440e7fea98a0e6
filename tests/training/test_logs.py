"""Logs of a training run: what a user would lose is the curve, or, worse, the training."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from adapters import tiny
from adapters.errors import HarnessError, MissingExtra, UsageError
from harness.progress import Silent
from tests.fixtures import Command
from tests.skips import OPTIONAL
from tests.training.fitting import QUICK, KilledAfter, same_weights, some_examples
from training.fit import fit, job
from training.logs import LOGS, LoggedRun, Values, opened, register
from training.settings import Machine

VALUES: list[Values] = [{"step": 1, "loss": 0.5, "dev": None}, {"step": 2, "loss": 0.25, "dev": 0.5}]


class Notes(Silent):
    """Keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def note(self, text: str) -> None:
        self.notes.append(text)


class Kept:
    """A log that keeps what it is given."""

    seen: list[tuple[int, Values]]

    def __init__(self, run: LoggedRun) -> None:
        self.seen.append((-1, {}))
        self.settings = run.settings

    def step(self, number: int, values: Values) -> None:
        self.seen.append((number, values))

    def close(self) -> None:
        self.seen.append((-2, {}))


class Broken(Kept):
    """A log that fails in the second step."""

    def step(self, number: int, values: Values) -> None:
        if number == 2:
            raise RuntimeError("no connection")


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.cross_encoder(tmp_path_factory.mktemp("base") / "bert")


@pytest.fixture(autouse=True)
def _own_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("training.logs.LOGS", dict(LOGS))
    monkeypatch.setattr(Kept, "seen", [], raising=False)


def logged(folder: Path, **more: Any) -> LoggedRun:
    return LoggedRun(
        "adapted", "0123456789abcdef", folder / "adapted.log", {"loss.name": "hinge", "queries": 8}, **more
    )


def show(name: str, run: LoggedRun) -> None:
    logs = opened([name], run, Silent())
    for row in VALUES:
        logs.step(int(row["step"] or 0), row)
    logs.close()


def test_a_log_sees_every_step_and_changes_none(base: Path, tmp_path: Path) -> None:
    import training.logs

    training.logs.register("kept", Kept)
    work = job(str(base), some_examples(), QUICK)
    plain = fit(work, tmp_path / "plain")
    assert fit(work, tmp_path / "seen", Machine(log_to=("kept",))) == plain
    assert same_weights(tmp_path / "plain", tmp_path / "seen")
    assert [number for number, _ in Kept.seen] == [-1, 1, 2, 3, 4, 5, 6, -2]
    assert set(Kept.seen[1][1]) == {"step", "loss", "gradient", "score_std"}


def test_a_log_that_fails_is_left_out_and_training_goes_on(base: Path, tmp_path: Path) -> None:
    import training.logs

    training.logs.register("broken", Broken)
    notes = Notes()
    manifest = fit(job(str(base), some_examples(), QUICK), tmp_path / "out", Machine(log_to=("broken",)), notes)
    assert manifest["steps"] == 6
    assert notes.notes == ["--log-to broken failed (RuntimeError: no connection); training goes on"]


def test_a_killed_run_continues_its_log(base: Path, tmp_path: Path) -> None:
    import training.logs

    begun: list[int] = []

    def make(run: LoggedRun) -> Kept:
        begun.append(run.begun)
        return Kept(run)

    training.logs.register("kept", make)
    work, machine = job(str(base), some_examples(), QUICK), Machine(resume_seconds=0, log_to=("kept",))
    with pytest.raises(KeyboardInterrupt):
        fit(work, tmp_path / "out", machine, KilledAfter(3))
    fit(work, tmp_path / "out", machine)
    assert begun == [0, 3] or begun[0] == 0 < begun[1]
    numbers = [number for number, _ in Kept.seen if number > 0]
    assert sorted(set(numbers)) == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("name", ["tensorboard", "trackio", "wandb", "mlflow"])
def test_a_missing_package_names_its_extra(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra, match=rf"pip install 'rerank-harness\[{name}\]'"):
        opened([name], logged(tmp_path), Silent())


def test_an_unknown_log_is_refused_with_the_known_ones(command: Command) -> None:
    said = command("train", "fit", "--log-to", "tensorbord")
    assert said.code == 2 and "tensorboard" in said.err


def test_a_log_that_cannot_begin_stops_the_run_before_it_starts(tmp_path: Path) -> None:
    import training.logs

    def make(_: LoggedRun) -> Kept:
        raise PermissionError("not logged in")

    training.logs.register("refusing", make)
    with pytest.raises(UsageError, match=r"--log-to refusing cannot begin \(PermissionError: not logged in\)"):
        opened(["refusing"], logged(tmp_path), Silent())
    with pytest.raises(ValueError, match="exists already"):
        register("mlflow", Kept)


def test_tensorboard_reads_the_values(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator", reason=OPTIONAL)
    show("tensorboard", logged(tmp_path))
    events = accumulator.EventAccumulator(str(tmp_path / "adapted.log" / "tensorboard"))
    events.Reload()
    assert [(one.step, one.value) for one in events.Scalars("loss")] == [(1, 0.5), (2, 0.25)]
    assert [(one.step, one.value) for one in events.Scalars("dev")] == [(2, 0.5)]


def test_trackio_reads_the_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))
    pytest.importorskip("trackio", reason=OPTIONAL)
    show("trackio", logged(tmp_path))
    from trackio.sqlite_storage import SQLiteStorage

    found = SQLiteStorage.get_logs("rerank-harness", "adapted-01234567")
    assert [(row["step"], row["loss"]) for row in found] == [(1, 0.5), (2, 0.25)]


class Calls(ModuleType):
    """A module that notes every call, in place of a program that needs an account."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[str, tuple[Any, ...], Mapping[str, Any]]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)

        def call(*given: Any, **named: Any) -> Any:
            self.calls.append((name, given, named))
            return SimpleNamespace(log=self.log, finish=self.finish)

        return call


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("wandb", ["init", "log", "log", "finish"]),
        ("mlflow", ["set_experiment", "start_run", "log_params", "log_metrics", "log_metrics", "end_run"]),
    ],
)
def test_other_programs_get_the_same_values(
    name: str, wanted: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = Calls(name)
    monkeypatch.setitem(sys.modules, name, module)
    show(name, logged(tmp_path))
    assert [call for call, _, _ in module.calls] == wanted
    values = [(named["step"], given[0]) for call, given, named in module.calls if call in ("log", "log_metrics")]
    assert values == [(1, {"loss": 0.5}), (2, {"loss": 0.25, "dev": 0.5})]


def test_secrets_are_not_logged(base: Path, tmp_path: Path) -> None:
    import training.logs

    seen: list[Mapping[str, object]] = []

    def make(run: LoggedRun) -> Kept:
        seen.append(run.settings)
        return Kept(run)

    training.logs.register("kept", make)
    fit(job(str(base), some_examples(), QUICK), tmp_path / "out", Machine(log_to=("kept",)))
    assert seen[0]["loss.name"] == "mse" and not any("token" in str(value) for value in seen[0].values())


def test_every_log_is_a_registered_function() -> None:
    assert set(LOGS) == {"tensorboard", "trackio", "wandb", "mlflow"} and issubclass(MissingExtra, HarnessError)
