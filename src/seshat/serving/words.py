"""The words of the web page, in simple English and Spanish; a project can add its own language.

A file ``words/TAG.yaml`` in the project folder holds words of another language (or other words for these two), by the
same names; what it leaves out is shown in English.
"""

from __future__ import annotations

from pathlib import Path

from seshat.core.errors import DataError

ENGLISH = {
    "intro": "A translator made from the texts of this project. It makes mistakes: when you know better, correct it.",
    "translate": "Translate",
    "dictionary": "Dictionary",
    "corpus": "Texts",
    "questions": "Questions",
    "about": "About",
    "direction": "From which language into which",
    "text": "Text",
    "text_hint": "Write or paste a text. Ctrl + Enter translates.",
    "translation": "Translation",
    "nothing": "Write a text first.",
    "confidence": "How sure",
    "high": "high: translations like this one are usually right",
    "medium": "medium: check it with a speaker",
    "low": "low: probably wrong, take it as a hint only",
    "unknown": "not measured for this model",
    "remembered": "A person gave this translation.",
    "alternatives": "Other translations",
    "why": "Why this translation",
    "examples": "Most similar sentences that the model has seen",
    "likeness": "similar",
    "corrected": "correction",
    "no_examples": "No sentence that it has seen is like this one.",
    "entries": "Words found in the dictionary",
    "no_entries": "No word of the text was found in the dictionary.",
    "inexact": "similar form",
    "changes": "Changed after translating",
    "invented": "Words marked with ? stand in no text and in no dictionary that the model has seen. It may have "
    "invented them.",
    "invented_mark": "perhaps invented",
    "correct": "Correct this translation",
    "right": "The right translation",
    "by": "Your name (as you want to be named; may be empty)",
    "note": "Note (what was wrong, where you know it from; may be empty)",
    "access": "Who may see this correction",
    "public": "Everybody",
    "registered": "People with an account",
    "community": "The community",
    "restricted": "Only people with permission",
    "sealed": "Nobody: keep it locked away",
    "save": "Save the correction",
    "saved": "Saved. Thank you. From now on this is the translation of this text, and the next training learns "
    "from it.",
    "saved_hidden": "Saved. Thank you. It is kept, but not shown on this page, because not everybody who opens "
    "this page may see it.",
    "saved_later": "Saved. Thank you. The next training learns from it.",
    "not_trained": "This project trains only on what is “{level}” or more open, so the model will not learn from it.",
    "nothing_to_correct": "Translate a text first, then correct the translation.",
    "word": "Word, in either language",
    "word_hint": "Enter looks it up. Other spellings are found too.",
    "look_up": "Look up",
    "no_entry": "The dictionary has nothing for this word.",
    "example": "Example",
    "search": "Word or phrase in the texts",
    "search_hint": "Enter searches. * stands for any letters at the beginning or end of a word.",
    "tier": "Search in",
    "regex": "It is a regular expression",
    "find": "Search",
    "more": "More lines",
    "lines": "{count} lines",
    "lines_of": "{count} of {total} lines",
    "cut": "The search took too long and was cut short.",
    "no_line": "No line holds this.",
    "gloss": "Glosses",
    "morphemes": "Morphemes",
    "question": "Your question about the language",
    "question_hint": "Enter sends. The model may be wrong: check what it says.",
    "send": "Send",
    "no_question": "Write a question first.",
    "new_chat": "New conversation",
    "you": "You",
    "model": "Model",
    "measured": "How good it is",
    "measured_hint": "Measured on sentences that the model has never seen. chrF2 and BLEU: 0 is nothing right, "
    "100 is word for word what a person wrote. “low” and “high” are the limits within which the true value "
    "lies (95 %).",
    "not_measured": "It has not been measured yet.",
    "card": "About the model",
    "no_model": "There is no trained model here.",
}

