"""The settings of the stages before training: queries, candidates, teachers' scores, and the choice of examples.

Each class is a table of a configuration and options of the command line, as in `training.settings`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta

from adapters.typed_values import Count, Positive, Share
from training.keys import check
from training.settings import SEED, AboveZero, LossName

Strategy = Literal["stratified", "top", "random"]
Scope = Literal["global", "query"]
Map = Literal["none", "standard", "logistic", "unit"]
LEAK_THRESHOLD = 0.8
"""The share of common trigrams at which a training query counts as a copy of an evaluation query."""
AtLeastTwo = Annotated[int, Meta(ge=2)]
Part = Annotated[float, Meta(gt=0, le=1, description="a number above 0 and at most 1")]


@dataclass(frozen=True)
class Synthesis:
    """The queries that are written for documents."""

    generator: str = "extractive"
    """Who writes the queries: extractive or questions (rules, no model), a language model (a folder or a hub name), or
    chat:http://HOST:PORT/v1?model=NAME."""
    documents: Positive | None = None
    """Write queries for this number of documents of each corpus. Default: all."""
    floor: Share = 0.5
    """The share of queries that must fit the profile, or the run stops."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Mining:
    """The candidates of the queries."""

    retrievers: tuple[str, ...] = ()
    """First stages; name at least two. Default: bm25 and Qwen/Qwen3-Embedding-0.6B."""
    depth: Positive = 50
    """Candidates from each retriever."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Strata:
    """How documents are chosen from the candidates."""

    strategy: Strategy = "stratified"
    """How documents are chosen from the pool: from strata of the teacher's scores, the best ones, or at random."""
    per_query: AtLeastTwo = 16
    """Documents per example, with the source document."""
    bins: Positive = 16
    """The number of strata of the teacher's scores."""
    scope: Scope = "global"
    """Whether strata are made over the scores of all queries, or of each query."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class Sampling(Strata):
    """How documents are chosen from the candidates, and which are left out."""

    drop_above: Part | None = None
    """Drop documents above this share of the source document's score, such as 0.95. Default: drop none."""


@dataclass(frozen=True)
class Plan(Sampling):
    """How the sample is drawn.

    NV-Retriever (arXiv 2407.15831) drops above 0.95. By default nothing is dropped: labels are the teacher's scores, so
    a document that is better than the source is not a false negative, and without such documents the source would be
    the best of every list.
    """

    seed: Count = SEED
    """The random seed. Another seed draws other documents."""


def plan_of(sampling: Strata, seed: int) -> Plan:
    """A plan from sampling settings and a seed."""
    return Plan(**{one.name: getattr(sampling, one.name) for one in fields(sampling)}, seed=seed)


@dataclass(frozen=True)
class Teaching:
    """The teachers, and how their scores become labels."""

    teachers: tuple[str, ...] = ()
    """The teachers, whose scores become the labels: one or more rerankers or embedders. In train teach with --pairwise
    also chat:ADDRESS?model=NAME and pairwise:MODEL."""
    weights: tuple[float, ...] = ()
    """The weight of each teacher, in their order. Default: equal weights."""
    score_as: str | None = None
    """A parallel collection, such as xquad/en. The label of a pair is the teacher's score of the pair with the same ids
    there. Default: of the pair itself."""
    pairwise: Positive | None = None
    """Compare documents instead of scoring them: the number of random cycles through the documents of each query. A
    document is in at most twice this number of comparisons. Default: documents are scored."""
    map: Map = "none"
    """The scale of the labels: none keeps the teacher's scores, standard has mean 0 and deviation 1, logistic and unit
    run from 0 to 1. The order does not change."""
    facts: Path | None = None
    """A TOML file with the licence and the training sets of each teacher. Default: none is known."""

    def __post_init__(self) -> None:
        check(self)


@dataclass(frozen=True)
class MixedSource:
    """A source of a mixture."""

    data: str
    """Examples with scores, as `train fit --data` takes them."""
    weight: AboveZero | None = None
    """Its share of an epoch, relative to the other sources'. Give all sources a weight, or none."""
    limit: Positive | None = None
    """Use only the first examples, up to this number."""
    instruction: str | None = None
    """The instruction of its queries that have none of their own."""

    def __post_init__(self) -> None:
        check(self)


def mixture_problem(sources: Sequence[MixedSource], temperature: float | None) -> str | None:
    """Why sources cannot be mixed in this way; None if they can."""
    given = [one.weight is not None for one in sources]
    if any(given) and not all(given):
        return "only some sources have a weight; give all sources one, or none"
    if any(given) and temperature is not None:
        return "weights and a temperature are two ways to mix sources; give only one"
    return None


@dataclass(frozen=True)
class General:
    """General ranking data. Stage 1 is trained on it, and it is replayed in later trainings."""

    data: tuple[str, ...] = ()
    """Examples with scores: .jsonl, .parquet, triples as .tsv, a folder, a collection such as miracl/sw, or a data set
    of the hub. Default: none, and stage 1 is the base."""
    source: tuple[MixedSource, ...] = ()
    """The sources one by one, as [[general.source]] tables with data, weight, limit and instruction, in place of
    data. Default: none."""
    temperature: AboveZero | None = None
    """Draw each source in proportion to its number of examples to the power of 1 / this. Default: weights, or every
    example once."""
    negatives: str = "bm25"
    """Where the negatives of a BEIR folder come from: a first stage, or run:FILE."""
    loss: LossName = "bce"
    """The loss of stage 1."""
    epochs: Positive = 1
    """The number of epochs of stage 1."""

    def __post_init__(self) -> None:
        check(self)

    def problem(self) -> str | None:
        """Why the values contradict each other; None if they do not."""
        if self.data and self.source:
            return "[[general.source]] names the sources one by one; leave out general.data"
        return mixture_problem(self.source, self.temperature)
