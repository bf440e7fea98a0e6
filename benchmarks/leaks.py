"""How many disguised evaluation queries V13 finds, and how many innocent ones it removes.

    python benchmarks/leaks.py DATA [--queries 200] [--embedder MODEL ... --work FOLDER] [--out FILE.json]

DATA holds xquad/<language> and mlqa-dev-r/<language> in BEIR's layout. The known queries are those of half of the
articles. Each kind of disguise is applied to 200 of them, and each must be found by its letters. The innocent queries
are the real ones of the other articles, and, as a harder control, every second query of the same paragraphs against the
others.

With `--embedder`, paraphrases (by rules, `planted/paraphrases.py`) and translations (the parallel questions) are
searched by vectors too, from the measured smallest cosine and from a fixed 0.95. FOLDER keeps the vectors. With
`--from FILE.json` the part by letters is taken from a result.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from planted.leaks import by_meaning, counted, read

from harness.result.environment import machine
from training.validating.alike import alike
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
    parser.add_argument("--embedder", action="append", default=[], type=Path)
    parser.add_argument("--work", type=Path)
    parser.add_argument("--from", dest="known", type=Path)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    if options.embedder and options.work is None:
        parser.error("--embedder needs --work, the folder that keeps the vectors")
    found = json.loads(options.known.read_text("utf-8")) if options.known else {}
    found.setdefault("languages", {})
    for language in ("en", "de"):
        if language not in found["languages"]:
            found["languages"][language] = by_letters(options.data / "xquad" / language, options.queries)
            print(language, json.dumps(found["languages"][language]))
    for folder in options.embedder:
        found.setdefault("embedders", {})[folder.name] = by_meaning(options.data, folder, options.work)
        print(folder.name, json.dumps(found["embedders"][folder.name]))
    if options.out:
        options.out.write_text(json.dumps({**found, "machine": machine()}, indent=1) + "\n", "utf-8")


def by_letters(folder: Path, queries: int) -> dict[str, Any]:
    """What is found of each kind of disguise, and what is removed of innocent queries."""
    texts, articles = read(folder)
    known = [text for text, article in zip(texts, articles, strict=True) if article % 2 == 0]
    innocent = [text for text, article in zip(texts, articles, strict=True) if article % 2]
    draw = np.random.default_rng(0)
    rows = draw.choice(len(known), queries, replace=False).tolist()
    kinds = {}
    for kind, change in KINDS.items():
        changed = [change(known[row], draw) for row in rows]
        pairs = {(like.row, like.known) for like in alike(changed, known, THRESHOLD)}
        kinds[kind] = counted(sum((at, row) in pairs for at, row in enumerate(rows)), len(rows))
    every = [*known, *innocent]
    return {
        "found": kinds, "innocent": removed(innocent, known),
        "innocent, same paragraphs": removed(every[1::2], every[::2]),
    }  # fmt: skip


def removed(innocent: list[str], known: list[str]) -> dict[str, Any]:
    """How many of different queries are taken for known ones."""
    return counted(len({like.row for like in alike(innocent, known, THRESHOLD)}), len(innocent))


if __name__ == "__main__":
    main()
