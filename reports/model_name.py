"""The hub name of the model in a spec string: `org/model`, and the commit if the spec names one."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from adapters.spec import parse

LOCAL = "local"
"""The organisation of models that are not on the hub."""
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_COMMIT = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True)
class ModelName:
    """A model as the hub names it."""

    name: str
    """Such as `BAAI/bge-reranker-v2-m3`; `local/checkpoint-1000` for folders and everything else not on the hub."""
    commit: str | None
    """40 hex digits if the spec names a commit; None for a branch or a tag, which can move."""


def model_name(text: str) -> ModelName | None:
    """The model that a spec string names; None for given lists and controls, which are not models."""
    if text == "given" or text.startswith("control:"):
        return None
    if text.startswith("run:"):
        return ModelName(_local(Path(text.removeprefix("run:")).stem), None)
    spec = parse(text)
    if spec.kind == "object" or not _HUB_NAME.fullmatch(spec.model) or Path(spec.model).expanduser().is_dir():
        return ModelName(_local(re.split(r"[/:]", spec.model.rstrip("/"))[-1] or spec.kind or ""), None)
    commit = spec.revision if spec.revision and _COMMIT.fullmatch(spec.revision) else None
    return ModelName(spec.model, commit)


def _local(name: str) -> str:
    plain = re.sub(r"[^\w.-]+", "-", name).strip(".-")
    return f"{LOCAL}/{plain or 'model'}"
