"""Personal data in text columns, found by form and checked by arithmetic where the form has a check digit.

Chinese ID numbers must have a valid date and checksum (GB 11643), bank cards a valid Luhn digit, so that
order numbers, dates and prices stay. Digits of any width are seen.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from ipaddress import AddressValueError, IPv6Address

import polars as pl

_SUSPECT = r"@|\d[\d .()\-]{5,}[\dXx]|[0-9A-Fa-f]:[0-9A-Fa-f:]*:"

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]+@(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}")
_ID = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"(?![0-9A-Za-z])"
)
# Mastercard (from 22), American Express and JCB (3), Visa (4), Maestro (5, 6), UnionPay and Discover (6).
_CARD = re.compile(r"(?<![A-Za-z\d_.-])(?:2[2-7]|[3-6]\d)\d\d(?:[ -]?\d{4}){2,3}[ -]?\d{1,7}(?![A-Za-z\d_-])")
_PHONE = re.compile(
    r"""
    (?<!\d)(?<!\d[.-])(?:
        (?:\+?86[ -]?)?1[3-9]\d(?:\d{8}|[ -]\d{4}[ -]\d{4})         # Chinese mobile
      | (?:\(0\d{2,3}\)[ ]?|0\d{2,3}[ -])[2-8]\d{6,7}(?:-\d{1,5})?  # Chinese landline
      | \+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}                       # international
      | (?:\(\d{3}\)[ ]?|\d{3}[ .-])\d{3}[.-]\d{4}                  # North America
    )(?![A-Za-z\d])(?!\.\d)
    """,
    re.VERBOSE,
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP4 = re.compile(rf"(?<![A-Za-z\d_.])(?:{_OCTET}\.){{3}}{_OCTET}(?![A-Za-z\d_]|\.\d)")
_IP6 = re.compile(r"(?<![A-Za-z\d_:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![A-Za-z\d_:])")

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


def mask(texts: pl.Series) -> tuple[pl.Series, Counter[str]]:
    """Texts with personal data masked, and how many of each kind."""
    counts: Counter[str] = Counter()
    suspects = texts.str.contains(_SUSPECT).fill_null(False).arg_true()
    if suspects.is_empty():
        return texts, counts
    masked = [_mask(text, counts) for text in texts.gather(suspects).to_list()]
    return texts.scatter(suspects, pl.Series(masked, dtype=pl.String)), counts


def _mask(text: str, counts: Counter[str]) -> str:
    for kind, pattern, is_real in _KINDS:

        def replace(match: re.Match[str], kind: str = kind, real: _Check = is_real) -> str:
            if not real(match[0]):
                return match[0]
            counts[kind] += 1
            return f"[{kind}]"

        text = pattern.sub(replace, text)
    return text


def is_id(number: str) -> bool:
    """Whether the last character of a Chinese ID number is its checksum."""
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], _ID_WEIGHTS, strict=True))
    return _ID_CHECKS[total % 11] == number[17].upper()


def is_card(number: str) -> bool:
    """Whether 13 to 19 digits, with spaces or hyphens, pass Luhn's test."""
    digits = [int(character) for character in number if character.isdigit()]
    doubled = [digit * 2 - 9 * (digit > 4) for digit in digits[-2::-2]]
    return 13 <= len(digits) <= 19 and (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_phone(number: str) -> bool:
    """Whether there are as many digits as phone numbers have (E.164: at most 15)."""
    return 8 <= sum(character.isdigit() for character in number) <= 15


def is_ip6(address: str) -> bool:
    """Whether this is an IPv6 address and not a time of day or a name with colons."""
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return len(address) >= 6 and any(character.isdigit() for character in address)


_Check = Callable[[str], bool]
_KINDS: tuple[tuple[str, re.Pattern[str], _Check], ...] = (
    ("EMAIL", _EMAIL, bool),
    ("ID", _ID, is_id),
    ("CARD", _CARD, is_card),
    ("IP", _IP4, bool),
    ("IP", _IP6, is_ip6),
    ("PHONE", _PHONE, is_phone),
)
