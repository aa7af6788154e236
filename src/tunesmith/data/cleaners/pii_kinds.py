"""What personal data looks like: a form for each kind, and arithmetic where the form has a check digit.

Chinese ID numbers must have a valid date and checksum (GB 11643), bank cards a valid Luhn digit, old wallet
addresses their double hash, so that order numbers, dates and prices stay. Digits of any width are seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from ipaddress import AddressValueError, IPv4Address, IPv6Address
from typing import Literal

Kind = Literal["email", "phone", "id", "card", "ip", "key", "wallet"]

_KEY = re.compile(
    r"""
    -----BEGIN[ ](?:[A-Z]+[ ])*PRIVATE[ ]KEY-----
        (?:(?!-----BEGIN).)*?-----END[ ](?:[A-Z]+[ ])*PRIVATE[ ]KEY-----
    | (?<![A-Za-z0-9_-])(?:
        sk-(?=[A-Za-z_-]*\d)[A-Za-z0-9_-]{20,}                # OpenAI, Anthropic, DeepSeek and kin
      | [sprw]k_(?:live|test)_[A-Za-z0-9]{16,}                # Stripe
      | gh[opsur]_[A-Za-z0-9]{30,} | github_pat_\w{22,} | glpat-[\w-]{20,}
      | (?:AKIA|ASIA)[0-9A-Z]{16}                             # Amazon
      | LTAI[A-Za-z0-9]{12,24} | AKID[A-Za-z0-9]{28,36}       # Alibaba, Tencent
      | AIza[\w-]{35} | hf_[A-Za-z0-9]{30,} | xox[abeprs]-[A-Za-z0-9-]{10,}
      | eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}                # JSON web token
    )(?![A-Za-z0-9_-])
    """,
    re.VERBOSE | re.DOTALL | re.ASCII,
)
# What looks like a call (`a@b.transpose()`) is code. Of a run of such characters only the first begins a name
# of any length (RFC 5321 allows 64): otherwise the time for a long line would grow with its square.
_EMAIL = re.compile(
    r"(?:(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]+|[A-Za-z0-9._%+-]{1,64})@"
    r"(?:[A-Za-z0-9-]+\.)+[A-Za-z]{2,}(?![A-Za-z(])"
)
_ID = re.compile(
    r"(?<![0-9A-Za-z])[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]"
    r"(?![0-9A-Za-z])"
)
# Mastercard (from 22), American Express and JCB (3), Visa (4), Maestro (5, 6), UnionPay and Discover (6).
_CARD = re.compile(r"(?<![A-Za-z\d_.-])(?:2[2-7]|[3-6]\d)\d\d(?:[ -]?\d{4}){2,3}[ -]?\d{1,7}(?![A-Za-z\d_-])")
_PHONE = re.compile(
    r"""
    (?=[\d+(])(?<!\d)(?<!\d[.-])(?:
        (?:(?:\+|00)?86[ -]?)?1[3-9]\d(?:\d{8}|[ -]\d{4}[ -]\d{4})  # Chinese mobile
      | (?:\(0\d{2,3}\)[ ]?|0\d{2,3}[ -])[2-8]\d{6,7}(?:-\d{1,5})?  # Chinese landline
      | \+\d{1,3}(?:[ .-]?\(?\d{1,4}\)?){2,5}                     # international
      | (?:1[ .-])?(?:\([2-9]\d{2}\)[ ]?|[2-9]\d{2}[ .-])[2-9]\d{2}[.-]\d{4}  # North America
      | 0[1-9]\d{9}                                                 # eleven digits, as in the United Kingdom
      | \(?0(?:7\d{3}|[389]\d{2})\)?[ -]\d{3}[ -]?\d{3,4}           # and with spaces
      | \(?0(?:1\d{2,3}|2\d)\)?[ -]\d{3,4}[ -]?\d{3,4}
    )(?![A-Za-z\d])(?!\.\d)
    """,
    re.VERBOSE,
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP4 = re.compile(rf"(?<![A-Za-z\d_.])(?:{_OCTET}\.){{3}}{_OCTET}(?![A-Za-z\d_]|\.\d)")
_IP6 = re.compile(r"(?<![A-Za-z\d_:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![A-Za-z\d_:])")

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_WALLET = re.compile(
    rf"(?<![0-9A-Za-z])(?:0x[0-9a-fA-F]{{40}}|bc1[02-9ac-hj-np-z]{{39,59}}|[13T][{_BASE58}]{{25,34}})(?![0-9A-Za-z])"
)

_ID_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_ID_CHECKS = "10X98765432"


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


def is_ip4(address: str) -> bool:
    """Whether this is an IPv4 address of a machine, and no number of a version or a section.

    Those have one digit in each place. The loopback and the unspecified address are nobody's.
    """
    machine = IPv4Address(".".join(str(int(octet)) for octet in address.split(".")))
    return len(address) > len("1.2.3.4") and not machine.is_loopback and not machine.is_unspecified


def is_ip6(address: str) -> bool:
    """Whether this is an IPv6 address and not a time of day or a name with colons."""
    try:
        IPv6Address(address)
    except AddressValueError:
        return False
    return len(address) >= 6 and any(character.isdigit() for character in address)


def is_wallet(address: str) -> bool:
    """Whether a base-58 address ends with the hash of the rest; forms with a prefix of their own are."""
    if address.startswith(("0x", "bc1")):
        return True
    number = 0
    for character in address:
        number = number * 58 + _BASE58.index(character)
    content = number.to_bytes(26, "big")[-25:] if number < 1 << 200 else b""
    return sha256(sha256(content[:-4]).digest()).digest()[:4] == content[-4:] and bool(content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """One form of a kind: a cheap pattern that finds lines with it, the exact one, and what it must pass."""

    kind: Kind
    suspect: str
    pattern: re.Pattern[str]
    is_real: Callable[[str], bool] = bool
    is_long: bool = False
    """Whether it may go over the end of a line."""


_DIGIT = r"[0-9\x{ff10}-\x{ff19}]"

FORMS: tuple[Form, ...] = (
    Form(
        kind="key",
        suspect=(
            r"PRIVATE KEY|sk-|[sprw]k_(?:live|test)_|gh[opsur]_|github_pat_|glpat-|AKI[AD]|ASIA|LTAI|AIza"
            r"|hf_|xox|eyJ"
        ),
        pattern=_KEY,
        is_long=True,
    ),
    Form(kind="email", suspect=r"[A-Za-z0-9._%+-]@[A-Za-z0-9]", pattern=_EMAIL),
    Form(
        kind="wallet",
        suspect=r"0x[0-9a-fA-F]{40}|bc1|[13T][1-9A-Za-z]{25}",
        pattern=_WALLET,
        is_real=is_wallet,
    ),
    Form(kind="id", suspect=rf"{_DIGIT}{{17}}[0-9\x{{ff10}}-\x{{ff19}}Xx]", pattern=_ID, is_real=is_id),
    Form(kind="card", suspect=rf"{_DIGIT}{{4}}(?:[ -]?{_DIGIT}{{4}}){{2}}", pattern=_CARD, is_real=is_card),
    Form(kind="ip", suspect=rf"{_DIGIT}\.{_DIGIT}+\.{_DIGIT}+\.{_DIGIT}", pattern=_IP4, is_real=is_ip4),
    Form(kind="ip", suspect=r"[0-9A-Fa-f]:[0-9A-Fa-f:]*:|::", pattern=_IP6, is_real=is_ip6),
    Form(
        kind="phone",
        suspect=(
            rf"\+{_DIGIT}[0-9\x{{ff10}}-\x{{ff19}} .()\-]{{6}}|{_DIGIT}{{11}}"
            rf"|0{_DIGIT}{{2,4}}[ )\-]{{1,2}}{_DIGIT}{{3}}"
            rf"|{_DIGIT}{{3}}[ .)\-]{{1,2}}{_DIGIT}{{3,4}}[ .\-]{_DIGIT}{{4}}"
        ),
        pattern=_PHONE,
        is_real=is_phone,
    ),
)
"""In the order in which they are looked for: what is more certain first."""