SPANISH = {
    "intro": "Un traductor hecho con los textos de este proyecto. Se equivoca: si usted sabe más, corríjalo.",
    "translate": "Traducir",
    "dictionary": "Diccionario",
    "corpus": "Textos",
    "questions": "Preguntas",
    "about": "Acerca de",
    "direction": "De qué lengua a qué lengua",
    "text": "Texto",
    "text_hint": "Escriba o pegue un texto. Ctrl + Intro traduce.",
    "translation": "Traducción",
    "nothing": "Primero escriba un texto.",
    "confidence": "Seguridad",
    "high": "alta: las traducciones como esta suelen ser correctas",
    "medium": "media: revísela con un hablante",
    "low": "baja: probablemente está mal, tómela solo como pista",
    "unknown": "no se ha medido para este modelo",
    "remembered": "Esta traducción la dio una persona.",
    "alternatives": "Otras traducciones",
    "why": "Por qué esta traducción",
    "examples": "Las frases más parecidas que el modelo ha visto",
    "likeness": "parecida",
    "corrected": "corrección",
    "no_examples": "No ha visto ninguna frase parecida.",
    "entries": "Palabras halladas en el diccionario",
    "no_entries": "Ninguna palabra del texto está en el diccionario.",
    "inexact": "forma parecida",
    "changes": "Cambiado después de traducir",
    "invented": "Las palabras marcadas con ? no están en ningún texto ni diccionario que el modelo haya visto. "
    "Quizá las inventó.",
    "invented_mark": "quizá inventada",
    "correct": "Corregir esta traducción",
    "right": "La traducción correcta",
    "by": "Su nombre (como quiere que aparezca; puede quedar vacío)",
    "note": "Nota (qué estaba mal, de dónde lo sabe; puede quedar vacía)",
    "access": "Quién puede ver esta corrección",
    "public": "Todos",
    "registered": "Personas registradas",
    "community": "La comunidad",
    "restricted": "Solo personas con permiso",
    "sealed": "Nadie: guardarla bajo llave",
    "save": "Guardar la corrección",
    "saved": "Guardada. Gracias. Desde ahora esta es la traducción de este texto, y el próximo entrenamiento "
    "aprende de ella.",
    "saved_hidden": "Guardada. Gracias. Se conserva, pero no se muestra en esta página, porque no todos los que "
    "la abren pueden verla.",
    "saved_later": "Guardada. Gracias. El próximo entrenamiento aprende de ella.",
    "not_trained": "Este proyecto solo entrena con lo que es «{level}» o más abierto, así que el modelo no "
    "aprenderá de ella.",
    "nothing_to_correct": "Primero traduzca un texto y después corrija la traducción.",
    "word": "Palabra, en cualquiera de las dos lenguas",
    "word_hint": "Intro la busca. También encuentra otras formas de escribirla.",
    "look_up": "Buscar",
    "no_entry": "El diccionario no tiene nada sobre esta palabra.",
    "example": "Ejemplo",
    "search": "Palabra o frase en los textos",
    "search_hint": "Intro busca. * vale por cualquier letra al principio o al final de una palabra.",
    "tier": "Buscar en",
    "regex": "Es una expresión regular",
    "find": "Buscar",
    "more": "Más líneas",
    "lines": "{count} líneas",
    "lines_of": "{count} de {total} líneas",
    "cut": "La búsqueda tardó demasiado y se interrumpió.",
    "no_line": "Ninguna línea lo contiene.",
    "gloss": "Glosas",
    "morphemes": "Morfemas",
    "question": "Su pregunta sobre la lengua",
    "question_hint": "Intro la envía. El modelo puede equivocarse: compruebe lo que dice.",
    "send": "Enviar",
    "no_question": "Primero escriba una pregunta.",
    "new_chat": "Conversación nueva",
    "you": "Usted",
    "model": "Modelo",
    "measured": "Qué tan bueno es",
    "measured_hint": "Medido con frases que el modelo nunca ha visto. chrF2 y BLEU: 0 es nada correcto, 100 es "
    "palabra por palabra lo que escribió una persona. «low» y «high» son los límites entre los que está el "
    "valor real (95 %).",
    "not_measured": "Todavía no se ha medido.",
    "card": "Sobre el modelo",
    "no_model": "Aquí no hay ningún modelo entrenado.",
}

BUILT_IN = {"en": ENGLISH, "es": SPANISH}


def words_for(language: str, root: Path | None = None) -> dict[str, str]:
    """The words of the page in a language; in English where there are none.

    Args:
        language: a language tag; ``es-PE`` reads as ``es`` where there is nothing more exact.
        root: the project folder, which may hold ``words/TAG.yaml``.

    Raises:
        DataError: the file of the project is no list of words, or names one that the page does not have.
    """
    base = language.partition("-")[0].casefold()
    found = {**ENGLISH, **BUILT_IN.get(base, {})}
    for tag in dict.fromkeys((base, language)):
        path = root / "words" / f"{tag}.yaml" if root else None
        if path and path.is_file():
            found |= _read(path)
    return found


def known(language: str, root: Path) -> bool:
    """Whether there are words in a language."""
    base = language.partition("-")[0].casefold()
    return base in BUILT_IN or any((root / "words" / f"{tag}.yaml").is_file() for tag in (base, language))


def _read(path: Path) -> dict[str, str]:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        value = YAML(typ="safe").load(path.read_text(encoding="utf-8")) or {}
    except (OSError, ValueError, YAMLError) as error:
        raise DataError(f"{path}: cannot be read: {error}.", "It holds a name and its words on each line.") from error
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise DataError(f"{path}: not a list of words.", "Write a name and its words on each line: save: Save")
    if unknown := sorted(str(name) for name in value if name not in ENGLISH):
        raise DataError(f"{path}: the page has no words called {', '.join(unknown)}.", f"Known: {', '.join(ENGLISH)}.")
    return dict(value)
