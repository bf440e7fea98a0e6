"""Labels of a judge for unjudged documents: whether each answers its query."""

from __future__ import annotations

from dataclasses import replace

from adapters.lineage import lineage_of
from adapters.spec import open_judge
from harness.judging.compare.to_label import LabelSheet
from harness.judging.compare.unjudged import UnjudgedPair
from harness.labelling.circular import lineage_of_stored, refuse_circular
from harness.labelling.ledgered import judged
from harness.workspace import Workspace

_ANSWERS = 0.5
"""The smallest value of a judge that says that the document answers the query."""


def labelled_by(judge: str, found: LabelSheet, pair: UnjudgedPair, workspace: Workspace) -> LabelSheet:
    """Return the sheet with a judge's grades: the lowest grade above 0 for documents that answer their query, else 0.

    Args:
        judge: the spec of a judge.
        pair: the systems that the documents come from.

    Raises:
        UsageError: the judge is not independent of one of the systems.
        ModelError: the judge cannot be used, or gives a value that is none.
    """
    opened = open_judge(judge)
    systems = [lineage_of_stored(side.stored) for part in pair.parts for side in (part.baseline, part.candidate)]
    remarks = refuse_circular(lineage_of(getattr(opened, "scorer", opened)), systems, corrected=False)
    premises, claims = [one.document for one in found.items], [one.query for one in found.items]
    values = judged(opened, premises, claims, workspace)
    relevant = min((grade for grade in found.grades if grade > 0), default=1)
    labels = tuple(relevant if value >= _ANSWERS else 0 for value in values.tolist())
    return replace(found, labels=labels, remarks=tuple(dict.fromkeys(remarks)))
