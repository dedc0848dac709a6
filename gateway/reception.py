"""The session that a client gets who was let in: in the dialect that its path asks for.  Pure."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fsnats.binance.streams import Market
from fsnats.symbols import Listing
from gateway.admission.grants import Grant
from gateway.protocol.binance import BinanceSession
from gateway.protocol.native import NativeSession
from gateway.protocol.paths import BinancePath, NativePath, Path, Refusal


class Reception:
    """One gateway's.  `listings` are what its markets list now, `streams_max` the most streams of one client."""

    def __init__(self, markets: Sequence[Market], listings: Mapping[Market, Listing], streams_max: int) -> None:
        self._markets = markets
        self._listings = listings
        self._streams_max = streams_max

    @property
    def unready(self) -> str | None:
        """What is missing before anybody can be received."""
        missing = [market for market in self._markets if market not in self._listings]
        return f"no list of symbols yet for {', '.join(missing)}" if missing else None

    def session(self, path: Path, grant: Grant, identity: str) -> NativeSession | BinanceSession | Refusal:
        """A session that nothing was said in yet, or why there is none.  `identity` is a native client's."""
        forbidden = grant.why_not(path.market)
        if forbidden is not None:
            return Refusal(HTTPStatus.FORBIDDEN, forbidden)
        if self.unready is not None:
            # A greeting must say whether data is simulated, which the listing tells.
            return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, self.unready)
        match path:
            case NativePath():
                return NativeSession(
                    identity,
                    path.market,
                    self._markets,
                    self._listings,
                    path.envelope,
                    path.delivery,
                    self._streams_max,
                    grant,
                )
            case BinancePath():
                session = BinanceSession(
                    path.market,
                    path.combined,
                    path.streams,
                    self._listings,
                    path.silent,
                    grant,
                    self._streams_max,
                )
                forbidden = session.forbidden(path.streams)
                return session if forbidden is None else Refusal(HTTPStatus.FORBIDDEN, forbidden)
