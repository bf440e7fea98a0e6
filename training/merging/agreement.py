"""The rules that checkpoints must meet to be merged. Each rule is a function that raises an error.

Configurations, tokenizers and modules are compared as the libraries read them, not as their files are written. A
difference that does not change what the network computes becomes a note, and the base's files are kept.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from adapters.errors import ModelError
from training.merging.alignment import align, merged_names, reads_body
from training.merging.chat_template import DIFFER, usual
from training.merging.checkpoint import Checkpoint
from training.merging.configuration import compare, labels
from training.merging.modules import FILES
from training.merging.tokenization import remarks, unlike
from training.merging.tokenizer import Tokenizer

_HEADLESS = ("Model", "ForCausalLM", "LMHeadModel", "ForMaskedLM", "ForPreTraining")
"""Suffixes of architecture names that share the same body."""
_DO = {
    "vocab_size": "if the tokenizers are the same, load the smaller one, call model.resize_token_embeddings with the "
    "size of the other, and save it"
}
"""Advice for keys that differ, where there is more to do than to take other checkpoints."""
_DEFAULTS = {"similarity_fn_name": "cosine"}


@dataclass(frozen=True)
class MergeableCheckpoints:
    """Checkpoints that can be merged."""

    others: tuple[Checkpoint, ...]
    """The other checkpoints, with the tensor names of the first."""
    kept: frozenset[str]
    """Tensors of the first that are copied, because the others do not need them."""
    copies: frozenset[str]
    """Tensors of the first that are left out, because loading derives them from other tensors."""
    notes: tuple[str, ...]
    """Notes for the report: differences for which the first checkpoint's version is kept."""


def agree(home: Checkpoint, others: Sequence[Checkpoint]) -> MergeableCheckpoints:
    """Refuse checkpoints that cannot be merged with `home`, whose files the merge gets.

    Raises:
        ModelError: configurations, vocabularies, tokenizers, modules, names or shapes of tensors differ.
        MissingExtra: files are written differently, and the library that reads both is not installed.
    """
    _agree_without(home, others)
    renamed, kept, copies, notes = [], set[str](), set[str](home.tied), [*_left_unread(home)]
    for other in others:
        notes += _modules(home, other)
        for mine, yours in zip(home.readers, other.readers, strict=False):
            for rule in (_architecture, _configuration, _tokenizer):
                notes += rule(mine, yours)
        notes += _prompts(home, other)
        aligned = align(home, other)
        one = other.renamed(aligned.names)
        _shapes(home, one, aligned.kept | aligned.copies)
        renamed.append(one)
        kept |= aligned.kept
        copies |= aligned.copies
        notes += [*aligned.notes, *_left_unread(other)]
    return MergeableCheckpoints(tuple(renamed), frozenset(kept), frozenset(copies), tuple(dict.fromkeys(notes)))


def _agree_without(home: Checkpoint, others: Sequence[Checkpoint]) -> None:
    """Refuse others that contradict each other in something that `home` does not have."""
    for first, second in pairwise([one for one in others if one.chain and not home.chain]):
        list(chain(_modules(first, second), _prompts(first, second)))
    for mine, *readers in zip(home.readers, *(one.readers for one in others), strict=False):
        for first, second in pairwise(filter(_has_tokenizer, readers)) if not _has_tokenizer(mine) else ():
            list(_tokenizer(first, second))


def _has_tokenizer(one: Checkpoint) -> bool:
    return Tokenizer(one.name, one.folder.path).present


def _architecture(home: Checkpoint, other: Checkpoint) -> Iterator[str]:
    ours, theirs = home.folder.architecture, other.folder.architecture
    if ours == theirs:
        return
    if ours and theirs and not (reads_body(home) and ours.endswith(_HEADLESS) and theirs.endswith(_HEADLESS)):
        raise _refused(
            home, other, "architecture in config.json", ours, theirs, "merge checkpoints of one architecture"
        )
    yield f"config.json: {_kept(home, other, 'architecture', ours, theirs)}"


def _configuration(home: Checkpoint, other: Checkpoint) -> Iterator[str]:
    compared = compare(home.folder, other.folder)
    wrong = next((one for one in compared.differences if one.counts), None)
    if wrong is not None:
        where = f"{wrong.key} in config.json"
        do = _DO.get(wrong.key, "merge checkpoints with equal values")
        what = f"this changes what the network computes ({compared.read_by}); {do}"
        raise _refused(home, other, where, wrong.ours, wrong.theirs, what)
    if home.folder.architecture.endswith("Classification"):
        yield from _labels(home, other)
    for one in compared.differences:
        yield f"config.json: {_kept(home, other, one.key, one.ours, one.theirs)}"
    if "auto_map" in home.folder.config:
        yield f"config.json of {home.name} names code (auto_map), which is not copied; copy its .py files to the merge"


def _labels(home: Checkpoint, other: Checkpoint) -> Iterator[str]:
    ours, theirs = labels(home.folder.config), labels(other.folder.config)
    if len(ours) != len(theirs):
        what = "only heads of one size can be merged"
        raise _refused(home, other, "num_labels in config.json", len(ours), len(theirs), what)
    apart = [index for index in ours if ours[index].casefold() != theirs.get(index, "").casefold()]
    if apart and len(ours) > 1:
        what = "scores of different labels cannot be averaged; give both the same id2label if it is the same label"
        where = f"id2label[{apart[0]}] in config.json"
        raise _refused(home, other, where, ours[apart[0]], theirs.get(apart[0]), what)
    if apart:
        yield f"config.json: {_kept(home, other, 'id2label[0]', ours[0], theirs[0])}"


