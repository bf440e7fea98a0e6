"""The names under which transformers loads the tensors of a folder, found with a model on the meta device.

The tensor names of two checkpoints of one architecture can differ in three ways: one was saved with the model around
the encoder (`bert.encoder...`) and the other without it (`encoder...`), transformers renamed a module
(`LayerNorm.gamma`, now `LayerNorm.weight`), or one has tensors that no class loads.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import re
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from adapters.errors import need
from adapters.loading import quiet_loading
from adapters.models import ModelFolder

_LEGACY = (("LayerNorm.gamma", "LayerNorm.weight"), ("LayerNorm.beta", "LayerNorm.bias"))


@dataclass(frozen=True)
class Loading:
    """How the class of a folder's configuration loads tensors by name."""

    folder: ModelFolder
    body: bool
    """Whether the model is loaded without a head, as for embedders."""

    @property
    def known(self) -> bool:
        """Whether transformers can build the model."""
        return self._model is not None

    def loaded_as(self, name: str) -> str | None:
        """The model's name for a tensor of a file; for tied tensors, the name of the first; None if the tensor is not
        loaded."""
        found, _ = self._rename(name)
        return self._tied.get(found, found) if found in self._state else None

    def is_tied(self, name: str) -> bool:
        """Whether loading ties a tensor to another one."""
        return self._rename(name)[0] in self._tied

    def is_converted(self, name: str) -> bool:
        """Whether loading joins, splits or transposes a tensor of a file, for example to stack experts."""
        return self._rename(name)[1]

    @cached_property
    def _model(self) -> Any:
        if importlib.util.find_spec("transformers") is None or importlib.util.find_spec("torch") is None:
            return None
        transformers = need("transformers", "models", "matching tensor names")
        torch = need("torch", "models", "matching tensor names")
        written = {key: value for key, value in self.folder.config.items() if key not in {"dtype", "torch_dtype"}}
        try:
            with quiet_loading(), warnings.catch_warnings(), torch.device("meta"):
                warnings.simplefilter("ignore")
                config = transformers.AutoConfig.for_model(**json.loads(json.dumps(written)))
                named = None if self.body else getattr(transformers, self.folder.architecture, None)
                return transformers.AutoModel.from_config(config) if named is None else named(config)
        except Exception:  # each class has its own checks and errors
            return None

    @cached_property
    def _state(self) -> Mapping[str, Any]:
        return dict(self._model.state_dict())

    @cached_property
    def _tied(self) -> Mapping[str, str]:
        return dict(getattr(self._model, "all_tied_weights_keys", None) or {})

    @cached_property
    def _rename(self) -> Callable[[str], tuple[str, bool]]:
        prefix, state = str(self._model.base_model_prefix), self._state
        try:
            loading = importlib.import_module("transformers.core_model_loading")
            conversion = importlib.import_module("transformers.conversion_mapping")
            transforms = conversion.get_model_conversion_mapping(self._model)
            renamings = [one for one in transforms if isinstance(one, loading.WeightRenaming)]
            converters = [one for one in transforms if isinstance(one, loading.WeightConverter)]
        except (ImportError, AttributeError, TypeError):  # not in the first releases of transformers 5
            return lambda name: (_with_prefix(_modern(name), prefix, state), False)

        def rename(name: str) -> tuple[str, bool]:
            found, pattern = loading.rename_source_key(name, renamings, converters, prefix, state)
            known = (str(found), pattern is not None)
            return known if found in state else (_with_prefix(name, prefix, state), False)

        return rename


def _modern(name: str) -> str:
    for old, new in _LEGACY:
        name = name.replace(old, new)
    return name


def _with_prefix(name: str, prefix: str, state: Mapping[str, Any]) -> str:
    without = re.sub(rf"^{re.escape(prefix)}\.", "", name)
    return next((one for one in (name, without, f"{prefix}.{name}") if one in state), name)


def wrapped(names: Iterable[str]) -> str:
    """Advice for names that a wrapper of the model has changed; '' if there is none."""
    listed = list(names)
    for prefix, left_by, inner in (
        ("_orig_mod.", "torch.compile", "model._orig_mod"),
        ("module.", "DataParallel", "model.module"),
        ("base_model.model.", "peft", "model.merge_and_unload()"),
    ):
        if listed and all(name.startswith(prefix) for name in listed):
            return f"; its names begin with '{prefix}', as {left_by} leaves them, so save {inner} instead"
    return ""
