"""The options that choose the number format of models."""

from __future__ import annotations

from typing import Annotated, Literal

from harness.cli.options import _option

RunDtype = Annotated[
    Literal["auto", "float32", "float16", "bfloat16"] | None,
    _option(
        "dtype",
        "The number format of the models that name none with ?dtype=. 'auto' measures once which is fastest here, and "
        "keeps the answer. Default: float32.",
    ),
]
CheckDtype = Annotated[
    Literal["auto", "float16", "bfloat16"] | None,
    _option(
        "dtype",
        "Say whether the model is the same within 0.1 points in this number format as in float32. Name a target with "
        "1,190 questions or more.",
    ),
]
