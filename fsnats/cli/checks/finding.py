"""What a check found, and how a failure travels."""

from enum import StrEnum

import msgspec


class Mark(StrEnum):
    """The verdict on one stage."""

    GOOD = "✓"
    BAD = "✗"
    NOTE = "!"  # worth knowing; nothing fails of it
    UNTRIED = "-"


class Finding(msgspec.Struct, frozen=True):
    """One line: the verdict on one stage of one subject, and what to do about it."""

    mark: Mark
    subject: str
    stage: str
    words: str
    advice: str = ""


class Trouble(Exception):
    """A stage failed, so the ones behind it cannot be tried."""

    def __init__(self, stage: str, words: str, advice: str = "") -> None:
        super().__init__(f"{stage}: {words}")
        self.stage = stage
        self.words = words
        self.advice = advice


class Section:
    """The findings about one subject, in order."""

    def __init__(self, subject: str) -> None:
        self.subject = subject
        self.findings: list[Finding] = []

    def good(self, stage: str, words: str) -> None:
        """A stage works."""
        self._add(Mark.GOOD, stage, words)

    def note(self, stage: str, words: str, advice: str = "") -> None:
        """A stage works, with something worth knowing."""
        self._add(Mark.NOTE, stage, words, advice)

    def untried(self, stage: str, words: str) -> None:
        """A stage could not be tried, which says nothing about it."""
        self._add(Mark.UNTRIED, stage, words)

    def bad(self, trouble: Trouble) -> None:
        """A stage failed."""
        self._add(Mark.BAD, trouble.stage, trouble.words, trouble.advice)

    @property
    def failed(self) -> bool:
        """Whether any stage did."""
        return any(finding.mark is Mark.BAD for finding in self.findings)

    def _add(self, mark: Mark, stage: str, words: str, advice: str = "") -> None:
        self.findings.append(Finding(mark, self.subject, stage, words, advice))
