"""The largest values that are read from files, with their reasons. docs/limits.md lists them for users."""

from __future__ import annotations

HIGHEST_GRADE = 1_000_000
"""The highest grade of a judgment. trec_eval and the measures here keep a count for every grade up to the highest."""
LONGEST_LINE = 256 << 20
"""The longest line of a text file, in bytes. A line is held in memory as a whole."""
LARGEST_RATIO = 200
"""How many times as large as its packed form an unpacked file may be. Texts unpack to 2 to 20 times."""
RATIO_FROM = 64 << 20
"""Bytes: unpacked files of this size or less may have any ratio."""
DEEPEST = 100
"""The deepest nesting of lists and objects in a file that is read as a whole: TOML, JSON, YAML."""
MOST_NODES = 1_000_000
"""Lists and objects of a YAML file after its aliases are replaced by what they mean."""
LONGEST_NUMBER = 4_300
"""Digits of a whole number in JSON, TOML or YAML. Python converts no longer ones."""
LONGEST_MESSAGE = 4_000
"""Characters of an error message. A longer one is cut in the middle."""
