"""Pages of four invented publications about an invented language, as recognition gives them, with known answers.

The language (tag ``qot``) has ten patterns of sentences; the editions are in English, German, French and Turkish. The
pages have what real ones have: running heads, page numbers, line numbers, words parted at line ends, texts that go on
over the page, footnotes and calls for them, apparatus, commentaries that quote the text, names of texts in prose, texts
without a translation, texts that no list knows, and wrong signs.
"""

from __future__ import annotations

import csv
import io
import json
import random
import textwrap
from dataclasses import dataclass, field

import regex

NAMES = [
    "Sho-la-mu", "Ke-ri-ta", "A-du-na", "Pa-li-shu", "I-na-ro", "Mu-ta-ke", "Ta-she-li", "U-ro-ma", "Wa-ki-ra",
    "Ne-lu-sha",
]  # fmt: skip
GOODS = {
    "she-pa": ("wool", "Wolle", "laine", "yün"),
    "mo-ku": ("copper", "Kupfer", "cuivre", "bakır"),
    "la-ti": ("barley", "Gerste", "orge", "arpa"),
    "gu-ra": ("tin", "Zinn", "étain", "kalay"),
    "i-sha": ("oil", "Öl", "huile", "yağ"),
    "ro-ne": ("honey", "Honig", "miel", "bal"),
}
LANGUAGES = ("en", "de", "fr", "tr")
PATTERNS = [
    ("{b} ge-mu-ra um-ri {a}", "Say to {b}: thus speaks {a}.", "Sprich zu {b}: so sagt {a}.",
     "Dis à {b} : ainsi parle {a}.", "{b} için söyle: {a} şöyle diyor."),
    ("{n} {g} lo-sha-ni ke-ta-mu", "I have sent you {n} measures of {g} with the boat.",
     "Ich habe dir {n} Maß {g} mit dem Boot geschickt.", "Je t'ai envoyé {n} mesures de {g} avec le bateau.",
     "Sana kayık ile {n} ölçü {g} gönderdim."),
    ("{g} na-mu-la wi ko-she-ta-mi", "Why have you not given me the {g}?", "Warum hast du mir das {g} nicht gegeben?",
     "Pourquoi ne m'as-tu pas donné le {g} ?", "Bana neden {g} vermedin ve niçin bekledin?"),
    ("{a} {n} {g} pa-lu-ni e-sha", "{a} has paid {n} measures of {g} to the temple of the river.",
     "{a} hat {n} Maß {g} an den Tempel des Flusses bezahlt.",
     "{a} a payé {n} mesures de {g} au temple de la rivière.", "{a} ırmak tapınağı için {n} ölçü {g} ödedi."),
    ("sho-ru-ma he-li ni-ka-ta", "If you are my brother, come here before the winter.",
     "Wenn du mein Bruder bist, komm vor dem Winter hierher.", "Si tu es mon frère, viens ici avant l'hiver.",
     "Eğer sen benim kardeşim isen kış olmadan önce buraya gel."),
    ("{b} te-li-mo {g} ra-ku-na", "{b} will bring the {g} to the gate of the city.",
     "{b} wird das {g} zu dem Tor der Stadt bringen.", "{b} apportera le {g} à la porte de la ville.",
     "{b} şehrin kapısına kadar {g} getirecek."),
    ("ke-lu-ma a-shi-ro wi na-ta", "My heart is not at peace because of your words.",
     "Mein Herz ist wegen deiner Worte nicht in Frieden.", "Mon cœur n'est pas en paix à cause de tes paroles.",
     "Senin sözlerin için benim kalbim hiç rahat değil."),
    ("{n} mo-ri {g} du-ka-ni-sha", "He owes {n} bags of {g} until the harvest.",
     "Er schuldet {n} Säcke {g} bis zu der Ernte.", "Il doit {n} sacs de {g} jusqu'à la moisson.",
     "O, hasada kadar {n} çuval {g} borçlu."),
    ("{a} u {b} si-bu-la", "In the presence of {a} and {b}.", "In Gegenwart von {a} und {b}.",
     "En présence de {a} et de {b}.", "{a} ve {b} bunun için tanıktır."),
    ("to-ra-ni le-ku-ma she-da", "Write the tablet and seal it with your own seal.",
     "Schreibe die Tafel und siegle sie mit deinem eigenen Siegel.",
     "Écris la tablette et scelle-la avec ton propre sceau.", "Tableti yaz ve onu kendi mührün ile mühürle."),
]  # fmt: skip
WORDS = {
    "en": ("Translation", "Commentary", "This tablet was found in the lower town and is now in the harbour museum. "
           "The upper edge is broken, and the hand is that of a scribe who is known from other letters."),
    "de": ("Übersetzung", "Kommentar", "Diese Tafel wurde in der Unterstadt gefunden und ist jetzt im Hafenmuseum. "
           "Der obere Rand ist abgebrochen, und die Hand ist die eines Schreibers, den man aus anderen Briefen kennt."),
    "fr": ("Traduction", "Commentaire", "Cette tablette a été trouvée dans la ville basse et elle est au musée "
           "du port. Le bord supérieur est cassé, et la main est celle d'un scribe connu par d'autres lettres."),
    "tr": ("Çeviri", "Yorum", "Bu tablet aşağı şehirde bulundu ve şimdi limanın müzesinde korunuyor. Üst kenarı kırık "
           "olan bu tablet, başka mektuplardan da bilinen bir kâtip tarafından yazılmıştır."),
}  # fmt: skip
TITLES = {"en": "Letters from the Lower Town", "de": "Briefe aus der Unterstadt", "fr": "Lettres de la ville basse",
          "tr": "Aşağı Şehir Mektupları"}  # fmt: skip
