"""A board of many systems: seconds to make, weight of its page, first paint in a browser, time to sort.

A store of made-up values is written, the board is made of it, and its largest page is opened in Debian's chromium:

    python benchmarks/board.py --systems 500 --collections 60 --out board.json
"""

from __future__ import annotations

import argparse
import gzip
import json
import resource
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from leaderboards.board import board
from leaderboards.site import write_board
from tests.browser import Browser, browser
from tests.stored_board import MadeCollection, MadeSystem, store

PAINTED = """return [performance.getEntriesByType('paint').find(e => e.name === 'first-contentful-paint')?.startTime,
  performance.getEntriesByType('navigation')[0].domContentLoadedEventEnd]"""
SORT = """
const head = document.querySelectorAll('#board thead th')[arguments[0]], start = performance.now();
head.querySelector('button').click();
document.getElementById('board').getBoundingClientRect();
return performance.now() - start;
"""
FILTER = """
const field = document.querySelector('#filters [name=q]'), start = performance.now();
field.value = arguments[0];
field.dispatchEvent(new Event('input', { bubbles: true }));
document.getElementById('board').getBoundingClientRect();
return performance.now() - start;
"""
FRAMES = """
const box = document.querySelector('.board'), gaps = [];
let before, left = 60;
document.body.dataset.gaps = '';
requestAnimationFrame(function step(now) {
  if (before) gaps.push(now - before);
  before = now; box.scrollTop += 97; box.scrollLeft += 31;
  if (left--) requestAnimationFrame(step); else document.body.dataset.gaps = gaps.join(' ');
});
"""


def main() -> int:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--systems", type=int, default=500)
    parser.add_argument("--collections", type=int, default=60)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--out", type=Path, help="also write the result here, as JSON")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        made = _make(Path(folder), options)
        result = {**made, **_seen(Path(folder), options)}
    text = json.dumps(result, indent=2) + "\n"
    sys.stdout.write(text)
    if options.out is not None:
        options.out.write_text(text, encoding="utf-8")
    return 0


def _make(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    first = MadeSystem(None, 0.4)
    rerankers = [
        MadeSystem(
            f"organisation/reranker-number-{place}", 0.35 + 0.3 * place / options.systems, speed=1000 / (place + 1)
        )
        for place in range(options.systems - 1)
    ]
    codes = ("ar", "de", "en", "fi", "hi", "ja", "ru", "sw", "th", "zh")
    collections = [
        MadeCollection(f"large/collection-{place}", codes[place % len(codes)], options.queries)
        for place in range(options.collections)
    ]
    store(folder / "workspace", [first, *rerankers], collections)
    start = time.process_time()
    made = board(folder / "workspace")
    ranked = time.process_time()
    pages = write_board(made, folder / "out")
    written = time.process_time()
    return {
        "systems": options.systems, "collections": options.collections, "queries": options.queries, "pages": pages,
        "processor_seconds": {"read and rank": ranked - start, "write pages": written - ranked},
        "peak_mebibytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }  # fmt: skip


def _seen(folder: Path, options: argparse.Namespace) -> dict[str, object]:
    page = folder / "out" / "index.html"
    weight = page.read_bytes()
    whole = sum(file.stat().st_size for file in (folder / "out").rglob("*.html"))
    with browser(folder) as window:
        window.show(1400, 900)
        paints = [_opened(window, page) for _ in range(options.rounds)]
        sorts = [window.run(SORT, 3 + place % options.collections) for place in range(2 * options.rounds)]
        filters = [window.run(FILTER, text) for text in ("number-4", "", "99", "", "reranker-number-12", "")]
        window.run(FRAMES)
        window.until("return document.body.dataset.gaps")
        gaps = [float(gap) for gap in window.run("return document.body.dataset.gaps").split()]
    return {
        "index_bytes": len(weight),
        "index_bytes_gzip": len(gzip.compress(weight)),
        "site_bytes": whole,
        "browser_milliseconds": {
            "first contentful paint, fastest": min(paint for paint, _ in paints),
            "first contentful paint, median": statistics.median(paint for paint, _ in paints),
            "ready, median": statistics.median(ready for _, ready in paints),
            "sort, fastest": min(sorts),
            "sort, median": statistics.median(sorts),
            "sort, worst": max(sorts),
            "filter, worst": max(filters),
            "frame while scrolling, median": statistics.median(gaps),
            "frame while scrolling, worst": max(gaps),
        },
    }


def _opened(window: Browser, page: Path) -> tuple[float, float]:
    window.open(page)
    window.until(f"{PAINTED.replace('return', 'return !!(', 1)})[0]")
    paint, ready = window.run(PAINTED)
    return float(paint), float(ready)


if __name__ == "__main__":
    sys.exit(main())
