"""English names of languages, so that a message says Thai and not only th; and a check for language codes."""

from __future__ import annotations

_LANGUAGES = """
aa aar Afar; ab abk Abkhazian; ae ave Avestan; af afr Afrikaans; ak aka Akan; am amh Amharic; an arg Aragonese; ar ara
arb Arabic; as asm Assamese; av ava Avaric; ay aym Aymara; az aze azj Azerbaijani; ba bak Bashkir; be bel Belarusian;
bg bul Bulgarian; bi bis Bislama; bm bam Bambara; bn ben Bengali; bo bod tib Tibetan; br bre Breton; bs bos Bosnian;
ca cat Catalan; ce che Chechen; ch cha Chamorro; co cos Corsican; cr cre Cree; cs ces cze Czech; cu chu Church Slavic;
cv chv Chuvash; cy cym wel Welsh; da dan Danish; de deu ger German; dv div Dhivehi; dz dzo Dzongkha; ee ewe Ewe; el
ell gre Greek; en eng English; eo epo Esperanto; es spa Spanish; et est ekk Estonian; eu eus baq Basque; fa fas per
pes Persian; ff ful Fulah; fi fin Finnish; fj fij Fijian; fo fao Faroese; fr fra fre French; fy fry Frisian; ga gle
Irish; gd gla Scottish Gaelic; gl glg Galician; gn grn Guarani; gu guj Gujarati; gv glv Manx; ha hau Hausa; he heb
Hebrew; hi hin Hindi; ho hmo Hiri Motu; hr hrv Croatian; ht hat Haitian; hu hun Hungarian; hy hye arm Armenian; hz her
Herero; ia ina Interlingua; id ind Indonesian; ie ile Interlingue; ig ibo Igbo; ii iii Sichuan Yi; ik ipk Inupiaq; io
ido Ido; is isl ice Icelandic; it ita Italian; iu iku Inuktitut; ja jpn Japanese; jv jav Javanese; ka kat geo
Georgian; kg kon Kongo; ki kik Kikuyu; kj kua Kuanyama; kk kaz Kazakh; kl kal Kalaallisut; km khm Khmer; kn kan
Kannada; ko kor Korean; kr kau Kanuri; ks kas Kashmiri; ku kur Kurdish; kv kom Komi; kw cor Cornish; ky kir Kyrgyz; la
lat Latin; lb ltz Luxembourgish; lg lug Ganda; li lim Limburgan; ln lin Lingala; lo lao Lao; lt lit Lithuanian; lu lub
Luba-Katanga; lv lav lvs Latvian; mg mlg plt Malagasy; mh mah Marshallese; mi mri mao Maori; mk mkd mac Macedonian; ml
mal Malayalam; mn mon khk Mongolian; mr mar Marathi; ms msa may zsm Malay; mt mlt Maltese; my mya bur Burmese; na nau
Nauru; nb nob Norwegian; nd nde North Ndebele; ne nep npi Nepali; ng ndo Ndonga; nl nld dut Dutch; nn nno Norwegian;
no nor Norwegian; nr nbl South Ndebele; nv nav Navajo; ny nya Nyanja; oc oci Occitan; oj oji Ojibwa; om orm Oromo; or
ori ory Odia; os oss Ossetian; pa pan Punjabi; pi pli Pali; pl pol Polish; ps pus pbt Pashto; pt por Portuguese; qu
que Quechua; rm roh Romansh; rn run Rundi; ro ron rum Romanian; ru rus Russian; rw kin Kinyarwanda; sa san Sanskrit;
sc srd Sardinian; sd snd Sindhi; se sme Northern Sami; sg sag Sango; si sin Sinhala; sk slk slo Slovak; sl slv
Slovenian; sm smo Samoan; sn sna Shona; so som Somali; sq sqi alb als Albanian; sr srp Serbian; ss ssw Swati; st sot
Sesotho; su sun Sundanese; sv swe Swedish; sw swa swh Swahili; ta tam Tamil; te tel Telugu; tg tgk Tajik; th tha Thai;
ti tir Tigrinya; tk tuk Turkmen; tl tgl Tagalog; tn tsn Tswana; to ton Tongan; tr tur Turkish; ts tso Tsonga; tt tat
Tatar; tw twi Twi; ty tah Tahitian; ug uig Uyghur; uk ukr Ukrainian; ur urd Urdu; uz uzb uzn Uzbek; ve ven Venda; vi
vie Vietnamese; vo vol Volapük; wa wln Walloon; wo wol Wolof; xh xho Xhosa; yi yid ydd Yiddish; yo yor Yoruba; za zha
Zhuang; zh zho chi cmn Chinese; zu zul Zulu
"""
"""Codes of ISO 639-1, then those of ISO 639-2 and of the standard variety in ISO 639-3, then the name."""
_OTHERS = """
iw in ji jw mo sh ace ach acm acq ada ady aeb afh ain ajp akk ale alt ang anp apc arc arn arp ars arw ary arz
ast awa ayr azb bal ban bar bas bej bem bho bik bin bjn bla bra bua bug bxr byn cad car cdo ceb chb chg chk chm
chn cho chp chr chy cjk ckb cop crh csb dak dar del den dgr dik din diq doi dsb dua dum dyu efi egy eka elx enm
ewo ext fan fat fil fon frm fro frp frr frs fur fuv gaa gan gay gaz gba gez gil glk gmh goh gom gon gor got grb
grc gsw gwi hai hak haw hbo hif hil hit hmn hne hsb hup iba ilo inh jbo jpr jrb kaa kab kac kam kaw kbd kbp kea
kha kho kmb kmr knc koi kok kos kpe kpv krc krl kru ksh ktu kum kut lad lah lam lez lfn lij lmo lol loz ltg lua
lui lun luo lus lzh mad mag mai mak man mas mdf mdr men mga mhr mic min mnc mni moh mos mrj mus mwl mwr myv mzn
nan nap nds new nia niu nog non nov nqo nso nus nwc nym nyn nyo nzi olo osa ota pag pal pam pap pau pcm pdc peo
pfl phn pms pnb pon pro prs quy quz raj rap rar rmy rom rue rup sad sah sam sas sat scn sco sdh sel sga shn shp
sid sma smj smn sms snk sog srn srr stq suk sus sux swg syc syr szl taq tem ter tet tig tiv tkl tlh tli tmh tog
tok tpi tsi tum tvl tyv tzm udm uga umb uzs vai vec vep vls vot vro wal war was wuu xal yao yap yue zap zea zen
zgh zlm zun zza
"""
"""Withdrawn codes; languages of ISO 639-2 without a code of two letters; languages of ISO 639-3 in benchmarks."""


def _parsed(entry: str) -> tuple[list[str], str]:
    words = entry.split()
    codes = [word for word in words if word.islower()]
    return codes, " ".join(words[len(codes) :])


_ENTRIES = [_parsed(entry) for entry in _LANGUAGES.split(";")]
NAMES: dict[str, str] = {codes[0]: name for codes, name in _ENTRIES}
"""ISO 639-1."""
_KNOWN = frozenset(_OTHERS.split())
_TWO_LETTERS = {code: codes[0] for codes, _ in _ENTRIES for code in codes}


def named(code: str) -> str:
    """`Thai (th)`; a code that is not in the list is returned unchanged."""
    return f"{NAMES[code]} ({code})" if code in NAMES else code


def name_of(code: str) -> str:
    """`Thai` for `th`, `tha` and `th-TH`; a code without a name is returned unchanged."""
    return NAMES.get(_TWO_LETTERS.get(_head(code), ""), code)


def is_language(code: str) -> bool:
    """Whether a code is an ISO 639 code of two or three letters, with or without a suffix."""
    return _head(code) in _TWO_LETTERS or _head(code) in _KNOWN


def _head(code: str) -> str:
    return code.replace("_", "-").split("-")[0].lower()
