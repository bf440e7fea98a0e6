"""Letters of other scripts that look like Latin ones, so that an exchanged letter hides no copy.

A small part of Unicode's confusables.txt (UTS 39): the letters of Cyrillic, Greek and Armenian, and a few Latin ones,
that are drawn like a Latin letter. Both texts of a comparison are changed, so nothing is lost in a Cyrillic text.
"""

from __future__ import annotations

import unicodedata

from harness.checks.near_duplicates import normalised

_PAIRS = (
    "аa еe оo рp сc уy хx іi јj ѕs ԁd һh ӏl ԛq ԝw ѵv "
    "АA ВB ЕE КK МM НH ОO РP СC ТT УY ХX ІI ЈJ ЅS ԚQ ԜW ӀI "
    "αa οo νv ρp ιi υu "
    "ΑA ΒB ΕE ΖZ ΗH ΙI ΚK ΜM ΝN ΟO ΡP ΤT ΥY ΧX "
    "օo սu հh ոn ցg ıi ɑa ɡg"
)
"""Each letter with its look-alike."""
_LATIN = {ord(pair[0]): pair[1] for pair in _PAIRS.split()}


def plain(text: str) -> str:
    """A text as it is compared: normalised, with look-alikes as Latin letters, without accents and invisible
    characters."""
    parts = unicodedata.normalize("NFKD", text.translate(_LATIN))
    kept = "".join(one for one in parts if not "\u0300" <= one <= "\u036f" and unicodedata.category(one) != "Cf")
    return normalised(unicodedata.normalize("NFC", kept))
