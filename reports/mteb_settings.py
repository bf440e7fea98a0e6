"""mteb's `run_settings.jsonl`, with the system under a key of our own: it keeps one folder to one system."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.errors import DataError, UsageError
from reports.mteb_parts import MtebPart

SETTINGS = "run_settings.jsonl"
_Line = dict[str, object]


def settings_file(folder: Path, parts: Sequence[MtebPart]) -> str:
    """The file's new content: lines of tasks that are not among the parts stay as they are.

    Raises:
        UsageError: the folder would hold results of several systems.
        DataError: the file that is there cannot be read.
    """
    tasks = {part.entry.mteb.task for part in parts}
    kept = [line for line in _there(folder / SETTINGS) if line.get("task") not in tasks]
    made: dict[str, _Line] = {}
    for part in parts:
        where = part.entry.mteb
        line = made.setdefault(json.dumps([where.task, where.split, setting(part)]), _line(part))
        line["subsets"] = sorted({*_names(line), where.subset})
    lines = [*kept, *made.values()]
    _refuse_several([line.get("harness") for line in lines], folder)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def setting(part: MtebPart) -> dict[str, object]:
    """What mteb's layout has no place for: the spec with its options, where the candidates are from, how many."""
    stage = part.first_stage if part.reranked else None
    return {"system": part.system, "first_stage": stage, "depth": None if stage == "given" else part.depth}


def _line(part: MtebPart) -> _Line:
    return {
        "task": part.entry.mteb.task,
        "splits": [part.entry.mteb.split],
        "version": dict(part.packages),
        "encode_kwargs": {},
        "harness": setting(part),
    }


def _names(line: _Line) -> list[str]:
    found = line.get("subsets", [])
    return [str(name) for name in found] if isinstance(found, list) else []


def _there(file: Path) -> list[_Line]:
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    try:
        return [dict(json.loads(line)) for line in lines if line.strip()]
    except (ValueError, TypeError):
        raise DataError(f"{file}: a line is no JSON object; move the file away") from None


def _refuse_several(made: Sequence[object], folder: Path) -> None:
    """One folder stands for one model in mteb. A reranker may have given lists in some tasks and a first stage in
    others, but never two first stages, depths or sets of options."""
    ours = [one for one in made if isinstance(one, Mapping)]
    systems = {one.get("system") for one in ours}
    searched = {(one.get("first_stage"), one.get("depth")) for one in ours if one.get("first_stage") != "given"}
    if len(ours) < len(made) or len(systems) > 1 or len(searched) > 1:
        raise UsageError(
            f"{folder}: would hold results of several systems (other options, first stage or depth, or mteb's own), "
            "which mteb cannot tell apart; name a folder for each"
        )
