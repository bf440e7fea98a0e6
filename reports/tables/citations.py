"""Tables of citation measures: one set of answers, refined answers, and sets that are compared."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.citing.alce import PECULIARITIES
from harness.citing.answers import Answer
from harness.citing.controls import LAWS, ControlOutcome
from harness.citing.evaluation import CitationEvaluation
from harness.citing.refine import Refined
from harness.citing.scores import F1, MEASURES, PRECISION, RECALL
from harness.citing.waterfall import SWITCHES
from harness.numbers import count, decimal, finite, interval, plural, points, share, signed
from reports.table import Cell, Table

_SHOWN_ROWS = 5
_MAIN = (RECALL, PRECISION, F1, "weighted-precision", "weighted-recall")


def citation_tables(found: CitationEvaluation) -> list[Table]:
    """Measures, causes, what the answers say, controls, and ALCE's values if they were asked for."""
    tables = [measures_table(found), causes_table(found)]
    tables += [correctness_table(found)] if found.correct else []
    tables += [controls_table(found)] if found.controls else []
    return [*tables, *([alce_table(found), waterfall_table(found)] if found.alce else [])]


def measures_table(found: CitationEvaluation) -> Table:
    """One row per measure."""
    scores = found.scores
    names = [*_MAIN[:3], *(["citation-recall-of-all"] if found.needs else []), *_MAIN[3:]]
    rows = [
        (Cell(name), Cell(points(scores.mean(name))), Cell(interval(scores.interval(name))),
         Cell(points(found.chance.get(name))), Cell(points(_micro(found, name))),
         Cell(count(len(scores.answers) - scores.left_out(name))))
        for name in names
    ]  # fmt: skip
    title = f"citations: {found.file.path.name}, {plural('answer', len(scores.answers))}, judge {found.judge}"
    columns = ("measure", "value", "95 % interval", "chance", "micro", "answers")
    return Table(title, columns, tuple(rows), tuple(notes_of(found)))


def _micro(found: CitationEvaluation, name: str) -> float | None:
    return {RECALL: found.scores.micro_recall, PRECISION: found.scores.micro_precision}.get(name)


def notes_of(found: CitationEvaluation) -> list[str]:
    """What a reader of the values has to know: counts, and what was left out."""
    counts, scores = found.scores.counts, found.scores
    notes = [
        f"2PR / (P + R) of the means: {points(scores.f1_of_means)}; it has no interval",
        f"{plural('statement', counts.statements, 'needs', 'need')} support, "
        f"{decimal(counts.citations_per_statement, 2)} citations each; "
        f"{share(counts.uncited_share)} are uncited, {share(counts.only_invalid_share)} have invalid citations only, "
        f"{counts.joint:,} supported only jointly",
        f"of {plural('citation', counts.citations)} {share(counts.invalid_share)} are invalid and "
        f"{share(counts.redundant_share)} redundant",
    ]
    if counts.uncited_answers:
        without = f"{plural('answer', counts.uncited_answers, 'has', 'have')} no citation that counts"
        notes.append(f"{without}; the mean precision leaves such answers out")
    if counts.empty:
        notes.append(f"{plural('answer', counts.empty, 'is', 'are')} empty, with recall 0")
    if counts.unneeding:
        notes.append(f"in {plural('answer', counts.unneeding)} nothing needs support, so recall is 0")
    if counts.unneeded:
        notes.append(f"no measure counts {plural('citation', counts.unneeded)} of statements that need no support")
    notes += missing_lines(found.missing, found.need_missing)
    if counts.unjudged:
        lost = plural("answer", counts.unjudged, "has", "have")
        notes.append(f"{lost} no value because the judge gave none for a part")
    return [*notes, *bad_rows(found.file.bad), *found.remarks]


def missing_lines(missing: Mapping[str, int], of_need: Mapping[str, int]) -> list[str]:
    """Lines that count what the judge, and the judge of need, gave no value for, with the reasons."""
    lost = [f"{plural('pair', number, 'has', 'have')} no value: {reason}" for reason, number in missing.items()]
    taken = "no value of the judge of need, so support is needed"
    return lost + [
        f"{plural('statement', number, 'has', 'have')} {taken}: {reason}" for reason, number in of_need.items()
    ]


def bad_rows(bad: Sequence[object]) -> list[str]:
    """Lines that count and name the rows that are not used."""
    if not bad:
        return []
    more = [f"... and {len(bad) - _SHOWN_ROWS:,} more, which --json lists"] if len(bad) > _SHOWN_ROWS else []
    return [f"{plural('row', len(bad), 'is', 'are')} not used:", *map(str, bad[:_SHOWN_ROWS]), *more]


def causes_table(found: CitationEvaluation) -> Table:
    """Where recall and precision are lost."""
    both = (("recall", found.scores.recall_causes), ("precision", found.scores.precision_causes))
    rows = tuple(
        (Cell(what), Cell(cause), Cell(points(lost))) for what, causes in both for cause, lost in causes.items()
    )
    return Table("where the losses come from", ("measure", "cause", "points"), rows, left=2)


def correctness_table(found: CitationEvaluation) -> Table:
    """What the answers say, whatever they cite."""
    rows = tuple(
        (Cell(name), Cell(_said(name, float(np.nanmean(row)))), Cell(count(int((~np.isnan(row)).sum()))))
        for name, row in found.correct.items()
    )
    return Table("what the answers say", ("measure", "value", "answers"), rows, ("length is in words",))


def _said(name: str, value: float) -> str:
    return decimal(value) if name == "length" else points(value)


