"""The canonical form of JSON (RFC 8785, JCS), and what stands on it: signatures.

The numbers of RFC 8785 are doubles. A large integer has a canonical form only if it is written as its double
would be: 2**53 + 1 would read as 2**53 elsewhere, so a message that holds it cannot be signed.
"""

import hmac
import json
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Mapping
from hashlib import sha256
from math import isfinite
from typing import Any

from messages.errors import ErrorCode, Refused

SIGNATURE_VERSION = "v1"
_LARGEST_EXACT_INTEGER = 2**53 - 1
_FIRST_EXPONENT = 10**21
_quoted = json.encoder.encode_basestring


def canonical(value: Any) -> bytes:
    """The one form of a JSON value, in UTF-8.

    Raises:
        ValueError: NaN, infinities, integers that are no doubles, lone surrogates and other values have none.
    """
    try:
        return "".join(_parts(value)).encode("utf-8")
    except RecursionError:
        raise ValueError("nested too deep") from None


def sign(envelope: Mapping[str, Any], key_id: str, secret: bytes) -> str:
    """The value of `signature` for an envelope, which may hold an earlier one.

    Raises:
        ValueError: if the envelope has no canonical form.
    """
    return f"{SIGNATURE_VERSION}:{key_id}:{b64encode(_digest(envelope, secret)).decode('ascii')}"


def verify(envelope: Mapping[str, Any], secrets: Mapping[str, bytes]) -> str:
    """The id of the key that signed the envelope. Whether it is fresh and may send this is not asked.

    Raises:
        Refused: `unauthorized`: the signature is missing, of an unknown form or key, or of other content.
    """
    signature = envelope.get("signature")
    if not isinstance(signature, str):
        raise _unauthorized("the signature is missing")
    version, key_id, given = [*signature.split(":", 2), "", ""][:3]
    secret = secrets.get(key_id)
    if version != SIGNATURE_VERSION or secret is None:
        raise _unauthorized("the signature is of an unknown form or key")
    try:
        right = hmac.compare_digest(_digest(envelope, secret), b64decode(given, validate=True))
    except (ValueError, NotBase64):
        right = False
    if not right:
        raise _unauthorized("the signature is not of this content")
    return key_id


def _unauthorized(message: str) -> Refused:
    return Refused(ErrorCode.UNAUTHORIZED, message)


def _digest(envelope: Mapping[str, Any], secret: bytes) -> bytes:
    signed = {name: value for name, value in envelope.items() if name != "signature"}
    return hmac.digest(secret, canonical(signed), sha256)


def _parts(value: Any) -> list[str]:
    if isinstance(value, Mapping):
        return _object_parts(value)
    if isinstance(value, list | tuple):
        return _array_parts(value)
    return [_scalar(value)]


def _object_parts(value: Mapping[str, Any]) -> list[str]:
    parts = ["{"]
    for key in sorted(value, key=_utf16_order):
        parts.extend((_quoted(key), ":", *_parts(value[key]), ","))
    return [*parts[:-1], "}"] if len(parts) > 1 else ["{}"]


def _array_parts(value: list[Any] | tuple[Any, ...]) -> list[str]:
    parts = ["["]
    for item in value:
        parts.extend((*_parts(item), ","))
    return [*parts[:-1], "]"] if len(parts) > 1 else ["[]"]


def _utf16_order(key: Any) -> bytes:
    """RFC 8785 orders by UTF-16 code units; that of code points differs beyond U+FFFF."""
    if not isinstance(key, str):
        raise ValueError("the keys of a JSON object are texts")
    return key.encode("utf-16-be")


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, str):
        return _quoted(value)
    if isinstance(value, int):
        return _integer(int(value))
    if isinstance(value, float):
        return number(value)
    raise ValueError(f"not JSON: {type(value).__name__}")


def _integer(value: int) -> str:
    if abs(value) <= _LARGEST_EXACT_INTEGER:
        return str(value)
    if abs(value) < _FIRST_EXPONENT and number(float(value)) == str(value):
        return str(value)
    raise ValueError("an integer that is no double has no canonical form")


def number(value: float) -> str:
    """A double as ECMAScript writes it: the shortest digits that mean it, plain between 1e-6 and 1e21."""
    if not isfinite(value):
        raise ValueError("JSON has neither NaN nor infinities")
    if value == 0:
        return "0"
    sign_text = "-" if value < 0 else ""
    digits, point = _digits(abs(value))
    return sign_text + _plain_or_exponent(digits, point)


def _digits(value: float) -> tuple[str, int]:
    """The shortest digits of a positive number, and where its point stands: (`15`, -1) is 0.015."""
    mantissa, _, exponent = repr(value).partition("e")
    whole, _, fraction = mantissa.partition(".")
    text = whole + fraction
    digits = text.lstrip("0")
    point = len(whole) - (len(text) - len(digits)) + int(exponent or 0)
    return digits.rstrip("0"), point


def _plain_or_exponent(digits: str, point: int) -> str:
    if len(digits) <= point <= 21:
        return digits.ljust(point, "0")
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return f"0.{'0' * -point}{digits}"
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}e{point - 1:+d}"
