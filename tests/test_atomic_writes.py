"""No file that is kept is written where a kill could leave half of it: a user would take it for a whole one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("adapters", "harness", "reports", "leaderboards", "training")
ATOMIC = {"write_atomically", "new_folder"}
WRITERS = {
    "write_text", "write_bytes", "save", "savez", "savez_compressed", "savefig", "to_csv", "to_json", "to_parquet",
    "write_table", "save_file", "save_pretrained", "copyfile", "copy", "copy2", "copytree", "dump", "tofile", "OSFile",
    "ParquetWriter", "writestr", "save_model", "rename", "replace",
}  # fmt: skip
"""Methods and functions that write a file, with `open` in a mode that writes."""
OF_MODULES = {
    "save": {"np", "numpy", "torch"}, "copy": {"shutil"}, "copy2": {"shutil"}, "copyfile": {"shutil"},
    "copytree": {"shutil"}, "dump": {"json", "pickle", "yaml", "tomli_w"}, "save_file": {"safetensors"},
    "rename": {"os"}, "replace": {"os"},
}  # fmt: skip
"""Names that other objects have too: only those of these modules write."""
INTO_UNFINISHED = {
    "adapters/declaration.py": "fills a folder of `new_folder` that its caller renames",
    "adapters/own_code_folder.py": "a temporary folder of a process",
    "adapters/own_code_process.py": "answers through a pipe",
    "adapters/reference_process.py": "answers through a pipe",
    "adapters/tiny.py": "models for tests",
    "harness/cli/help.py": "text of a help, no file",
    "harness/checks/memory.py": "a switch of the operating system",
    "harness/data/as_published.py": "fills the folder of a collection, which is renamed",
    "harness/data/columns.py": "fills the folder of a collection, which is renamed",
    "harness/data/sources/part_file.py": "the part of a download, which is continued",
    "harness/exiting.py": "the null device",
    "harness/holder.py": "a record of who writes, which is removed when it has written",
    "harness/result/database.py": "a temporary folder",
    "leaderboards/mteb_check.py": "a temporary folder",
    "training/converting/convert.py": "fills a folder that is renamed",
    "training/converting/weights.py": "fills a folder that is renamed",
    "training/examples.py": "the writer of a file that its caller renames",
    "training/fitted.py": "fills a folder that its caller renames",
    "training/merging/added_tokens.py": "fills a folder that is renamed",
    "training/merging/chat_template.py": "fills a folder that is renamed",
    "training/merging/merge.py": "fills a folder that is renamed",
    "training/merging/writer.py": "fills a folder that is renamed",
    "training/store.py": "fills a folder that is renamed; the lock file has no content",
    "training/student.py": "fills a folder that its caller renames",
    "training/synthesis/answers.py": "a log of lines, which is continued after its last whole line",
}
"""Files that write without a name of their own, and why that is safe."""


def bypassing(source: str) -> Iterator[tuple[int, str]]:
    """The line and the name of every write that is not inside a block of `write_atomically` or `new_folder`."""
    yield from _bypassing(ast.parse(source), inside=False)


def _bypassing(node: ast.AST, *, inside: bool) -> Iterator[tuple[int, str]]:
    if isinstance(node, ast.With):
        inside = inside or any(_called(item.context_expr) in ATOMIC for item in node.items)
    if isinstance(node, ast.Call) and not inside and _writes(node):
        yield node.lineno, _called(node)
    for child in ast.iter_child_nodes(node):
        yield from _bypassing(child, inside=inside)


def _called(node: ast.AST) -> str:
    function = node.func if isinstance(node, ast.Call) else None
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _writes(call: ast.Call) -> bool:
    name = _called(call)
    if name in {"open", "fdopen"}:
        given = [*call.args, *(word.value for word in call.keywords if word.arg == "mode")]
        modes = [one.value for one in given if isinstance(one, ast.Constant) and isinstance(one.value, str)]
        return any(set(mode) <= set("rwxabt+") and set(mode) & set("wxa+") for mode in modes)
    if name in OF_MODULES:
        function = call.func
        owner = function.value if isinstance(function, ast.Attribute) else None
        return isinstance(owner, ast.Name) and owner.id in OF_MODULES[name]
    return name in WRITERS


def files() -> list[Path]:
    return [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]


def test_every_file_that_is_kept_is_written_under_another_name_and_renamed() -> None:
    found = [
        f"{name}:{line} {writer}"
        for file in files()
        if (name := str(file.relative_to(ROOT))) not in INTO_UNFINISHED | {"adapters/atomic.py": ""}
        for line, writer in bypassing(file.read_text("utf-8"))
    ]
    assert found == [], "write it inside `write_atomically` or `new_folder` of harness.workspace"


def test_the_exceptions_are_needed() -> None:
    assert [name for name in INTO_UNFINISHED if not list(bypassing((ROOT / name).read_text("utf-8")))] == []


@pytest.mark.parametrize(
    "line",
    [
        "path.write_text(text)", "open(path, 'w')", "path.open('ab')", "np.savez(path, a)", "frame.to_csv(path)",
        "json.dump(a, file)", "open(path, mode='x')", "figure.savefig(path)", "shutil.copyfile(a, b)",
    ],
)  # fmt: skip
def test_a_write_past_it_is_found(line: str) -> None:
    assert list(bypassing(line)) != []
    assert list(bypassing(f"with write_atomically(path) as unfinished:\n    {line}")) == []
