"""Run a merge, from the recipe to the finished folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from adapters.errors import DataError, ModelError, UsageError
from adapters.models import read_json
from harness.result.secrets import public_values
from harness.workspace import new_folder, replace_folder
from training.merging import added_tokens, chat_template, combine, rows
from training.merging.agreement import MergeableCheckpoints, agree
from training.merging.chat_template import template_for
from training.merging.checkpoint import Checkpoint, open_checkpoint
from training.merging.layers import changed_config
from training.merging.methods import Solution, axis_of, share
from training.merging.plan import Step, plan, routers
from training.merging.provenance import MergeJob
from training.merging.recipe import Recipe
from training.merging.report import MergeReport, TensorReport, notes_on, tensor_report
from training.merging.sparse import Sparse
from training.merging.stack import origins, stacked
from training.merging.tensors import Floats, Raw
from training.merging.unused import notes_on_values
from training.merging.vocabulary import applied, vocabulary_of
from training.merging.writer import Shard, indexes, layout, slice_layout, write

MANIFEST = "merge.json"
REPORT = "merge-report"


@dataclass(frozen=True)
class Merged:
    """A finished merge."""

    path: Path
    id: str
    report: Mapping[str, object] = field(repr=False)
    """The content of merge-report.json."""
    new: bool = True
    """False if the same merge existed already."""


def merge(recipe: Recipe, out: Path, *, shard_bytes: int | None = None) -> Merged:
    """Merge checkpoints into a new model folder, tensor by tensor, with only pieces of tensors in memory.

    The folder appears when it is complete, so a kill leaves nothing that looks finished. If `out` has the same merge of
    the same sources already, it is returned.

    Raises:
        ModelError: the checkpoints cannot be merged (see `agreement`), or one has NaN or infinity.
        UsageError: the recipe does not fit its method, or `out` exists and is not this merge.
        DataError: there is not enough space on the disk.
    """
    names = dict.fromkeys([*(one.model for one in recipe.inputs), recipe.home])
    job = MergeJob(recipe, {name: open_checkpoint(name) for name in names}, shard_bytes)
    agreed = agree(job.home, [one for one in job.opened.values() if one is not job.home])
    aligned = {one.name: one for one in (job.home, *agreed.others)}
    job.vocabulary = vocabulary_of(recipe, aligned[job.home.name])
    job.chat_template = template_for(recipe.chat_template, job.opened.values(), job.home)
    if job.vocabulary is not None:
        aligned = {name: applied(one, job.vocabulary, aligned) for name, one in aligned.items()}
    home = aligned[job.home.name]
    if recipe.slices:
        shards = slice_layout(stacked(recipe, home, aligned, agreed), shard_bytes)
    else:
        shards = layout(home, plan(recipe, home, [aligned[one.model] for one in recipe.inputs], agreed), shard_bytes)
    if out.exists():
        return _existing(job, out)
    _check_space(out, shards)
    with ThreadPoolExecutor(1) as thread, new_folder(out.absolute()) as folder:
        identities = thread.submit(job.identities)
        report = _written(job, shards, folder, agreed)
        _write_json(folder / f"{REPORT}.json", report.as_dict())
        (folder / f"{REPORT}.md").write_text(report.markdown(), "utf-8")
        manifest = job.manifest(identities.result(), report)
        _write_json(folder / MANIFEST, manifest)
        replace_folder(folder, out.absolute())
    return Merged(out, str(manifest["id"]), report.as_dict())


def _written(job: MergeJob, shards: Sequence[Shard], folder: Path, agreed: MergeableCheckpoints) -> MergeReport:
    home, worker = job.home, _Worker(job.recipe)
    _carry_over(home, job, folder)
    for shard in shards:
        job.written[shard.path] = write(folder / shard.path, worker.pieces(shard))
    for path, content in indexes(home, shards).items():
        (folder / path).write_bytes(content)
    steps = [step for shard in shards for step in shard.steps]
    notes = notes_on(
        routers(steps),
        [step.key for step in steps if step.action == "keep"],
        sorted(agreed.copies),
    )
    job.dtypes.update(step.dtype for step in steps)
    notes += notes_on_values(job.recipe, {*home.tensors, *(step.key for step in steps)}, steps)
    notes += job.vocabulary.notes if job.vocabulary else ()
    kept = agreed.notes
    if job.chat_template is not None:
        kept = tuple(note for note in kept if not note.startswith(chat_template.DIFFER))
        notes.append(f"the chat template is {'the commonest of the models' if _is_auto(job) else 'that of the recipe'}")
    between = "the differences to the base" if any(step.base for step in steps) else "the weights"
    return MergeReport(job.recipe.method, between, tuple(worker.reports), (*job.recipe.remarks, *notes, *kept))


@dataclass
class _Worker:
    """Computes the bytes of shards, and collects the report of each tensor."""

    recipe: Recipe
    reports: list[TensorReport] = field(default_factory=list)

    def pieces(self, shard: Shard) -> Iterator[bytes | Raw]:
        yield shard.header
        for step in shard.steps:
            yield from self._of(step)
            for tensor in (step.home, step.base, *step.sources):
                if tensor is not None:
                    tensor.forget()

    def _of(self, step: Step) -> Iterator[Raw]:
        if step.action == "keep" or step.values is None:
            self.reports.append(tensor_report(step, None, None, "copied: from the base"))
            return combine.copied(step.home, step.dtype)
        seen = combine.look(step)
        axis = axis_of(self.recipe.method, step.values, step.home.shape)
        solution = self._solved(step, seen) if axis is None else None
        ends = solution if axis is None else Solution(np.array([1 - share(step.values), share(step.values)]), "")
        alone = combine.verbatim(step, seen, ends)
        path = f"slerp by the {axis} axis" if axis else self.recipe.method if solution is None else solution.path
        if alone is not None:
            path = "copied: all equal" if seen.identical else "copied: one checkpoint"
        self.reports.append(tensor_report(step, seen, solution, path))
        if alone is not None:
            return combine.copied(alone, step.dtype)
        if axis is not None:
            return rows.slerped(step, axis)
        if solution is None:
            return combine.sparsely(step, self._sparse(step))
        return combine.summed(step, solution.coefficients)

    def _solved(self, step: Step, seen: combine.TensorReading) -> Solution | None:
        if self.recipe.rule.solve is None or step.values is None:
            return None
        try:
            return self.recipe.rule.solve(seen.products, step.values)
        except (ModelError, UsageError) as error:
            raise type(error)(f"{error} (tensor '{step.key}')") from None

    def _sparse(self, step: Step) -> Sparse:
        assert step.values is not None

        def read() -> Iterator[tuple[slice, list[Floats]]]:
            pieces = combine.Pieces(step)
            for place in pieces.places():
                yield place, pieces.vectors(place, pieces.base(place))

        source = f"{self.recipe.seed}/{step.key}"
        return Sparse(self.recipe.method, step.values, read, step.home.shape, source)


def _carry_over(home: Checkpoint, job: MergeJob, folder: Path) -> None:
    recipe = job.recipe
    for file in home.texts():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(home.folder.path / file, folder / file)
    config = home.json("config.json")
    named = {key for key in ("dtype", "torch_dtype") if key in config} or {"dtype"}
    wanted: dict[str, object] = dict(_layer_keys(home, recipe))
    wanted |= dict.fromkeys(named, recipe.dtype) if recipe.dtype is not None else {}
    wanted |= {"vocab_size": job.vocabulary.rows} if job.vocabulary is not None else {}
    if any(config.get(key) != value for key, value in wanted.items()):
        text = json.dumps({**config, **wanted}, indent=2, ensure_ascii=False) + "\n"
        (folder / "config.json").write_text(text, "utf-8")
    if job.vocabulary is not None and job.vocabulary.added:
        added_tokens.add(folder, job.vocabulary.added, job.vocabulary.kept)
    if job.chat_template is not None:
        chat_template.write(folder, job.chat_template)


def _is_auto(job: MergeJob) -> bool:
    return job.recipe.chat_template == chat_template.AUTO


def _layer_keys(home: Checkpoint, recipe: Recipe) -> Mapping[str, object]:
    return changed_config(home, origins(recipe)) if recipe.slices else {}


def _existing(job: MergeJob, out: Path) -> Merged:
    manifest = read_json(out / MANIFEST, dict) if out.is_dir() else {}
    if not manifest:
        raise UsageError(f"{out}: exists and is not a merge; name another folder, or remove it")
    if manifest.get("id") != job.id(job.identities()):
        raise UsageError(f"{out}: holds another merge; name another folder, or remove it")
    return Merged(out, str(manifest["id"]), read_json(out / f"{REPORT}.json", dict), new=False)


def _check_space(out: Path, shards: Sequence[Shard]) -> None:
    parent = next(folder for folder in out.absolute().parents if folder.is_dir())
    needed, free = sum(shard.size for shard in shards), shutil.disk_usage(parent).free
    if needed > free:
        raise DataError(
            f"{out}: the merged weights need {needed / 1e9:.2f} GB, but only {free / 1e9:.2f} GB are free; "
            "free some space, or name a folder on another disk"
        )


def _write_json(file: Path, content: object) -> None:
    file.write_text(json.dumps(public_values(content), ensure_ascii=False, indent=1, allow_nan=False) + "\n", "utf-8")
