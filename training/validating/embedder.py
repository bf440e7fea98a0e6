"""An embedder whose vectors are kept in the workspace, so that no text is embedded twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.embedding import EmbedderPart
from adapters.errors import UsageError
from adapters.filling import filled
from adapters.identity import text_digests
from adapters.protocols import Floats, Identity, Role
from adapters.spec import identity_of, open_retriever
from harness.data.collection import Collection
from harness.scoring.retrieve import bound, source_of
from harness.scoring.session import Session


@dataclass(frozen=True)
class KeptVectors:
    """An `Embedder` that looks vectors up in the workspace first."""

    part: EmbedderPart

    @property
    def name(self) -> str:
        return self.part.name

    @property
    def identity(self) -> Identity:
        return identity_of(self.part.embedder)

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), dim], of unit length."""
        return filled(self.part.store(role), self.part.embedder, texts, text_digests(texts), role)


def kept_vectors(spec: str, corpus: Collection, session: Session) -> KeptVectors:
    """The embedder of a spec, with the settings of a dense first stage on the corpus.

    Raises:
        UsageError: the spec does not name an embedder.
    """
    instruction = corpus.rules.instruction or corpus.rules.first_stage_instruction
    part = bound(open_retriever(spec), corpus, session.workspace.cache, instruction)
    if isinstance(part, EmbedderPart):
        source = source_of(spec, "retriever", part, corpus, session.workspace.cache, instruction)
        part = session.engine.spread(part, source)
    else:
        raise UsageError(f"'{spec}' is not an embedder; name one, such as sentence-transformers/all-MiniLM-L6-v2")
    return KeptVectors(part)
