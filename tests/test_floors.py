"""What imports what: a reader would lose that a folder listing explains which part knows which."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT: dict[str, tuple[str, ...]] = {
    "adapters": (),
    "harness": ("adapters",),
    "training": ("harness", "adapters"),
    "reports": (
        "harness",
        "adapters.errors",
        "adapters.identity",
        "adapters.languages",
        "adapters.plain_text",
        "adapters.spec",
        "adapters.typed_file",
        "adapters.typed_values",
        "adapters.typed_words",
    ),
    "leaderboards": ("reports", "harness", "adapters.errors", "adapters.plain_text"),
}
ORDER = ("data", "measuring", "scoring", "result", "checks", "labelling", "running", "judging", "citing")
"""The packages of `harness`. Each may import those before it; nothing in them imports the verbs."""
FRONT_DOOR = ("harness", "harness.__main__", "harness.api", "harness.cli")
DRAWERS = ("utils", "util", "helpers", "helper", "common", "misc")
LINES = 400


@dataclass(frozen=True)
class Import:
    """One imported module of ours."""

    importer: str
    imported: str
    line: int
    lazy: bool
    """Inside a function."""
    typing: bool
    """Only for type checkers."""

    def __str__(self) -> str:
        return f"{self.importer}:{self.line} imports {self.imported}"


def sources() -> dict[str, str]:
    """The text of every module of the five packages, by its dotted name."""
    files = [file for package in MAY_IMPORT for file in sorted((ROOT / package).rglob("*.py"))]
    return {dotted(file): file.read_text("utf-8") for file in files}


def dotted(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(modules: Mapping[str, str]) -> list[Import]:
    """Every import of ours in the modules."""
    return [found for module, text in modules.items() for found in _of(module, ast.parse(text), modules)]


def _of(module: str, tree: ast.AST, modules: Mapping[str, str]) -> Iterator[Import]:
    for node, lazy, typing in _walk(tree, lazy=False, typing=False):
        for name in _names(node, module, modules):
            if name.split(".")[0] in MAY_IMPORT:
                yield Import(module, name, node.lineno, lazy, typing)


def _walk(tree: ast.AST, *, lazy: bool, typing: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool, bool]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, lazy, typing
        inside = lazy or isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        guarded = typing or (isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"))
        yield from _walk(node, lazy=inside, typing=guarded)


def _names(node: ast.Import | ast.ImportFrom, module: str, modules: Mapping[str, str]) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    base = node.module or ""
    if node.level:
        package = module.split(".") if _is_package(module, modules) else module.split(".")[:-1]
        base = ".".join([*package[: len(package) - node.level + 1], *([base] if base else [])])
    submodules = [f"{base}.{alias.name}" for alias in node.names]
    return sorted({name if name in modules else base for name in submodules})


def _is_package(module: str, modules: Mapping[str, str]) -> bool:
    return any(other.startswith(f"{module}.") for other in modules)


def upward(found: Sequence[Import]) -> list[str]:
    """Imports that the floors do not allow."""
    return [str(one) for one in found if not _allowed(one)]


def _allowed(one: Import) -> bool:
    own = one.importer.split(".")[0]
    allowed = (own, *MAY_IMPORT[own])
    below = any(one.imported == name or one.imported.startswith(f"{name}.") for name in allowed)
    door = one.importer in FRONT_DOOR or one.importer.startswith(("harness.api.", "harness.cli."))
    return below or (door and (one.lazy or one.typing))


def against_the_order(found: Sequence[Import]) -> list[str]:
    """Imports between the packages of `harness` that point to a later one, or to the verbs."""
    return [str(one) for one in found if _package(one.importer) in ORDER and _is_later(one)]


def _is_later(one: Import) -> bool:
    later = ORDER[ORDER.index(_package(one.importer)) + 1 :]
    return _package(one.imported) in (*later, "api", "cli")


def _package(module: str) -> str:
    """The package of `harness` that a module is in; '' for any other one."""
    parts = module.split(".")
    return parts[1] if parts[0] == "harness" and len(parts) > 1 else ""


def circles(found: Sequence[Import]) -> list[str]:
    """Circles of modules that import each other when they are loaded."""
    graph: dict[str, set[str]] = {}
    for one in found:
        if not one.lazy and not one.typing:
            graph.setdefault(one.importer, set()).add(one.imported)
    done: set[str] = set()
    return [" -> ".join(circle) for start in sorted(graph) for circle in _circles_from(start, [], graph, done)]


def _circles_from(module: str, path: list[str], graph: Mapping[str, set[str]], done: set[str]) -> Iterator[list[str]]:
    if module in path:
        yield [*path[path.index(module) :], module]
    elif module not in done:
        for imported in sorted(graph.get(module, ())):
            yield from _circles_from(imported, [*path, module], graph, done)
        done.add(module)


def test_imports_only_point_down() -> None:
    assert upward(imports(sources())) == []


def test_packages_of_the_harness_import_only_earlier_ones() -> None:
    assert against_the_order(imports(sources())) == []


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("harness.data.bad", "from harness.measuring.measures import parse"),
        ("harness.scoring.bad", "def f():\n    from harness.result.store import Results"),
        (
            "harness.result.bad",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import harness.judging.gate.gate",
        ),
        ("harness.judging.bad", "from harness import api"),
    ],
)
def test_an_import_of_a_later_package_is_seen(module: str, text: str) -> None:
    assert any(line.startswith(f"{module}:") for line in against_the_order(imports({**sources(), module: text})))


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert circles(imports(sources())) == []


@pytest.mark.parametrize(
    "file", sorted(f for p in [*MAY_IMPORT, "benchmarks"] for f in (ROOT / p).rglob("*.py")), ids=dotted
)
def test_a_file_is_one_idea_of_readable_length(file: Path) -> None:
    assert file.stem not in DRAWERS, "a drawer for leftovers"
    assert len(file.read_text("utf-8").splitlines()) <= LINES


def test_every_package_says_what_it_is_for() -> None:
    folders = {file.parent for package in MAY_IMPORT for file in (ROOT / package).rglob("*.py")}
    silent = [str(f) for f in sorted(folders) if not _docstring(f / "__init__.py")]
    assert silent == []


def _docstring(file: Path) -> str | None:
    return ast.get_docstring(ast.parse(file.read_text("utf-8"))) if file.exists() else None


@pytest.mark.parametrize(
    ("module", "text"),
    [
        ("adapters.bad", "import harness.data.runs"),
        ("adapters.bad", "def f():\n    from harness.data.runs import Run"),
        ("adapters.bad", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from harness.data.runs import Run"),
        ("harness.bad", "from reports.table import Table"),
        ("harness.bad", "def f():\n    from reports import table"),
        ("harness.cli", "from reports import table"),
        ("training.bad", "from leaderboards import board"),
        ("reports.bad", "from adapters.models import open_folder"),
        ("leaderboards.bad", "import training"),
    ],
)
def test_an_import_upward_is_seen(module: str, text: str) -> None:
    assert len(upward(imports({**sources(), module: text}))) >= 1
    assert any(line.startswith(f"{module}:") for line in upward(imports({**sources(), module: text})))


def test_the_command_line_may_load_any_package_when_a_verb_is_called() -> None:
    assert upward(imports({"harness.cli": "def f():\n    from reports import table"})) == []


@pytest.mark.parametrize("back", ["import harness.a", "from harness import a", "from . import a", "from .a import x"])
def test_a_circle_is_seen(back: str) -> None:
    modules = {"harness": "", "harness.a": "from harness.b import y", "harness.b": back}
    assert circles(imports(modules)) == ["harness.a -> harness.b -> harness.a"]


def test_a_circle_of_types_alone_is_none() -> None:
    typed = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from harness.a import x"
    assert circles(imports({"harness.a": "from harness.b import y", "harness.b": typed})) == []
