"""mteb's `run_settings.jsonl`. A key of our own names the system, so that a folder holds results of one system only."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.errors import DataError, UsageError
from reports.mteb_parts import MtebPart

SETTINGS = "run_settings.jsonl"
_Line = dict[str, object]


def settings_file(folder: Path, parts: Sequence[MtebPart]) -> str:
    """The new text of the file. Lines of tasks that are not among the parts are kept.

    Raises:
        UsageError: the folder would hold results of several systems.
        DataError: the existing file cannot be read.
    """
    tasks = {part.entry.mteb.task for part in parts}
    kept = [line for line in _existing(folder / SETTINGS) if line.get("task") not in tasks]
    made: dict[str, _Line] = {}
    for part in parts:
        where = part.entry.mteb
        line = made.setdefault(json.dumps([where.task, where.split, setting(part)]), _line(part))
        line["subsets"] = sorted({*_names(line), where.subset})
    lines = [*kept, *made.values()]
    _refuse_several([line.get("harness") for line in lines], folder)
    return "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines)


def setting(part: MtebPart) -> dict[str, object]:
    """Facts that mteb's layout has no field for: the spec with its options, the first stage and the depth."""
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
    subsets = line.get("subsets", [])
    return [str(name) for name in subsets] if isinstance(subsets, list) else []


def _existing(file: Path) -> list[_Line]:
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    try:
        return [dict(json.loads(line)) for line in lines if line.strip()]
    except (ValueError, TypeError):
        raise DataError(f"{file}: a line is not a JSON object; repair the file or move it away") from None


def _refuse_several(made: Sequence[object], folder: Path) -> None:
    """Refuse a folder with several systems, because mteb takes one folder for one model. A reranker may have given
    lists in some tasks and a first stage in others, but not two first stages, depths or sets of options."""
    ours = [one for one in made if isinstance(one, Mapping)]
    systems = {one.get("system") for one in ours}
    searched = {(one.get("first_stage"), one.get("depth")) for one in ours if one.get("first_stage") != "given"}
    if len(ours) < len(made) or len(systems) > 1 or len(searched) > 1:
        raise UsageError(
            f"{folder}: would hold results of several systems (other options, first stage or depth, or mteb's own), "
            "which mteb cannot distinguish; use a separate folder for each"
        )
