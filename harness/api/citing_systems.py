"""The calls about the answers of several systems: cite_generate, cite_compare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.errors import DataError, UsageError, class_of
from adapters.lineage import Lineage, lineage_of
from adapters.protocols import Judge
from adapters.spec import open_generator, refuse_early
from harness.api import arguments
from harness.api.citing import CitationReport, OpenedJudges, cite_file, file_of, passages_of, refuse_folder, session_of
from harness.api.comparison import Comparison
from harness.api.judging import compare
from harness.api.shown import Shown, listed, short
from harness.citing.answers import Answer
from harness.citing.generating import fields_of, generated, questions_of, stored_system, write_generated
from harness.citing.reading.files import AnswerFile
from harness.citing.scores import F1, PRECISION, RECALL
from harness.labelling.circular import lineage_of_stored, refuse_circular
from harness.numbers import plural
from harness.progress import Reporter
from harness.result.recall import recall
from harness.result.select import Wanted
from harness.workspace import Workspace

if TYPE_CHECKING:
    from reports.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class GeneratedAnswers(Shown):
    """The result of `harness.cite_generate`.

    Attributes:
        answers: with their questions and the passages that the generator was shown.
        generator: its name.
        system: whose passages these are.
    """

    answers: Sequence[Answer]
    generator: str
    system: str

    def __repr__(self) -> str:
        return short("GeneratedAnswers", plural("answer", len(self.answers)), self.generator)

    def tables(self) -> list[Table]:
        """The table that `harness cite generate` prints."""
        from reports.tables.citations import generated_table

        return [generated_table(self.answers, self.generator, self.system)]

    def as_dict(self) -> dict[str, object]:
        """Everything as `harness cite generate --json` prints it: the answers as in the file."""
        rows = [fields_of(one) for one in self.answers]
        return {"system": self.system, "generator": self.generator, "answers": rows}


def cite_generate(  # noqa: PLR0917
    system: str,
    generator: str,
    out: str | Path,
    top: int = 5,
    queries: int | None = None,
    collections: str | Sequence[str] | None = None,
    first_stage: str | None = None,
    depth: int | None = None,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> GeneratedAnswers:
    """Let a generator answer the queries of a collection from a stored system's passages, as `harness cite generate`
    does.

    Args:
        system: a stored system, as in `compare`.
        generator: the spec of a generator: a folder, a hub name, `chat:URL?model=NAME`.
        out: the file of answers to write.
        top: the number of passages of a query, the first ones of the system.
        queries: answer only this number of queries, always the same ones. Default: all.
        collections: the collection, if the system was measured on several.
        first_stage: as in `compare`.
        depth: as in `compare`.
        workspace: as in `compare`.
        reporter: shows the progress. Default: standard error if it is a terminal.

    Returns:
        The answers that were written.

    Raises:
        HarnessError: the system or the generator cannot be used, or the file cannot be written.
    """
    wanted = _wanted(collections, first_stage, depth)
    count, most = arguments.whole("top", top), arguments.optional_whole("queries", queries)
    target, place = Path(out), Workspace(arguments.workspace_of(workspace))
    refuse_folder(target)
    recalled = recall(place, stored_system(arguments.name_of("system", system), place, wanted).id)
    writer = open_generator(arguments.name_of("generator", generator))
    refuse_early(writer)
    asked = questions_of(recalled, count, most)
    answers = list(generated(asked, writer, recalled.collection.language, arguments.reporter_of(reporter)))
    try:
        write_generated(answers, target)
    except OSError as error:
        raise class_of(error, UsageError)(f"{out}: cannot be written ({error.strerror})") from None
    return GeneratedAnswers(answers, writer.name, recalled.stored.key.label)


@dataclass(frozen=True, repr=False, eq=False)
class ComparedCitations(Shown):
    """The result of `harness.cite_compare`.

    Attributes:
        comparison: recall, precision and F1 of the citations, question by question; as `harness.compare` gives it.
        left_out: the number of questions that not all files have.
        remarks: what a reader has to know of the judges, what they gave no value for in which file, and the rows that
            are not used.
    """

    comparison: Comparison
    left_out: int
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return short("ComparedCitations", listed("candidate", self.comparison.candidates))

    @property
    def alarms(self) -> tuple[str, ...]:
        """The alarms of the comparison."""
        return self.comparison.alarms

    def tables(self) -> list[Table]:
        """The tables that `harness cite compare` prints."""
        without = plural("question", self.left_out, "is", "are")
        lost = (f"{without} left out: not in all files",) if self.left_out else ()
        first, *rest = self.comparison.tables()
        return [replace(first, notes=(*first.notes, *lost, *self.remarks)), *rest]

    def as_dict(self) -> dict[str, object]:
        """Everything as `harness cite compare --json` prints it."""
        return {**self.comparison.as_dict(), "questions_left_out": self.left_out, "remarks": list(self.remarks)}


def cite_compare(  # noqa: PLR0917
    answers: Sequence[str | Path] | None,
    judge: str,
    rerankers: str | Sequence[str] | None = None,
    generator: str | None = None,
    out: str | Path | None = None,
    top: int = 5,
    queries: int | None = None,
    collections: str | Sequence[str] | None = None,
    first_stage: str | None = None,
    depth: int | None = None,
    need_judge: str | None = None,
    passages: str | Path | None = None,
    most: int = 3,
    graded: bool = False,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> ComparedCitations:
    """Compare the citations of answers to the same questions, as `harness cite compare` does.

    Either files of answers are compared, or the rerankers that chose the passages: then the generator answers the same
    questions from the passages of each. The first one is the baseline. Differences are paired over questions, and
    p-values are corrected over the candidates.

    Args:
        answers: two or more files, as in `cite`. None with `rerankers`.
        judge: as in `cite`. It must not be one of the rerankers, nor their teacher.
        rerankers: two or more stored systems, as in `compare`.
        generator: as in `cite_generate`; only with `rerankers`.
        out: the folder for the answers that are generated; only with `rerankers`.
        top: as in `cite_generate`.
        queries: as in `cite_generate`.
        collections: as in `cite_generate`.
        first_stage: as in `compare`.
        depth: as in `compare`.
        need_judge: as in `cite`.
        passages: as in `cite`; not with `rerankers`, whose answers have the texts of their passages.
        most: as in `cite`.
        graded: as in `cite`.
        workspace: as in `cite`.
        reporter: as in `cite`.

    Returns:
        The comparison of citation recall, precision and F1.

    Raises:
        HarnessError: a file, a system or the judge cannot be used, or no question is in all files.
    """
    files, systems = arguments.names_of("answers", answers), arguments.names_of("rerankers", rerankers)
    made = _generated_files(files, systems, generator, out) if systems else []
    if len(files or systems) < 2:
        raise UsageError("name two or more files of answers, or two or more --reranker with a --generator and --out")
    _refuse_repeated(files, [str(Path(one).resolve()) for one in files])
    if systems and passages is not None:
        raise UsageError("answers that are generated have the texts of their passages; leave out --passages")
    judges, remarks = OpenedJudges.of(judge, need_judge), tuple[str, ...]()
    if systems:
        place, wanted = Workspace(arguments.workspace_of(workspace)), _wanted(collections, first_stage, depth)
        ranked = [stored_system(one, place, wanted) for one in systems]
        _refuse_repeated(systems, [one.id for one in ranked])
        remarks = _independent(judges.judge, list(map(lineage_of_stored, ranked)))
        for system, file in zip(systems, made, strict=True):
            cite_generate(system, str(generator), file, top, queries, collections, first_stage, depth, workspace,
                          reporter)  # fmt: skip
    names = [f"answers of {one}" for one in systems] if systems else _names(files)
    known = passages_of(passages)
    kept, left_out = _on_common([file_of(one, known) for one in made or files])
    with session_of(workspace, reporter) as session:
        reports = [
            cite_file(one, session, judges, most=most, graded=graded, name=name, with_controls=False)
            for one, name in zip(kept, names, strict=True)
        ]
    return ComparedCitations(_compared(reports, workspace), left_out, (*remarks, *_remarks(reports, names)))


def _compared(reports: Sequence[CitationReport], workspace: str | Path | None) -> Comparison:
    """Compare stored evaluations with the first of them.

    Raises:
        DataError: no answer of a file has a value.
    """
    lacking = next((one.found.file.path for one in reports if one.id is None), None)
    if lacking is not None:
        raise DataError(f"{lacking}: no answer has a value, so nothing can be compared")
    first, *others = [str(one.id) for one in reports]
    return compare(
        first, *others, collections=[str(reports[0].fingerprint)], measures=[RECALL, PRECISION, F1],
        workspace=workspace,
    )  # fmt: skip


def _remarks(reports: Sequence[CitationReport], names: Sequence[str]) -> list[str]:
    """What is to be known of the judges and the files: first what holds for all, then the rest with a name."""
    from reports.tables.citations import bad_rows, missing_lines

    said = [list(one.found.remarks) for one in reports]
    shared = [line for line in said[0] if all(line in own for own in said)]
    named = [
        f"{name}: {line}"
        for name, one, own in zip(names, reports, said, strict=True)
        for line in (
            *missing_lines(one.found.missing, one.found.need_missing),
            *bad_rows(one.found.file.bad),
            *(each for each in own if each not in shared),
        )
    ]
    return [*shared, *named]


def _refuse_repeated(names: Sequence[str], keys: Sequence[str]) -> None:
    """Refuse files or systems of which two are the same."""
    again = next((name for at, name in enumerate(names) if keys[at] in keys[:at]), None)
    if again is not None:
        raise UsageError(f"{again} is named twice; name each file or system once")


def _generated_files(
    files: Sequence[str], systems: Sequence[str], generator: str | None, out: str | Path | None
) -> list[Path]:
    if files:
        raise UsageError("name files of answers or rerankers, not both")
    if generator is None or out is None:
        raise UsageError("rerankers need a --generator, which answers from their passages, and --out for the answers")
    return [Path(out) / f"answers-{at}.jsonl" for at in range(1, len(systems) + 1)]


def _independent(judge: Judge, systems: Sequence[Lineage]) -> tuple[str, ...]:
    """Refuse a judge that is not independent of the systems, also one that is made of their reranker."""
    return refuse_circular(lineage_of(getattr(judge, "scorer", judge)), systems, corrected=False)


def _names(files: Sequence[str]) -> list[str]:
    stems = [Path(one).name.removesuffix(".gz").rpartition(".")[0] or one for one in files]
    return stems if len(set(stems)) == len(stems) else list(files)


def _on_common(files: Sequence[AnswerFile]) -> tuple[list[AnswerFile], int]:
    """The files with the questions that all of them have, and the number of the others.

    Raises:
        DataError: an id has different questions, or no question is in all files.
    """
    asked = [{one.id: one.question for one in file.answers} for file in files]
    common = set(asked[0]).intersection(*asked[1:])
    for own, file in zip(asked, files, strict=True):
        other = next((id for id in common if own[id] != asked[0][id]), None)
        if other is not None:
            raise DataError(
                f"{file.path}: the id {other!r} has another question in {files[0].path}; give ids of one set"
            )
    if not common:
        raise DataError(f"{files[0].path} and {files[1].path}: no id is in all files; compare answers to the same ids")
    kept = [replace(file, answers=tuple(one for one in file.answers if one.id in common)) for file in files]
    return kept, len(set().union(*asked)) - len(common)


def _wanted(collections: str | Sequence[str] | None, first_stage: str | None, depth: int | None) -> Wanted:
    return Wanted(
        arguments.names_of("collections", collections),
        arguments.optional_name("first_stage", first_stage),
        arguments.optional_whole("depth", depth),
    )