NOTES = {"en": "So already the first editor; the sign is doubtful.", "de": "So schon der erste Herausgeber.",
         "fr": "Ainsi déjà le premier éditeur.", "tr": "İlk yayında da böyledir."}  # fmt: skip


@dataclass(frozen=True)
class Text:
    """One text: what it is called, what it says, what it means."""

    id: str
    label: str
    museum: str
    own: tuple[str, ...]
    means: dict[str, tuple[str, ...]]


@dataclass
class Corpus:
    """Pages, the list of texts, pairs known beforehand, and what should be found."""

    pages: list[tuple[str, str, str]] = field(default_factory=list)
    """(publication, page, text)."""
    texts: list[Text] = field(default_factory=list)
    listed: dict[str, bool] = field(default_factory=dict)
    """Id -> whether the list gives the text itself."""
    truth: dict[tuple[str, str], str] = field(default_factory=dict)
    """(publication, id) -> language of the translation that should be found."""

    def text(self, name: str) -> Text:
        """The text of that id."""
        return next(text for text in self.texts if text.id == name)

    def pages_csv(self) -> str:
        """The table of pages."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerows([("pdf_name", "page", "page_text"), *self.pages])
        return stream.getvalue()

    def list_csv(self) -> str:
        """The list of texts, with their names."""
        stream = io.StringIO()
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("oid", "label", "aliases", "reading"))
        for text in self.texts:
            if text.id in self.listed:
                reading = " ".join(text.own) if self.listed[text.id] else ""
                writer.writerow((text.id, text.label, f"{text.museum} | Lu. Inv. {text.id[1:]}", reading))
        return stream.getvalue()


def sentence(rng: random.Random) -> tuple[str, dict[str, str]]:
    """A sentence of the language and what it means in every language."""
    own, *others = rng.choice(PATTERNS)
    a, b = rng.sample(NAMES, 2)
    good, number = rng.choice(list(GOODS)), rng.randint(2, 60)
    means = {}
    for place, (tag, pattern) in enumerate(zip(LANGUAGES, others, strict=True)):
        means[tag] = pattern.format(a=a, b=b, g=GOODS[good][place], n=number)
    return own.format(a=a, b=b, g=good, n=number), means


def make_text(rng: random.Random, number: int) -> Text:
    """A text of four to eight sentences."""
    parts = [sentence(rng) for _ in range(rng.randint(4, 8))]
    means = {tag: tuple(means[tag] for _, means in parts) for tag in LANGUAGES}
    label = f"Lu {rng.choice('abcdk')}/{rng.choice('mnt')} {100 + number}"
    return Text(f"t{number:03}", label, f"HM {4000 + 7 * number}", tuple(own for own, _ in parts), means)


def known_pairs(count: int = 300, seed: int = 5) -> list[tuple[str, str]]:
    """Pairs of sentences in the language and in English that are known beforehand."""
    rng = random.Random(seed)
    return [(own, means["en"]) for own, means in (sentence(rng) for _ in range(count))]


def translate_back(text: str, tag: str) -> str:
    """What a perfect translator into English makes of these texts; what it does not know it leaves as it is."""
    place = LANGUAGES.index(tag)
    goods = {names[place]: names[0] for names in GOODS.values()}
    found = []
    for _own, *others in PATTERNS:
        pattern = regex.escape(others[place])
        for slot in "abgn":
            first = pattern.replace(rf"\{{{slot}\}}", rf"(?P<{slot}>[\w-]+)", 1)
            pattern = first.replace(rf"\{{{slot}\}}", rf"(?P={slot})")
        for match in regex.finditer(pattern, text):
            values = {key: value for key, value in match.groupdict().items() if value}
            values["g"] = goods.get(values.get("g", ""), values.get("g", ""))
            found.append((match.start(), others[0].format(**{**dict.fromkeys("abgn", ""), **values})))
    return " ".join(english for _, english in sorted(found)) or text


def _wrap(text: str, width: int, rng: random.Random, *, hyphens: bool) -> list[str]:
    """Lines of a width, words parted now and then as printers do."""
    lines = textwrap.wrap(text, width)
    if not hyphens:
        return lines
    for number in range(len(lines) - 1):
        first, *rest = lines[number + 1].split(" ")
        if len(first) > 7 and first.isalpha() and first.islower() and rest and rng.random() < 0.6:
            lines[number] += f" {first[:4]}-"
            lines[number + 1] = " ".join([first[4:], *rest])
    return lines


def _noise(line: str, rng: random.Random, rate: float) -> str:
    """Signs that recognition takes for others, in letters only."""
    wrong = {"m": "rn", "l": "1", "e": "c", "h": "b", "o": "0", "i": "ı"}
    return "".join(wrong[sign] if sign in wrong and rng.random() < rate else sign for sign in line)


def _edition(text: Text, tag: str, number: int, rng: random.Random, style: str, rate: float) -> list[str]:
    """One text with its translation as a publication prints it."""
    heading, commentary, about = WORDS[tag]
    label = text.label.replace("0", "O", 1) if style == "numbered" and rng.random() < 0.5 else text.label
    head = {
        "plain": f"{number}. {label}",
        "numbered": f"{label} ({text.museum})",
        "museum": f"No. {number}: {text.museum}",
    }
    lines = [head[style], *_wrap(about, 72, rng, hyphens=True), "", "obv."]
    own = textwrap.wrap(" ".join(text.own), 34, break_on_hyphens=True)
    for count, line in enumerate(own, start=1):
        numbered = f"{count} " if count % 5 == 0 or count == 1 else ""
        lines.append(numbered + _noise(line, rng, rate))
        if count == len(own) // 2:
            lines.append("rev.")
    lines.append("")
    if rng.random() < 0.5:
        lines += [f"{min(3, len(own))}: {text.own[0].split()[0]} sic!", ""]
    means = list(text.means[tag])
    if style != "museum":
        lines.append(f"{heading}:" if style == "numbered" else heading)
    call = rng.random() < 0.5
    if call:
        means[1] = regex.sub(r"(\p{L}{4,})(?=\W*$)", r"\g<1>3", means[1])
    lines += [_noise(line, rng, rate / 3) for line in _wrap(" ".join(means), 66, rng, hyphens=True)]
    lines += ["", commentary] if style != "museum" else [""]
    quoted = " ".join(text.own[1].split()[:2])
    reference = {"en": "Line 2: the phrase", "de": "Zeile 2: der Ausdruck", "fr": "ligne 2 : la formule",
                 "tr": "satır 2: bu deyim"}[tag]  # fmt: skip
    lines += _wrap(f"{reference} {quoted} {about.split('. ')[1]}", 72, rng, hyphens=False)
    return [*lines, "", *(["\x00note"] if call else [])]


def _loose(text: Text, other: Text | None, tag: str, number: int, rng: random.Random, rate: float) -> list[str]:
    """An edition without any word above its parts: a remark between text and translation, numbered passages, another
    text named at the start of a line, a commentary that is just the next paragraph."""
    _, _, about = WORDS[tag]
    first, second = about.split(". ", 1)
    head = _noise(f"{text.museum} = {text.label}", rng, rate)
    lines = [str(number), head, *_wrap(f"{first}.", 60, rng, hyphens=True), ""]
    own = textwrap.wrap(" ".join(text.own), 30)
    lines += [f"{count:>3}  {_noise(line, rng, rate)}" for count, line in enumerate(own, start=1)]
    lines += ["", f"4  {text.own[0].split()[0]}: sic.", ""]
    size, passed = len(" ".join(text.own)), 0
    means = []
    for sentence_, meaning in zip(text.own, text.means[tag], strict=True):
        line = 1 + round(passed / size * len(own))
        means.append(f"({line}) {meaning}" if line % 2 else meaning)
        passed += len(sentence_) + 1
    lines += [_noise(line, rng, rate / 3) for line in _wrap(" ".join(means), 60, rng, hyphens=True)]
    lines += ["", *_wrap(f"{second} {about}", 60, rng, hyphens=True)]
    if other is not None:
        lines += [f"{other.label} {first[:40].lower()}", *_wrap(about, 60, rng, hyphens=True)]
    return [*lines, ""]


def _pages(lines: list[str], tag: str, publication: str, rng: random.Random) -> list[tuple[str, str, str]]:
    """Lines on pages of 38, with running heads, page numbers and footnotes."""
    pages = []
    for number, start in enumerate(range(0, len(lines), 38), start=rng.randint(11, 90)):
        body = lines[start : start + 38]
        notes = sum(line == "\x00note" for line in body)
        body = [line for line in body if line != "\x00note"]
        head = f"{number}  {TITLES[tag]}" if number % 2 else f"{TITLES[tag]}   {number}"
        foot = ["", "_" * 12, f"3 {NOTES[tag]}"] if notes else []
        pages.append((publication, str(number), "\n".join([head, "", *body, *foot, "", f"- {number} -"])))
    return pages


def corpus(seed: int = 3, per_publication: int = 8, rate: float = 0.01, *, loose: bool = False) -> Corpus:
    """Four publications, one in each language; every third text has no reading in the list, some no translation.

    Args:
        seed: of the draw.
        per_publication: texts in each, the last two without a translation and unknown to the list.
        rate: share of the signs that can be taken for others and are.
        loose: editions without words above their parts, see :func:`_loose`.
    """
    rng = random.Random(seed)
    made = Corpus()
    styles = {"en": "plain", "de": "numbered", "fr": "museum", "tr": "plain"}
    count = 0

    def edition(text: Text, tag: str, number: int) -> list[str]:
        if loose:
            earlier = made.texts[-2] if len(made.texts) > 1 else None
            return _loose(text, earlier, tag, number, rng, rate)
        return _edition(text, tag, number, rng, styles[tag], rate)

    for tag in LANGUAGES:
        publication = f"{TITLES[tag]} ({tag}).pdf"
        lines = [*_wrap(f"{WORDS[tag][2]} Cf. Lu k/t 999, HM 1. {WORDS[tag][2]}", 72, rng, hyphens=True), ""]
        for number in range(1, per_publication + 1):
            count += 1
            text = make_text(rng, count)
            made.texts.append(text)
            if number == per_publication:  # a text that no list knows
                lines += edition(text, tag, number)
                continue
            made.listed[text.id] = count % 3 != 0
            if number == per_publication - 1:  # a text without a translation
                lines += [f"{number}. {text.label}", "", *textwrap.wrap(" ".join(text.own), 34), ""]
                continue
            lines += edition(text, tag, number)
            made.truth[publication, text.id] = tag
        lines += _wrap(" ".join([WORDS[tag][2]] * 4), 72, rng, hyphens=True)
        made.pages += _pages(lines, tag, publication, rng)
    return made


def answer(page_text: str, made: Corpus) -> str:
    """What a language model that reads perfectly answers about some pages: JSON as the extractor asks for."""
    found = []
    for publication, name in made.truth:
        text = made.text(name)
        if text.label in page_text or text.museum in page_text:
            tag = made.truth[publication, name]
            found.append({"name": text.label, "text": " ".join(text.own), "translation": " ".join(text.means[tag]),
                          "language": tag})  # fmt: skip
    return json.dumps({"editions": found}, ensure_ascii=False)
