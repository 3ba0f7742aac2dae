"""Which European language a passage is written in, or surely is not, by its function words: no model, no network.

The lists are written for this purpose. Function words are a third to a half of running text in these languages and
hardly shared between them, so that two sentences are enough; a word that several lists hold counts for each in part.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from seshat.text.words import words

FUNCTION_WORDS: dict[str, str] = {
    "en": """the of and to in is that it for was with as his her he she they you i we be on at by not this which or are
        from have has had will my your our their its an if so when who what there were been shall may must him them me
        us all no one here about into out up down before after because than then do does did but would could should
        a am any some how where why more only other each every own over such""",
    "de": """der die das und in zu den dem des ein eine einen einem einer nicht ist sind war waren mit von für auf an
        im am als auch es er sie wir ihr ich du mein meine meinen dein deine sein seine seinem seinen ihm ihn ihnen
        mir mich dir dich uns euch dass daß wenn aber oder so wie was wer hat haben hatte wird werden bei nach aus vor
        über unter durch um bis zum zur man noch nur kein keine dieser diese dieses hier dort habe hast
        soll sollst sollen sollte will willst wollen kann kannst können konnte muss muß müssen dann denn doch damit
        davon dafür dies diesem diesen alle alles allen etwas nichts mehr sehr seit gegen ohne ihre ihrem ihren ihrer
        ihres seines seiner meines meiner meinem deines deiner deinem deinen unser unsere unserer unserem eines werde
        wurde wurden würde habt seid bin bist weil da ob her hin je nun schon wieder zwischen wegen jetzt zwei drei
        vier fünf sechs sieben acht neun zehn selbst ganz viel sich sonst immer ja während jeder jede jedes welche
        welcher""",
    "fr": """le la les de des du un une et à au aux en est sont que qui ne pas pour par sur dans avec il elle ils
        elles nous vous je tu mon ma mes ton ta tes son sa ses notre votre leur leurs ce cette ces se si mais ou où
        comme plus été être avoir ai as a ont avait était lui me te y dont quand car donc ici là sans sous c'est
        d'un d'une l'on qu'il j'ai n'est""",
    "tr": """ve bir bu da de için ile ne o şu ki çok daha gibi kadar sonra önce ama fakat ise değil var yok ben sen
        biz siz onlar bana sana ona bize size onun benim senin bizim sizin onu beni seni her hiç mi mı mu mü olan
        olarak oldu olsun idi dedi diye göre üzere ancak yine şimdi burada orada kendi tarafından iki üç eğer hem
        veya ya bunu buna şey""",
    "es": """el la los las de del un una unos unas y a al en es son que no para por con su sus se lo le les me te nos
        mi mis tu tus yo él ella ellos este esta esto estos ese esa eso como más pero o si cuando donde quien ha han
        había fue era ser sin sobre entre hasta desde muy ya también porque dos tres uno da e u he has hemos han hay
        está están estaba estaban todo todos toda todas nada cada hace tiene tienen eran fueron aquí así qué sí mí
        tan""",
    "it": """il lo la i gli le di del della dei delle dello un uno una e a al alla ai alle in nel nella è sono che non
        per con su si mi ti ci vi lui lei noi voi loro io tu mio mia tuo tua suo sua questo questa quello quella come
        più ma o se quando dove chi ha hanno aveva era essere da dal dalla anche perché""",
    "nl": """de het een en van in is dat niet te op aan met voor zijn haar hij zij wij jij ik u je mijn jouw ons onze
        hun als ook maar of door bij naar uit om tot over er die dit deze wat wie heeft hebben had was waren wordt
        worden zal nog geen dan toen hier daar""",
    "pt": """o a os as de do da dos das um uma e em no na nos nas é são que não para por com se lhe lhes me te meu
        minha teu tua seu sua este esta isto esse essa como mais mas ou quando onde quem tem têm tinha foi era ser
        sem sobre entre até desde muito já também porque ele ela eles nós ao à eu uns umas aos às pelo pela dele dela
        você vocês está estão há todo todos""",
    "da": """og i at det en et den er ikke til på med for som af han hun de vi jeg du mig dig os min din sin hans
        hendes deres var har havde vil skal kan om men eller når hvor hvem hvad fra efter ved over under her der""",
    "ru": """и в не на что я он с а как это по но они к у из за вы так же от для мы ты она его её их мой твой был
        была было были есть если или когда где кто до после при во со мне тебе ему ей нам вам им свой этот эта""",
}
"""Language tag -> its function words."""

ENGLISH_NAMES = {
    "en": "English", "de": "German", "fr": "French", "tr": "Turkish", "es": "Spanish", "it": "Italian", "nl": "Dutch",
    "pt": "Portuguese", "da": "Danish", "ru": "Russian",
}  # fmt: skip
"""What prompts call these languages where the project does not name them."""
NAME_WORDS = """and da das de dei del della den der des di do dos du el et il la las le les lo los of og the und van
    von zu"""
"""Function words that names bring along into other languages: María de los Ángeles, The Lord of the Rings."""
_FEWEST = 2
"""Function words below which nothing is said."""
_COVERED = 0.12
"""Least share of the words that are function words of the language found."""
_TELLING = (0.0, 0.0, 0.5, 1.0)
"""What a word says for its language, by its letters."""
SURE = 1.5
"""Foreign words above which a text is in another language than it claims (measured: docs/decisions.md)."""


class Tongue(NamedTuple):
    """A language, and how sure it is, 0 to 1."""

    tag: str
    confidence: float


@lru_cache(maxsize=1)
def _weights() -> dict[str, dict[str, float]]:
    """Word -> language -> weight; the weights of a word add up to 1."""
    tags: dict[str, list[str]] = {}
    for tag, listed in FUNCTION_WORDS.items():
        for word in dict.fromkeys(listed.split()):
            tags.setdefault(word, []).append(tag)
    return {word: dict.fromkeys(found, 1 / len(found)) for word, found in tags.items()}


def detect(text: str) -> Tongue | None:
    """The language of a passage, or None when too little speaks for any."""
    found = [word.casefold().replace("’", "'") for word in words(text)]
    weights = _weights()
    points: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for word in found:
        for tag, weight in weights.get(word, {}).items():
            points[tag] += weight  # type: ignore[assignment]
            hits[tag] += 1
    if not points:
        return None
    tag = min(points, key=lambda one: (-hits[one], -points[one], one))
    if hits[tag] < _FEWEST or hits[tag] < _COVERED * len(found):
        return None
    rival = max((hits[other] for other in hits if other != tag), default=0)
    margin = (hits[tag] - rival) / hits[tag]
    return Tongue(tag, round(min(1.0, 0.5 + margin), 4))


def share(text: str, tag: str) -> float:
    """The share of the words of a text that are function words of a language, 0 to 1; 0 where it is not listed."""
    found = [word.casefold().replace("’", "'") for word in words(text)]
    listed = frozenset(FUNCTION_WORDS.get(tag.split("-")[0].casefold(), "").split())
    return sum(word in listed for word in found) / len(found) if found else 0.0


def foreign_words(found: Iterable[str], tag: str) -> float:
    """How many function words speak against the language that a text claims: for another, beyond those of its own.

    Each word counts once, however often it stands there ("three men, four men, five men" is no Danish): one for a word
    that the other language has and the claimed one has not; half for one of two letters, which chance and codes bring,
    and for one that names bring (for all of these one at most); nothing for one letter. Each word the other way round
    takes two away, so that a quotation makes no sentence foreign.

    Args:
        found: the words of the text, case-folded.
        tag: the language that it claims; of a tag such as ``pt-BR`` only ``pt`` is looked at.

    Returns:
        The points of the language that has most, 0 where nothing speaks for any or the claimed one is not listed.
    """
    claimed = tag.split("-")[0].casefold()
    if claimed not in FUNCTION_WORDS:
        return 0.0
    counts = Counter(word.replace("’", "'") for word in found)
    weights, names = _weights(), frozenset(NAME_WORDS.split())
    tongues = {word: weights[word].keys() for word in counts if word in weights}
    least = _COVERED * counts.total()
    best = 0.0
    for other in FUNCTION_WORDS:
        if sum(counts[word] for word, listed in tongues.items() if other in listed) < least:
            continue
        against = [word for word, listed in tongues.items() if other in listed and claimed not in listed]
        own = sum(claimed in listed and other not in listed for listed in tongues.values())
        named = sum(word in names for word in against)
        telling = sum(_TELLING[min(len(word), 3)] for word in against if word not in names)
        best = max(best, telling + min(1.0, named / 2) - 2 * own)
    return best


def is_function_word(word: str) -> bool:
    """Whether a word (case-folded) stands in one of the lists."""
    return word in _weights()
