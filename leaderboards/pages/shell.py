"""The common parts of all pages: style, script, navigation, and a policy that forbids to load anything."""

from __future__ import annotations

import base64
import hashlib
import importlib.resources
import re
from functools import cache
from typing import Any

from adapters.errors import need
from adapters.plain_text import printable_lines

_ISOLATES = "\u2068\u2069"


def render(template: str, **values: Any) -> str:
    """Fill a template. All values are escaped; style and script are embedded, so that a page needs no other file.

    Raises:
        MissingExtra: Jinja2 is not installed.
    """
    return str(_environment().get_template(template).render(**values))


@cache
def _environment() -> Any:
    jinja2 = need("jinja2", "reports", "`harness board`")
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_part),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_finalized,
    )
    style, script = _part("board.css"), _part("board.js")
    environment.globals.update(style=style, script=script, policy=_policy(style, script))
    return environment


def _finalized(value: Any) -> Any:
    """The value without control characters and overrides of direction; markup is left as it is, and so are the
    isolates that `cost` puts around names, whose direction they keep from other text."""
    if type(value) is not str:
        return value
    return "".join(part if part in _ISOLATES else printable_lines(part) for part in re.split(f"([{_ISOLATES}])", value))


def _policy(style: str, script: str) -> str:
    allowed = f"style-src {_digest(style)}; script-src {_digest(script)}"
    return f"default-src 'none'; {allowed}; base-uri 'none'; form-action 'none'"


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _part(name: str) -> str:
    return importlib.resources.files("leaderboards").joinpath("templates", name).read_text("utf-8")
