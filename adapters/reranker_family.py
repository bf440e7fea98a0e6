"""Families of rerankers as data: how each is recognised, prompted, called and scored.

The keys of a file are described in docs/templates.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Annotated, Literal

from msgspec import Meta

from adapters.family_files import family_named, packaged_families
from adapters.signs import Signs
from adapters.typed_values import Count, OneOrMore, Positive, Text

FIELDS = ("instruction", "query", "document")
"""The fields of a prompt, which are written in braces."""
_PLACE = re.compile(r"\{+\s*(\w+)\s*\}+")
"""Matches anything that looks like a field."""

Call = Literal["pair", "text", "layers", "querit", "compute_score", "rerank"]
"""How a model is called whose folder has code of its own:

- `pair`: the logit of a pair, as the tokenizer joins it.
- `text`: the logit of one text, made with a template.
- `layers`: the score of such a text at its last token, after one of the layers.
- `querit`: the score of such a text at a token [CLS] after it.
- `compute_score`: the model's method for pairs.
- `rerank`: the model's method for a list, which gives an order.
"""
CLASSES: dict[Call, str] = {
    "pair": "AutoModelForSequenceClassification",
    "text": "AutoModelForSequenceClassification",
    "layers": "AutoModelForCausalLM",
    "querit": "AutoModel",
    "compute_score": "AutoModel",
    "rerank": "AutoModel",
}
"""The class of transformers that each call loads."""


@dataclass(frozen=True)
class CodeCall:
    """The table `[code]`: how a folder with code of its own is called.

    Args:
        call: how the model is called.
        compresses: whether the model's layers can merge the tokens of a document.
        attention: the implementation of attention that the authors' code needs.
        transformers: the version of transformers that the authors' code was written for, if newer ones are known to
            fail.
    """

    call: Call
    compresses: bool = False
    attention: Text | None = None
    transformers: Text | None = None


@dataclass(frozen=True)
class ScoreLabels:
    """The table `[head]`: which output of a classifier means relevance. It concerns folders with `labels` outputs.

    Args:
        labels: how many outputs there are.
        relevant, irrelevant: names of outputs. Case and punctuation are ignored. The output that is named in `relevant`
            counts if all others are named in `irrelevant`.
        unnamed: the number of the output that counts if the outputs have no names but LABEL_0, LABEL_1, ... In a
            packaged family that is an assumption, which a remark says.
    """

    labels: Positive
    relevant: OneOrMore = ()
    irrelevant: OneOrMore = ()
    unnamed: Count | None = None

    def problem(self) -> str | None:
        """A broken rule that types do not express, or None."""
        if self.unnamed is not None and self.unnamed >= self.labels:
            return (
                f"unnamed: {self.unnamed} is no output of {self.labels}; a number from 0 to {self.labels - 1} is needed"
            )
        return None


@dataclass(frozen=True)
class RerankerFamily:
    """The keys of a family's file.

    Args:
        models: the published models, for readers.
        source: where this is documented.
        body, prefix, suffix: the prompt. Without a body, the tokenizer or the code of the folder joins a pair.
        instruction: the default instruction of the prompt.
        strip: whether white space at the ends of a query and a document is removed.
        special: tokens of the prompt that the tokenizer needs to have as one token each.
        positive, negative: the words whose logits are compared; without `negative` the logit of `positive` counts.
        max_length: tokens of a whole input that the models are published with.
        variant_of: the family of the same models, if this is another form of its prompt.
        recognised: the signs that identify a folder.
        head: for classifiers.
        code: for folders with code of their own.
    """

    models: str = ""
    source: str = ""
    body: str | Annotated[tuple[str, ...], Meta(min_length=1)] | None = None
    prefix: str = ""
    suffix: str = ""
    instruction: str = ""
    strip: bool = False
    special: OneOrMore = ()
    positive: str | None = None
    negative: str | None = None
    max_length: Positive | None = None
    variant_of: Text | None = None
    recognised: Signs = field(default_factory=Signs)
    head: ScoreLabels | None = None
    code: CodeCall | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts of the prompt in their order: prefix, body, suffix. Each is tokenised by itself."""
        body = (self.body,) if isinstance(self.body, str) else self.body or ()
        return (self.prefix, *body, self.suffix)

    def problem(self) -> str | None:
        """A broken rule that types do not express, or None."""
        if self.negative is not None and self.positive is None:
            return "negative: is given without 'positive'; add 'positive', the word that means relevant"
        return next(_problems_of_prompt(self), None)


def families() -> Mapping[str, RerankerFamily]:
    """The packaged families by name."""
    return _packaged()


def load_family(name: str) -> RerankerFamily:
    """A packaged family by its name, or one from a TOML file by its path.

    Raises:
        UsageError: there is no such family, or the file does not describe one; the message names the key.
    """
    return family_named(name, families(), RerankerFamily, "family")


def written_head(file: str | None) -> ScoreLabels | None:
    """The head that the user's own family file describes; None for a packaged family, or if there is none.

    Raises:
        UsageError: there is no such file, or it does not describe a family.
    """
    return None if file is None or file in families() else load_family(file).head


def family_of_code(classes: Iterable[str]) -> str | None:
    """The name of the family with code of its own that has one of these classes; None if none has."""
    wanted = set(classes)
    coded = ((name, family) for name, family in families().items() if family.code is not None)
    return next((name for name, family in coded if wanted & set(family.recognised.architectures)), None)


def family_of_class(architecture: str) -> str | None:
    """The name of the family of classifiers that names this class; None if none does."""
    return next((name for name, one in _classifiers() if architecture in one.recognised.architectures), None)


def family_of_classifier(architecture: str, labels: int) -> str | None:
    """The name of the family of a classifier, by its class and its number of outputs. A family that names the class
    precedes those for any class; None if there is neither."""
    fitting = [(name, one) for name, one in _classifiers() if one.head is not None and one.head.labels == labels]
    named = [name for name, one in fitting if architecture in one.recognised.architectures]
    general = [name for name, one in fitting if not one.recognised.architectures]
    return next(iter([*named, *general]), None)


def _classifiers() -> Iterator[tuple[str, RerankerFamily]]:
    return ((name, family) for name, family in families().items() if family.head is not None)


def _problems_of_prompt(family: RerankerFamily) -> Iterator[str]:
    known = [f"{{{name}}}" for name in FIELDS]
    for key, text in zip(_keys_of_prompt(family), family.texts, strict=True):
        for place in _PLACE.finditer(text):
            if place[0] not in known:
                yield (
                    f"{key}: {place[0]} is not a field and would reach the model unchanged; the fields are "
                    f"{', '.join(sorted(known))}"
                )
    if family.body is None:
        written = [key for key in ("prefix", "suffix", "positive") if getattr(family, key)]
        yield from (f"{key}: is given without 'body'; add 'body', the text with both fields" for key in written)
        return
    whole = "".join(family.texts)
    for field_ in ("{query}", "{document}"):
        if whole.count(field_) != 1:
            yield f"body: {field_} must occur exactly once, not {whole.count(field_)} times"
    first, last = sorted((whole.index("{query}"), whole.index("{document}")))
    between = whole[whole.index("}", first) + 1 : last].replace("{instruction}", "")
    if not between.strip():
        yield "body: nothing separates {query} and {document}; write some text between them"


def _keys_of_prompt(family: RerankerFamily) -> list[str]:
    return ["prefix", *["body"] * (len(family.texts) - 2), "suffix"]


@cache
def _packaged() -> Mapping[str, RerankerFamily]:
    return packaged_families("rerankers", RerankerFamily)
