"""Teachers: rerankers or embedders, with the student's maximum length, and the declared facts about their origin."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from adapters.comparing import compares, open_comparer
from adapters.errors import UsageError
from adapters.identity import digest
from adapters.precision import WHOLE
from adapters.protocols import Comparer, Reranker
from adapters.spec import identity_of, open_reranker, parse
from adapters.typed_file import read_toml
from adapters.typed_values import Text
from harness.data.collection import Collection
from harness.result.adaptation.vocabulary import UNKNOWN
from harness.scoring.engine import AdapterSource
from harness.scoring.precision import OPTION, with_dtype
from harness.scoring.retrieve import bound, source_of
from harness.scoring.session import Session

_TWICE = "a teacher is named twice; name it once, and set its weight"


@dataclass(frozen=True)
class TeacherOrigin:
    """The declared origin of a teacher."""

    licence: Text = UNKNOWN
    training_sets: tuple[Text, ...] | None = None
    """None if they are not declared. An evaluation set among them would leak through the labels."""
    commercial_use: bool | None = None
    note: str = ""

    def remarks(self) -> list[str]:
        """Warnings for readers of the results."""
        remarks = []
        if self.licence == UNKNOWN:
            remarks.append("licence unknown: declare it in a file of facts about the teachers")
        if self.commercial_use is False:
            remarks.append("no commercial use: what is trained on its scores may inherit that")
        if self.training_sets is None:
            remarks.append("training sets unknown: an evaluation set among them would leak through the labels")
        return remarks


@dataclass(frozen=True)
class Teacher:
    """A teacher, opened for a collection."""

    spec: str
    """The spec that the user gave."""
    reranker: Reranker
    identity: Mapping[str, object]
    max_length: int | None
    """The maximum length of a whole input in tokens; None if the adapter does not declare one."""
    origin: TeacherOrigin
    source: AdapterSource
    """What other processes open the reranker from."""

    @property
    def id(self) -> str:
        """12 hex digits of the identity."""
        return digest(self.identity)[:12]


@dataclass(frozen=True)
class ComparingTeacher:
    """A teacher that compares two documents and has no score for one."""

    spec: str
    """The spec that the user gave."""
    comparer: Comparer
    identity: Mapping[str, object]
    origin: TeacherOrigin

    @property
    def id(self) -> str:
        """12 hex digits of the identity."""
        return digest(self.identity)[:12]


def open_panel(  # noqa: PLR0917
    specs: Sequence[str],
    collection: Collection,
    max_length: int | None,
    facts: Path | None,
    session: Session,
    dtype: str | None = None,
) -> list[Teacher | ComparingTeacher]:
    """Open teachers for comparisons, in their order. Those that score pairs are opened as `open_teachers` opens them;
    the others read whole texts, in the number format of their specs.

    Raises:
        UsageError: see `open_teachers`.
    """
    origins = read_facts(facts, specs)
    place = collection, session.workspace.cache, collection.rules.instruction
    comparing = {
        spec: _comparing(spec, cast(Comparer, bound(one, *place)), origins.get(spec, TeacherOrigin()))
        for spec in specs
        if compares(one := open_comparer(spec))
    }
    _note_dtype(comparing, dtype, session)
    scoring = [spec for spec in specs if spec not in comparing]
    opened = open_teachers(scoring, collection, max_length, facts, session, dtype) if scoring or not specs else []
    found: dict[str, Teacher | ComparingTeacher] = {**comparing, **{one.spec: one for one in opened}}
    if len({one.id for one in found.values()}) < len(specs):
        raise UsageError(_TWICE)
    return [found[spec] for spec in specs]


def open_teachers(  # noqa: PLR0917
    specs: Sequence[str],
    collection: Collection,
    max_length: int | None,
    facts: Path | None,
    session: Session,
    dtype: str | None = None,
) -> list[Teacher]:
    """Open the teachers with the student's maximum length.

    Args:
        max_length: the student's maximum length in tokens; None takes the length that all teachers declare.
        dtype: the number format of teachers that name none. Default: float32.

    Raises:
        UsageError: no teacher is named, one is named twice, one cannot be set to the student's length, or their lengths
            differ.
    """
    if not specs:
        raise UsageError("name a teacher (--teacher), such as cross-encoder:./model or BAAI/bge-reranker-v2-m3")
    origins = read_facts(facts, specs)
    formats = [with_dtype(spec, dtype, "reranker", session.workspace.cache, session.reporter) for spec in specs]
    teachers = [
        replace(_teacher(own, collection, max_length, origins.get(spec, TeacherOrigin()), session), spec=spec)
        for spec, own in zip(specs, formats, strict=True)
    ]
    if len({teacher.id for teacher in teachers}) < len(teachers):
        raise UsageError(_TWICE)
    lengths = {teacher.spec: teacher.max_length for teacher in teachers if teacher.max_length is not None}
    if len(set(lengths.values())) > 1:
        listed = ", ".join(f"{spec}: {length}" for spec, length in lengths.items())
        raise UsageError(f"the teachers read texts of different lengths ({listed}); set max_length to the student's")
    return teachers


def read_facts(file: Path | None, specs: Sequence[str]) -> dict[str, TeacherOrigin]:
    """Read the declared origins of teachers from a TOML file: a table for each spec with `licence`, `training_sets`,
    `commercial_use` and `note`.

    Raises:
        UsageError: the file cannot be read, has no table, or a key or value is wrong.
    """
    if file is None:
        return {}
    origins = read_toml(file, dict[str, TeacherOrigin])
    if not origins:
        raise UsageError(f"{file}: no facts about a teacher; write a table for each, such as ['{specs[0]}']")
    return {spec: origin for spec, origin in origins.items() if spec in specs}


def _teacher(
    spec: str, collection: Collection, max_length: int | None, origin: TeacherOrigin, session: Session
) -> Teacher:
    cut, opened = spec, open_reranker(spec)
    if max_length is not None and "max_length" not in parse(spec).options and _can_be_cut(opened):
        cut = f"{spec}{'&' if '?' in spec else '?'}max_length={max_length}"
        opened = open_reranker(cut)
    place = collection, session.workspace.cache, collection.rules.instruction
    reranker = cast(Reranker, bound(opened, *place))
    identity = dict(identity_of(reranker))
    reads = _length(identity)
    if max_length is not None and reads is not None and reads != max_length:
        raise UsageError(
            f"the teacher '{spec}' reads {reads} tokens and the student {max_length}; they have to read the same text; "
            "change the maximum length, or the teacher's ?max_length="
        )
    return Teacher(spec, reranker, identity, reads, origin, source_of(cut, "reranker", reranker, *place))


def _comparing(spec: str, comparer: Comparer, origin: TeacherOrigin) -> ComparingTeacher:
    return ComparingTeacher(spec, comparer, dict(identity_of(comparer)), origin)


def _note_dtype(specs: Iterable[str], dtype: str | None, session: Session) -> None:
    """Say which teachers that compare keep their number format. A server has its own."""
    kept = [one for one in map(parse, specs) if one.kind != "chat" and OPTION not in one.options]
    if kept and dtype not in (None, WHOLE):
        named = ", ".join(one.text for one in kept)
        session.reporter.note(
            f"--dtype {dtype} does not change teachers that compare ({named}); write ?{OPTION}={dtype}"
        )


def _can_be_cut(adapter: object) -> bool:
    return "max_length" in inspect.signature(type(adapter)).parameters or hasattr(adapter, "embedder")


def _length(identity: Mapping[str, object]) -> int | None:
    inner = identity.get("embedder")
    length = identity.get("max_length", inner.get("max_length") if isinstance(inner, Mapping) else None)
    return length if isinstance(length, int) else None
