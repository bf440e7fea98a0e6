"""Identities of the previous version, which covered every file in a model's folder.

`harness doctor` finds what was stored with them. If the model is still scored in the same way, the pairs get the new
identity, so that nothing is scored again. If the model is now read differently, its old evaluations are marked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adapters.contents import Contents, settings_digest
from adapters.errors import HarnessError
from adapters.identity import digest
from adapters.known_digests import files_digest
from adapters.models import ModelFolder, is_tokenizer_file
from adapters.prompt_template import load_template, template_names
from adapters.protocols import Bindable, Setting
from adapters.sentence_model import instruction_in
from adapters.spec import identity_of, open_ranker, open_retriever
from harness.result.store import Results
from harness.result.stored import Stored
from harness.scoring.ledger.store import Ledger
from harness.workspace import Workspace

RENAMED = "former-identity"
CHANGED = "former-scoring"
_UNREAD = {
    "README.json", "model.safetensors.index.json", "trainer_state.json", "all_results.json",
    "merge.json", "merge-report.json", "manifest.json",
}  # fmt: skip
_DIGESTS = ("weights", "tokenizer", "settings")

Identity = Mapping[str, object]


@dataclass(frozen=True)
class FormerIdentities:
    """What was updated."""

    pairs: int
    """Pairs of the ledger that got the new identity."""
    renamed: int
    """Evaluations that have a new id and the same scores."""
    changed: int
    """Evaluations of models that are now scored differently."""


@dataclass(frozen=True)
class _Model:
    """A model that can be opened, with its old and its new digests."""

    adapter: object
    before: Identity
    now: Identity

    def on(self, instruction: str | None) -> object:
        """Return the adapter for a collection with an instruction."""
        if not isinstance(self.adapter, Bindable):
            return self.adapter
        return self.adapter.bind(Setting(corpus=(), corpus_digest="", instruction=instruction))

    def of_now(self, identity: Identity, instructions: set[str | None]) -> Identity | None:
        """Return the new identity for a stored one; None if the model is now scored differently.

        Args:
            instructions: the instructions that the model may have got from its collection.
        """
        wanted = _with_contents(identity, self.now)
        return wanted if digest(wanted) in {digest(identity_of(self.on(one))) for one in instructions} else None


def bring_up(workspace: Workspace) -> FormerIdentities:
    """Give pairs their new identities, and mark old evaluations. Vectors of the previous version have no checksums, so
    their texts are embedded again.

    Models that are no longer installed are skipped.
    """
    marks: dict[str, tuple[str, dict[str, object] | None]] = {}
    pairs = 0
    with Results(workspace.results) as results, Ledger(workspace.ledger) as ledger:
        stored = list(results.all())
        models = {key: _opened(*key) for one in stored for key, _ in models_of(one)}
        for one in stored:
            content, kinds = dict(one.identity), []
            for key, identity in models_of(one):
                model, instructions = models[key], _instructions(one, key[1], identity)
                if model is None:
                    continue
                if digests_in(identity) != model.before:
                    continue
                now = model.of_now(identity, instructions)
                if now is None:
                    kinds.append(CHANGED)
                elif now != identity:
                    kinds.append(RENAMED)
                    content[key[1]] = now
                    pairs += ledger.rekey(identity, now) if key[1] == "reranker" else 0
            if kinds:
                marks[one.id] = (CHANGED, None) if CHANGED in kinds else (RENAMED, content)
        results.mark(marks)
    named = [kind for kind, _ in marks.values()]
    return FormerIdentities(pairs, named.count(RENAMED), named.count(CHANGED))


def models_of(one: Stored) -> Iterator[tuple[tuple[str, str], Identity]]:
    """Yield the models of an evaluation, as (spec, part), with their identities."""
    for spec, part in ((one.first_stage, "retriever"), (one.reranker, "reranker")):
        identity = one.identity.get(part)
        if spec is not None and isinstance(identity, Mapping) and digests_in(identity):
            yield (spec, part), identity


def _instructions(one: Stored, part: str, identity: Identity) -> set[str | None]:
    """Return the instructions that a model may have got from the collection of an evaluation: the one that the
    collection declares, and the one in the identity, because the declaration may have changed. Default instructions of
    this package do not count, because a folder may declare another one."""
    rules = one.collection.rules
    found = rules.instruction or (rules.first_stage_instruction if part == "retriever" else None)
    stored = _instruction_in(identity)
    return {found} if stored is None or stored in _defaults() else {found, stored}


def _instruction_in(identity: Identity) -> str | None:
    prompts = identity.get("prompts")
    if isinstance(prompts, Mapping):
        return instruction_in(str(prompts.get("query", "")))
    if isinstance(identity.get("instruction"), str):
        return str(identity["instruction"])
    inner = (_instruction_in(value) for value in identity.values() if isinstance(value, Mapping))
    return next((found for found in inner if found is not None), None)


@cache
def _defaults() -> frozenset[str]:
    """Return the instructions of the packaged templates, and the empty instruction."""
    return frozenset({"", *(load_template(name).instruction for name in template_names())})


def _opened(spec: str, part: str) -> _Model | None:
    """Return the model that a spec names; None if it is not installed or has no folder."""
    try:
        adapter = open_retriever(spec) if part == "retriever" else open_ranker(spec)
        folder = folder_of(adapter)
        if folder is None:
            return None
        identity_of(adapter)
        contents = Contents(folder)
        now = contents.identity()
        files = _files_before(folder)
        same = files == (contents.weights, contents.tokenizer, contents.settings)
        before = {key: now[key] for key in _DIGESTS} if same else _digests_before(folder, files)
        return _Model(adapter, before, now)
    except (HarnessError, OSError):
        return None


def folder_of(adapter: object) -> ModelFolder | None:
    model = getattr(adapter, "embedder", adapter)
    for name in ("_folder", "_model"):
        found = getattr(model, name, None)
        folder = getattr(found, "folder", found)
        if isinstance(folder, ModelFolder):
            return folder
    return None


def _files_before(folder: ModelFolder) -> tuple[tuple[str, ...], ...]:
    """Return the files of weights, tokenizer and settings, anywhere in the folder."""
    every = [file for file in sorted(folder.path.rglob("*")) if _was_read(folder.path, file)]
    names = [str(file.relative_to(folder.path)) for file in every]
    weights = [name for name in names if name.endswith(".safetensors")] or [
        name for name in names if name.endswith((".onnx", ".onnx_data"))
    ]
    tokenizer = [name for name in names if is_tokenizer_file(name) and name not in weights]
    others = [name for name in names if name.endswith(".json") and name not in tokenizer]
    settings = [name for name in others if Path(name).name not in _UNREAD]
    return tuple(weights), tuple(tokenizer), tuple(settings)


def _was_read(root: Path, file: Path) -> bool:
    return file.is_file() and not any(part.startswith(".") for part in file.relative_to(root).parts)


def _digests_before(folder: ModelFolder, files: tuple[tuple[str, ...], ...]) -> dict[str, object]:
    weights, tokenizer, settings = files
    return {
        "weights": files_digest(folder.path, weights),
        "tokenizer": files_digest(folder.path, tokenizer),
        "settings": digest({name: settings_digest(folder.path / name) for name in settings}),
    }


def digests_in(identity: Identity) -> Identity:
    """Return the digests of a folder from an identity; empty if it has none."""
    if all(key in identity for key in _DIGESTS):
        return {key: identity[key] for key in _DIGESTS}
    inner = (digests_in(value) for value in identity.values() if isinstance(value, Mapping))
    return next((found for found in inner if found), {})


def _with_contents(identity: Identity, contents: Identity) -> dict[str, object]:
    if all(key in identity for key in _DIGESTS):
        return {**identity, **contents}
    return {
        key: _with_contents(value, contents) if isinstance(value, Mapping) else value for key, value in identity.items()
    }
