"""What the words for support are worth: labels of classifiers, and labels of people in files."""

from __future__ import annotations

import re

_WORDS = {
    1.0: "supported entailment entail entails entailed supports support supporting full fully fullysupported "
    "fullsupport complete yes true attributable consistent factual fs",
    0.5: "partiallysupported partiallysupports partialsupport partial partially ps",
    0.0: "notsupported neutral contradiction contradictory contradict contradicts notentailment notentailed "
    "nonentailment noentailment notsupports nosupport unsupported refuted refutes refute notenoughinfo "
    "notenoughinformation nei none no false incomplete extrapolatory inconsistent notattributable hallucinated "
    "hallucination unknown unrelated ns",
}
_WORTH = {word: worth for worth, words in _WORDS.items() for word in words.split()}
EXAMPLES = "supported, partially_supported, not_supported"


def worth_of(label: str) -> float | None:
    """What a label is worth: 1 for support, 0.5 for partial support, 0 for none; None for an unknown word.

    Only the ASCII letters count, not case, spaces, hyphens or underscores. FEVER's "NOT ENOUGH INFO" is the word
    notenoughinfo. A label with a digit is unknown, because LABEL_0 does not say anything.
    """
    if re.search(r"\d", label):
        return None
    return _WORTH.get(re.sub(r"[\s_-]+", "", label.strip().casefold()))
