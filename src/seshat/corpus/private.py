"""Measures of what belongs to a person: addresses, telephone numbers, numbers with check digits."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

import regex

from seshat.corpus.registry import View, measure

PRIVATE = ("emails", "phones", "identity_numbers")
"""A document with any of these is tagged ``pii:NAME``."""
_URL = regex.compile(r"(?:https?://|www\.)[^\s<>\"“”]+", regex.IGNORECASE)
_EMAIL = regex.compile(r"(?<![\p{L}\p{N}._%+-])[\p{L}\p{N}._%+-]++@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+")
_PHONE = regex.compile(r"(?<![\p{N}+])(?:\+|00)[1-9](?:[ ().-]?\p{N}){7,14}(?!\p{N})")
_NUMBER = regex.compile(r"(?<![\p{N}.,])\p{N}(?:[ -]?\p{N}){10,18}(?![\p{N}.,]\p{N})")
_IBAN = regex.compile(r"(?<![\p{L}\p{N}])[A-Z]{2}\p{N}{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?![\p{L}\p{N}])")


@measure
def urls(view: View) -> float:
    """Addresses on the web."""
    return len(_URL.findall(view.text)) if "://" in view.text or "www." in view.text.casefold() else 0


@measure
def emails(view: View) -> float:
    """Addresses of e-mail."""
    return len(_EMAIL.findall(view.text)) if "@" in view.text else 0


@measure
def phones(view: View) -> float:
    """Telephone numbers in international form (ITU-T E.164: a country code, at most 15 digits)."""
    return len(_PHONE.findall(view.text)) if view.classes[2] >= 8 else 0


@measure
def identity_numbers(view: View) -> float:
    """Numbers whose check digits are right: cards (Luhn), Aadhaar (Verhoeff, 12 digits), bank accounts (IBAN).

    Luhn: ISO/IEC 7812-1. Verhoeff 1969, "Error detecting decimal codes". IBAN: ISO 13616, modulus 97 of ISO 7064.
    """
    if view.classes[2] < 10:
        return 0
    found = sum(_is_iban(one) for one in _IBAN.findall(view.text))
    return found + sum(_is_identity(one) for one in _NUMBER.findall(view.text))


def _digits(text: str) -> list[int]:
    return [unicodedata.digit(one) for one in text if one.isdigit()]


def _is_identity(text: str) -> bool:
    number = _digits(text)
    if len(set(number)) < 3:
        return False
    return (len(number) == 12 and number[0] > 1 and verhoeff(number)) or (13 <= len(number) <= 19 and luhn(number))


def luhn(number: Sequence[int]) -> bool:
    """Whether the last digit is the check digit by Luhn."""
    doubled = (digit if place % 2 == 0 else digit * 2 - 9 * (digit > 4) for place, digit in enumerate(reversed(number)))
    return sum(doubled) % 10 == 0


def verhoeff(number: Sequence[int]) -> bool:
    """Whether the last digit is the check digit by Verhoeff: products in the dihedral group of order 10."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        for _ in range(place % 8):
            digit = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)[digit]
        check = _dihedral(check, digit)
    return check == 0


def _dihedral(a: int, b: int) -> int:
    if a < 5:
        return (a + b) % 5 if b < 5 else 5 + (a + b) % 5
    return 5 + (a - b) % 5 if b < 5 else (a - b) % 5


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    turned = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(one, 36)) for one in turned)) % 97 == 1
