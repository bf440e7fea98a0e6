"""Sequence-to-sequence models that answer an entailment prompt with a word, such as TRUE (T5-11B)."""

from __future__ import annotations

from importlib import resources
from typing import Literal

from adapters.errors import UsageError, did_you_mean
from adapters.judges.streamed import ScoreJudge, sigmoid
from adapters.paths import user_path
from adapters.protocols import Floats
from adapters.seq2seq import Seq2SeqReranker


class Seq2SeqJudge(ScoreJudge):
    """The probability of the positive word against the negative one at the first step of the decoder.

    Args:
        model: a folder or a hub name.
        template: `true` (`premise: ... hypothesis: ...`, answered with 1 or 0), another packaged template, or a TOML
            file with the fields {document} for the premise and {query} for the claim.
        max_length: tokens of a whole input. Only premises are cut. Default: that of the template.

    Raises:
        UsageError: there is no such template.
        ModelError: the model is of another kind, or its tokenizer lacks a word of the template.
    """

    kind = "seq2seq/1"

    def __init__(
        self,
        model: str,
        *,
        revision: str | None = None,
        template: str = "true",
        max_length: int | None = None,
        device: str | None = None,
        dtype: Literal["float32", "float16", "bfloat16"] = "float32",
        pickle: bool = False,
    ) -> None:
        super().__init__(
            Seq2SeqReranker(
                model, revision=revision, template=_file(template), max_length=max_length, device=device, dtype=dtype,
                pickle=pickle,
            )
        )  # fmt: skip

    def values(self, scores: Floats) -> Floats:
        """The softmax over the two words."""
        return sigmoid(scores)


def _file(template: str) -> str:
    folder = resources.files("adapters.judges") / "templates"
    packaged = {file.name.removesuffix(".toml"): str(file) for file in folder.iterdir()}
    if template in packaged:
        return packaged[template]
    if user_path(template).is_file():
        return template
    raise UsageError(f"there is no template '{template}'.{did_you_mean(template, [*packaged, 'a TOML file'])}")
