"""Results in mteb's layout, which mteb's `ResultCache`, tables and results repository can read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from adapters.errors import UsageError
from harness.data.suites.targets import find, is_suite_target
from harness.result.result import Result
from harness.workspace import write_atomically
from reports.model_name import model_name
from reports.mteb_parts import MtebPart, part_of
from reports.mteb_scores import mteb_scores, mteb_version
from reports.mteb_settings import SETTINGS, settings_file

_NOT_KNOWN = (
    "release_date", "languages", "n_parameters", "memory_usage_mb", "max_tokens", "embed_dim", "license",
    "open_weights", "public_training_code", "public_training_data", "similarity_fn_name", "use_instructions",
    "training_datasets",
)  # fmt: skip


def write_mteb_results(out: Path, results: Sequence[Result]) -> list[Path]:
    """Write results that `mteb.ResultCache(out)` can read.

    The files are `results/<org>__<model>/<revision>/<Task>.json`, `model_meta.json` and `run_settings.jsonl`, below
    `out`. Given lists and controls are not models and are left out. Files of the same task are replaced. If one file
    is refused, none is written.

    The revision is the commit that the spec names (`model@COMMIT`), or the digest of the weights, or mteb's
    `no_revision_available`. A model that is not on the hub is called `local/<name>`.

    Raises:
        UsageError: a collection belongs to no suite, is a sample, or differs from the suite's table; a task lacks a
            split, a subset or its official measure; two systems would share a folder; or there is nothing to write.
    """
    by_id: dict[str, list[Result]] = {}
    for one in results:
        if model_name(one.stored.system) is not None:
            by_id.setdefault(one.id, []).append(one)
    files = mteb_files(out, list(map(part_of, by_id.values())))
    if not files:
        raise UsageError("nothing to write for mteb: only given lists and controls were evaluated; add a --reranker")
    return write_files(files)


def mteb_files(out: Path, parts: Sequence[MtebPart]) -> dict[Path, str]:
    """The files of `write_mteb_results` and their texts. Existing settings below `out` are read and kept.

    Raises:
        UsageError: see `write_mteb_results`.
    """
    files: dict[Path, str] = {}
    for folder, own in _by_folder(out, parts).items():
        settings = settings_file(folder, own)
        tasks = _by_task(own)
        files |= {folder / f"{task}.json": _json(_result(task, group)) for task, group in tasks.items()}
        files[folder / "model_meta.json"] = _json(_model_meta(folder, own[0]))
        files[folder / SETTINGS] = settings
    return files


def write_files(files: Mapping[Path, str]) -> list[Path]:
    """Write the files, each atomically, and return their paths."""
    for file, text in files.items():
        file.parent.mkdir(parents=True, exist_ok=True)
        with write_atomically(file) as temporary:
            temporary.write_text(text, "utf-8")
    return list(files)


def refuse_for_mteb(targets: Sequence[str], languages: Sequence[str], split: str | None, *, sampled: bool) -> None:
    """Refuse, before a run starts, targets that `write_mteb_results` would refuse after it.

    Raises:
        UsageError: a target belongs to no suite, queries are sampled, or a task would lack a split or a subset.
    """
    if sampled:
        raise UsageError("mteb takes results on all queries; leave out --mteb-results or --sample-queries")
    own = [target for target in targets if not is_suite_target(target)]
    if own:
        raise UsageError(f"{own[0]}: mteb has results of the suites' collections only, such as beir/scifact")
    chosen = [one for target in targets for one in find(target)]
    chosen = [one for one in chosen if one.language in (languages or [one.language])]
    chosen = [one for one in chosen if split in (None, one.mteb.split)]
    for task in dict.fromkeys(one.mteb.task for one in chosen):
        wanted = [one.target for one in find(f"mteb/{task}")]
        missing = sorted(set(wanted) - {one.target for one in chosen})
        if missing:
            raise UsageError(_incomplete(task, missing, len(wanted)))


def _incomplete(task: str, missing: Sequence[str], parts: int) -> str:
    return (
        f"{task}: {len(missing)} of {parts} parts are missing: {', '.join(missing)}; mteb takes whole tasks, so run "
        f"mteb/{task}"
    )


def _by_folder(out: Path, parts: Sequence[MtebPart]) -> dict[Path, list[MtebPart]]:
    folders: dict[Path, list[MtebPart]] = {}
    for part in parts:
        name = model_name(part.system)
        if name is not None:
            path = out / "results" / name.name.replace("/", "__") / (name.commit or _revision(part))
            folders.setdefault(path, []).append(part)
    return folders


def _by_task(parts: Sequence[MtebPart]) -> dict[str, list[MtebPart]]:
    """The tasks with all their parts, in the order of the suite's table."""
    tasks: dict[str, list[MtebPart]] = {}
    for task in dict.fromkeys(part.entry.mteb.task for part in parts):
        here = _each_once([part for part in parts if part.entry.mteb.task == task])
        wanted = find(f"mteb/{task}")
        missing = [entry.target for entry in wanted if entry.target not in here]
        if missing:
            raise UsageError(_incomplete(task, missing, len(wanted)))
        tasks[task] = [here[entry.target] for entry in wanted]
    return tasks


def _each_once(parts: Sequence[MtebPart]) -> dict[str, MtebPart]:
    found: dict[str, MtebPart] = {}
    for part in parts:
        if found.setdefault(part.entry.target, part).id != part.id:
            raise UsageError(f"{part.label} has two results on {part.entry.target}; select one of them")
    return found


def _result(task: str, parts: Sequence[MtebPart]) -> dict[str, object]:
    scores: dict[str, list[object]] = {}
    for part in parts:
        scores.setdefault(part.entry.mteb.split, []).append(mteb_scores(part))
    return {
        "dataset_revision": parts[0].entry.mteb.revision,
        "task_name": task,
        "mteb_version": mteb_version(),
        "scores": scores,
        "evaluation_time": _seconds(parts),
        "kg_co2_emissions": None,
    }


def _seconds(parts: Sequence[MtebPart]) -> float | None:
    """The time to score all pairs at the measured speed, including pairs that were in the ledger."""
    timed = [(part.pairs, part.pairs_per_second) for part in parts]
    return sum(pairs / speed for pairs, speed in timed if speed) if all(speed for _, speed in timed) else None


def _model_meta(folder: Path, part: MtebPart) -> dict[str, object]:
    """The keys of mteb's `ModelMeta`. Those that the harness cannot know are null."""
    name = model_name(part.system)
    by_place = "cross-encoder" if part.reranked else "dense"
    by_adapter = {"embedder-reranker": "dense", "bm25": "sparse"}
    return {
        "name": name and name.name,
        "revision": folder.name,
        "model_type": [by_adapter.get(str(part.identity.get("adapter")), by_place)],
        "loader": None,
        "framework": [],
        **dict.fromkeys(_NOT_KNOWN),
    }


def _revision(part: MtebPart) -> str:
    digest = _weights(part.identity)
    return f"weights-{digest[:12]}" if digest else "no_revision_available"


def _weights(identity: Mapping[str, object]) -> str | None:
    if isinstance(identity.get("weights"), str):
        return str(identity["weights"])
    inner = (_weights(value) for value in identity.values() if isinstance(value, Mapping))
    return next((digest for digest in inner if digest), None)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
