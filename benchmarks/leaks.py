"""How many disguised evaluation queries V13 finds by letters, and how many innocent ones it removes.

    python benchmarks/leaks.py DATA [--queries 200] [--out FILE.json]

DATA holds xquad/en and xquad/de in BEIR's layout. The known queries are those of half of the articles. Each kind of
disguise is applied to 200 of them, and each must be found. The innocent queries are the real ones of the other
articles, and, as a harder control, every second query of the same paragraphs against the others.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from harness.result.environment import machine
from training.validating.alike import alike
from training.validating.calibration import wilson
from training.validating.leak import THRESHOLD

Draw = np.random.Generator
_LOOK = {"a": "а", "e": "е", "o": "о", "p": "р", "c": "с", "i": "і"}
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def typos(text: str, draw: Draw, number: int) -> str:
    """The text with letters exchanged at different places."""
    places = draw.choice(len(text), number, replace=False).tolist()
    return "".join(_LETTERS[int(draw.integers(26))] if at in places else one for at, one in enumerate(text))


def swapped(text: str, _: Draw) -> str:
    words = text.rstrip("?").split()
    middle = len(words) // 2
    return " ".join([*words[middle:], *words[:middle]])


KINDS: Mapping[str, Callable[[str, Draw], str]] = {
    "upper case, no mark": lambda text, _: text.upper().rstrip("?"),
    "a word before it": lambda text, _: f"please {text}",
    "a phrase before and after it": lambda text, _: f"can you tell me: {text} thanks in advance",
    "look-alike letters": lambda text, _: "".join(_LOOK.get(one, one) for one in text),
    "invisible characters": lambda text, _: "\u200b".join(text),
    "one typo": lambda text, draw: typos(text, draw, 1),
    "two typos": lambda text, draw: typos(text, draw, 2),
    "halves exchanged": swapped,
}


def main() -> None:
    """Disguise queries and look for them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--queries", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    for language in ("en", "de"):
        known, innocent = read(options.data / "xquad" / language)
        draw = np.random.default_rng(0)
        rows = draw.choice(len(known), options.queries, replace=False).tolist()
        kinds = {}
        for kind, change in KINDS.items():
            texts = [change(known[row], draw) for row in rows]
            pairs = {(like.row, like.known) for like in alike(texts, known, THRESHOLD)}
            kinds[kind] = counted(sum((at, row) in pairs for at, row in enumerate(rows)), len(rows))
        every = [*known, *innocent]
        found[language] = {
            "found": kinds, "innocent": removed(innocent, known),
            "innocent, same paragraphs": removed(every[1::2], every[::2]),
        }  # fmt: skip
        print(language, json.dumps(found[language]))
    if options.out:
        options.out.write_text(json.dumps({"machine": machine(), "languages": found}, indent=1) + "\n", "utf-8")


def removed(innocent: list[str], known: list[str]) -> dict[str, Any]:
    """How many of different queries are taken for known ones."""
    return counted(len({like.row for like in alike(innocent, known, THRESHOLD)}), len(innocent))


def counted(hits: int, of: int) -> dict[str, Any]:
    """A count with its share and 95 % interval."""
    return {"hits": hits, "of": of, "share": hits / of, "interval": wilson(hits, of)}


def read(folder: Path) -> tuple[list[str], list[str]]:
    """The queries of every second article, and the others."""
    texts = {row["_id"]: row["text"] for row in map(json.loads, (folder / "queries.jsonl").open(encoding="utf-8"))}
    lines = (folder / "qrels" / "test.tsv").read_text("utf-8").splitlines()[1:]
    article = {query: int(document[1:3]) for query, document, _ in (line.split("\t") for line in lines)}
    known = [texts[query] for query in article if article[query] % 2 == 0]
    return known, [texts[query] for query in article if article[query] % 2]


if __name__ == "__main__":
    main()
