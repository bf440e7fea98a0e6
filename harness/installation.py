"""Whether the five packages of this program are its own files. Imports only the standard library, because it runs
before any of them is imported."""

from __future__ import annotations

import importlib.util
import re
import traceback
from pathlib import Path

PACKAGES = ("adapters", "harness", "leaderboards", "reports", "training")
ROOT = Path(__file__).resolve().parents[1]
"""The folder that the packages are in."""
_OURS = "Models behind small protocols."
"""How `adapters/__init__.py` begins."""
_OF_ADAPTERHUB = ("composition.py", "model_mixin.py", "hub_mixin.py", "head_utils.py")
"""Files of AdapterHub's package `adapters`. This program has no files of these names."""
_ADVICE = "install rerank-harness into an environment of its own"


def problem() -> str | None:
    """Why the packages that Python finds are not those of this program, in one line; None if they are.

    AdapterHub's package on PyPI has the same name as our `adapters`. pip installs both into one folder, so some of the
    files there are of one and some of the other, and removing one removes files of the other.
    """
    mixed = _mixed(ROOT / "adapters")
    if mixed is not None:
        return (
            f"pip mixed files of AdapterHub's package 'adapters' ({mixed}) with ours in {ROOT / 'adapters'}; {_ADVICE}"
        )
    for name in PACKAGES:
        found = _found(name)
        if found != ROOT / name:
            where = "no such package" if found is None else str(found)
            return f"'import {name}' finds {where} instead of {ROOT / name}, a part of rerank-harness; {_ADVICE}"
    return None


def adapterhub() -> Path | None:
    """The folder in which pip has installed AdapterHub's `adapters`; None if it is not installed."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return Path(str(distribution("adapters").locate_file("adapters")))
    except PackageNotFoundError:
        return None


def failed_import(error: BaseException) -> str | None:
    """Which package could not be imported, in one line that says what to do; None if the error is another one, or a bug
    of this program."""
    name = (error.name or "").split(".")[0] if isinstance(error, ImportError) else ""
    if isinstance(error, ModuleNotFoundError) and name in PACKAGES:
        return f"rerank-harness lacks its module '{error.name}' in {ROOT}; pip install --force-reinstall rerank-harness"
    if isinstance(error, ModuleNotFoundError) and name:
        return f"the package '{name}' is missing; pip install {name}"
    if name in PACKAGES or not (isinstance(error, ImportError) or _while_importing(error)):
        return None
    reason = " ".join(str(error).split())[:_LONGEST]
    what = f"the package '{name}'" if name else "a package"
    return f"{what} cannot be imported ({type(error).__name__}: {reason}); install it again, or make a new environment"


_LONGEST = 300


def _while_importing(error: BaseException) -> bool:
    """Whether an `import` of ours, of a package that is not ours, raised the error."""
    frames = traceback.extract_tb(error.__traceback__)
    ours = [number for number, frame in enumerate(frames) if Path(frame.filename).is_relative_to(ROOT)]
    ours = [number for number in ours if "site-packages" not in Path(frames[number].filename).relative_to(ROOT).parts]
    if not ours or ours[-1] == len(frames) - 1:
        return False
    return (frames[ours[-1]].line or "").startswith(("import ", "from "))


def _mixed(folder: Path) -> str | None:
    """A file in our folder `adapters` that AdapterHub brought, or pip's record of it; None if there is none."""
    there = next((name for name in _OF_ADAPTERHUB if (folder / name).exists()), None)
    if there is not None:
        return there
    if _OURS not in _beginning(folder / "__init__.py"):
        return "__init__.py"
    recorded = (one.name for one in folder.parent.glob("adapters-*.dist-info"))
    return next((name for name in recorded if re.fullmatch(r"adapters-[^-]+\.dist-info", name)), None)


def _beginning(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")[:200]
    except OSError:
        return ""


def _found(name: str) -> Path | None:
    """The folder from which Python would import a package. Nothing is imported."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # in `sys.modules` without a spec
        return None
    return None if spec is None or spec.origin is None else Path(spec.origin).resolve().parent
