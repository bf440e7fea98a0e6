"""Where the numbers of a training run are shown while it goes on: TensorBoard, Trackio, Weights & Biases, MLflow.

Every program is behind the same small interface. A log never changes a result: if it fails, training goes on without
it. To add one, add a line to the list below or call `register`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from adapters.errors import need
from harness.progress import Reporter

PROJECT = "rerank-harness"
"""The name of the project or experiment that runs are listed under."""
Values = Mapping[str, float | None]


class Log(Protocol):
    """Shows the numbers of a run."""

    def step(self, number: int, values: Values) -> None:
        """Show the numbers of a step. A value that is None was not measured."""
        ...

    def close(self) -> None:
        """Finish, so that everything is shown or written."""
        ...


@dataclass(frozen=True)
class LoggedRun:
    """The facts about a run that a log shows next to its numbers."""

    name: str
    id: str
    """The identity of the run. A killed run continues under it."""
    folder: Path
    """A folder for the files of the log. It need not exist."""
    settings: Mapping[str, object]
    """Plain values by dotted names."""
    begun: int = 0
    """The number of steps that an earlier process made."""


Make = Callable[[LoggedRun], Log]


def _module(name: str) -> Any:
    """The package of a program; the extra has its name."""
    return need(name, name, f"--log-to {name}")


class TensorBoard:
    """Event files in the folder of the log; `tensorboard --logdir` shows them."""

    def __init__(self, run: LoggedRun) -> None:
        need("tensorboard", "tensorboard", "--log-to tensorboard")
        writer = need("torch.utils.tensorboard", "models", "--log-to tensorboard").SummaryWriter
        self._writer: Any = writer(str(run.folder / "tensorboard"), purge_step=run.begun + 1 if run.begun else None)
        self._writer.add_text("settings", "\n".join(f"    {key} = {value}" for key, value in run.settings.items()))

    def step(self, number: int, values: Values) -> None:
        """See `Log`."""
        for name, value in _shown(values).items():
            self._writer.add_scalar(name, value, number)

    def close(self) -> None:
        """See `Log`."""
        self._writer.close()


class Trackio:
    """A local project of Trackio, in its own folder; `trackio show` shows it. Nothing is uploaded unless its own
    variables, such as TRACKIO_SPACE_ID, name a place."""

    def __init__(self, run: LoggedRun) -> None:
        self._trackio = _module("trackio")
        self._trackio.init(
            project=PROJECT, name=f"{run.name}-{run.id[:8]}", config=dict(run.settings), resume="allow", embed=False,
            auto_log_gpu=False, auto_log_cpu=False,
        )  # fmt: skip

    def step(self, number: int, values: Values) -> None:
        """See `Log`."""
        self._trackio.log(_shown(values), step=number)

    def close(self) -> None:
        """See `Log`."""
        self._trackio.finish()


class WeightsAndBiases:
    """A run of Weights & Biases, under the account that `wandb login` or its variables name."""

    def __init__(self, run: LoggedRun) -> None:
        run.folder.mkdir(parents=True, exist_ok=True)
        self._run = _module("wandb").init(
            project=PROJECT, name=run.name, id=run.id[:32], resume="allow", config=dict(run.settings),
            dir=str(run.folder),
        )  # fmt: skip

    def step(self, number: int, values: Values) -> None:
        """See `Log`."""
        self._run.log(_shown(values), step=number)

    def close(self) -> None:
        """See `Log`."""
        self._run.finish()


class MLflow:
    """A run of MLflow, at the place that its own variables name."""

    def __init__(self, run: LoggedRun) -> None:
        self._mlflow = _module("mlflow")
        self._mlflow.set_experiment(PROJECT)
        self._mlflow.start_run(run_name=f"{run.name}-{run.id[:8]}")
        self._mlflow.log_params({key: str(value)[:500] for key, value in run.settings.items()})

    def step(self, number: int, values: Values) -> None:
        """See `Log`."""
        self._mlflow.log_metrics(_shown(values), step=number)

    def close(self) -> None:
        """See `Log`."""
        self._mlflow.end_run()


LOGS: dict[str, Make] = {}
"""The programs by name."""


def register(name: str, make: Make) -> Make:
    """Add a program to `--log-to`.

    Raises:
        ValueError: another one has the name.
    """
    if name in LOGS:
        raise ValueError(f"a log '{name}' exists already; choose another name")
    LOGS[name] = make
    return make


register("tensorboard", TensorBoard)
register("trackio", Trackio)
register("wandb", WeightsAndBiases)
register("mlflow", MLflow)


@dataclass
class Logs:
    """Several logs as one. A log that fails is left out from then on, with one note."""

    reporter: Reporter
    logs: dict[str, Log] = field(default_factory=dict)

    def step(self, number: int, values: Values) -> None:
        """See `Log`."""
        self._each(lambda one: one.step(number, values))

    def close(self) -> None:
        """See `Log`."""
        self._each(lambda one: one.close())

    def _each(self, call: Callable[[Log], None]) -> None:
        for name, one in list(self.logs.items()):
            try:
                call(one)
            except Exception as error:
                del self.logs[name]
                reason = " ".join(str(error).split())[:200]
                self.reporter.note(f"--log-to {name} failed ({type(error).__name__}: {reason}); training goes on")


def opened(names: Sequence[str], run: LoggedRun, reporter: Reporter) -> Logs:
    """Begin the named logs.

    Raises:
        MissingExtra: the package of a log is not installed.
        UsageError: a log cannot begin.
    """
    return Logs(reporter, {name: _begun(name, run) for name in names})


def _begun(name: str, run: LoggedRun) -> Log:
    from adapters.errors import HarnessError, UsageError

    try:
        return LOGS[name](run)
    except HarnessError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:200]
        raise UsageError(f"--log-to {name} cannot begin ({type(error).__name__}: {reason}); leave it out") from None


def _shown(values: Values) -> dict[str, float]:
    return {name: value for name, value in values.items() if value is not None and name != "step"}
