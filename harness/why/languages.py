"""English names of languages, so that a sentence says Thai and not only th."""

from __future__ import annotations

_NAMES = """
af Afrikaans; am Amharic; ar Arabic; as Assamese; az Azerbaijani; be Belarusian; bg Bulgarian; bn Bengali; bo Tibetan;
bs Bosnian; ca Catalan; cs Czech; cy Welsh; da Danish; de German; el Greek; en English; eo Esperanto; es Spanish;
et Estonian; eu Basque; fa Persian; fi Finnish; fr French; ga Irish; gl Galician; gu Gujarati; ha Hausa; he Hebrew;
hi Hindi; hr Croatian; hu Hungarian; hy Armenian; id Indonesian; ig Igbo; is Icelandic; it Italian; ja Japanese;
jv Javanese; ka Georgian; kk Kazakh; km Khmer; kn Kannada; ko Korean; ku Kurdish; ky Kyrgyz; la Latin; lo Lao;
lt Lithuanian; lv Latvian; mk Macedonian; ml Malayalam; mn Mongolian; mr Marathi; ms Malay; mt Maltese; my Burmese;
nb Norwegian; ne Nepali; nl Dutch; nn Norwegian; no Norwegian; or Odia; pa Punjabi; pl Polish; ps Pashto;
pt Portuguese; qu Quechua; ro Romanian; ru Russian; rw Kinyarwanda; sa Sanskrit; sd Sindhi; si Sinhala; sk Slovak;
sl Slovenian; so Somali; sq Albanian; sr Serbian; sv Swedish; sw Swahili; ta Tamil; te Telugu; tg Tajik; th Thai;
ti Tigrinya; tk Turkmen; tl Tagalog; tr Turkish; ug Uyghur; uk Ukrainian; ur Urdu; uz Uzbek; vi Vietnamese; xh Xhosa;
yi Yiddish; yo Yoruba; zh Chinese; zu Zulu
"""
NAMES: dict[str, str] = {entry.split()[0]: entry.split()[1] for entry in _NAMES.split(";")}
"""ISO 639-1."""


def named(code: str) -> str:
    """`Thai (th)`; a code that is not in the list stays as it is."""
    return f"{NAMES[code]} ({code})" if code in NAMES else code
