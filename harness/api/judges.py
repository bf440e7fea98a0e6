"""The calls about judges: judge_calibrate, corrected_mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np

from adapters.errors import UsageError
from adapters.spec import open_judge
from harness.api import arguments
from harness.api.shown import Shown, chosen, listed, short
from harness.labelling.agreement import AgreementFigure
from harness.labelling.calibrate import Calibrated, calibrate
from harness.labelling.circular import refuse_circular
from harness.labelling.labelled import Labelled, read_labelled
from harness.measuring.statistics.corrected import CorrectedMean
from harness.measuring.statistics.corrected import corrected_mean as corrected
from harness.progress import Reporter
from harness.workspace import Workspace

if TYPE_CHECKING:
    from reports.table import Table


@dataclass(frozen=True, repr=False, eq=False)
class JudgeReport(Shown):
    """The result of `harness.judge_calibrate`. A notebook shows it as tables.

    Attributes:
        labelled: the claims.
        found: what was measured of each judge.
    """

    labelled: Labelled
    found: Sequence[Calibrated]

    def __repr__(self) -> str:
        return short("JudgeReport", listed("judge", self.judges), f"{len(self.labelled):,} claims")

    @property
    def judges(self) -> list[str]:
        """The judges, as they were given."""
        return [one.spec for one in self.found]

    @property
    def files(self) -> list[str]:
        """The names of the calibration files that `write` makes, one for each judge."""
        return [f"calibration-{place}.json" for place in range(1, len(self.found) + 1)]

    def figures(self, judge: str | None = None) -> Mapping[str, AgreementFigure]:
        """The figures of a judge by name, each with its 95 % interval.

        Args:
            judge: as it was given. Default: the only one.
        """
        return self._of(judge).verdicts.figures

    def threshold(self, judge: str | None = None) -> float:
        """The value from which on a claim counts as supported."""
        return self._of(judge).calibration.threshold

    def tables(self) -> list[Table]:
        """The tables that `harness judge calibrate` prints."""
        from reports.tables.judges import judge_tables

        return judge_tables(self.labelled, self.found)

    def as_dict(self) -> dict[str, object]:
        """Everything as `harness judge calibrate --json` prints it."""
        from reports.tables.judges import judges_dict

        return judges_dict(self.labelled, self.found)

    def write(self, out: str | Path) -> None:
        """Write judges.json, index.html with the reliability plot, and a calibration file for each judge.

        Raises:
            MissingExtra: matplotlib is not installed. Everything but the plot is written.
        """
        from reports.judges import write_judges

        write_judges(self.labelled, self.found, self.files, Path(out))

    def _of(self, judge: str | None) -> Calibrated:
        return chosen("judge", judge, {one.spec: one for one in self.found})


def judge_calibrate(
    labelled: str | Path,
    judges: str | Sequence[str],
    *,
    supported_from: float = 1.0,
    workspace: str | Path | None = None,
    reporter: Reporter | None = None,
) -> JudgeReport:
    """Compare judges with labels of people and fit their thresholds, as `harness judge calibrate` does.

    Thresholds are fitted on one half of the claims; all figures are those of the other half.

    Args:
        labelled: a JSONL file with `premise`, `claim` and `label`, WiCE or ExpertQA, plain or gzipped.
        judges: one or more specs: `lexical`, `nli:MODEL`, `seq2seq:MODEL`, `reranker:SPEC`, `chat:URL?model=NAME`,
            `recorded:FILE`.
        supported_from: labels from this on count as supported, above 0 and at most 1.
        workspace: the folder with the ledger that keeps judgments. Default: the environment variable
            HARNESS_WORKSPACE, else ./.harness.
        reporter: shows the progress. Default: standard error if it is a terminal.

    Returns:
        The figures of every judge with intervals.

    Raises:
        HarnessError: a judge or the file cannot be used, or a half has too few claims.

    Examples:
        >>> import json, pathlib, harness
        >>> rows = [{"premise": f"ship {n}", "claim": f"ship {n + n % 2}", "label": 1 - n % 2} for n in range(80)]
        >>> _ = pathlib.Path("claims.jsonl").write_text("".join(json.dumps(row) + chr(10) for row in rows))
        >>> harness.judge_calibrate("claims.jsonl", "lexical").figures()["AUC"].value
        1.0
    """
    place = Workspace.open(arguments.file_of(workspace))
    claims = read_labelled(Path(arguments.name_of("labelled", labelled)))
    wanted = arguments.names_of("judges", judges)
    least = arguments.number("supported_from", supported_from)
    with arguments.working(place, arguments.reporter_of(reporter)) as session:
        return JudgeReport(claims, calibrate(claims, wanted, session, least))


def corrected_mean(
    labels: Sequence[float],
    values: Sequence[float],
    others: Sequence[float],
    *,
    population: Literal["finite", "infinite"] = "finite",
    judge: str | None = None,
    candidates: str | Sequence[str] | None = None,
) -> CorrectedMean:
    """A mean of many judged items, corrected by labels of people for a random sample of them.

    Args:
        labels: of people, n of them, at least 3.
        values: the judge's values of the same items.
        others: the judge's values of the N other items.
        population: "finite" asks for the mean of these n + N items, "infinite" for that of their source.
        judge: the spec of the judge. With `candidates`, a judge that is not independent of them is named in `remarks`.
        candidates: folders or specs of the systems that the values are about.

    Returns:
        The mean with its 95 % interval, next to that of the judge alone and that of the labels alone. With few labels,
        few others, or labels that hardly differ from the judge, the judge is ignored and `remarks` says so; if the
        labels allow no interval either, its ends are nan.

    Raises:
        HarnessError: a number is missing or wrong.

    Examples:
        >>> import harness
        >>> found = harness.corrected_mean([1, 0, 1, 1] * 10, [0.8, 0.2, 0.6, 0.7] * 10, [0.4, 0.6] * 50)
        >>> round(found.naive, 3), round(found.value, 3)
        (0.521, 0.653)
    """
    arguments.one_of("population", population, ("finite", "infinite"))
    for name, some in (("labels", labels), ("values", values), ("others", others)):
        if isinstance(some, str | bytes):
            raise UsageError(f"corrected_mean: {name} is the text {some!r}; give a list of numbers, as in [1, 0, 1]")
    try:
        arrays = [np.array([float(one) for one in some], np.float64) for some in (labels, values, others)]
        found = corrected(arrays[0], arrays[1], arrays[2], population=population)
    except (TypeError, ValueError) as error:
        raise UsageError(f"corrected_mean: {error}") from None
    named = arguments.names_of("candidates", candidates)
    if judge is None or not named:
        return found
    return replace(found, remarks=(*found.remarks, *refuse_circular(open_judge(judge), named, corrected=True)))
