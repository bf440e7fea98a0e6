"""Labels with the English names of languages and their codes."""

from __future__ import annotations

from adapters.languages import NAMES


def language_label(code: str | None) -> str:
    """A label such as `Swahili (sw)` or `Chinese (zh-Hans)`. A code without a name is returned unchanged."""
    if code is None:
        return "no language"
    head = code.replace("_", "-").split("-")[0]
    return f"{NAMES[head]} ({code})" if head in NAMES else code
