"""Finds the model of a result of mteb, from `model_meta.json` in the same folder, or from the names of the folders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.running.imported.json_file import json_object
from harness.running.imported.left_out import NotTaken

META = "model_meta.json"
EXPERIMENTS = "experiments"
"""The folder of a revision for runs with other arguments: `org__model/revision/experiments/name/Task.json`."""
_UNSTATED = ("", "no_revision_available")
_NOT_IN_NAMES = re.compile(r"[^\w ./@+,=-]")


@dataclass(frozen=True)
class Model:
    """The model of a result."""

    name: str
    revision: str | None
    searches: bool
    """Whether the model searched the corpus itself, if nothing else is stated. All models except cross-encoders do."""
    in_file: str | None = None
    """The name of the model in the file and its folders, if it is stored under another name."""
    experiment: str | None = None
    """The folder of an experiment, which is a run with other arguments."""

    @property
    def label(self) -> str:
        """Return name, revision and experiment, short enough for a table."""
        plain = f"{self.name}@{self.revision[:12]}" if self.revision else self.name
        return f"{plain} experiment {_NOT_IN_NAMES.sub('_', self.experiment)}" if self.experiment else plain

    @property
    def stated(self) -> dict[str, object]:
        """Return what the file and its folders state about the model."""
        said: dict[str, object] = {"model": self.name, "revision": self.revision}
        more = {"model_in_file": self.in_file, "experiment": self.experiment}
        return said | {key: value for key, value in more.items() if value}


def model_of(path: Path, name: str | None) -> Model:
    """Return the model: the named one, else the one in `model_meta.json`, else the one of mteb's folders.

    Raises:
        NotTaken: nothing names the model, or it is an experiment without `model_meta.json`, which mteb does not read
            either.
    """
    file = path.parent / META
    meta = json_object(file) if file.is_file() else {}
    experiment = path.parent.name if path.parent.parent.name == EXPERIMENTS else None
    revision_folder = path.parent.parent.parent if experiment else path.parent
    if experiment and not meta:
        raise NotTaken(path, f"in an experiment's folder without {META}; fetch that file too", path.parent.name)
    in_layout = "__" in revision_folder.parent.name
    folder = revision_folder.parent.name.replace("__", "/", 1) if in_layout else None
    own = _text(meta.get("name")) or folder
    found = name or (own and _NOT_IN_NAMES.sub("_", own).lstrip("./@+,=- "))
    if found is None:
        raise NotTaken(path, f"neither {META} nor the folders name the model; give it a --name", path.name)
    revision = _text(meta.get("revision")) or (revision_folder.name if in_layout else None)
    return Model(
        found, None if revision in _UNSTATED else revision, _searches(meta), None if own == found else own, experiment
    )


def _searches(meta: Mapping[str, object]) -> bool:
    types = meta.get("model_type")
    crosses = meta.get("is_cross_encoder") is True or (isinstance(types, list) and "cross-encoder" in types)
    return bool(meta) and not crosses


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
