"""How folders with custom code are called, as data: `own_code_families/*.toml`, one file per published family."""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from adapters.errors import UsageError
from adapters.typed_file import parsed_toml
from adapters.typed_values import OneOrMore, Place, Positive, Text, typed

Call = Literal["pair", "text", "layers", "querit", "compute_score", "rerank"]
"""How the model of a folder is called:

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
class OwnCodeFamily:
    """The keys of a file, and how a folder is called.

    Args:
        call: how the model is called.
        architectures: the classes that such folders name, in `architectures` or `auto_map` of config.json.
        template: the packaged template that makes the text.
        max_length: tokens of an input that the model is published with, used if the folder declares no length.
        compresses: whether the model's layers can merge the tokens of a document.
        attention: the implementation of attention that the authors' code needs.
        transformers: the version of transformers that the authors' code was written for, if newer ones are known to
            fail.
    """

    call: Call
    architectures: OneOrMore = ()
    template: Text | None = None
    max_length: Positive | None = None
    compresses: bool = False
    attention: Text | None = None
    transformers: Text | None = None


def families() -> Mapping[str, OwnCodeFamily]:
    """The packaged families by name."""
    return _packaged()


def family_of(classes: set[str]) -> OwnCodeFamily | None:
    """The family that has one of these classes; None if none has."""
    return next((family for family in families().values() if classes & set(family.architectures)), None)


def read_family(text: str, label: str) -> OwnCodeFamily:
    """A family from the text of its file.

    Raises:
        UsageError: a key is unknown or of the wrong type; the message names it.
    """
    at = Place(label, error=UsageError)
    return typed(OwnCodeFamily, parsed_toml(text, at), at)


@cache
def _packaged() -> dict[str, OwnCodeFamily]:
    folder = importlib.resources.files("adapters").joinpath("own_code_families")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {
        file.name.removesuffix(".toml"): read_family(file.read_text("utf-8"), f"own_code_families/{file.name}")
        for file in files
    }
