"""The chat template of a merge: that of the base, the commonest among the models, or one that the recipe writes."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from adapters.errors import ModelError, UsageError
from adapters.models import read_json
from training.merging.checkpoint import Checkpoint
from training.merging.tokenizer import Tokenizer

AUTO = "auto"
DIFFER = "the chat templates of"
"""The beginning of a remark on templates of which that of the base is kept."""
_FILE, _MORE, _SETTINGS = "chat_template.jinja", "additional_chat_templates", "tokenizer_config.json"
_OTHERS = ("chat_template.json",)
_PACKAGED = ("alpaca", "chatml", "exaone", "llama3", "mistral")
"""The templates that mergekit 0.1.5 has under a name."""
_SHORTEST = 20


def written(value: str) -> str:
    """A template of a recipe.

    Raises:
        UsageError: it is the name of a template of mergekit, or no template.
    """
    if value == AUTO:
        return value
    if value in _PACKAGED:
        raise UsageError(
            f"chat_template: '{value}' is a template that comes with mergekit and is not supported here; write its "
            "text, or auto for the commonest template of the models"
        )
    if len(value) < _SHORTEST or "{" not in value:
        raise UsageError(f"chat_template: '{value}' is no template; write the text of one, or auto")
    return value


def template_for(wanted: str | None, models: Iterable[Checkpoint], home: Checkpoint) -> str | None:
    """The template to write; None to keep that of the base.

    `auto` is the commonest default template of the models, without white space around it. Of several that are equally
    common it is the one of the model that is named first, the base before all others.

    Raises:
        ModelError: the base has no tokenizer.
    """
    if wanted is None:
        return None
    if not Tokenizer(home.name, home.folder.path).present:
        raise ModelError(f"merge: {home.name} has no tokenizer, so there is no place for chat_template; leave it out")
    if wanted != AUTO:
        return wanted
    ordered = [home, *(one for one in models if one is not home)]
    found = [text for one in ordered if (text := _default(one))]
    return Counter(found).most_common(1)[0][0] if found else None


def write(folder: Path, template: str) -> None:
    """Write the template where transformers reads it, and remove all others from a folder."""
    (folder / _FILE).write_text(template, "utf-8", newline="")
    shutil.rmtree(folder / _MORE, ignore_errors=True)
    for name in _OTHERS:
        (folder / name).unlink(missing_ok=True)
    settings = read_json(folder / _SETTINGS, dict)
    if settings.pop("chat_template", None) is not None:
        (folder / _SETTINGS).write_text(json.dumps(settings, indent=2, ensure_ascii=False) + "\n", "utf-8")


def usual(one: Checkpoint) -> object:
    """The templates that transformers reads without a folder of more: a text, several by name, or None."""
    file = one.folder.path / _FILE
    if file.is_file():
        return file.read_text("utf-8").strip()
    template = one.json(_SETTINGS).get("chat_template")
    if isinstance(template, list):  # several by name, as transformers 4 wrote them
        named = {str(row.get("name")): row.get("template") for row in template if isinstance(row, dict)}
        template = named if set(named) != {"default"} else named["default"]
    return template.strip() if isinstance(template, str) else template


def _default(one: Checkpoint) -> str:
    """The template that transformers uses if none is named, without white space around it; '' if there is none."""
    found = usual(one)
    found = found.get("default") if isinstance(found, Mapping) else found
    return found.strip() if isinstance(found, str) else ""
