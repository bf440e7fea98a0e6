"""The verdict of the gate for the terminal, as JSON, as JUnit XML and as Markdown."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from xml.etree import ElementTree

from harness.judging.gate.budget import limit
from harness.judging.gate.claims import claimed
from harness.judging.gate.expected import not_claimed
from harness.judging.gate.gate import Gated
from harness.judging.gate.local import Part
from harness.judging.gate.reservations import UNNAMED
from harness.judging.gate.verdict import CheckpointCost
from harness.numbers import points, share, signed
from reports.table import Cell, Table, escaped, markdown

_FORMAT = 1
_UNPRINTABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""Characters that XML 1.0 does not allow, even escaped."""


def headline(found: Gated) -> str:
    """The verdict in one line: what it claims, of which parts, and the looks that were taken."""
    verdict = "NO VERDICT (tier dev)" if found.state is None else found.state.upper()
    return f"{verdict}: {_claim(found)}{_looked(found)}"


def estimand(found: Gated) -> str:
    """What the verdict is about: the questions that might be asked, or only the queries of this split."""
    tested = found.state in ("pass", "refused", "inconclusive") and not found.verdict.same
    return "questions like these" if tested else "this split"


def _claim(found: Gated) -> str:
    sides, about = f"{found.candidate} against {found.anchor}, {found.measure}", f"for {estimand(found)}"
    rest = not_claimed(found.verdict.claims)
    if found.verdict.macro is None:
        return f"{sides}, nothing is claimed"
    if found.state is None:
        return f"{sides}, for {estimand(found)} alone"
    if found.verdict.same:
        return f"{sides}, {about} alone: the candidate is the anchor"
    if found.state != "pass":
        return "; ".join(filter(None, [f"{sides}, {about}", *_wanted(found), rest]))
    shown = f"{sides}, {about} not worse by {points(found.policy.margin)} points on average{_parts(found)}"
    return f"{shown}; {rest}" if rest else shown


def _parts(found: Gated) -> str:
    names = sorted(one.name for one in claimed(found.verdict.claims))
    return f", nor by {100 * found.policy.local.hard_bound:g} points in {', '.join(names)}" if names else ""


def _wanted(found: Gated) -> Iterator[str]:
    """The parts that a pass would have claimed, and those of them that were not shown."""
    for word, parts in (("claimed", claimed(found.verdict.claims)), ("not shown", found.verdict.not_shown)):
        names = sorted(one.name for one in parts)
        if names and (word == "claimed" or found.state == "inconclusive"):
            yield f"{word}: {', '.join(names)}"


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
        "notes": list(found.notes), "headline": headline(found), "estimand": estimand(found),
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
    columns = (
        "part",
        "language",
        "queries",
        "anchor",
        "candidate",
        "delta",
        "p (Holm)",
        "99 % bound",
        "noise",
        "claim",
        "",
    )
    rows = tuple(tuple(Cell(text) for text in _row(one)) for one in found.verdict.parts)
    notes = (
        f"{found.measure} x 100; p: one-sided t-test over questions, Holm over all rows; bound: one-sided, lower",
        "collapsed: certainly lower by more than the declared drop",
        f"claim: whether a loss of {100 * found.policy.local.hard_bound:g} points is excluded at this look",
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
    for attack in verdict.attacks:
        name = f"attack: {attack.name}" + (" against the anchor" if attack.against_anchor else "")
        value, limit = share(attack.value), share(attack.limit)
        failed = "refused" if attack.over else None if attack.kept else "inconclusive"
        yield name, failed if judged else None, f"{value} of {attack.questions:,} questions, limit {limit}"
    for one in verdict.parts:
        line = f"{signed(one.delta)} points, {one.queries:,} queries"
        failed = "refused" if one.collapsed else "inconclusive" if one in verdict.not_shown else None
        yield f"{one.kind}: {one.name}", failed if judged else None, line


def _macro_failed(found: Gated) -> str | None:
    """The state if the macro average is the reason that the gate did not pass; None otherwise."""
    elsewhere = any(one.collapsed for one in found.verdict.parts) or bool(found.verdict.not_shown)
    elsewhere = elsewhere or any(cost.over or cost.unknown for cost in found.verdict.costs)
    elsewhere = elsewhere or not all(attack.kept for attack in found.verdict.attacks)
    macro = found.verdict.macro
    certain = macro is not None and macro.upper <= -macro.margin
    undecided = macro is not None and not macro.lower > -macro.margin
    only_parts = bool(found.verdict.not_shown) and undecided and found.state == "inconclusive"
    return found.state if found.state != "pass" and (certain or only_parts or not elsewhere) else None


def _row(one: Part) -> tuple[str, ...]:
    noise = "" if one.noise is None else points(one.noise)
    remark = "collapsed" if one.collapsed else "too few queries" if one.uncertain else ""
    return (
        one.name if one.kind == "collection" else f"all {one.name}", one.language or "", f"{one.queries:,}",
        points(one.baseline), points(one.candidate), signed(one.delta),
        "" if math.isnan(one.adjusted) else f"{one.adjusted:.3f}", signed(one.lower), noise, _claimed(one),
        remark,
    )  # fmt: skip


def _claimed(one: Part) -> str:
    if not one.claimed:
        return ""
    by = " (betting)" if one.bound_by == "betting" else ""
    return f"{'shown' if one.shown else 'not shown'}{by}"


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
