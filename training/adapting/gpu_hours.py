"""The cost of an adaptation in GPU-hours, from the sizes of its models, its tokens and a stated utilisation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.errors import UsageError
from training.adapting.config import AdaptConfig, CostFacts
from training.adapting.settings import Task, seeds_of, tasks_of, wishes_of
from training.mining.mine import RETRIEVERS
from training.synthesis.profiles import load_profile

TRAINING, READING = 6, 2
"""Floating-point operations for each parameter and token: forward and backward, or forward only."""
_TERA, _HOUR = 1e12, 3600.0


@dataclass(frozen=True)
class TaskSize:
    """The numbers of a task that its cost follows from."""

    documents: int
    """Documents that the generator reads; 0 for real questions."""
    queries: int


@dataclass(frozen=True)
class ComputeWork:
    """A part of the run."""

    name: str
    parameters: float
    """The parameters that are active for a token."""
    tokens: float
    operations: int
    """Operations for each parameter and token."""

    @property
    def flops(self) -> float:
        """The floating-point operations."""
        return self.operations * self.parameters * self.tokens


@dataclass(frozen=True)
class GpuHours:
    """The parts of a run, and the machine that is assumed."""

    works: tuple[ComputeWork, ...]
    facts: CostFacts

    def hours(self, work: ComputeWork) -> float:
        """The hours of one GPU."""
        return work.flops / (self.facts.peak_tflops * _TERA * self.facts.utilisation * _HOUR)

    @property
    def total(self) -> float:
        """The hours of all parts."""
        return sum(map(self.hours, self.works))

    def as_dict(self) -> dict[str, object]:
        """As plain values."""
        rows = [{"work": one.name, "tokens": one.tokens, "flops": one.flops, "hours": self.hours(one)}
                for one in self.works]  # fmt: skip
        return {"works": rows, "total": self.total}

    def lines(self) -> list[str]:
        """One line for each part, the sum, and the assumptions."""
        facts = self.facts
        rows = [
            f"{one.name}: {_short(one.tokens)} tokens x {_short(one.parameters)} parameters x {one.operations} = "
            f"{one.flops:.1e} operations, {self.hours(one):,.1f} GPU-hours"
            for one in self.works
        ]
        return [
            *rows,
            f"together {self.total:,.1f} GPU-hours",
            f"assumed: {facts.peak_tflops:g} TFLOP/s a GPU, {facts.utilisation:.0%} of them used, "
            f"{facts.tokens_per_pair} tokens a pair or document, {facts.answer_tokens} tokens an answer; without "
            "attention over long texts, searching, and measuring",
        ]


def stated_sizes(config: AdaptConfig) -> list[TaskSize] | None:
    """The sizes of the tasks if the configuration states all of them, so that no corpus has to be opened."""
    tasks = tasks_of(wishes_of(config))
    general = config.cost.general_examples is not None or not (config.general.data or config.general.source)
    sizes = [_stated(one, config.synthesis.documents) for one in tasks]
    return [one for one in sizes if one is not None] if general and None not in sizes else None


def gpu_hours(config: AdaptConfig, sizes: Sequence[TaskSize], general: int) -> GpuHours:
    """Estimate the cost. Numbers are upper bounds where queries are rejected.

    Args:
        sizes: the sizes of the tasks, in their order.
        general: the number of general examples.

    Raises:
        UsageError: the size of a model that the run uses is not stated.
    """
    facts, fit = config.cost, config.training
    student, queries = _stated_size("student_parameters", facts.student_parameters), sum(one.queries for one in sizes)
    pair = config.sampling.per_query * facts.tokens_per_pair
    limit = None if fit.max_steps is None else fit.max_steps * fit.queries * len(sizes)
    seen = queries * fit.epochs / (1 - (fit.replay_share if general else 0.0))
    singles = len(seeds_of(wishes_of(config))) * min(seen, limit if limit is not None else seen) * pair
    works = [
        ComputeWork("stage 1", student, general * config.general.epochs * pair, TRAINING),
        ComputeWork("singles", student, singles, TRAINING),
        ComputeWork("union", student, singles, TRAINING),
        ComputeWork("bags", student, singles * sum(share for share in config.merge.bags if share < 1), TRAINING),
        _teaching(config, sizes, queries),
        *_writing(config, sizes),
    ]
    return GpuHours(tuple(one for one in works if one.tokens), facts)


def _teaching(config: AdaptConfig, sizes: Sequence[TaskSize], queries: int) -> ComputeWork:
    facts = config.cost
    size = _stated_size("teacher_parameters", facts.teacher_parameters)
    pool = config.mining.depth * len(config.mining.retrievers or RETRIEVERS) + 1
    texts = queries * pool if facts.teacher_reads == "pairs" else queries + sum(one.documents for one in sizes)
    return ComputeWork("teacher", size, texts * facts.tokens_per_pair, READING)


def _writing(config: AdaptConfig, sizes: Sequence[TaskSize]) -> list[ComputeWork]:
    facts, documents = config.cost, sum(one.documents for one in sizes)
    if facts.generator_parameters is None:
        return []
    tokens = documents * (facts.tokens_per_pair + facts.answer_tokens)
    return [ComputeWork("generator", facts.generator_parameters, tokens, READING)]


def _stated(task: Task, documents: int | None) -> TaskSize | None:
    if task.questions is not None:
        return None if task.questions.sample is None else TaskSize(0, task.questions.sample)
    wanted = task.documents or documents
    if wanted is None or task.profile is None:
        return None
    return TaskSize(wanted, wanted * load_profile(task.profile).count)


def _stated_size(key: str, value: float | None) -> float:
    if value is None:
        raise UsageError(f"cost.{key} is not set, so no GPU-hours can be estimated; state it, such as 4e9")
    return value


def _short(number: float) -> str:
    for size, name in ((1e12, " T"), (1e9, " B"), (1e6, " M")):
        if number >= size:
            return f"{number / size:.3g}{name}"
    return f"{number:,.0f}"
