"""Passwords: Argon2id, at least twelve characters, none of the common ones."""

from __future__ import annotations

import argon2

from twin.errors import AccessDenied

MIN_LENGTH = 12
MAX_LENGTH = 256

#: Lower-case stems; a password made of these, digits and punctuation alone is guessed first.
COMMON_STEMS = (
    "password", "passw0rd", "qwertyuiop", "qwerty", "asdfghjkl", "asdfgh", "zxcvbnm", "letmein", "welcome", "admin",
    "administrator", "iloveyou", "monkey", "dragon", "football", "baseball", "sunshine", "princess", "master", "login",
    "superman", "batman", "trustno", "changeme", "default", "secret", "abcdefghijkl", "abcdef", "abc", "woaini",
    "parktwin", "root", "guest", "test", "user", "p@ssword", "p@ssw0rd", "1q2w3e4r5t6y", "1q2w3e4r", "1qaz2wsx3edc",
    "1qaz2wsx", "qazwsxedc", "qazwsx", "iloveyou", "correcthorsebatterystaple", "mima", "mimamima",
)

_hasher = argon2.PasswordHasher()
#: Verified against when the account does not exist, so that both answers take as long.
_NOBODY = _hasher.hash("nobody has this password")


def check_strength(password: str, user: str = "") -> None:
    """Refuses what is short, common, one sign repeated, a run of digits, or the person's own name.

    Raises:
        AccessDenied: saying what is wrong with it.
    """
    if len(password) < MIN_LENGTH:
        raise AccessDenied(f"the password has {len(password)} characters", mend=f"use at least {MIN_LENGTH}")
    if len(password) > MAX_LENGTH:
        raise AccessDenied("the password is too long", mend=f"use at most {MAX_LENGTH} characters")
    rest = password.lower()
    for stem in sorted({*COMMON_STEMS, user.lower()} - {""}, key=len, reverse=True):
        rest = rest.replace(stem, "")
    letters = {sign for sign in rest if sign.isalpha()}
    if len(letters) < 2 or len(set(password)) < 5:
        raise AccessDenied("the password is one of the common ones",
                           mend="use a sentence of your own, or let a password manager choose")


def hash_password(password: str) -> str:
    """The Argon2id hash to store."""
    return _hasher.hash(password)


def is_right(stored: str | None, password: str) -> bool:
    """Whether the password fits the stored hash; takes as long when there is no such account."""
    try:
        _hasher.verify(stored or _NOBODY, password[:MAX_LENGTH])
    except (argon2.exceptions.VerificationError, argon2.exceptions.InvalidHashError):
        return False
    return stored is not None
