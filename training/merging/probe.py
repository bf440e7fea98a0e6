"""Texts to compare tokenizers with: scripts, accents, white space, code, and special tokens written as text."""

from __future__ import annotations

from collections.abc import Iterable

TEXTS = (
    "", " ", "\n", "a", "Why does sourdough bread rise?", "THE SAME IN CAPITALS", "the same in capitals",
    "Crème brûlée à l'été, naïve façade, ÉCOLE", "Straße, Größe, ÄÖÜ", "Žluťoučký kůň, Łódź, ğüşiöç",
    "cafe\u0301, a\u0308, n\u0303, \u1e69 and s\u0323\u0307", "ﬁne ½ ① Ⅷ ｆｕｌｌ ﾊﾝｶｸ", "it's don't we'll I'd they've",
    "Привет, как дела? Ёлка и ёлка", "Γειά σου Κόσμε, ΆΈΉ ς", "Բարեւ աշխարհ", "გამარჯობა მსოფლიო",
    "مرحبا بالعالم، كيف حالك؟ ١٢٣", "مُحَمَّد", "שלום עולם", "שָׁלוֹם עֲלֵיכֶם", "नमस्ते दुनिया, क्या हाल है? ०१२",
    "হ্যালো বিশ্ব", "வணக்கம் உலகம்", "สวัสดีชาวโลก ฉันกินข้าว", "ສະບາຍດີ", "မင်္ဂလာပါ", "សួស្តី", "བོད་སྐད",
    "你好,世界。我在北京吃饭", "繁體中文漢字", "こんにちは世界、カタカナとひらがな", "안녕하세요 세계",
    "\u1112\u1161\u11ab\u1100\u1173\u11af", "ሰላም ለዓለም፣ እንዴት ነህ?", "Xin chào thế giới, tiếng Việt", "Habari ya dunia",
    "\U0001f600 \U0001f469\u200d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd \U0001f1ea\U0001f1fa ☕\ufe0f ✈",
    "♥ € £ ¥ § ± × ÷ ≠ ∑ √ → “quoted” — … ‹ ›",
    "0 1 12 123 1234 12345 3.14159 1,000,000 -7 2024-05-17 0x1F", "a  b   c    d", "\t tab\t\tand\r\nline\n\n\nlines ",
    "  leading and trailing  ", "no\u00a0break\u2009thin\u3000wide\u200bzero\ufeff", "\x00\x07 control \x7f",
    "def f(x: int) -> int:\n    return x ** 2 if x != 0 else {}  # comment",
    "<a href=\"https://example.org/?q=1&p=2\">link</a>",
    "snake_case camelCase kebab-case path/to/file.txt user@example.org", "x" * 300,
    "Donaudampfschifffahrtsgesellschaft" * 4,
    "!!!???...;;;:::", "\\frac{a}{b} $x^2$ `code` **bold**", "[CLS] query [SEP] document [PAD] [MASK] [UNK]",
    "<s> query </s> </s> document </s> <pad> <mask> <unk>", "<|im_start|>user\nhello<|im_end|>\n<|endoftext|>",
    "<bos> hello <eos> <start_of_turn>model", "[INST] hello [/INST] <|begin_of_text|>", "<think>\n\n</think>\n\nyes no",
    "<Instruct>: find\n<Query>: what\n<Document>: that", "query: what passage: that",
)  # fmt: skip
PAIRS = (
    ("Why does sourdough bread rise?", "Wild yeast makes gas in the dough."), ("", ""), ("", "only the second"),
    ("only the first", ""), ("Привет мир", "你好,世界"), ("مرحبا", "नमस्ते"), ("a\n", "\nb"), ("สวัสดี ", " 안녕"),
    ("[SEP]", "</s>"), ("naïve CAFE\u0301", "x" * 80),
)  # fmt: skip


def around(tokens: Iterable[str]) -> list[str]:
    """Texts with added tokens inside, to test whether white space, capitals or letters next to a token change how it is
    found."""
    texts = []
    for token in tokens:
        texts += [f"a {token} b", f"a{token}b", f"a {token.swapcase()} b"]
    return texts
