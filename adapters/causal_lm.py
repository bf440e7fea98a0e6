"""Language models as rerankers: how much more likely one next word is than another."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import ClassVar

import numpy as np

from adapters.asking import USUAL_LENGTH, Asking, PromptMaker, asking_of, named_template
from adapters.batching import CallBudget, collect, describe_pairs, stream_batches, torch_calls
from adapters.budgets import ForwardPath, calls_of
from adapters.errors import ModelError
from adapters.kinds import Code, Kind, refuse_other_kinds, refuse_own_code
from adapters.models import open_folder
from adapters.modular import ModularScorer
from adapters.next_word import NextWordModel
from adapters.precision import Dtype, head_identity
from adapters.prompt_template import PromptTemplate
from adapters.prompt_tokens import Ids, PromptTokens
from adapters.protocols import Floats, Identity, IndexPairs, Integers, Scored, Setting
from adapters.reference import ReferenceCall
from adapters.soundness import refuse_unsound


class CausalLMReranker:
    """Scores a pair with logit(yes) - logit(no) after a prompt, as Qwen3-Reranker does before its softmax.

    The softmax over the two words is a sigmoid of this difference, so the order is the same and nothing saturates.
    The folder declares which tokens are compared and how a pair is written, in the form that sentence-transformers
    reads: `1_LogitScore`, the chat template with the roles `query` and `document`, and the default prompt. A folder
    without these needs a template: see docs/templates.md.

    Args:
        model: a folder or a hub name.
        max_length: tokens of the whole input; default: the length that the folder declares, with a packaged template at
            most the length that the model was published with. Only documents are cut.
        instruction: overrides the instruction of the collection, which overrides the folder's default prompt.
        template: a packaged template (`qwen3`, `mxbai-v2`, `bge-gemma`, ...) or a TOML file, used instead of the
            folder's chat template.
        positive, negative: the words to compare, if the folder declares no tokens. Each must be one token. With
            `positive` alone the score is its logit.
        batch_tokens: padded tokens per call; does not change scores beyond rounding.
        code: "stock" uses the class of transformers although the folder names a custom class.
        pickle: read pickled weights if there are no safetensors.

    Raises:
        ModelError: the model is of another kind, or its files do not define its prompt.
        UsageError: there is no such template.
    """

    _KIND: ClassVar[Kind] = "causal-lm"
    _VERSION: ClassVar[str] = "causal-lm/1"
    _MODEL: ClassVar[type[NextWordModel]] = NextWordModel

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        max_length: int | None = None,
        instruction: str | None = None,
        template: str | None = None,
        device: str | None = None,
        dtype: Dtype = "float32",
        batch_tokens: int | None = None,
        positive: str | None = None,
        negative: str | None = None,
        code: Code | None = None,
        pickle: bool = False,
    ) -> None:
        self._folder = open_folder(model, revision)
        refuse_other_kinds(self._folder, self._KIND)
        refuse_own_code(self._folder, code)
        self._asking: Asking = asking_of(self._folder, template, positive, negative)
        self._max_length = self._asking.length(max_length, USUAL_LENGTH)
        self._asked_length = max_length
        self._fixed_instruction = instruction
        self._instruction = self._asking.instruction if instruction is None else instruction
        self._dtype, self._asked_device, self._pickle = dtype, device, pickle
        self._batch_tokens = batch_tokens
        self._model = self._MODEL(self._folder, self._asking.words, dtype, device, pickle=pickle)

    @property
    def max_length(self) -> int:
        """Tokens of a whole input."""
        return self._max_length

    @property
    def asking(self) -> Asking:
        """The prompt and the words that the model is called with."""
        return self._asking

    @property
    def next_word(self) -> NextWordModel:
        """The language model that gives the words' logits."""
        return self._model

    @property
    def name(self) -> str:
        return self._folder.name

    @property
    def identity(self) -> Identity:
        """Everything that can change a score. A chat template equal to a packaged template counts as that template."""
        same = self._same
        template, words = (self._asking.identity, self._model.words) if same is None else (same.digest, same.words)
        return {
            "adapter": self._VERSION,
            **self._model.content,
            "template": template,
            "instruction": self._instruction,
            "max_length": self._max_length,
            "dtype": self._dtype,
            **head_identity(self._dtype),
            "words": list(words),
            **({} if same is not None else self._asking.day),
        }

    def bind(self, setting: Setting) -> CausalLMReranker:
        """The same model with the instruction of a collection, if the prompt has a field for it. An instruction given
        as an option stays."""
        if setting.instruction is None or self._fixed_instruction is not None or not self._asking.instructed:
            return self
        bound = copy.copy(self)
        for derived in ("_prompts", "_modular", "_same"):
            bound.__dict__.pop(derived, None)
        bound._instruction = setting.instruction
        return bound

    def check(self) -> None:
        """Refuse files that cannot be loaded, before any expensive work starts.

        Raises:
            ModelError: a file cannot be loaded; the message names the file and what to do.
        """
        refuse_unsound(self._folder, pickle=self._pickle)
        self._refuse_contradiction()
        _ = self._prompts.template

    def reference(self) -> ReferenceCall:
        """The call that gets the same scores from sentence-transformers.

        Raises:
            NoReference: sentence-transformers cannot compute them.
        """
        given = named_template(self._asking.template, self._model.encode)
        encoder = self._prompts.encoder
        whole = encoder is not None and encoder.template.document_first  # sentence-transformers cuts the query there
        if given is not None:
            return ReferenceCall(
                "CrossEncoder", str(self._folder.path), self._max_length, (self._instruction or None, None),
                device=self._asked_device, pickle=self._pickle, chat_template=given, tokens=self._model.word_ids,
                whole=whole,
            )  # fmt: skip
        own = self._folder.chain and self._instruction == self._asking.instruction
        ours = self._asking.fallback is not None or self._max_length == USUAL_LENGTH
        length = self._max_length if ours else self._asked_length
        return ReferenceCall(
            "CrossEncoder", str(self._folder.path), length, (None if own else self._instruction or None, None),
            device=self._asked_device, pickle=self._pickle,
            tokens=() if self._folder.chain else self._model.word_ids, whole=whole,
        )  # fmt: skip

    def score(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Floats:
        return collect(self.stream(queries, documents, pairs), len(pairs))

    def stream(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> Iterator[Scored]:
        """Score in batches of similar length, longest first.

        Raises:
            ModelError: a query leaves no space for a document, a score is not finite, or the files of the folder
                contradict each other.
        """
        pairs = np.asarray(pairs, dtype=np.int64).reshape(-1, 2)
        if not len(pairs):
            return
        self._refuse_contradiction()
        describe = describe_pairs(self.name, queries, documents, pairs)
        if self._folder.chain and not self._makes(queries, documents, pairs):
            modular = self._modular
            inputs = modular.prepare(queries, documents, pairs)
            _, budget = self._calls(("plain",))
            yield from stream_batches(
                inputs,
                lambda rows: modular.logits(inputs, rows)[:, 0],
                budget=budget if modular.pads else 0,
                describe=describe,
                calls=modular.calls,
            )
            return
        prompts = self.prompts(queries, documents, pairs)
        path, budget = self._calls(("prefixes", "plain") if self._shares_prefixes else ("plain",))
        shared = path == "prefixes"

        def forward(rows: Integers) -> Floats:
            inputs = [prompts.ids(int(row)) for row in rows]
            prefix = prompts.before[prompts.query[rows[0]]]
            if not shared or not all(_begins(ids, prefix) for ids in inputs):
                return self._model.scores(inputs)
            return self._model.scores_after(prefix, [ids[len(prefix) :] for ids in inputs])

        calls = torch_calls(self._model.device)
        yield from stream_batches(
            prompts, forward, budget=budget if self._model.pads else 0, describe=describe, calls=calls,
            plan=prompts.batches_by_query if shared else None,
        )  # fmt: skip

    def _calls(self, paths: tuple[ForwardPath, ...]) -> tuple[ForwardPath, CallBudget]:
        return calls_of(self.identity, self._model.device, paths, asked=self._batch_tokens, name=f"'{self.name}'")

    @property
    def _shares_prefixes(self) -> bool:
        """Whether the candidates of a query share a call that reads the query once."""
        encoder = self._prompts.encoder
        return encoder is not None and not encoder.template.document_first and self._model.shares_prefixes

    def prompts(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> PromptTokens:
        """The inputs of all pairs.

        Raises:
            ModelError: a query leaves no space for a document, or only sentence-transformers can render the prompts.
        """
        encoder = self._prompts.encoder
        if encoder is None or not self._prompts.agree(queries, documents, pairs):
            raise ModelError(
                f"'{self.name}': its chat template changes the texts of a pair; write it as a TOML file and name that, "
                "as in ?template=FILE (docs/templates.md)"
            )
        return encoder.encode_pairs(queries, documents, pairs)

    def _makes(self, queries: Sequence[str], documents: Sequence[str], pairs: IndexPairs) -> bool:
        return self._prompts.encoder is not None and self._prompts.agree(queries, documents, pairs)

    def _refuse_contradiction(self) -> None:
        declared, model = self._asking.declared, self._model
        if not declared or declared == model.word_ids:
            return
        tokens = model.tokenizer.convert_ids_to_tokens(list(declared))
        raise ModelError(
            f"'{self.name}': 1_LogitScore/config.json compares {' and '.join(map(repr, tokens))} "
            f"({', '.join(map(str, declared))}), and {' and '.join(map(repr, model.words))} "
            f"({', '.join(map(str, model.word_ids))}) was asked for; leave positive and negative out, or use a folder "
            "that declares no tokens"
        )

    @cached_property
    def _same(self) -> PromptTemplate | None:
        """The packaged template that equals the folder's chat template and tokens; None if none does."""
        return self._prompts.packaged(self._model.word_ids) if self._asking.template is None else None

    @cached_property
    def _prompts(self) -> PromptMaker:
        fixed = self._fixed_instruction is not None
        return PromptMaker(self._asking, self._model, self._instruction, self._max_length, fixed)

    @cached_property
    def _modular(self) -> ModularScorer:
        return ModularScorer(
            self._folder, self._max_length, self._instruction or None, self._dtype, self._asked_device, self._pickle
        )


def _begins(ids: Ids, prefix: Ids) -> bool:
    return 0 < len(prefix) < len(ids) and np.array_equal(ids[: len(prefix)], prefix)
