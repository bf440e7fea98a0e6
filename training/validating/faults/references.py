"""How queries refer to "the document" that they were written from, which no user has seen.

Plain phrases are enough for "according to the text"; where people say "in the text" of other things too, the phrase
needs a word such as "this" or "above". Articles with a number are articles of a law.
"""

from __future__ import annotations

import re
import unicodedata

_NO_LAW = r"(?!\s*(\d|[ivx]+\b))"
_BY_LANGUAGE = {
    "en": r"\b(according to|in|from|based on|mentioned in|described in|of|by) (the|this) "
    r"((given|provided|above|following) )?(document|passage|text|paragraph|excerpt|abstract|snippet)\b"
    r"|\b(the|this) (given|provided|above) (context|article|document|passage|text)\b"
    rf"|\b(according to the|(according to|in|from) this) article\b{_NO_LAW}"
    r"|\bthe (article|document|passage|text|paragraph|excerpt) (above|below)\b",
    "de": r"\b(im|laut|gemäß|(laut|gemäß|nach|aus|in) (dem|diesem|der|dieser)) "
    r"((obigen|obiger|vorliegenden|folgenden|gegebenen|genannten|bereitgestellten) )?"
    rf"(dokument|text|textabschnitt|textauszug|absatz|abschnitt|auszug|textpassage|passage|artikel\b{_NO_LAW})\b"
    r"|\b(dem|diesem) (dokument|text|artikel|abschnitt|absatz) zufolge\b"
    r"|\bdes (obigen|vorliegenden) (textes|artikels)\b",
    "es": r"\bsegún (el |este |la |esta )?(documento|texto|pasaje|párrafo|fragmento|extracto)\b"
    r"|\b(en|de) (el|este|la|esta|dicho) (documento|texto|pasaje|párrafo|fragmento|extracto)\b"
    r"|\bdel (documento|texto|pasaje|párrafo|fragmento|extracto)\b(?! (de|del|que)\b)"
    rf"|\b(según|en) (el|este|dicho) artículo\b{_NO_LAW}",
    "fr": r"\b(selon|d['’]après|dans) (le|la|ce|cet|cette) (texte|document|passage|extrait|paragraphe)\b"
    rf"|\b(selon|d['’]après|dans) (l['’]|cet )(article\b{_NO_LAW}|extrait\b)"
    r"|\b(texte|document|passage|extrait|paragraphe|article) (ci-dessus|fourni|donné|précédent)\b",
    "it": r"\b(secondo (il|questo)|in base al) (testo|documento|brano|paragrafo|passaggio)\b"
    r"|\b(nel|in questo) (testo|brano|documento|paragrafo)\b",
    "pt": r"\b(segundo|conforme|de acordo com|com base) (n?o|n?este|n?esse) (texto|documento|artigo|trecho|parágrafo)\b"
    r"|\b(no|neste|nesse) (texto|documento|trecho|parágrafo)\b",
    "nl": rf"\bvolgens (de|het|deze|dit) (tekst|document|passage|alinea|artikel)\b{_NO_LAW}"
    r"|\bin (de|deze) (tekst|passage|alinea)\b",
    "pl": r"\b(zgodnie z|według) (tym |tego )?(tekst(em|u)|dokument(em|u)|artykuł(em|u)|fragment(em|u))\b"
    r"|\bw (tym |powyższym |podanym )?(tekście|fragmencie)\b",
    "ru": r"\b(согласно|исходя из|судя по|на основ(е|ании)) (\w+(ому|ему|ого|его|ой|ей) )?"
    rf"(документ[уа]|текст[уа]|отрывк[уа]|абзац[уа]|фрагмент[уа]|стать[еи]\b{_NO_LAW})"
    r"|\bв (этом|данном|\w+нном) (документе|тексте|отрывке|абзаце|фрагменте)\b|\bв (тексте|отрывке|абзаце)\b"
    rf"|\bв (этой|данной|\w+нной) статье\b{_NO_LAW}",
    "el": r"\b(σύμφωνα με|βάσει|με βάση) (αυτό )?(το |τον |την |του )?((παραπάνω|παρόν|συγκεκριμένο) )?"
    rf"(κείμενο|έγγραφο|απόσπασμα|παράγραφο|κειμένου|εγγράφου|άρθρο\b{_NO_LAW})"
    r"|\b(στο|σε αυτό το|από το) ((παραπάνω|παρόν|συγκεκριμένο) )?(κείμενο|απόσπασμα|έγγραφο)\b",
    "ro": r"\b(conform|potrivit|pe baza) (acestui )?"
    rf"(text(ului)?|document(ului)?|pasaj(ului)?|paragraf(ului)?|fragment(ului)?|articolului\b{_NO_LAW})"
    r"|\b(în|din) acest (text|document|pasaj|paragraf|articol|fragment)\b|\bîn text\b"
    r"|\b(textul|documentul|pasajul|paragraful|fragmentul|articolul) (de mai sus|dat|furnizat)\b",
    "tr": r"\b(metne|belgeye|makaleye|paragrafa|pasaja|parçaya) göre\b|\bmetinde\b"
    r"|\b(bu|yukarıdaki|verilen) (metin|metne|metnin|metinden|belge|makale|paragraf|pasaj|parça)(d[ea]n?|nin|ye)?\b",
    "fi": r"\b(tekstin|asiakirjan|artikkelin|dokumentin|kappaleen|katkelman) (mukaan|perusteella)\b"
    r"|\b(tässä|annetussa|olevassa) (tekstissä|asiakirjassa|artikkelissa|dokumentissa|kappaleessa|katkelmassa)\b",
    "vi": r"\b(theo|dựa (vào|trên|theo)) (văn bản|đoạn văn|tài liệu|bài viết|bài báo|đoạn trích|bài đọc)\b"
    r"|\b(văn bản|đoạn văn|tài liệu|bài viết|bài báo|đoạn trích|bài đọc) (này|trên|đã cho|được cung cấp)\b",
    "id": r"\b(menurut|berdasarkan) (teks|dokumen|artikel|bacaan|paragraf|kutipan)\b"
    r"|\b(dalam|dari) (teks|dokumen|artikel|bacaan|paragraf|kutipan) (ini|tersebut|di atas)\b",
    "sw": r"\b(kulingana na|kwa mujibu wa) (hati|makala|maandishi|nakala|waraka)\b"
    r"|\b(katika|kutoka) (hati|makala|waraka|nakala|kifungu|aya|maandishi) (hii|hiki|huu|haya|hayo)\b",
    "ar": r"(وفق|حسب|بحسب|طبق|استناد|بناء)[ا\u064b]*( على| إلى)? (لل|ال|لهذا ال|هذا ال|هذه ال)"
    r"(نص|وثيقة|مستند|مقال|مقالة|فقرة|مقطع)\b"
    r"|\bفي (هذا |هذه )?(النص|المستند|الفقرة|المقطع)\b|\bفي (هذا المقال|هذه المقالة|هذه الوثيقة)\b",
    "fa": r"(بر اساس|براساس|طبق|با توجه به|مطابق|بنا بر) (این )?(متن|سند|مقاله|پاراگراف)\b"
    r"|\bدر (این (متن|سند|مقاله|پاراگراف)|متن (بالا|فوق))\b",
    "hi": r"(इस|दिए गए|दिये गये|उपरोक्त|उपर्युक्त) (पाठ|दस्तावेज़|दस्तावेज|लेख|गद्यांश|अनुच्छेद|पैराग्राफ)"
    r"|(पाठ|दस्तावेज़|दस्तावेज|लेख|गद्यांश|पैराग्राफ) के (अनुसार|आधार पर|मुताबिक)",
    "bn": r"(এই|উপরের|প্রদত্ত|উপরোক্ত) (পাঠ্য|নথি|নিবন্ধ|অনুচ্ছেদ|প্রবন্ধ|টেক্সট)"
    r"|(পাঠ্য|নথি|নিবন্ধ|অনুচ্ছেদ|প্রবন্ধ|টেক্সট)(টি|টির|র|ের)? (অনুসারে|অনুযায়ী)",
    "te": r"(ఈ|ఇచ్చిన) (పాఠ్యం|పత్రం|వ్యాసం|పేరా|వచనం)|(పాఠ్యం|పత్రం|వ్యాసం|పేరా|వచనం) (ప్రకారం|ఆధారంగా)",
    "th": r"ตาม(เอกสาร|บทความ|ข้อความ|เนื้อหา)"
    r"|(จาก|ใน)(เอกสาร|บทความ|ข้อความ|เนื้อหา|ย่อหน้า)(นี้|ข้างต้น|ดังกล่าว)",
    "zh": r"(根据|根據|按照|依据|依據)(这|這|该|該|本|上述|以上)?[篇段份]?"
    r"(文档|文檔|文本|文章|短文|段落|上文|原文|本文)"
    r"|(上述|以上)(文档|文檔|文本|文章|短文|段落|文字|材料)|[这這该該本此]篇?(文章|短文|文档|文檔|文本)"
    r"|[这這]段(文字|文本|话|話)"
    r"|(本|上述|该|該)(文|文档|文檔|文本|段落|文章|上文)(中|，|,|所|的|里|提)|文中(提到|提及|所述)",
    "ja": r"(この|上記の|与えられた|提供された|前述の)(文書|文章|本文|テキスト|記事|段落|資料|ドキュメント)"
    r"|(文書|文章|本文|テキスト|記事|段落|ドキュメント)(によると|によれば|に基づ)",
    "ko": r"(?<!\w)(이|위|본|해당|주어진|제공된) ?(문서|글|본문|텍스트|문단|지문|단락)(에|의|은|는|을|를)"
    r"|(문서|글|본문|텍스트|기사|지문|문단)에 (따르면|의하면)|(본문|지문|텍스트)에서 (언급|설명)",
}
LANGUAGES = tuple(_BY_LANGUAGE)
REFERENCE = re.compile("|".join(unicodedata.normalize("NFC", one) for one in _BY_LANGUAGE.values()), re.IGNORECASE)
