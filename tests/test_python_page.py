"""What docs/python.md shows is run unchanged: a user would lose the first half hour."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import harness

PAGE = (Path(__file__).parents[1] / "docs" / "python.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)
SHOWN = re.compile(r"^(?P<code>[\w.]+\(?.*?)\s+# (?P<value>(?:'.*'|\[.*\]|\d\.\d+\.\.\.))$", re.MULTILINE)


@pytest.fixture(scope="module")
def names(tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What the page leaves behind when its code was run from top to bottom."""
    for module in ("Stemmer", "pandas", "torch", "transformers"):
        pytest.importorskip(module)
    found: dict[str, object] = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("python-page"))
        with pytest.warns(harness.LeftOutWarning):
            for block in BLOCKS:
                exec(compile(block, "docs/python.md", "exec"), found)
    return found


def test_the_code_of_the_page_runs_from_top_to_bottom(names: dict[str, object]) -> None:
    assert len(BLOCKS) >= 8
    assert {"outcome", "comparison", "decision", "report", "merged", "frame", "notes"} <= set(names)


def test_values_that_the_page_shows_are_the_values(names: dict[str, object]) -> None:
    shown = {one["code"]: one["value"] for one in SHOWN.finditer("\n".join(BLOCKS)) if " or " not in one["value"]}
    assert len(shown) >= 3
    for code, value in shown.items():
        assert repr(eval(code, dict(names))).startswith(value.removesuffix("]").removesuffix("...").rstrip(", ")), code


def test_every_call_is_on_the_page() -> None:
    for name in ("run", "compare", "gate", "check", "why", "merge", "adapt", "results"):
        assert f"harness.{name}(" in PAGE
    assert [name for name in re.findall(r"`harness\.(\w+)`", PAGE) if name not in (*harness.__all__, "api")] == []
