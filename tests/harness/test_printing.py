"""What `--json` prints is read by programs: a script would fail on a number that JSON does not have."""

from __future__ import annotations

import json
import math

import pytest

from harness.cli.printing import print_json


def test_a_number_that_is_none_becomes_null(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"value": math.nan, "interval": (-math.inf, 0.5), "rows": [{"p": 1.0, "text": "ä"}]})
    said = capsys.readouterr().out
    assert json.loads(said, parse_constant=pytest.fail) == {
        "value": None, "interval": [None, 0.5], "rows": [{"p": 1.0, "text": "ä"}],
    }  # fmt: skip
    assert "ä" in said
