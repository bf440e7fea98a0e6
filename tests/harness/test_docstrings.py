"""`help(harness.run)` can be believed: every example of the public names runs, and every signature can be read."""

from __future__ import annotations

import doctest
import inspect
import pydoc
import re
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

CALLS = (
    "adapt",
    "check",
    "compare",
    "corrected_mean",
    "gate",
    "judge_calibrate",
    "judge_diff",
    "judge_export",
    "judge_import",
    "merge",
    "results",
    "run",
    "why",
)
KNOWN = {*harness.__all__, "DataFrame", "Literal", "Mapping", "None", "Path", "Sequence"}
"""Names that a signature may use: what `harness` offers, and types of Python and pandas."""
NEEDS = {
    "check": ("torch", "transformers", "Stemmer"),
    "merge": ("torch", "transformers"),
    "results": ("pandas", "Stemmer"),
}


def _examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for name in harness.__all__:
        public = getattr(harness, name)
        yield from finder.find(public, name, module=inspect.getmodule(public), globs={})


EXAMPLES = [one for one in _examples() if one.examples]


@pytest.mark.parametrize("example", EXAMPLES, ids=[one.name for one in EXAMPLES])
def test_an_example_gives_what_it_says(
    example: doctest.DocTest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in NEEDS.get(example.name, ("Stemmer",)):
        pytest.importorskip(module)
    monkeypatch.chdir(tmp_path)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE)
    failed = runner.run(example).failed
    assert failed == 0, capsys.readouterr().out


@pytest.mark.parametrize("name", CALLS)
def test_every_call_has_an_example_and_says_what_it_takes_gives_and_raises(name: str) -> None:
    text = inspect.getdoc(getattr(harness, name)) or ""
    assert [part for part in ("Args:", "Returns:", "Raises:", "Examples:") if f"\n{part}\n" not in text] == []
    assert text.splitlines()[0].endswith(".") and not text.splitlines()[1]
    assert name in {one.name for one in EXAMPLES}


@pytest.mark.parametrize("name", CALLS)
def test_every_parameter_is_described(name: str) -> None:
    call = getattr(harness, name)
    described = re.findall(r"^    (\w+): ", inspect.getdoc(call) or "", re.MULTILINE)
    assert described[: len(inspect.signature(call).parameters)] == list(inspect.signature(call).parameters)


@pytest.mark.parametrize("name", CALLS)
def test_a_signature_uses_public_names_only(name: str) -> None:
    signature = inspect.signature(getattr(harness, name))
    annotations = [one.annotation for one in signature.parameters.values()] + [signature.return_annotation]
    used = {word for text in annotations for word in re.findall(r"\b[A-Z]\w*", re.sub(r"'[^']*'|\"[^\"]*\"", "", text))}
    assert used <= KNOWN
    assert " at 0x" not in pydoc.plain(pydoc.render_doc(getattr(harness, name)))


@pytest.mark.parametrize("name", harness.__all__)
def test_what_is_public_is_documented(name: str) -> None:
    public = getattr(harness, name)
    assert inspect.getdoc(public)
    if inspect.isclass(public) and public.__module__.startswith("harness.api"):
        members = [one for one in vars(public).values() if isinstance(one, types.FunctionType | property)]
        named = [one.fget if isinstance(one, property) else one for one in members]
        assert [one.__name__ for one in named if not one.__name__.startswith("_") and not inspect.getdoc(one)] == []
