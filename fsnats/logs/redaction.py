"""Secrets taken out of what is logged: the last line of defence, behind code that does not log them.  Pure.

What the settings hold is known and taken out wherever it stands; what has the form of a secret (the user and password
of a URL, `token=…`, an Authorization field) is taken out whosever it is.
"""

import re
from collections.abc import Iterable
from typing import Any

from fsnats.logs.entries import HEAD, Entry

HIDDEN = "***"
CHARS_MIN = 4  # of a secret that is looked for everywhere: a shorter one would be found in every other word

_NAMES = (
    r"(?:(?:access_|api_?|auth_?|id_|refresh_|secret_)?token|(?:access_|api_?|auth_?|listen_?|private_|secret_?)keys?"
    r"|(?:ssl)?passw(?:or)?d|pwd|secret|signature|credentials?)"
)
_NAME = re.compile(rf"(?:{_NAMES}|(?:proxy-)?authorization|cookie)", re.IGNORECASE)
_FORMS = (
    # Up to the first slash, since streams are named after their "@".
    (re.compile(r"(?<=://)[^/?#\s\"'<>]*@"), f"{HIDDEN}@"),
    (
        re.compile(r"((?:proxy-)?authorization[\"']?\s*[:=]\s*[\"']?)(?:[a-z]+ +)?[^\s\"',}]+", re.IGNORECASE),
        rf"\1{HIDDEN}",
    ),
    (re.compile(r"\b(Bearer|bearer|Basic|Digest) +[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (re.compile(rf"(?<![\w-])({_NAMES}=)[^&\s\"'#,;)]+", re.IGNORECASE), rf"\1{HIDDEN}"),
    (re.compile(rf"([\"']{_NAMES}[\"']\s*:\s*)(?:\"[^\"]*\"|'[^']*')", re.IGNORECASE), rf'\1"{HIDDEN}"'),
)


class Redactor:
    """Takes out these secrets, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = sorted({each for each in secrets if len(each) >= CHARS_MIN}, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, known))) if known else None

    def text(self, text: str) -> str:
        """A text without secrets."""
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        for form, shown in _FORMS:
            text = form.sub(shown, text)
        return text

    def entry(self, entry: Entry) -> Entry:
        """An entry without secrets; its head but for the message is ours."""
        return {
            name: value if name in HEAD and name != "message" else self._field(name, value)
            for name, value in entry.items()
        }

    def _field(self, name: str, value: Any) -> Any:
        if isinstance(value, str):
            return HIDDEN if _is_secret(name) else self.text(value)
        if isinstance(value, dict):
            return {self.text(key): self._field(key, each) for key, each in value.items()}
        if isinstance(value, list):
            return [self._field(name, each) for each in value]
        return value


def _is_secret(name: str) -> bool:
    return _NAME.fullmatch(name) is not None
