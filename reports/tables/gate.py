"""The verdict of the gate for the terminal, as JSON, as JUnit XML and as Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from harness.judging.gate.budget import limit
from harness.judging.gate.gate import Gated
from harness.judging.gate.local import Part
from harness.judging.gate.reservations import UNNAMED
from harness.judging.gate.verdict import CheckpointCost
from harness.numbers import points, signed
from reports.table import Cell, Table, escaped, markdown

_FORMAT = 1
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, even escaped."""


def headline(found: Gated) -> str:
    """The verdict in one line."""
    verdict = "NO VERDICT (tier dev)" if found.state is None else found.state.upper()
    return f"{verdict}: {found.candidate} against {found.anchor}, {found.measure}{_looked(found)}"


def terminal(found: Gated) -> str:
    """The verdict with its reasons below it."""
    return "\n".join([headline(found), *(f"  {_one_line(line)}" for line in (*found.verdict.reasons, *found.notes))])


def as_dict(found: Gated) -> dict[str, object]:
    """The whole verdict as plain JSON values; fractions."""
    verdict = found.verdict.as_dict()
    look = None if found.look is None else found.look.id
    return {
        "format": _FORMAT, "verdict": found.state, "tier": found.tier, "anchor": found.anchor,
        "candidate": found.candidate, "measure": found.measure, "look": look, "looks_taken": found.taken,
        "looks_budget": limit(found.policy, found.tier), "release": found.policy.looks.release,
        "accepted": found.look is not None and found.look.accepted, "policy": found.policy.digest,
        "notes": list(found.notes),
        **{key: value for key, value in verdict.items() if key != "state"},
    }  # fmt: skip


def summary(found: Gated) -> str:
    """Markdown for the summary of a CI job."""
    reasons = [*found.verdict.reasons, *(() if found.verdict.parts else found.notes)]
    lines = [f"## Gate: {escaped(headline(found))}", "", *(f"- {escaped(line)}" for line in reasons), ""]
    if found.verdict.parts:
        lines.append(markdown(parts_table(found)))
    return "\n".join(lines)


def parts_table(found: Gated) -> Table:
    """A row per collection and language."""
    columns = ("part", "language", "queries", "anchor", "candidate", "delta", "p (Holm)", "99 % bound", "noise", "")
    rows = tuple(tuple(Cell(text) for text in _row(one)) for one in found.verdict.parts)
    notes = (
        f"{found.measure} x 100; p: one-sided t-test over questions, Holm over all rows; bound: one-sided, lower",
        "collapsed: certainly lower by more than the declared drop",
        *found.notes,
    )
    return Table("By collection and language", columns, rows, notes, left=2)


def junit(found: Gated) -> str:
    """JUnit XML with a test case for integrity, the macro average, every cost with a limit, and every part."""
    suite = ElementTree.Element("testsuite", name=_xml(f"gate {found.candidate}"))
    reasons = "\n".join(found.verdict.reasons)
    for name, kind, message in _cases(found):
        case = ElementTree.SubElement(suite, "testcase", classname="harness.judging.gate", name=_xml(name))
        if kind:
            tag = "error" if kind == "invalid" else "failure"
            ElementTree.SubElement(case, tag, type=kind, message=_xml(message)).text = _xml(reasons)
    for tag, attribute in (("failure", "failures"), ("error", "errors")):
        suite.set(attribute, str(len(suite.findall(f".//{tag}"))))
    suite.set("tests", str(len(suite)))
    ElementTree.SubElement(suite, "system-out").text = _xml(terminal(found))
    ElementTree.indent(suite)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(suite, encoding="unicode") + "\n"


def _cases(found: Gated) -> Iterator[tuple[str, str | None, str]]:
    """The name, the kind of failure (None: passed) and the message of each test case. Tier dev has no failures."""
    verdict, judged = found.verdict, found.state is not None
    first = verdict.findings.hard[0] if verdict.findings.hard else ""
    yield "integrity", "invalid" if judged and first else None, first
    if verdict.macro is None:
        return
    yield "macro average", _macro_failed(found) if judged else None, verdict.reasons[0]
    for cost in verdict.costs:
        if cost.limit is not None:
            failed = "refused" if cost.over else "inconclusive" if cost.unknown else None
            yield f"cost: {cost.name}", failed if judged else None, _cost(cost)
    for one in verdict.parts:
        line = f"{signed(one.delta)} points, {one.queries:,} queries"
        yield f"{one.kind}: {one.name}", "refused" if judged and one.collapsed else None, line


def _macro_failed(found: Gated) -> str | None:
    """The state if the macro average is the reason that the gate did not pass; None otherwise."""
    elsewhere = any(one.collapsed for one in found.verdict.parts)
    elsewhere = elsewhere or any(cost.over or cost.unknown for cost in found.verdict.costs)
    macro = found.verdict.macro
    certain = macro is not None and macro.upper <= -macro.margin
    return found.state if found.state != "pass" and (certain or not elsewhere) else None


def _row(one: Part) -> tuple[str, ...]:
    noise = "" if one.noise is None else points(one.noise)
    remark = "collapsed" if one.collapsed else "too few queries" if one.uncertain else ""
    return (
        one.name if one.kind == "collection" else f"all {one.name}", one.language or "", f"{one.queries:,}",
        points(one.baseline), points(one.candidate), signed(one.delta),
        "" if math.isnan(one.adjusted) else f"{one.adjusted:.3f}", signed(one.lower), noise, remark,
    )  # fmt: skip


def _cost(cost: CheckpointCost) -> str:
    value = "not known" if cost.value is None else f"{cost.value:,.4g}"
    return f"{value} {cost.unit}, limit {cost.limit:,.4g}"


def _looked(found: Gated) -> str:
    if found.look is None:
        return ""
    budget, release = limit(found.policy, found.tier), found.policy.looks.release
    named = f" of release {release}" if release and release != UNNAMED else ""
    if budget is not None:
        spent = f"look {found.taken} of {budget}{named}"
    else:
        spent = f"look {found.taken}{named}, no declared budget"
        risk = 1 - (1 - found.policy.alpha) ** found.taken
        spent += f": up to {100 * risk:.0f} % probability that a loss of the margin passed" if found.taken > 1 else ""
    accepted = ", accepted" if found.look.accepted else ""
    return f" [{spent}; {found.look.id}{accepted}]"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _xml(text: str) -> str:
    return _UNPRINTABLE.sub("\ufffd", text)
