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
FIXED = tuple(f"xquad/{name}{rest}" for name in ("en", "de of en", "zh of en") for rest in ("", ", same paragraphs"))
"""The searches of the table of fixed cosines."""
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
        print(folder.name, json.dumps(found["embedders"][folder.name]), flush=True)
    print(*tables(found["embedders"]) if options.embedder else (), sep="\n")
    if options.out:
        options.out.write_text(json.dumps({**found, "machine": machine()}, indent=1) + "\n", "utf-8")


def tables(found: Mapping[str, Any]) -> list[str]:
    """The tables of docs/validation.md: what is found from the measured smallest cosine and from 0.95, the smallest
    cosines, and what the first embedder finds from any fixed one."""
    rows, smallest, fixed = list[str](), list[str](), list[str]()
    for search, groups in next(iter(found.values())).items():
        for group, one in groups.items():
            if group != "smallest":
                cells = [_shares(each.get(search, {}).get(group)) for each in found.values()]
                rows.append(f"| {search}: {group} | {100 * one['letters']['share']:.0f} | {' | '.join(cells)} |")
                if search in FIXED:
                    at = " | ".join(f"{100 * share:.0f}" for share in one["at"].values())
                    fixed.append(f"| {search}: {group} | {at} |")
        cells = [_cosine(each.get(search)) for each in found.values()]
        smallest.append(f"| {search} | {' | '.join(cells)} |")
    return [*rows, "", *smallest, "", *fixed]


def _shares(one: Mapping[str, Any] | None) -> str:
    return "–" if one is None else f"{100 * one['measured']['share']:.0f} ({100 * one['fixed']['share']:.0f})"


def _cosine(groups: Mapping[str, Any] | None) -> str:
    """The smallest cosine between the language of the asked and that of the known queries."""
    if groups is None:
        return "–"
    pairs = groups["smallest"]
    return f"{next((one for one in pairs if one['asked'] != one['known']), pairs[0])['cosine']:.2f}"


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
