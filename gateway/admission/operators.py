"""Who may read what programs log: operators, by a token or, where there are none, from this machine.  Pure."""

from ipaddress import ip_address
from typing import Literal

from gateway.admission.addresses import Proxies
from gateway.admission.door import Headers
from gateway.admission.grants import Grant

Rule = Literal["local", "all", "off"]

# Who passes on somebody else's request says so in one of these.
_PASSED_ON = ("X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Forwarded-Host", "X-Forwarded-Proto", "Via")
_SETTING = "FSNATS_GATEWAY_LOGS"


def why_not(rule: Rule, grant: Grant, peer: str, headers: Headers, proxies: Proxies) -> str | None:
    """Why logs may not be read, None where they may; `peer` is the other end of the connection."""
    if rule == "off":
        return f"logs are not shown here ({_SETTING} is off)"
    if grant.name:
        return None if grant.logs else "this token may not read logs; its entry in the tokens file needs logs = true"
    if rule == "all":
        return None
    reason = _why_not_local(peer, headers, proxies)
    if reason is None:
        return None
    return f"logs are shown to programs of the gateway's machine only, and {reason}; {_SETTING} and tokens allow more"


def _why_not_local(peer: str, headers: Headers, proxies: Proxies) -> str | None:
    if not proxies.trusts(peer) and any(headers.get_all(name) for name in _PASSED_ON):
        return "this request came by way of a proxy"
    address = proxies.client(peer, headers.get_all("X-Forwarded-For"))
    if not _is_loopback(address):
        return f"{address} is none"
    # A page may have any browser ask: one of another origin says so, one whose name was made to lead here by its name.
    if any(host.lower() != "localhost" and not _is_loopback(host) for host in map(_host, headers.get_all("Host"))):
        return "it was asked for by another name than localhost or 127.0.0.1"
    own = {f"{scheme}://{host.lower()}" for host in headers.get_all("Host") for scheme in ("http", "https")}
    strange = [origin for origin in headers.get_all("Origin") if origin.lower() not in own]
    if strange or "cross-site" in headers.get_all("Sec-Fetch-Site"):
        return "this is a page of another origin"
    return None


def _host(field: str) -> str:
    """The host of a Host field."""
    if field.startswith("["):
        return field[1:].partition("]")[0]
    return field.partition(":")[0]


def _is_loopback(address: str) -> bool:
    try:
        read = ip_address(address)
    except ValueError:
        return False
    return (getattr(read, "ipv4_mapped", None) or read).is_loopback
