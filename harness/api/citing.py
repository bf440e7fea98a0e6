"""The calls about citations: cite, cite_refine."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from adapters.errors import UsageError, class_of
from adapters.protocols import Judge
from adapters.spec import open_judge, refuse_early, remarks_of
from harness.api import arguments
from harness.api.shown import Shown, short
from harness.citing.asking import Verdicts, answered
from harness.citing.controls import CHANCE
from harness.citing.evaluation import CitationEvaluation, evaluated, needs_asked, refuse_silent
from harness.citing.judged import KeptJudge
from harness.citing.keeping import results_of_citations
from harness.citing.parsing import parsed
from harness.citing.reading.files import AnswerFile, read_answers, read_passages
from harness.citing.reading.formats import Passages
from harness.citing.refine import Refined, refine
from harness.citing.scores import MEASURES
from harness.citing.support import SupportRules
from harness.citing.writing import write_answers
from harness.numbers import plural
from harness.progress import Reporter
from harness.result.store import Results
from harness.scoring.session import Session
from harness.workspace import Workspace

if TYPE_CHECKING:
    from reports.table import Table

Compat = Literal["alce"]
Only = Literal["complete", "remove"]


@dataclass(frozen=True, repr=False, eq=False)
class CitationReport(Shown):
    """The result of `harness.cite`. A notebook shows it as tables. Values are fractions.

    Attributes:
        found: everything that was measured.
        id: of the stored evaluation, for `harness show`; None if no answer has a value.
        fingerprint: of the questions with the judge, for `harness compare --collection`; None as `id`.
    """

    found: CitationEvaluation
    id: str | None = None
    fingerprint: str | None = None

    def __repr__(self) -> str:
        return short("CitationReport", plural("answer", len(self.found.answers)), f"judge {self.found.judge}")

    def value(self, measure: str) -> float:
        """The mean of a measure over the answers, such as `citation-F1`; NaN if no answer has one.

        Raises:
            UsageError: the measure is unknown.
        """
        arguments.one_of("measure", measure, tuple(MEASURES))
        return self.found.scores.mean(measure)

    def interval(self, measure: str) -> tuple[float, float]:
        """The 95 % interval of `value`; NaN with fewer than two answers.

        Raises:
            UsageError: the measure is unknown.
        """
        arguments.one_of("measure", measure, tuple(MEASURES))
        return self.found.scores.interval(measure)

    @property
    def alarms(self) -> tuple[str, ...]:
        """The controls whose law is broken. Answers whose citations are no better than random ones break `random`."""
        file, broken = self.found.file.path.name, [one.name for one in self.found.controls if not one.held]
        chance = [f"{file}: the citations are not better than {one} ones" for one in broken if one in CHANCE]
        return (*chance, *(f"{file}: the law of the control '{one}' is broken" for one in broken if one not in CHANCE))

    def tables(self) -> list[Table]:
        """The tables that `harness cite` prints."""
        from reports.tables.citations import citation_tables

        return citation_tables(self.found)

    def write(self, out: str | Path) -> None:
        """Write a page with the answers and their marks, and a plot of the causes, into a folder.

        Raises:
            MissingExtra: matplotlib is not installed. The page is written without the plot.
        """
        from reports.citation_page import write_citation_page

        write_citation_page(self.found, Path(out))

    def as_dict(self) -> dict[str, object]:
        """Everything as `harness cite --json` prints it."""
        from reports.tables.citations import citation_dict

        return citation_dict(self.found)


def cite(  # noqa: PLR0917
    answers: str | Path,
    judge: str,
    compat: Compat | None = None,
    need_judge: str | None = None,
    passages: str | Path | None = None,
    most: int = 3,
    graded: bool = False,
    name: str | None = None,
    questions: str | None = None,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> CitationReport:
    """Evaluate the citations of answers, as `harness cite` does.

    Args:
        answers: a file of answers: our own JSON lines (`id`, `question`, `answer` with marks, `references`), ALCE's
            results, WebGLM-QA, ExpertQA, TREC RAG.
        judge: says whether passages support a statement: `lexical`, `nli:MODEL`, `seq2seq:MODEL`,
            `reranker:SPEC?calibration=FILE`, `chat:URL?model=NAME`, `recorded:FILE`.
        compat: `alce` adds the values that ALCE's program computes, and the way from them to ours.
        need_judge: a judge that says which statements need support. Default: all do.
        passages: a file with the texts of documents, JSON lines, for answers that only name them.
        most: the largest number of documents that are judged together, 1 or more.
        graded: count partial support one half.
        name: the name under which the results are stored. Default: the name of the file.
        questions: the name of the set of questions in tables. Default: made of its digest.
        workspace: the folder for results, and for the ledger that keeps judgments. Default: the environment variable
            HARNESS_WORKSPACE, else ./.harness.
        reporter: shows the progress. Default: standard error if it is a terminal.

    Returns:
        The measures with intervals, causes, controls, and the rows that were not used.

    Raises:
        HarnessError: the file or a judge cannot be used, or a judge gave no value at all.

    Examples:
        >>> import json, pathlib, harness
        >>> row = {"id": "q1", "question": "Who?", "answer": "Ada wrote it [1].", "references": ["Ada wrote it."]}
        >>> _ = pathlib.Path("answers.jsonl").write_text(json.dumps(row) + chr(10))
        >>> harness.cite("answers.jsonl", "lexical").value("citation-F1")
        1.0
    """
    if compat is not None:
        arguments.one_of("compat", compat, ("alce",))
    file = file_of(answers, passages_of(passages))
    with session_of(workspace, reporter) as session:
        judges = OpenedJudges.of(judge, need_judge)
        return cite_file(file, session, judges, compat=compat, most=most, graded=graded, name=name, questions=questions)


@dataclass(frozen=True)
class OpenedJudges:
    """The judge of support and that of need, opened once for any number of files."""

    judge: Judge
    need: Judge | None = None

    @classmethod
    def of(cls, judge: str, need_judge: str | None) -> OpenedJudges:
        """Open judges by their specs.

        Raises:
            HarnessError: a judge cannot be used.
        """
        return cls(_opened("judge", judge), None if need_judge is None else _opened("need_judge", need_judge))

    def verdicts(self, session: Session) -> tuple[Verdicts, Verdicts | None]:
        """The judges through the ledger. What they give no value for is counted from here on."""
        need = None if self.need is None else Verdicts(KeptJudge(self.need, session))
        return Verdicts(KeptJudge(self.judge, session)), need


def cite_file(
    file: AnswerFile,
    session: Session,
    judges: OpenedJudges,
    *,
    compat: Compat | None = None,
    most: int = 3,
    graded: bool = False,
    name: str | None = None,
    questions: str | None = None,
    with_controls: bool = True,
) -> CitationReport:
    """Evaluate answers that were read, and store the results; as `cite`.

    Args:
        with_controls: whether to score the controls and the chance level, which are not stored.
    """
    label = file.path.name.removesuffix(".gz").rpartition(".")[0] if name is None else arguments.name_of("name", name)
    verdicts, need = judges.verdicts(session)
    rules = SupportRules.of(verdicts.judge, arguments.whole("most", most), graded=graded)
    found = evaluated(file, verdicts, rules, need, compat, with_controls=with_controls)
    found = replace(found, remarks=(*found.remarks, *_remarks(verdicts, need)))
    kept = results_of_citations(found, label or file.path.name, arguments.optional_name("questions", questions))
    with Results(session.workspace.results) as results:
        results.write(kept)
    return CitationReport(found, kept[0].id if kept else None, kept[0].collection.fingerprint if kept else None)


@dataclass(frozen=True, repr=False, eq=False)
class RefinedReport(Shown):
    """The result of `harness.cite_refine`.

    Attributes:
        file: what was read.
        refined: every answer before and after.
        judge: the name of the judge.
        missing: for each reason why the judge gave no value, the number of pairs.
        need_missing: for each reason why the judge of need gave no value, the number of statements.
        remarks: what a reader has to know of the judges.
    """

    file: AnswerFile
    refined: Sequence[Refined]
    judge: str
    missing: dict[str, int]
    need_missing: dict[str, int]
    remarks: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return short("RefinedReport", plural("answer", len(self.refined)), f"judge {self.judge}")

    def texts(self) -> dict[str, str]:
        """The refined answers by id."""
        return {one.after.answer.id: one.after.answer.text for one in self.refined}

    def tables(self) -> list[Table]:
        """The table that `harness cite refine` prints."""
        from reports.tables.citations import bad_rows, missing_lines, refined_table

        lost = missing_lines(self.missing, self.need_missing)
        return [refined_table(self.refined, self.judge, [*lost, *bad_rows(self.file.bad), *self.remarks])]

    def as_dict(self) -> dict[str, object]:
        """Everything as `harness cite refine --json` prints it."""
        from reports.tables.citations import refined_counts

        return {
            "file": str(self.file.path), "format": self.file.format, "judge": self.judge,
            "counts": refined_counts(self.refined), "missing": self.missing, "need_missing": self.need_missing,
            "remarks": list(self.remarks),
            "bad_rows": [{"where": one.where, "reason": one.reason} for one in self.file.bad],
            "answers": [
                {"id": one.after.answer.id, "added": one.added, "removed": one.removed} for one in self.refined
            ],
        }  # fmt: skip


def cite_refine(  # noqa: PLR0917
    answers: str | Path,
    judge: str,
    out: str | Path,
    only: Only | None = None,
    need_judge: str | None = None,
    passages: str | Path | None = None,
    documents: int = 10,
    most: int = 3,
    graded: bool = False,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> RefinedReport:
    """Complete missing citations and remove irrelevant ones, as `harness cite refine` does. The text stays as it is.

    Args:
        answers: as in `cite`.
        judge: decides, as in `cite`. Evaluate the result with another judge: by this one it is as good as it can be.
        out: the file to write: the rows of `answers` with other marks.
        only: `complete` only adds citations, `remove` only removes them. Default: both.
        need_judge: as in `cite`. Citations are added only to statements that need support.
        passages: as in `cite`.
        documents: the number of documents of an answer to choose from, the first ones and those that it cites.
        most: as in `cite`.
        graded: as in `cite`.
        workspace: as in `cite`.
        reporter: as in `cite`.

    Returns:
        The answers before and after.

    Raises:
        HarnessError: a file or a judge cannot be used, or a judge gave no value at all.

    Examples:
        >>> import json, pathlib, harness
        >>> row = {"id": "q1", "question": "Who?", "answer": "Ada did it [2].", "references": ["Ada did it.", "Bob"]}
        >>> _ = pathlib.Path("answers.jsonl").write_text(json.dumps(row) + chr(10))
        >>> harness.cite_refine("answers.jsonl", "lexical", "refined.jsonl").texts()
        {'q1': 'Ada did it [1].'}
    """
    if only is not None:
        arguments.one_of("only", only, ("complete", "remove"))
    file, target = file_of(answers, passages_of(passages)), Path(out)
    _refuse_same(file.path, target)
    with session_of(workspace, reporter) as session:
        verdicts, need = OpenedJudges.of(judge, need_judge).verdicts(session)
        rules = SupportRules.of(verdicts.judge, arguments.whole("most", most), graded=graded)
        cases = [parsed(one) for one in file.answers]
        needs = [None] * len(cases) if need is None else list(needs_asked(cases, need))
        first, complete, remove = arguments.whole("documents", documents), only != "remove", only != "complete"
        tasks = [
            refine(one, own, rules, complete=complete, remove=remove, documents=first)
            for one, own in zip(cases, needs, strict=True)
        ]
        found = answered(tasks, verdicts)
    refuse_silent(verdicts)
    try:
        write_answers(file, [one.after.answer for one in found], target)
    except OSError as error:
        raise class_of(error, UsageError)(f"{out}: cannot be written ({error.strerror})") from None
    lost, of_need = dict(verdicts.missing), {} if need is None else dict(need.missing)
    return RefinedReport(file, found, verdicts.judge.name, lost, of_need, _remarks(verdicts, need))


def refuse_folder(out: Path) -> None:
    """Refuse a folder in the place of a file to write."""
    if out.is_dir():
        raise UsageError(f"--out {out} is a folder; name the file to write")


def _refuse_same(file: Path, out: Path) -> None:
    refuse_folder(out)
    if out.exists() and out.samefile(file):
        raise UsageError(f"--out {out} is the file of the answers; name another file")


def passages_of(passages: str | Path | None) -> Passages | None:
    """Read a file of passages if there is one."""
    return None if passages is None else read_passages(Path(arguments.name_of("passages", passages)))


def file_of(answers: str | Path, passages: Passages | None) -> AnswerFile:
    """Read a file of answers, with the texts of passages for those that only name them."""
    return read_answers(Path(arguments.name_of("answers", answers)), passages)


def session_of(workspace: str | Path | None, reporter: Reporter | None) -> AbstractContextManager[Session]:
    """Open the workspace, with the ledger of judgments."""
    return arguments.working(Workspace.open(arguments.file_of(workspace)), arguments.reporter_of(reporter))


def _remarks(verdicts: Verdicts, need: Verdicts | None) -> tuple[str, ...]:
    """What the judges say of themselves, each line once."""
    own = remarks_of(verdicts.judge), () if need is None else remarks_of(need.judge)
    return tuple(dict.fromkeys(line for lines in own for line in lines))


def _opened(argument: str, judge: str) -> Judge:
    opened = open_judge(arguments.name_of(argument, judge))
    refuse_early(opened.scorer if hasattr(opened, "scorer") else opened)
    return opened
