"""Several answers to one request, as JetStream sends them."""

import asyncio

import msgspec


class Answer(msgspec.Struct, frozen=True):
    """One of several.  `status` is the code of a status header ("204": that was all), else empty."""

    payload: bytes
    head: bytes = b""  # the NATS header with its version line
    status: str = ""


class Collection(msgspec.Struct, eq=False):
    """Answers on their way; `whole` is done with `most` of them or with the first one that has a status."""

    most: int
    whole: asyncio.Future[list[Answer]]
    answers: list[Answer] = []

    def take(self, answer: Answer) -> None:
        """One more came."""
        if self.whole.done():
            return
        self.answers.append(answer)
        if answer.status or len(self.answers) == self.most:
            self.whole.set_result(self.answers)
