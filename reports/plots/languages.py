"""English names of languages with their codes, for labels."""

from __future__ import annotations

from adapters.languages import NAMES


def language_label(code: str | None) -> str:
    """`Swahili (sw)`, `Chinese (zh-Hans)`; a code without a name stays as it is."""
    if code is None:
        return "no language"
    head = code.replace("_", "-").split("-")[0]
    return f"{NAMES[head]} ({code})" if head in NAMES else code
