"""Why a request over HTTP is not answered, in the form of RFC 9457.  Pure.

`{"type":"about:blank","title":…,"status":…,"detail":…,"code":…}`, the codes being those of the native dialect.
"""

import math
from http import HTTPStatus

import msgspec

CHALLENGE = {"www-authenticate": "Bearer"}  # goes with every 401
AGAIN = 1.0  # seconds after which it helps to ask again, where nobody knows better


class Problem(Exception):
    """Why there is no answer; `retry_after` is in seconds, `allow` names the methods that there are."""

    def __init__(
        self, status: int, detail: str, code: str = "", retry_after: float | None = None, allow: str = ""
    ) -> None:
        # A path may hold bytes that are no text; what is told is.
        super().__init__(detail.encode(errors="surrogateescape").decode(errors="replace"))
        self.allow = allow
        self.status = status
        self.code = code
        self.retry_after = retry_after

    @property
    def body(self) -> bytes:
        """The problem as it is sent."""
        told = {"type": "about:blank", "title": HTTPStatus(self.status).phrase, "status": self.status}
        more = {"detail": str(self)} | ({"code": self.code} if self.code else {})
        return msgspec.json.encode({**told, **more})

    @property
    def fields(self) -> dict[str, str]:
        """The header fields that go with it."""
        fields = {"content-type": "application/problem+json"} | ({"allow": self.allow} if self.allow else {})
        if self.status == HTTPStatus.UNAUTHORIZED:
            fields |= CHALLENGE
        if self.retry_after is not None:
            fields["retry-after"] = str(max(1, math.ceil(self.retry_after)))
        return fields
