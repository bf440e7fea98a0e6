"""The options of `harness judge export`, `import` and `diff`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from harness.cli.options import _flag, _option

LabelFolder = Annotated[Path, _option("out", "The folder for to-label.csv and to-label.html.")]
FirstLabels = Annotated[
    int | None,
    _option("first", "Write only this number of documents, those that can move the difference most.", min=1),
]
OneNdcg = Annotated[str | None, _option("measure", "One nDCG@k. Default: the main measure of each collection.")]
LabelTarget = Annotated[
    str, _option("target", "What the labels are for. With ?labels=NAME they are added to that label version.")
]
LabelledBy = Annotated[str, _option("by", "Who gave the labels: people, or judge:NAME.")]
LabelName = Annotated[
    str | None, _option("name", "The name of the label version. Default: made from the digest of the labels.")
]
ReplaceLabels = Annotated[
    bool, _flag("replace", "Let labels replace judgments with another grade. Without it these are refused.")
]
JudgmentsTarget = Annotated[
    str | None,
    _option("target", "The collection that files of judgments are for. Its stored systems are measured with both."),
]
DiffMeasure = Annotated[str | None, _option("measure", "One measure. Default: the main measure of the collection.")]
LabellingJudge = Annotated[
    str | None,
    _option("judge", "A judge that fills the column of grades, such as reranker:SPEC?calibration=FILE or nli:MODEL."),
]
