"""The inputs of examples with instructions of their own, for students whose prompt has a place for one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from adapters.errors import DataError
from adapters.prompt_tokens import PromptTokens, Whole
from adapters.protocols import Integers
from training.examples import Examples

PLACES = "'instruction' (FlagEmbedding's 'prompt')"


def refuse_instructions(examples: Examples, model: str) -> None:
    """Refuse examples with instructions, for a student whose input has no place for one.

    Raises:
        DataError: an example has one; the message names the first.
    """
    if not examples.facts.instructed:
        return
    found = ((number, row) for number, row in enumerate(examples.rows, 1) if row.instruction is not None)
    number, row = next(found)
    assert row.instruction is not None
    raise DataError(
        f"example {number} ('{row.query[:60]}') has the instruction '{row.instruction[:60]}', and the input of "
        f"'{model}' has no place for it; remove {PLACES} from every row and 'instruction' from the sources of --mix, "
        "or train a language model whose template has {instruction} (docs/templates.md)"
    )


def by_instruction(instructions: Sequence[str | None]) -> dict[str | None, list[int]]:
    """The places of each instruction."""
    places: dict[str | None, list[int]] = {}
    for place, one in enumerate(instructions):
        places.setdefault(one, []).append(place)
    return places


def joined(parts: Sequence[tuple[PromptTokens, Integers]]) -> PromptTokens:
    """The inputs of one request, made in parts.

    Args:
        parts: inputs, and their rows in the request.
    """
    count = sum(len(rows) for _, rows in parts)
    query, document = np.zeros(count, np.int64), np.zeros(count, np.int64)
    whole = PromptTokens(parts[0][0].max_length, [], [], [], {}, query, document)
    for part, rows in parts:
        query[rows], document[rows] = part.query + len(whole.before), part.document + len(whole.documents)
        whole.before.extend(part.before)
        whole.after.extend(part.after)
        whole.documents.extend(part.documents)
        wholes: dict[int, Whole] = {int(rows[row]): one for row, one in part.wholes.items()}
        whole.wholes.update(wholes)
    return whole
