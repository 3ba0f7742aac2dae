"""What the taggers see: of a morpheme its neighbours in the word and the sentence, of a letter those around it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

_EDGE = "#"


def of_morphemes(words: Sequence[Sequence[str]], known: Callable[[str], Sequence[str]]) -> list[list[str]]:
    """Features of every morpheme of a sentence, word after word.

    Args:
        words: the morphemes of each word.
        known: more features of a morpheme, from what the training data say of it.
    """
    found: list[list[str]] = []
    for number, parts in enumerate(words):
        before = words[number - 1] if number else ("<s>",)
        after = words[number + 1] if number + 1 < len(words) else ("</s>",)
        found += [
            [*_inside(parts, place), *_around(part, before, after), *known(part)] for place, part in enumerate(parts)
        ]
    return found


def _inside(parts: Sequence[str], place: int) -> list[str]:
    """The morpheme and its neighbours in the word."""
    morpheme = parts[place]
    small = morpheme.lower()
    around = dict(enumerate(parts, start=-place))
    previous, following = around.get(-1, _EDGE), around.get(1, _EDGE)
    first, last = place == 0, place == len(parts) - 1
    letters = [f"pre={small[:length]}" for length in (1, 2, 3)] + [f"suf={small[-length:]}" for length in (1, 2, 3)]
    return [
        "bias",
        f"m={small}",
        f"place={min(place, 4)}",
        f"parts={min(len(parts), 5)}",
        f"edge={first},{last}",
        f"m edge={small}|{first}|{last}",
        f"word={''.join(parts).lower()}",
        f"-1={previous}",
        f"+1={following}",
        f"-2={around.get(-2, _EDGE)}",
        f"+2={around.get(2, _EDGE)}",
        f"-1 m={previous}|{small}",
        f"m +1={small}|{following}",
        f"-1 m +1={previous}|{small}|{following}",
        f"-1 +1={previous}|{following}",
        f"length={min(len(small), 6)}",
        f"capital={morpheme[:1].isupper()}",
        *letters,
    ]


def _around(morpheme: str, before: Sequence[str], after: Sequence[str]) -> list[str]:
    """The words before and after."""
    small = morpheme.lower()
    previous, following = "".join(before), "".join(after)
    return [
        f"before={previous}",
        f"after={following}",
        f"before first={before[0]}",
        f"before last={before[-1]}",
        f"after first={after[0]}",
        f"after last={after[-1]}",
        f"before last m={before[-1]}|{small}",
        f"after first m={after[0]}|{small}",
        f"before m={previous}|{small}",
        f"after m={following}|{small}",
    ]


def of_letters(word: str, known: Callable[[str], bool]) -> list[list[str]]:
    """Features of every letter of a word: the letters around it, and known morphemes that begin or end there.

    Args:
        word: as it is written.
        known: whether a text is a morpheme that training has seen.
    """
    small = word.lower()
    text = f"{_EDGE * 5}{small}{_EDGE * 5}"
    found = []
    for place in range(len(word)):
        here = place + 5
        names = ["bias", f"from start={min(place, 5)}", f"to end={min(len(word) - place, 5)}"]
        for width in range(1, 6):
            names.append(f"<{text[here - width : here]}")
            names.append(f">{text[here : here + width]}")
        names += [
            f"<>{text[here - left : here]}|{text[here : here + right]}" for left in (1, 2, 3) for right in (1, 2, 3)
        ]
        names.append(f"word={small}|{place}")
        names += [
            f"starts {size}" for size in range(1, 8) if known(small[place : place + size]) and place + size <= len(word)
        ]
        names += [f"ended {size}" for size in range(1, 8) if size <= place and known(small[place - size : place])]
        names.append(f"rest known={known(small[place:])}")
        names.append(f"begin known={known(small[:place])}")
        found.append(names)
    return found
