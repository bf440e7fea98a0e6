"""Results for a model's page on the hub: the `model-index` of its card, and the entries of its `.eval_results` folder.

The hub documents both formats: https://huggingface.co/docs/hub/model-cards for the metadata of a card, and
https://huggingface.co/docs/hub/eval-results.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.data.sources.stored import DRIFTED
from harness.result.keys import SystemKey
from harness.result.result import Result
from harness.yaml_text import yaml
from reports.document import Bullets, Code, Heading, Part, Text, as_markdown
from reports.marks import alarms_of
from reports.model_name import LOCAL, model_name

MOST_CARDS = 8
"""A report with more rerankers writes cards only for the named ones."""
_DIGITS = 5


def cards(results: Sequence[Result], systems: Sequence[SystemKey]) -> str:
    """Markdown with the snippets for every system; empty if there are none."""
    from pathlib import Path

    parts = [part for system in systems for part in _card(results, system)]
    return as_markdown([Heading("Model cards", 1), *parts], Path()) if parts else ""


def model_index(name: str, results: Sequence[Result]) -> list[dict[str, object]]:
    """The value of `model-index`: one entry per collection with all measures, as fractions."""
    collections = list(dict.fromkeys(one.collection for one in results))
    entries = [_entry([one for one in results if one.collection == key]) for key in collections]
    return [{"name": name, "results": entries}]


def eval_results(results: Sequence[Result]) -> list[dict[str, object]]:
    """The entries of a file in `.eval_results`: the main measure of all whole collections with a dataset on the hub."""
    found = []
    for one in results:
        entry = one.collection.entry
        if entry is None or one.measure != one.collection.main_measure or not is_whole(one):
            continue
        dataset = {"id": entry.mteb.path, "task_id": entry.mteb.task, "revision": entry.mteb.revision}
        found.append({
            "dataset": dataset, "value": round(one.value, _DIGITS), "date": one.stored.updated, "notes": _notes(one),
        })  # fmt: skip
    return found


def is_whole(one: Result) -> bool:
    """Whether a result is about the published collection, not about a sample or other data."""
    return one.collection.sampled_from is None and DRIFTED not in one.collection.name


def _card(results: Sequence[Result], system: SystemKey) -> Iterator[Part]:
    own = [one for one in results if one.system == system and not one.imported and one.value == one.value]
    whole = [one for one in own if is_whole(one)]
    if not whole:
        return
    name = model_name(system.label)
    shown = system.label if name is None or name.name.startswith(f"{LOCAL}/") else name.name
    yield Heading(f"{system.label}, over {system.first_stage}")
    left = len({one.collection for one in own}) - len({one.collection for one in whole})
    notes = ["values are fractions; multiply them by 100 for points"]
    notes += [f"{left} collections are left out: samples, or data that differ from the published ones"] if left else []
    notes += [f"alarm: {one.collection.name}: {alarm}" for one in whole for alarm in alarms_of(one)]
    yield Bullets(tuple(dict.fromkeys(notes)))
    yield Text("Metadata of the model card:")
    yield Code(yaml({"model-index": model_index(shown.rsplit("/", 1)[-1], whole)}), "yaml")
    entries = eval_results(whole)
    if entries:
        yield Text("Entries for files in .eval_results, one file for each benchmark:")
        yield Code(yaml(entries), "yaml")


def _entry(results: Sequence[Result]) -> dict[str, object]:
    collection = results[0].collection
    entry = collection.entry
    dataset: dict[str, object] = {"type": entry.mteb.path if entry else collection.name, "name": collection.name}
    if entry:
        dataset |= {"config": entry.mteb.subset, "split": collection.split, "revision": entry.mteb.revision}
    else:
        dataset |= {"split": collection.split}
    metrics = [
        {
            "type": one.measure.lower().replace("@", "_at_"),
            "value": round(one.value, _DIGITS),
            "name": one.measure,
            "args": {"first_stage": one.system.first_stage, "depth": one.system.depth, "id": one.id},
        }
        for one in results
    ]
    return {"task": {"type": "text-ranking", "name": "Reranking"}, "dataset": dataset, "metrics": metrics}


def _notes(one: Result) -> str:
    return (
        f"{one.measure}, {one.system.first_stage} top {one.system.depth} reranked; {one.collection.name}, "
        f"{one.collection.queries} queries, split {one.collection.split}; rerank-harness {one.id}"
    )
