"""The parts that every language fills in.

All phrases stand in the case in which they are used: subjects in the nominative singular (groups are collective nouns,
"a flock of sheep"), places and times as whole prepositional phrases. The code only picks and orders them.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

__all__ = ["Language", "Noun", "Other", "Parts", "Place", "capital"]


class Noun(NamedTuple):
    """A subject: article (with measure word), noun with `{}` for the colour, form of the colour, verb of place."""

    article: str
    noun: str
    form: str
    verb: str


class Place(NamedTuple):
    """A setting: where things stand, what they fly over, where they float, and its bare name."""

    at: str
    over: str
    name: str
    water: str = ""
    wall: str = ""


class Other(NamedTuple):
    """A further subject and where it is seen: near, below, sky or wall."""

    where: str
    phrase: str


@dataclass(frozen=True)
class Parts:
    """The pieces of one caption in one language; `time` may be empty."""

    subject: str
    verb: str
    place: str
    time: str
    others: tuple[Other, ...]


class Language(ABC):
    """The tables and sentence patterns of one language."""

    code: ClassVar[str]
    nouns: ClassVar[dict[str, Noun]]
    places: ClassVar[dict[str, Place]]
    times: ClassVar[dict[str, tuple[str, str]]]  # name -> (phrase in a sentence, keyword)
    comma: ClassVar[str] = ", "  # between keywords
    pause: ClassVar[str] = ", "  # between the first of a listing
    joint: ClassVar[str]  # before the last of a listing

    @abstractmethod
    def colour(self, name: str, form: str) -> str:
        """The adjective of a colour in the form a noun asks for."""

    @abstractmethod
    def sentence(self, parts: Parts) -> str:
        """A full sentence."""

    @abstractmethod
    def short(self, subjects: list[str], place: str) -> str:
        """A phrase without verb or time."""

    def listing(self, phrases: list[str]) -> str:
        """A, B and C."""
        *first, last = phrases
        return f"{self.pause.join(first)}{self.joint}{last}" if first else last

    def grouped(self, others: tuple[Other, ...]) -> list[tuple[str, str]]:
        """The further subjects as one listing for each place, in order of first mention."""
        places = dict.fromkeys(o.where for o in others)
        return [(where, self.listing([o.phrase for o in others if o.where == where])) for where in places]

    def phrase(self, kind: str, colour: str | None) -> str:
        """A subject with its article: "a red car"."""
        return self._join(self.nouns[kind].article, self.bare(kind, colour))

    def bare(self, kind: str, colour: str | None) -> str:
        """A subject without its article: "red car"."""
        noun = self.nouns[kind]
        return " ".join(noun.noun.format(self.colour(colour, noun.form) if colour else "").split())

    def _join(self, article: str, noun: str) -> str:
        return f"{article} {noun}".strip()


def capital(text: str) -> str:
    """The text with its first letter in upper case, the rest as it was."""
    return text[:1].upper() + text[1:]
