"""Plain values as YAML, for the metadata of a model card."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping


def yaml(value: object, indent: int = 0) -> str:
    """Plain values as YAML. Texts are in double quotes as in JSON, so that no name is read as another type."""
    pad = "  " * indent
    if isinstance(value, Mapping):
        return "\n".join(f"{pad}{key}:{_beneath(inner, indent + 1)}" for key, inner in value.items())
    if isinstance(value, list):
        return "\n".join(f"{pad}- {yaml(inner, indent + 1).lstrip()}" for inner in value)
    return pad + _scalar(value)


def _beneath(value: object, indent: int) -> str:
    if isinstance(value, Mapping | list):
        return f"\n{yaml(value, indent)}" if value else (" {}" if isinstance(value, Mapping) else " []")
    return f" {_scalar(value)}"


def _scalar(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    # JSON does not escape these characters; YAML reads them as line ends or rejects them.
    return re.sub("[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", text)
