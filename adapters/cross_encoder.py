"""Cross-encoders: a network with a score head reads a query and a document together and gives one score per pair."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from adapters.adapted import adapted_identity
from adapters.asking import asking_of_classifier, named_template
from adapters.batching import collect, describe_pairs, stream_batches
from adapters.budgets import calls_of, measuring
from adapters.chat_template import day_of
from adapters.classifier_inputs import Inputs, PairInputs, PromptInputs
from adapters.contents import Contents
from adapters.errors import ModelError, UsageError
from adapters.kinds import Code, refuse_other_kinds, refuse_own_code
from adapters.labels import OutputLabel, label_of
from adapters.lengths import length_of
from adapters.loading import engine_of
from adapters.models import open_folder
from adapters.modular import ModularScorer, is_modular, prompt_of
from adapters.padding import batching_of
from adapters.pairs import Truncation
from adapters.precision import Dtype, head_identity
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored, Setting
from adapters.reference import ReferenceCall
from adapters.reranker_family import written_head
from adapters.soundness import refuse_unsound

_VERSION = 1
_LORA = 1
"""Version of how LoRA adapters are read. Identities without it are from before adapters got token types."""


class CrossEncoder:
    """Scores pairs with a sequence-classification model, as raw logits in float32.

    The scores equal those of sentence-transformers' `CrossEncoder(model, activation_fn=Identity()).predict`; a sigmoid
    would round the best documents into ties. The folder's own modules, chat template and prompt are used. The
    constructor reads only configuration; the weights are loaded with the first pair.

    Args:
        model: a folder, or a hub name.
        revision: of a hub model.
        max_length: tokens of a whole input; default: the model's own limit.
        truncation: "longest_first" as in transformers, or "document" to keep every query whole. Where the model is
            called with a prompt, only documents are cut.
        device: a torch device; default: a GPU if there is one.
        dtype: of the weights. The head, the logits and the softmax are computed in float32 in any case.
        batch_tokens: padded tokens per model call; it does not change scores beyond rounding.
        label: the number or name of the label to rank by, for a model with several. Documents are ordered by its
            softmax probability: with two labels, the score is the difference of the two logits.
        template: the prompt of a classifier that is based on a language model: a packaged template (`qwen3`, ...) or a
            TOML file, see docs/templates.md.
        instruction: for a prompt with a field for it; overrides the instruction of the collection.
        code: "stock" uses the class of transformers although the folder names a custom class.
        pickle: read pickled weights if there are no safetensors.

    Raises:
        ModelError: the folder holds another kind of model; it has several labels and `label` is not given; nothing in
            its inputs separates the query from the document.
        UsageError: an option is out of its range.
    """

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        truncation: Truncation = "longest_first",
        device: str | None = None,
        dtype: Dtype = "float32",
        batch_tokens: int | None = None,
        label: int | str | None = None,
        template: str | None = None,
        instruction: str | None = None,
        code: Code | None = None,
        pickle: bool = False,
    ) -> None:
        if batch_tokens is not None and batch_tokens < 1:
            raise UsageError(f"batch_tokens={batch_tokens} must be at least 1")
        self._folder = folder = open_folder(model, revision)
        refuse_other_kinds(folder, "cross-encoder")
        refuse_own_code(folder, code)
        self._label: OutputLabel = label_of(folder, label, pickle=pickle, head=written_head(template))
        self._is_modular = is_modular(folder)
        self._asking = None if self._is_modular else asking_of_classifier(folder, template)
        self._refuse_options(template, instruction, truncation)
        self._max_length = length_of(folder, max_length) if self._asking is None else self._asking.length(max_length)
        self._asked_length = max_length
        self._truncation: Truncation = truncation
        self._device, self._dtype, self._batch_tokens, self._pickle = device, dtype, batch_tokens, pickle
        self._fixed_instruction = instruction
        self._instruction = instruction

    @property
    def name(self) -> str:
        """The model's name as the user wrote it."""
        return self._folder.name

    @property
    def remarks(self) -> tuple[str, ...]:
        """Assumptions that a reader of the scores should know."""
        return (self._label.remark,) if self._label.remark else ()

    @property
    def identity(self) -> Identity:
        """Everything that can change a score: weights, tokenizer, settings, max_length, truncation, dtype, label and
        prompt. Also the corpora that the checkpoint was adapted on, which change how its numbers are read."""
        asked: dict[str, object] = {}
        if self._asking is not None:
            asked = {"template": self._asking.identity, "instruction": self._prompt or "", **self._asking.day}
        elif self._is_modular:
            asked = {"modules": "sentence-transformers", "prompt": self._prompt, **day_of(self._folder)}
        return {
            "adapter": "cross-encoder",
            "version": _VERSION,
            **self._content,
            "max_length": self._max_length,
            "truncation": self._truncation,
            "dtype": self._dtype,
            **head_identity(self._dtype),
            **self._label.identity,
            **asked,
            **adapted_identity(self._folder.path),
        }

    def bind(self, setting: Setting) -> CrossEncoder:
        """The same model with the instruction of a collection, if its prompt has a field for it."""
        asking = self._asking
        if (
            setting.instruction is None
            or self._fixed_instruction is not None
            or asking is None
            or not asking.instructed
        ):
            return self
        bound = copy.copy(self)
        for derived in ("_inputs", "_modular"):
            bound.__dict__.pop(derived, None)
        bound._instruction = setting.instruction
        return bound

    def check(self) -> None:
        """Refuse files that cannot be loaded, before any expensive work starts.

        Raises:
            ModelError: a file cannot be loaded; the message names the file and what to do.
        """
        refuse_unsound(self._folder, pickle=self._pickle)
        if isinstance(self._inputs, PromptInputs):
            self._inputs.check()

    def reference(self) -> ReferenceCall:
        """The call that gets the same scores from sentence-transformers.

        Raises:
            NoReference: sentence-transformers cannot compute them.
        """
        whole = self._truncation != "longest_first"  # sentence-transformers cuts the longer text of a pair
        label, length = self._label, self._asked_length
        if self._asking is not None and self._asking.fallback is not None:
            length = self._max_length
        prompt, given = self._instruction, None
        if isinstance(self._inputs, PromptInputs):
            given = named_template(self._inputs.asking.template, self._inputs.encode)
            prompt, length = (prompt, length) if given is None else (self._prompt, self._max_length)
            whole = whole or self._inputs.document_first
        return ReferenceCall(
            "CrossEncoder", str(self._folder.path), length, (prompt, None), label.index, label.count, label.softmax,
            self._device, self._pickle, given, whole=whole,
        )  # fmt: skip

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        """Raw scores, float32 [len(pairs)].

        Raises:
            ModelError: the score head is not in the checkpoint, a score is not finite, or a query is too long for
                truncation="document".
        """
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Score batch by batch, longest pairs first; see `score`."""
        if not len(pairs):
            return
        pairs, inputs = np.asarray(pairs), self._inputs
        if isinstance(inputs, PairInputs) and not inputs.reads_fast:
            inputs = self._modular
        if isinstance(inputs, PromptInputs) and not inputs.makes(queries, documents, pairs):
            inputs = self._modular
        prepared = inputs.prepare(queries, documents, pairs)

        def scores_by(asked: Inputs) -> Callable[[Integers], Floats]:
            return lambda rows: self._label.scores(asked.logits(prepared, rows))

        path, budget = calls_of(
            self.identity, inputs.device, inputs.paths, asked=self._batch_tokens, name=f"'{self.name}'",
            measured=measuring(prepared.lengths, scores_by(inputs), inputs.device),
        )  # fmt: skip
        describe = describe_pairs(self.name, queries, documents, pairs)
        yield from stream_batches(
            prepared, scores_by(inputs.by(path)), budget=budget if inputs.pads else 0, describe=describe,
            calls=inputs.calls,
        )  # fmt: skip

    def _refuse_options(self, template: str | None, instruction: str | None, truncation: Truncation) -> None:
        if self._is_modular and template is not None:
            raise UsageError(f"'{self.name}' has a modules.json, which defines its prompt; leave template out")
        if self._is_modular and truncation != "longest_first":
            raise UsageError(f"'{self.name}' has a modules.json, which sets the truncation; leave truncation out")
        if self._asking is None and instruction is not None:
            raise UsageError(f"'{self.name}' has no place for an instruction; leave it out")

    @cached_property
    def _content(self) -> dict[str, object]:
        lora = {} if self._folder.base is None else {"lora": _LORA}
        return {
            **Contents(self._folder, self._pickle).identity(),
            **engine_of(self._folder),
            **batching_of(self._folder),
            **lora,
        }

    @property
    def _prompt(self) -> str | None:
        """The instruction or prompt in use."""
        if self._instruction is not None:
            return self._instruction
        return prompt_of(self._folder) if self._asking is None else self._asking.instruction or None

    @cached_property
    def _inputs(self) -> Inputs:
        if self._is_modular:
            return self._modular
        more = (self._folder, self._max_length, self._dtype, self._device, self._pickle)
        if self._asking is None:
            return PairInputs(*more, self._truncation)
        return PromptInputs(*more, self._asking, self._prompt or "", self._fixed_instruction is not None)

    @cached_property
    def _modular(self) -> ModularScorer:
        """The scorer for models and pairs that only sentence-transformers can read."""
        if self._truncation != "longest_first":
            raise UsageError(f"'{self.name}' can only be read with truncation=longest_first; leave truncation out")
        if self._asking is not None and self._asking.template is not None:
            raise ModelError(f"'{self.name}': its prompts cannot be made")  # a template of ours always can
        return ModularScorer(self._folder, self._max_length, self._prompt, self._dtype, self._device, self._pickle)
