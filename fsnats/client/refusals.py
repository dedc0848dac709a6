"""What a server says that refuses a handshake, and whether another try may help; and what is wrong with its URL."""

from websockets.exceptions import InvalidStatus, InvalidURI

from fsnats.client.conversation import Forbidden, Rejected
from fsnats.errors import Unusable
from fsnats.exits.verdicts import asked_to_wait

# Of HTTP statuses: not without another token; perhaps later; every other one of 400 to 499 is final.
_FORBIDDEN = frozenset({401, 403})
_PASSING = frozenset({408, 425, 429})


def passing(refusal: InvalidStatus) -> str:
    """Why a gateway refuses for now.  Raises Forbidden or Rejected where it is for good."""
    status, text = refusal.response.status_code, text_of(refusal)
    if status in _FORBIDDEN:
        raise Forbidden(f"the gateway answers {status}: {text}") from None
    if 400 <= status < 500 and status not in _PASSING:
        raise Rejected(str(status), f"the gateway refuses: {text}") from None
    return f"the gateway answers {status}: {text}"


def text_of(refusal: InvalidStatus) -> str:
    """The sentence in it."""
    return (refusal.response.body or b"").decode(errors="replace")[:200].strip()


def seconds_of(refusal: InvalidStatus) -> float:
    """For how long it asks to stay away; 0 where it does not say."""
    return asked_to_wait(refusal.response.headers.get_all("Retry-After")) or 0.0


def unusable(wrong: InvalidURI, shown: str) -> Unusable:
    """What is wrong with a URL, `shown` without what may be a secret in it.  Raise it `from None`: `wrong` has all."""
    return Unusable(f"'{shown}': {wrong.msg}")