def controls_table(found: CitationEvaluation) -> Table:
    """The controls and whether each obeys its law."""
    rows = tuple(
        (Cell(one.name), Cell(points(one.recall)), Cell(points(one.precision)), Cell(points(one.f1)),
         Cell(_law(one)))
        for one in found.controls
    )  # fmt: skip
    lost = found.controls[0].left_out
    left = [
        f"{plural('answer', lost, 'is', 'are')} left out, because the judge gave no value for a part or for a control"
    ]
    broken = [f"{one.name}: {LAWS[one.name]}; broken in {', '.join(one.broken[:3])}" for one in found.controls
              if not one.held]  # fmt: skip
    return Table("controls", ("control", "recall", "precision", "F1", "law"), rows, (*broken, *(left if lost else [])))


def _law(one: ControlOutcome) -> str:
    if not one.checked:
        return "not checked"
    return "holds" if one.held else f"broken in {plural('answer', len(one.broken))}"


def alce_table(found: CitationEvaluation) -> Table:
    """What ALCE's program computes, and which of its peculiarities the answers meet."""
    assert found.alce is not None
    met = [name for one in found.alce.scores for name in one.peculiarities]
    rows = (
        (Cell("citation_rec"), Cell(points(found.alce.recall))),
        (Cell("citation_prec"), Cell(points(found.alce.precision))),
        *((Cell(name), Cell(_said(name, value))) for name, value in found.alce.correct.items()),
    )
    notes = [f"{plural('answer', met.count(name))}: {text}" for name, text in PECULIARITIES.items() if name in met]
    return Table("as ALCE computes it", ("measure", "value"), rows, tuple(notes))


def waterfall_table(found: CitationEvaluation) -> Table:
    """The way from ALCE's values to ours."""
    assert found.alce is not None
    rows = tuple(
        (Cell(one.switch), Cell(SWITCHES.get(one.switch, "ALCE's values")), Cell(points(one.recall)),
         Cell(signed(one.recall_change)), Cell(points(one.precision)), Cell(signed(one.precision_change)))
        for one in found.alce.steps
    )  # fmt: skip
    columns = ("switch", "from here on", "recall", "change", "precision", "change")
    return Table("from ALCE's values to ours", columns, rows, left=2)


def citation_dict(found: CitationEvaluation) -> dict[str, Any]:
    """Everything for JSON: fractions; null is unknown."""
    scores = found.scores
    values: dict[str, Any] = finite({
        "file": str(found.file.path), "format": found.file.format, "judge": found.judge,
        "identity": dict(found.identity),
        "measures": {name: _measure(found, name) for name in MEASURES},
        "f1_of_means": scores.f1_of_means, "micro_recall": scores.micro_recall,
        "micro_precision": scores.micro_precision, "counts": dict(vars(scores.counts)),
        "recall_causes": dict(scores.recall_causes), "precision_causes": dict(scores.precision_causes),
        "correctness": {name: float(np.nanmean(row)) for name, row in found.correct.items()},
        "controls": [{"name": one.name, "recall": one.recall, "precision": one.precision,
                      "f1": one.f1, "checked": one.checked, "broken": list(one.broken),
                      "left_out": one.left_out}
                     for one in found.controls],
        "alce": _alce_dict(found), "missing": dict(found.missing), "need_missing": dict(found.need_missing),
        "pairs": found.asked,
        "bad_rows": [{"where": one.where, "reason": one.reason} for one in found.file.bad],
        "answers": [
            {"id": score.id, **{name: of(score) for name, of in MEASURES.items()},
             **{name: float(row[at]) for name, row in found.correct.items()}}
            for at, score in enumerate(scores.answers)
        ],
        "remarks": list(found.remarks),
    })  # fmt: skip
    return values


def _measure(found: CitationEvaluation, name: str) -> dict[str, Any]:
    low, high = found.scores.interval(name)
    return {
        "value": found.scores.mean(name), "low": low, "high": high,
        "chance": found.chance.get(name), "left_out": found.scores.left_out(name),
    }  # fmt: skip


def _alce_dict(found: CitationEvaluation) -> dict[str, Any] | None:
    if found.alce is None:
        return None
    return {
        "citation_rec": found.alce.recall, "citation_prec": found.alce.precision,
        **found.alce.correct,
        "steps": [dict(vars(one)) for one in found.alce.steps],
        "peculiarities": {one.id: list(one.peculiarities) for one in found.alce.scores if one.peculiarities},
    }  # fmt: skip


def refined_table(refined: Sequence[Refined], judge: str, notes: Sequence[str] = ()) -> Table:
    """What refining changed."""
    facts: Mapping[str, int] = refined_counts(refined)
    rows = tuple((Cell(name), Cell(count(number))) for name, number in facts.items())
    return Table(f"refined by {judge}", ("", "number"), rows, tuple(notes))


def refined_counts(refined: Sequence[Refined]) -> dict[str, int]:
    """Counts of what refining changed and left."""
    return {
        "answers": len(refined),
        "answers changed": sum(one.changed for one in refined),
        "citations added": sum(one.added for one in refined),
        "citations removed": sum(one.removed for one in refined),
        "statements without a value of the judge, left as they are": sum(len(one.unjudged) for one in refined),
        "statements whose marks the text does not allow to change": sum(len(one.refused) for one in refined),
        "documents that were not offered to the judge": sum(one.unread for one in refined),
    }


def generated_table(answers: Sequence[Answer], generator: str, system: str) -> Table:
    """How many answers were written, and from how many passages."""
    passages = sum(len(one.references) for one in answers)
    empty = sum(not one.text for one in answers)
    rows = ((Cell(system), Cell(count(len(answers))), Cell(count(passages)), Cell(count(empty))),)
    return Table(f"answers of {generator}", ("passages of", "answers", "passages", "empty answers"), rows)
