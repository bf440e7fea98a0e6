"""A page of one HTML file with its style, its script and its data, which needs no server and no network."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import json
import re
from collections.abc import Mapping

from reports.html import safe

UNSAFE = {ord(one): f"\\u{ord(one):04x}" for one in "<>&\u2028\u2029"}
"""Characters that could end the script element with the data, or a line in it."""


def filled(name: str, data: Mapping[str, object], **texts: str) -> str:
    """The page of the template `name`.html, with `name`.css and `name`.js.

    The data is in one JSON block and the script writes text only, so that no data is read as markup. A content security
    policy allows only this style and this script and forbids to load anything.

    Args:
        texts: by the name of its place in the template.
    """
    style, script = _part(f"{name}.css"), _part(f"{name}.js")
    parts = {
        **{place: safe(text) for place, text in texts.items()},
        "policy": f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; base-uri 'none'; "
        "form-action 'none'",
        "style": style,
        "script": script,
        "data": json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":")).translate(UNSAFE),
    }
    return re.sub(r"\{\{ (\w+) \}\}", lambda match: parts[match[1]], _part(f"{name}.html"))


def _part(name: str) -> str:
    """The text of a file of `reports/templates`."""
    return importlib.resources.files("reports").joinpath("templates", name).read_text("utf-8")


def _digest(text: str) -> str:
    """The digest of a style or a script for a content security policy."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
