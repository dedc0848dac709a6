"""Everything that feeds and REST look at, in one place."""

from workers.simulator.bars import Bars
from workers.simulator.book import Book
from workers.simulator.derived import Derived
from workers.simulator.exchange import Exchange
from workers.simulator.instruments import Instrument
from workers.simulator.issued import Issued
from workers.simulator.market import Model
from workers.simulator.windows import Windows


class World:
    """The exchange's listing and all that is computed from the model."""

    def __init__(self, exchange: Exchange, model: Model) -> None:
        self.exchange = exchange
        self.model = model
        self.bars = Bars(model)
        self.windows = Windows(model)
        self.derived = Derived(model, exchange)
        # What a load said, by stream type and instrument: its ids are not the model's.
        self.issued: dict[tuple[str, str], Issued] = {}
        self._books: dict[str, Book] = {}

    def book(self, instrument: Instrument) -> Book:
        """An instrument's book."""
        book = self._books.get(instrument.key)
        if book is None or book.instrument is not instrument:
            book = self._books[instrument.key] = Book(self.model, instrument)
        return book