def _tokenizer(home: Checkpoint, other: Checkpoint) -> Iterator[str]:
    ours, theirs = (Tokenizer(one.name, one.folder.path) for one in (home, other))
    if ours.present != theirs.present:
        has, lacks = (home, other) if ours.present else (other, home)
        kept = (
            f"those of {home.name} are kept" if ours.present else f"the merge has none; copy those of {has.name} to it"
        )
        yield f"{lacks.name} has no tokenizer files; {kept}"
    if not (ours.present and theirs.present):
        return
    apart = unlike(ours, theirs)
    if apart is not None:
        raise ModelError(
            f"merge: the tokenizers ({apart.part}) of {home.name} and {other.name} differ: {apart.what}; each was "
            f"trained on other tokens, so merge checkpoints with equal tokenizers"
        )
    yield from remarks(ours, theirs)
    mine, yours = _chat(home), _chat(other)
    if mine != yours:
        none = "" if mine is not None else ", which has none"
        yield f"{DIFFER} {home.name} and {other.name} differ; that of {home.name} is kept{none}"


def _chat(checkpoint: Checkpoint) -> object:
    named = {
        file.stem: file.read_text("utf-8").strip()
        for file in sorted(checkpoint.folder.path.glob("additional_chat_templates/*.jinja"))
    }
    default = usual(checkpoint)
    return {"default": default, **named} if named else default


def _prompts(home: Checkpoint, other: Checkpoint) -> Iterator[str]:
    """Compare prompts. A folder saved by transformers has no modules.json, so its prompts are unknown."""
    ours, theirs = _settings(home), _settings(other)
    if not (home.chain and other.chain):
        if other.chain and theirs["prompts"]:
            yield f"sentence-transformers: {_kept(home, other, 'prompts', None, theirs['prompts'])}"
        return
    for key in ("prompts", "default_prompt_name", "similarity_fn_name", "do_lower_case", "model_type"):
        if ours.get(key) != theirs.get(key):
            what = "each was trained on other texts; merge checkpoints with equal values"
            where = f"{key} of sentence-transformers (config_sentence_transformers.json)"
            raise _refused(home, other, where, ours.get(key), theirs.get(key), what)
    for key in ("activation_fn", "max_seq_length"):
        if ours.get(key) != theirs.get(key):
            yield f"sentence-transformers: {_kept(home, other, key, ours.get(key), theirs.get(key))}"


def _settings(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """The settings that sentence-transformers reads in addition to the modules. An empty prompt counts as none."""
    settings = {**_DEFAULTS, **{key: value for key, value in checkpoint.folder.sentence_settings.items() if value}}
    prompts = settings.get("prompts")
    settings["prompts"] = {name: text for name, text in prompts.items() if text} if isinstance(prompts, dict) else {}
    return {"model_type": "SentenceTransformer", **settings, "prompts": settings["prompts"] or None}


def _modules(home: Checkpoint, other: Checkpoint) -> Iterator[str]:
    if bool(home.chain) != bool(other.chain):
        has, lacks = (home, other) if home.chain else (other, home)
        listed = dict.fromkeys([*FILES, *(module.file for module in has.chain)])
        files = ", ".join(file for file in listed if (has.folder.path / file).is_file())
        fate = "are kept" if has is home else "are not taken; name it first to keep them"
        yield f"the sentence-transformers files of {has.name} ({files}) {fate}; {lacks.name} was saved without them"
    if not (home.chain and other.chain):
        return
    ours, theirs = ([module.kind for module in one.chain] for one in (home, other))
    if ours != theirs:
        what = "their scores or vectors are made in different ways"
        raise _refused(home, other, "modules.json", ", ".join(ours), ", ".join(theirs), what)
    for mine, yours in zip(home.chain, other.chain, strict=True):
        for key in sorted({*mine.settings, *yours.settings}):
            one, another = mine.settings.get(key), yours.settings.get(key)
            if one != another:
                what = f"this changes what {mine.kind} computes; merge checkpoints with equal values"
                raise _refused(home, other, f"{key} in {mine.file}", one, another, what)


def _shapes(home: Checkpoint, other: Checkpoint, apart: frozenset[str]) -> None:
    for name in sorted(merged_names(home) - apart):
        ours, theirs = home.tensors[name], other.tensors[name]
        if ours.shape != theirs.shape:
            shapes = f"{list(ours.shape)} in {home.name} and {list(theirs.shape)} in {other.name}"
            raise ModelError(f"merge: the tensor '{name}' has the shape {shapes}; only equal shapes can be merged")


def _left_unread(one: Checkpoint) -> Iterator[str]:
    if files := one.unread():
        yield f"{one.name}: {', '.join(files)} was not read, because transformers does not read it with the others"


def _kept(home: Checkpoint, other: Checkpoint, key: str, ours: object, theirs: object) -> str:
    return f"{key} is {_short(ours)} in {home.name}, which is kept, and {_short(theirs)} in {other.name}"


def _refused(  # noqa: PLR0917
    home: Checkpoint, other: Checkpoint, what: str, ours: object, theirs: object, why: str
) -> ModelError:
    return ModelError(f"merge: {what} is {_short(ours)} in {home.name} and {_short(theirs)} in {other.name}; {why}")


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False) if value is not None and value != "" else "absent"
    return text if len(text) <= 60 else f"{text[:57]}..."
