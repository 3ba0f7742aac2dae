"""Which European language a passage is written in, by its function words: no model, no network.

The lists are written for this purpose. Function words are a third to a half of running text in these languages and
hardly shared between them, so that two sentences are enough; a word that several lists hold counts for each in part.
"""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from typing import NamedTuple

from seshat.text.words import words

FUNCTION_WORDS: dict[str, str] = {
    "en": """the of and to in is that it for was with as his her he she they you i we be on at by not this which or are
        from have has had will my your our their its an if so when who what there were been shall may must him them me
        us all no one here about into out up down before after because than then do does did but would could should""",
    "de": """der die das und in zu den dem des ein eine einen einem einer nicht ist sind war waren mit von für auf an
        im am als auch es er sie wir ihr ich du mein meine meinen dein deine sein seine seinem seinen ihm ihn ihnen
        mir mich dir dich uns euch dass daß wenn aber oder so wie was wer hat haben hatte wird werden bei nach aus vor
        über unter durch um bis zum zur man noch nur kein keine dieser diese dieses hier dort habe hast""",
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
        había fue era ser sin sobre entre hasta desde muy ya también porque""",
    "it": """il lo la i gli le di del della dei delle dello un uno una e a al alla ai alle in nel nella è sono che non
        per con su si mi ti ci vi lui lei noi voi loro io tu mio mia tuo tua suo sua questo questa quello quella come
        più ma o se quando dove chi ha hanno aveva era essere da dal dalla anche perché""",
    "nl": """de het een en van in is dat niet te op aan met voor zijn haar hij zij wij jij ik u je mijn jouw ons onze
        hun als ook maar of door bij naar uit om tot over er die dit deze wat wie heeft hebben had was waren wordt
        worden zal nog geen dan toen hier daar""",
    "pt": """o a os as de do da dos das um uma e em no na nos nas é são que não para por com se lhe lhes me te meu
        minha teu tua seu sua este esta isto esse essa como mais mas ou quando onde quem tem têm tinha foi era ser
        sem sobre entre até desde muito já também porque ele ela eles nós ao à""",
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
_FEWEST = 2
"""Function words below which nothing is said."""
_COVERED = 0.12
"""Least share of the words that are function words of the language found."""


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


def is_function_word(word: str) -> bool:
    """Whether a word (case-folded) stands in one of the lists."""
    return word in _weights()
