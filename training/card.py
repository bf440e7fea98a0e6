"""The README.md of a trained checkpoint: what it was made from, how, and what is not known about it.

It has no measured numbers except the dev value that chose the step. `harness report` writes the part for a model's page
with measured results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adapters.model_card import card_of
from adapters.models import ModelFolder
from harness.numbers import points
from harness.result.secrets import public
from harness.yaml_text import yaml

FILE = "README.md"
_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+")
_LICENCE = re.compile(r"^license: *(\S+) *$", re.MULTILINE)


def card(name: str, manifest: Mapping[str, Any], base: ModelFolder) -> str:
    """The card as Markdown with metadata.

    Args:
        name: the name of the checkpoint.
        manifest: the manifest of the checkpoint.
        base: the base it was trained from.
    """
    licence = _licence(base)
    metadata = yaml(_metadata(manifest, base, licence))
    return f"---\n{metadata}\n---\n\n# {name}\n\n{_body(manifest, base, licence)}\n"


def _metadata(manifest: Mapping[str, Any], base: ModelFolder, licence: str | None) -> dict[str, object]:
    languages = list(manifest.get("languages", []))
    return {
        **({"language": languages} if languages else {}),
        **({"license": licence} if licence else {}),
        **({"base_model": base.name} if _is_on_hub(base) else {}),
        "library_name": "transformers",
        "pipeline_tag": "text-ranking",
        "tags": ["reranker", "rerank-harness"],
    }


def _body(manifest: Mapping[str, Any], base: ModelFolder, licence: str | None) -> str:
    shown = f"`{base.name}`" if _is_on_hub(base) else f"a local folder `{base.path.name}`"
    lines = [
        "A reranker, trained with `harness train fit` of rerank-harness. Treat it as no better than its base until it "
        "is measured on data that it was not chosen or trained on.",
        "",
        f"- Base: {shown} (weights `{manifest['base']['weights']}`)",
        f"- Licence: {_licence_line(licence)}",
        *_data(manifest),
        *_steps(manifest),
        "",
        "## Settings",
        "",
        *_settings(manifest["settings"]),
        "",
        "## Measured",
        "",
        *_measured(manifest),
    ]
    return "\n".join(lines)


def _licence_line(licence: str | None) -> str:
    known = f"the base declares {licence}" if licence else "the base declares none"
    return f"{known}; the licences of the training data and of the teachers are not known here and may add terms"


def _data(manifest: Mapping[str, Any]) -> Iterator[str]:
    for key, title in (("examples", "Training data"), ("replay", "Replayed general data")):
        if found := manifest[key]:
            counts = f"{found['examples']:,} queries with {found['pairs']:,} documents"
            yield f"- {title}: {counts} (digest `{found['digest']}`)"
    if corpora := [one for one in manifest["adapted_on"] if not re.fullmatch(r"[0-9a-f]{16,}", one)]:
        yield f"- Made from the corpora: {', '.join(map(public, corpora))}"


def _steps(manifest: Mapping[str, Any]) -> Iterator[str]:
    yield f"- Steps: {manifest['steps']:,}; longest input: {manifest['max_length']:,} tokens"
    if manifest["new_tensors"]:
        yield f"- New tensors, random at first: {', '.join(manifest['new_tensors'])}"


def _settings(settings: Mapping[str, Any]) -> Iterator[str]:
    yield from ("| setting | value |", "|:--|:--|")
    for key, value in settings.items():
        inner = value.items() if isinstance(value, Mapping) else [("", value)]
        for name, one in inner:
            yield f"| {key}{'.' if name else ''}{name} | {'default' if one is None else one} |"


def _measured(manifest: Mapping[str, Any]) -> Sequence[str]:
    dev = manifest.get("dev")
    if dev is None or dev["best"] is None:
        return ["Nothing. `harness run` measures it, `harness gate` judges it."]
    start = "" if dev["start"] is None else f"; at the start {points(dev['start'], 1)}"
    return [
        f"Only on the dev queries that chose the step, so the value is too high for new queries: {dev['measure']} "
        f"{points(dev['best'], 1)}{start}, {dev['looks']} looks. `harness run` measures it on others, `harness gate` "
        "judges it."
    ]


def _licence(base: ModelFolder) -> str | None:
    found = _LICENCE.search(card_of(base).metadata)
    return found[1].strip("'\"") if found else None


def _is_on_hub(base: ModelFolder) -> bool:
    """Whether the base was named by its name on the hub, not by a path."""
    return bool(_HUB_NAME.fullmatch(base.name)) and not base.name.startswith(".") and base.path.name != base.name
