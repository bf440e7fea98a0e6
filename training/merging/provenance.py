"""The sources of a merge: digests of the checkpoints, the recipe, and the id that follows from them."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version

import numpy as np

from adapters.adapted import KEY, adapted_on
from adapters.identity import digest
from adapters.lineage import KEY as LINEAGE
from adapters.lineage import descended
from harness.checks.sketch import KEY as SKETCH
from harness.checks.sketch import inherited as trained_queries
from training.merging.checkpoint import Checkpoint
from training.merging.recipe import Filtered, Recipe
from training.merging.report import MergeReport
from training.merging.vocabulary import MergedVocabulary

ARITHMETIC = 1
"""The version of the arithmetic. Raise it when equal sources and recipes give other bytes."""

Identities = Mapping[str, Mapping[str, object]]


@dataclass
class MergeJob:
    """A recipe with its opened checkpoints, and what was written so far."""

    recipe: Recipe
    opened: Mapping[str, Checkpoint]
    shard_bytes: int | None
    written: dict[str, str] = field(default_factory=dict)
    """Digests of the weight files, by path."""
    dtypes: set[str] = field(default_factory=set)
    vocabulary: MergedVocabulary | None = None
    """The rows of the embedding; None if they are those of the checkpoints."""
    chat_template: str | None = None
    """The chat template that is written; None if that of the base is kept."""

    @property
    def home(self) -> Checkpoint:
        return self.opened[self.recipe.home]

    def identities(self) -> Identities:
        """Digests of all sources. This reads all their files."""
        return {name: one.identity() for name, one in self.opened.items()}

    def id(self, sources: Identities) -> str:
        """The id of the merge, from the content of the sources, never from their paths."""
        recipe = self.recipe
        return digest(
            {
                "method": recipe.method,
                "inputs": [{**sources[one.model], "parameters": _plain(one.settings)} for one in recipe.inputs],
                "base": sources[recipe.base] if recipe.base else None,
                "parameters": [_plain(settings) for settings in recipe.settings],
                "dtype": recipe.dtype,
                "seed": recipe.seed,
                "shard_bytes": self.shard_bytes,
                "arithmetic": ARITHMETIC,
                **self._slices(sources),
                **self._tokens(sources),
                **({} if self.chat_template is None else {"chat_template": self.chat_template}),
            }
        )

    def _tokens(self, sources: Identities) -> dict[str, object]:
        """The rows of the embedding, if they are not those of the checkpoints."""
        if self.vocabulary is None:
            return {}
        given = [
            {**asdict(one), "model": sources[one.model] if one.model else None}
            for one in self.vocabulary.sources.values()
        ]
        return {"rows": self.vocabulary.rows, **({"tokens": given} if given else {})}

    def _slices(self, sources: Identities) -> dict[str, object]:
        """The slices of a recipe that has some."""
        read = [
            {
                "base": sources[one.base] if one.base else None,
                "parameters": _plain(one.settings),
                "sources": [
                    {**sources[each.model], "layer_range": [each.first, each.last], "parameters": _plain(each.settings)}
                    for each in one.sources
                ],
            }
            for one in self.recipe.slices
        ]
        return {"slices": read} if read else {}

    def manifest(self, sources: Identities, report: MergeReport) -> dict[str, object]:
        """The content of merge.json. The same sources and recipe always give the same text."""
        return {
            "id": self.id(sources),
            "recipe": recipe_json(self.recipe),
            KEY: sorted({corpus for one in self.opened.values() for corpus in adapted_on(one.folder.path)}),
            LINEAGE: self._lineage(sources),
            SKETCH: trained_queries(one.folder.path for one in self.opened.values()).as_dict(),
            "sources": [{"name": name, **identity} for name, identity in sources.items()],
            "configuration_of": self.home.name,
            "computed_in": "float32",
            "output_dtypes": sorted(self.dtypes),
            "weights": self.written,
            "tensors_by_path": report.paths,
            "notes": list(report.notes),
            "versions": {
                "rerank-harness": _version(),
                "arithmetic": ARITHMETIC,
                "numpy": np.__version__,
                "python": platform.python_version(),
            },
        }

    def _lineage(self, sources: Identities) -> dict[str, list[str]]:
        weights = [str(source["weights"]) for source in sources.values() if "weights" in source]
        return descended("", (), [one.folder.path for one in self.opened.values()], weights).as_dict()


def recipe_json(recipe: Recipe) -> dict[str, object]:
    """The recipe for JSON, with mergekit's keys."""
    slices = [
        {
            "sources": [
                {"model": each.model, "layer_range": [each.first, each.last], "parameters": _plain(each.settings)}
                for each in one.sources
            ],
            "base_model": one.base,
            "parameters": _plain(one.settings),
        }
        for one in recipe.slices
    ]
    models = [{"model": one.model, "parameters": _plain(one.settings)} for one in recipe.inputs]
    return {
        "merge_method": recipe.method,
        **({"slices": slices} if slices else {"models": models}),
        "base_model": recipe.base,
        "parameters": [_plain(settings) for settings in recipe.settings],
        "out_dtype": recipe.dtype,
        "seed": recipe.seed,
        **({"tokens": [asdict(one) for one in recipe.tokens]} if recipe.tokens else {}),
        **({"pad_to_multiple_of": recipe.pad_to} if recipe.pad_to else {}),
        **({"chat_template": recipe.chat_template} if recipe.chat_template else {}),
    }


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return {"value": _plain(value.value), "filter": value.filter} if isinstance(value, Filtered) else value


def _version() -> str:
    try:
        return version("rerank-harness")
    except PackageNotFoundError:
        return "not installed"
