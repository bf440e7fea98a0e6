"""The tables of docs/models.md, from the files of the families and from what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from adapters import embedder_family, reranker_family
from adapters.reranker_family import RerankerFamily
from adapters.signs import Signs
from tests.conformance.published import CASES

Found = Mapping[str, Any]
RETRIEVE = "Given a web search query, retrieve relevant passages that answer the query"


def rerankers(found: Found) -> list[str]:
    """The rows of the rerankers: family, models, how it is recognised, score, reference, largest difference."""
    rows = [
        "| family | models | recognised by | score | reference | largest difference |",
        "|:--|:--|:--|:--|:--|--:|",
    ]
    for name, case in CASES.items():
        family = reranker_family.families()[case.family]
        largest = f"{found['rerankers'][name]['largest']:.1e}" if name in found["rerankers"] else "-"
        layout = name.removeprefix(case.family).removeprefix(", ")
        first = f"`{case.family}`" + (f", {layout}" if layout and name != case.family else "")
        cells = [first, family.models, _recognised(name, family), _score(name, family), case.referee, largest]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def embedders(found: Found) -> list[str]:
    """The rows of the embedders: family, how it is used, largest difference."""
    rows = [
        "| `?family=` | for | before queries | before documents | pooling | similarity | largest difference |",
        "|:--|:--|:--|:--|:--|:--|--:|",
    ]
    for name, family in embedder_family.families().items():
        prompts = [_shown(family.query), _shown(family.document)]
        largest = f"{found['embedders'][name]['largest']:.1e}" if name in found["embedders"] else "-"
        cells = [f"`{name}`", family.models, *prompts, family.pooling or "as declared", str(family.similarity), largest]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def _recognised(name: str, family: RerankerFamily) -> str:
    if name.endswith("as saved today"):
        return "`1_LogitScore`, chat template"
    if name == "ettin":
        return "`modules.json` of a `CrossEncoder`"
    signs = ", or ".join(_signs(family.recognised))
    if family.code is not None:
        return f"{signs} in `auto_map`; `?code=own`" if signs else "`?code=own&call=querit`"
    if family.head is not None:
        count = {1: "one label", 2: "two labels", 3: "three labels"}[family.head.labels]
        return f"{signs or 'any `...ForSequenceClassification`'}, {count}"
    return signs if signs and name == _own(name) else f"`?template={_own(name)}`"


def _own(name: str) -> str:
    return name.partition(",")[0]


def _signs(signs: Signs) -> Iterable[str]:
    yield from (f"`{name}`" for name in signs.architectures)
    if signs.chat_template:
        yield "a sentence of the chat template"
    if signs.title:
        yield "the title of README.md"
    if signs.file:
        yield f"`{signs.file}`"


def _score(name: str, family: RerankerFamily) -> str:
    if name.endswith("as a classifier"):
        return "the logit"
    if family.code is not None:
        called = {
            "compute_score": "`compute_score`",
            "rerank": "`rerank` of whole lists",
            "querit": "`score` at `[CLS]`",
        }
        return called.get(family.code.call, "logit of the layer" if family.code.call == "layers" else "the logit")
    if family.negative:
        return f"logit of `{family.positive}` less that of `{family.negative}`"
    if family.positive:
        return f"logit of `{family.positive}`"
    several = family.head is not None and family.head.labels > 1
    return "log-odds of a label, `?label=`" if several else "the logit"


def _shown(prompt: str) -> str:
    text = prompt.replace(f"{RETRIEVE}.", "...").replace(RETRIEVE, "...").replace("\n", "\\n")
    return f"`{text}`" if text else "nothing"
