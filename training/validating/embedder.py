"""An embedder whose vectors are kept in the workspace: what was embedded once is looked up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from adapters.embedding import EmbedderPart
from adapters.errors import UsageError
from adapters.filling import fill
from adapters.identity import text_digests
from adapters.protocols import Floats, Identity, Role
from adapters.spec import identity_of, open_retriever
from harness.data.collection import Collection
from harness.scoring.retrieve import bound
from harness.scoring.session import Session


@dataclass(frozen=True)
class KeptVectors:
    """An `Embedder` in front of the workspace's vectors."""

    part: EmbedderPart

    @property
    def name(self) -> str:
        return self.part.name

    @property
    def identity(self) -> Identity:
        return identity_of(self.part.embedder)

    def encode(self, texts: Sequence[str], role: Role) -> Floats:
        """Return float32 [len(texts), dim], of unit length."""
        digests = text_digests(texts)
        fill(self.part.store(role), self.part.embedder, texts, digests, role)
        return self.part.store(role).gather(digests)


def kept_vectors(spec: str, corpus: Collection, session: Session) -> KeptVectors:
    """The embedder that a spec names, as a dense first stage uses it on the corpus.

    Raises:
        UsageError: the spec names something that makes no vectors.
    """
    instruction = corpus.rules.instruction or corpus.rules.first_stage_instruction
    part = bound(open_retriever(spec), corpus, session.workspace.cache, instruction)
    if not isinstance(part, EmbedderPart):
        raise UsageError(f"'{spec}' makes no vectors; name an embedder, such as sentence-transformers/all-MiniLM-L6-v2")
    return KeptVectors(part)
