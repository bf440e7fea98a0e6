"""Keys of a recipe that mergekit does not read, such as parameters of a method that was used before.

mergekit ignores unknown keys, unknown parameters, and a single model's value of a parameter that a method has once for
all models. So do we, with a remark in the report. A key or parameter that looks misspelt is kept, so that it is
refused.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from training.merging.methods import METHODS, Method

_TOP = {
    "merge_method", "models", "slices", "modules", "base_model", "dtype", "out_dtype", "parameters", "tokenizer_source",
    "tokenizer", "chat_template", "seed",
}  # fmt: skip
"""The keys of a recipe that mergekit 0.1.5 reads, and our `seed`."""
_MODULE = {"models", "slices", "parameters"}
_SLICE = {"sources", "base_model", "parameters"}
_SOURCE = {"model", "parameters", "layer_range"}
_MODEL = {"model", "parameters"}
_ALIKE = 0.8


def without_leftovers(recipe: object) -> tuple[object, tuple[str, ...]]:
    """A parsed recipe without the keys that mergekit ignores, and a remark on each of them.

    Anything that is not a recipe of a known method is returned unchanged, and is refused when it is read.
    """
    method = METHODS.get(str(recipe.get("merge_method"))) if isinstance(recipe, Mapping) else None
    if method is None or not isinstance(recipe, Mapping):
        return recipe, ()
    cleaner = _Cleaner(str(recipe["merge_method"]), method)
    cleaned_recipe = cleaner.content(recipe, _TOP, "the recipe")
    if isinstance(cleaned_recipe.get("modules"), Mapping):
        cleaned_recipe["modules"] = {
            name: cleaner.content(one, _MODULE, f"the module {name}") if isinstance(one, Mapping) else one
            for name, one in cleaned_recipe["modules"].items()
        }
    return cleaned_recipe, tuple(dict.fromkeys(cleaner.remarks))


class _Cleaner:
    """Leaves out keys, and collects remarks on them."""

    def __init__(self, name: str, method: Method) -> None:
        self.name = name
        self.own = {*method.per_input}
        self.all = {*method.per_input, *method.shared, *method.unsupported}
        self.remarks: list[str] = []

    def content(self, content: Mapping[str, Any], keys: set[str], where: str) -> dict[str, Any]:
        """A part of a recipe that has models or slices."""
        kept = self.scope(content, keys, where)
        for key, cleaned in (("models", self.models), ("slices", self.slices)):
            if isinstance(kept.get(key), list):
                kept[key] = list(cleaned(kept[key]))
        return kept

    def scope(
        self, content: Mapping[str, Any], keys: set[str], where: str, *, one_model: bool = False
    ) -> dict[str, Any]:
        """A part of a recipe with only the keys and parameters that are read."""
        kept = self._kept(content, keys, f"'{{}}' of {where} is not a key that mergekit reads, and is ignored")
        if isinstance(kept.get("parameters"), Mapping):
            read = self.own if one_model else self.all
            remark = f"the parameter '{{}}' of {where} is not used by {self.name}, and is ignored"
            kept["parameters"] = self._kept(kept["parameters"], read, remark)
        return kept

    def models(self, listed: Iterable[object], keys: set[str] = _MODEL) -> Iterator[object]:
        """The entries of a list of models."""
        for one in listed:
            where = f"the model {one.get('model')}" if isinstance(one, Mapping) else ""
            yield self.scope(one, keys, where, one_model=True) if isinstance(one, Mapping) else one

    def slices(self, listed: Iterable[object]) -> Iterator[object]:
        """The slices of a recipe."""
        for one in listed:
            cleaned = self.scope(one, _SLICE, "a slice") if isinstance(one, Mapping) else one
            if isinstance(cleaned, dict) and isinstance(cleaned.get("sources"), list):
                cleaned["sources"] = list(self.models(cleaned["sources"], _SOURCE))
            yield cleaned

    def _kept(self, content: Mapping[str, Any], read: set[str], remark: str) -> dict[str, Any]:
        kept = {}
        for key, value in content.items():
            if key in read or difflib.get_close_matches(str(key), read, 1, _ALIKE):
                kept[key] = value
            else:
                self.remarks.append(remark.format(key))
        return kept
