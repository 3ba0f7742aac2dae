"""Language tags out of what people type: a tag, or the name of a language."""

from __future__ import annotations

from seshat.core.errors import UsageError

_SHORTEST = 3
"""Letters that the beginning of a name needs."""
_MOST = 6
"""Languages that are offered where a name fits several."""


def language_tag(text: str) -> str:
    """The tag (BCP 47) of a language.

    Args:
        text: a tag that exists (``shp``, ``pt-BR``; ``qaa`` to ``qtz`` and ``xx`` are for private use), or a name, in
            English or in another language, or the beginning of its English name.

    Raises:
        UsageError: it is neither, or several languages are called so.
    """
    import langcodes

    wanted = text.strip()
    if wanted == "xx" or (wanted.split("-")[0].islower() and langcodes.tag_is_valid(wanted)):
        return wanted
    try:
        return langcodes.find(wanted).to_tag()
    except LookupError:
        begun = _begin(wanted)
    if len(begun) == 1:
        return begun[0]
    several = f"Languages that begin so: {', '.join(f'{language_name(tag)} ({tag})' for tag in begun[:_MOST])}. "
    raise UsageError(
        f"'{text}' is neither a language tag nor the name of one language.",
        f"{several if begun else ''}A tag is short, such as shp, es or pt-BR (ISO 639-3 lists them); "
        "'qaa' to 'qtz' are for languages that have none.",
    )


def language_name(tag: str) -> str:
    """The English name of a language; the tag where there is none."""
    import langcodes

    return langcodes.get(tag).display_name() if langcodes.tag_is_valid(tag) else tag


def _begin(text: str) -> list[str]:
    """Tags of the languages whose English names begin with a text."""
    from language_data.names import data_filename, load_trie, normalize_name

    begin = normalize_name(text)
    if len(begin) < _SHORTEST:
        return []
    names = load_trie(data_filename("trie/en/name_to_language.marisa"))
    return sorted({tag.decode() for _, tag in names.items(begin)} - {""})
