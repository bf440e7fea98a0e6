"""The commands `harness judge ...`."""

from __future__ import annotations

from harness.cli.app import COMPARE, group

judge = group(COMPARE, "judge", "Measure how well a judge agrees with people, and collect or compare judgments.")
