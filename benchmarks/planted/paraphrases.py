"""Paraphrases of questions by rules, for `benchmarks/leaks.py`: another form of the question, and other words."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache

Forms = Sequence[tuple[str, str]]

_FORMS: Mapping[str, Forms] = {
    "en": (
        (r"how many (\w+) (.+)", r"what number of \1 \2"),
        (r"how much (.+)", r"what amount of \1"),
        (r"how old (is|was|were) (.+)", r"what \1 the age of \2"),
        (r"how long (.+)", r"for what length of time \1"),
        (r"how often (.+)", r"with what frequency \1"),
        (r"how (.+)", r"in what way \1"),
        (r"why (.+)", r"for what reason \1"),
        (r"in (?:what|which) year (.+)", r"when \1"),
        (r"what year (.+)", r"when \1"),
        (r"(?:when|on what date) (.+)", r"at which point in time \1"),
        (r"where (.+)", r"in which place \1"),
        (r"who (?:is|was) (.+)", r"name the person known as \1"),
        (r"whose (.+)", r"\1 of which person"),
        (r"who (.+)", r"which person \1"),
        (r"what (?:type|kind) of (.+)", r"which sort of \1"),
        (r"what (?:is|was) the name of (.+)", r"how is \1 called"),
        (r"what (is|was|are|were) (.+)", r"\2 \1 what"),
        (r"what (?:do|does|did) (.+)", r"which thing is it that \1"),
        (r"(?:what|which) (.+)", r"name the \1"),
        (r"along with (.+?), (.+)", r"\2 apart from \1"),
        (r"in (?:what|which) (.+)", r"the \1 in question is which"),
    ),
    "de": (
        (r"wie viele (\w+) (.+)", r"welche Anzahl von \1 \2"),
        (r"wie viel (.+)", r"welche Menge \1"),
        (r"wie alt (ist|war|waren) (.+)", r"welches Alter hat \2"),
        (r"wie lange (.+)", r"über welche Dauer \1"),
        (r"wie oft (.+)", r"mit welcher Häufigkeit \1"),
        (r"wie (?:heißt|hieß|lautet|lautete) (.+)", r"welchen Namen hat \1"),
        (r"wie (.+)", r"auf welche Weise \1"),
        (r"(?:warum|weshalb|wieso) (.+)", r"aus welchem Grund \1"),
        (r"in welchem jahr (.+)", r"wann \1"),
        (r"wann (.+)", r"zu welchem Zeitpunkt \1"),
        (r"wo (.+)", r"an welchem Ort \1"),
        (r"wer (?:ist|war) (.+)", r"nenne die Person, die \1 war"),
        (r"wer (.+)", r"welche Person \1"),
        (r"wofür (.+)", r"für welchen Zweck \1"),
        (r"welche art (?:von )?(.+)", r"was für \1"),
        (r"was (ist|war|sind|waren) (.+)", r"\2 \1 was"),
        (r"was (.+)", r"welche Sache \1"),
        (r"welche[rs]? (.+)", r"nenne \1"),
        (r"in welche[mrn] (.+)", r"nenne, worin \1"),
    ),
}  # fmt: skip
_WORDS: Mapping[str, str] = {
    "en": (
        "type=sort|kind=sort|many=numerous|first=earliest|year=annum|most=the majority of|used=employed|"
        "use=employ|called=termed|named=termed|known=recognised|last=final|new=recent|time=period|"
        "people=persons|found=discovered|system=arrangement|schools=colleges|school=college|game=match|"
        "theory=hypothesis|area=region|areas=regions|region=area|take=require|main=principal|united=joined|"
        "government=administration|place=location|team=side|teams=sides|begin=start|began=started|"
        "population=inhabitants|percentage=share|company=firm|companies=firms|group=circle|large=big|"
        "largest=biggest|rainforest=jungle|forest=woodland|won=gained|win=gain|old=aged|located=situated|"
        "original=initial|originally=at first|based=founded|must=has to|high=elevated|part=portion|"
        "land=territory|growth=increase|leader=head|made=produced|make=produce|become=turn into|work=labour|"
        "famous=renowned|term=expression|way=manner|country=nation|often=frequently|believe=think|"
        "player=athlete|score=tally|lost=forfeited|role=function|form=shape|developed=devised|"
        "considered=regarded as|collection=set|students=pupils|led=headed|end=finish|ended=finished|"
        "example=instance|city=town|established=founded|settlers=colonists|show=display|designed=conceived|"
        "problems=difficulties|problem=difficulty|evidence=proof|world=globe|formed=created|"
        "built=constructed|build=construct|location=site|causes=brings about|cause=reason|center=middle|"
        "happened=occurred|types=sorts|give=provide|gave=provided|given=provided|human=person|"
        "amount=quantity|president=head of state|drugs=medicines|sometimes=at times|published=issued|"
        "spread=diffusion|produce=create|produced=created|written=composed|wrote=composed|using=with|"
        "associated=connected|died=passed away|die=pass away|born=brought into the world|receive=obtain|"
        "received=obtained|created=made|important=significant|increase=rise|increased=rose|reason=cause|"
        "job=profession|war=armed conflict|army=troops|money=funds|house=home|child=kid|children=kids|"
        "king=monarch|law=statute|laws=statutes|size=extent|fast=quick|small=little|study=investigate|"
        "studied=investigated|help=assist|helped=assisted|allow=permit|allowed=permitted|needed=required|"
        "start=begin|started=began|buy=purchase|bought=purchased|total=overall|approximately=roughly|"
        "near=close to|another=a different|other=further|also=too|not=never|responsible=in charge|"
        "describe=characterise|described=characterised|discovered=found|invented=devised|travel=journey|"
        "visit=call at|moved=relocated|move=relocate|live=reside|lived=resided|killed=slain|changed=altered|"
        "change=alter|chosen=picked|choose=pick|held=staged|hold=keep|added=appended|opened=inaugurated"
    ),
    "de": (
        "anzahl=zahl|zahl=anzahl|erste=früheste|ersten=frühesten|verwendet=benutzt|genutzt=gebraucht|"
        "nutzte=gebrauchte|genannt=bezeichnet|bezeichnet=genannt|führte=leitete|zeit=epoche|"
        "menschen=personen|land=staat|staat=land|teil=abschnitt|gibt=existiert|gab=existierte|"
        "universität=hochschule|meisten=mehrzahl der|gewann=siegte bei|erhielt=bekam|unternehmen=firma|"
        "liegt=befindet sich|regierung=staatsführung|neue=jüngste|neuen=jüngsten|schulen=lehranstalten|"
        "letzten=finalen|letzte=finale|spiel=partie|spiels=partie|begann=startete|prozentsatz=anteil|"
        "sollte=musste|hoch=groß|kirche=gotteshaus|ursprünglich=anfangs|ursprünglichen=anfänglichen|"
        "arten=sorten|art=sorte|oft=häufig|bestrafung=strafe|andere=weitere|anderen=weiteren|bekannt=berühmt|"
        "gruppe=schar|namen=bezeichnung|name=bezeichnung|gebiet=region|organisation=vereinigung|pest=seuche|"
        "erzielte=erreichte|stadt=ortschaft|fand=entdeckte|welt=erde|vertrag=abkommen|entwickelt=erarbeitet|"
        "nennen=bezeichnen|zivilen=bürgerlichen|mehr=zusätzliche|anführer=leiter|veröffentlicht=publiziert|"
        "einrichtung=institution|größte=umfangreichste|vereinigten=verbündeten|partei=fraktion|"
        "gebaut=errichtet|wissenschaftler=forscher|unterstützte=förderte|verloren=eingebüßt|"
        "mitglied=angehöriger|bau=errichtung|ansicht=meinung|ansichten=meinungen|prinzip=grundsatz|"
        "manchmal=gelegentlich|bewegung=strömung|befindet=liegt|befand=lag|bevölkerung=einwohnerschaft|"
        "gegründet=ins leben gerufen|artikel=beitrag|maschine=apparat|begriff=ausdruck|"
        "verfassung=grundgesetz|passiert=geschieht|passierte=geschah|gilt=wird angesehen|konnte=vermochte|"
        "würde=wird wohl|auswirkungen=folgen|bedeutet=heißt|frau=gattin|heute=gegenwärtig|kraft=stärke|"
        "leben=existenz|reich=imperium|starb=verschied|geboren=zur welt gekommen|jahr=kalenderjahr|"
        "jahren=kalenderjahren|beiden=zwei|spieler=akteur|spielte=agierte|team=mannschaft|teams=mannschaften|"
        "problem=schwierigkeit|probleme=schwierigkeiten|beispiel=exempel|wichtig=bedeutend|grund=ursache|"
        "krieg=bewaffneten konflikt|geld=mittel|haus=gebäude|kinder=nachwuchs|könig=monarch|"
        "gesetz=vorschrift|gesetze=vorschriften|größe=umfang"
    ),
}  # fmt: skip
_LITTLE: Mapping[str, str] = {
    "en": (
        "what which who whom whose when where why how is was are were be been do does did has have had the a "
        "an of in to for that and on with as by from at it its his her their this these those there can "
        "could would will much many"
    ),
    "de": (
        "was welche welcher welches welchen welchem wer wen wem wessen wann wo warum wie ist war sind waren "
        "wird wurde wurden werden hat haben hatte der die das den dem des ein eine einen einer eines und in "
        "im zu zum zur von vom für auf mit an am als bei es sich viele viel sein seine ihre aus um nach"
    ),
}  # fmt: skip
_AT_THE_END = re.compile(
    r"^(.{12,}?) ((?:in|during|after|before|im|während|nach|vor|seit|since|within) .+)$", re.IGNORECASE
)


def another_form(text: str, language: str) -> str:
    """The same question in another form, with its last adverbial first."""
    plain = text.rstrip("?？ ")
    adverbial = _AT_THE_END.match(plain)
    front, plain = (f"{adverbial[2]}, ", adverbial[1]) if adverbial else ("", plain)
    for pattern, form in _FORMS[language]:
        if match := re.fullmatch(pattern, plain, re.IGNORECASE):
            return f"{front}{match.expand(form)}?"
    return f"{front}{plain}?"


def other_words(text: str, language: str) -> str:
    """The question with other words where the list has one."""
    known = _known(language)

    def changed(word: re.Match[str]) -> str:
        other = known.get(word[0].lower(), word[0])
        return other[0].upper() + other[1:] if word[0][0].isupper() else other

    return re.sub(r"\w+", changed, text)


def keywords(text: str, language: str) -> str:
    """What is left without the grammar, the last word first."""
    little = set(_LITTLE[language].split())
    return " ".join([word for word in re.findall(r"[\w'’-]+", text) if word.lower() not in little][::-1])


def both(text: str, language: str) -> str:
    """Another form, and other words."""
    return other_words(another_form(text, language), language)


def replaced(text: str, language: str) -> int:
    """The number of words that `other_words` replaces."""
    return sum(word.lower() in _known(language) for word in re.findall(r"\w+", text))


@lru_cache
def _known(language: str) -> Mapping[str, str]:
    return dict(pair.split("=") for pair in _WORDS[language].split("|"))
