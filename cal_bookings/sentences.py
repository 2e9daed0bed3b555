"""Sentences for people, stored as codes and parameters and shown in the language of each reader."""

from collections.abc import Mapping
from typing import Any, Self

from django.db import models
from django.utils import translation
from django.utils.functional import Promise, lazystr

#: The suffix that makes the name of a text column that of the column with its codes and parameters.
SUFFIX = "_sentences"


class Sentence(models.TextChoices):
    """The base of the tables of sentences: a member's value is a code, its label a text with ``%(named)s`` parameters.

    Rows hold codes, so a code is unique in the package and means the same in every release. Calling a member with the
    parameters of its text returns a `Message`.
    """

    def __call__(self, **parameters: Any) -> "Message":
        return Message([(self, parameters)])


class Message:
    """Sentences with their parameters. `str` writes them in the active language.

    A parameter is a string (lazy or not), a number, or another message. Messages are added with ``+``; an empty message
    is false.
    """

    __slots__ = ("_sentences",)

    def __init__(
        self, sentences: list[tuple[Sentence, Mapping[str, Any]]] | None = None
    ) -> None:
        self._sentences = tuple(sentences or ())

    def __add__(self, other: "Message") -> "Message":
        return Message([*self._sentences, *other._sentences])

    def __bool__(self) -> bool:
        return bool(self._sentences)

    def __str__(self) -> str:
        return " ".join(
            str(sentence.label % parameters) for sentence, parameters in self._sentences
        )

    @property
    def english(self) -> str:
        """The English text, for logs and for the text columns beside the codes."""
        with translation.override(None):
            return str(self)

    @property
    def lazy(self) -> Any:
        """The message as a lazy string, which is translated for each reader."""
        return lazystr(self)

    def dump(self) -> list[Any]:
        """Return the value for a JSON column: a code and its parameters for each sentence."""
        return [
            [
                str(sentence.value),
                {name: _dumped(parameters[name]) for name in parameters},
            ]
            for sentence, parameters in self._sentences
        ]

    @classmethod
    def load(cls, stored: Any) -> Self:
        """Return the message that `dump` wrote. Raises ValueError for a code or a shape unknown to this release."""
        if not isinstance(stored, list):
            raise ValueError("not a list of sentences")  # noqa: TRY004 - one error for whatever a row holds
        sentences: list[tuple[Sentence, Mapping[str, Any]]] = []
        for entry in stored:
            match entry:
                case [str(code), dict(parameters)]:
                    loaded = {name: _loaded(parameters[name]) for name in parameters}
                    sentences.append((_sentence(code), loaded))
                case _:
                    raise ValueError("not a code with parameters")
        return cls(sentences)


def english(message: Message | str) -> str:
    """Return the English text, for logs."""
    return message.english if isinstance(message, Message) else message


def columns(name: str, message: Message | str) -> dict[str, Any]:
    """Return the values of a text column and of its column of sentences.

    The text is the English one. A plain string, such as the words of another program, has no codes.
    """
    if isinstance(message, Message):
        return {name: message.english, name + SUFFIX: message.dump() or None}
    return {name: message, name + SUFFIX: None}


def write(row: models.Model, name: str, message: Message | str) -> None:
    """Set a row's text column and its column of sentences. Saves nothing."""
    for column, value in columns(name, message).items():
        setattr(row, column, value)


def read(row: models.Model, name: str) -> Message | str:
    """Return the message of a row's text column, or the plain text if no codes belong to it.

    A row of an earlier release has no codes. Codes do not count if another text was written after them.
    """
    text: str = getattr(row, name)
    try:
        message = Message.load(getattr(row, name + SUFFIX))
        return message if message.english == text else text
    except (KeyError, TypeError, ValueError):
        return text


def shown(row: models.Model, name: str) -> str:
    """Return a row's text column in the active language; in English if the translation cannot be formatted."""
    try:
        return str(read(row, name))
    except (KeyError, TypeError, ValueError):
        return str(getattr(row, name))


def _sentence(code: str) -> Sentence:
    for table in Sentence.__subclasses__():
        if code in table:
            return table(code)
    raise ValueError(code)


def _dumped(parameter: Any) -> Any:
    if isinstance(parameter, Promise):  # a lazy string, whose reader is not known yet
        with translation.override(None):
            return str(parameter)
    return parameter.dump() if isinstance(parameter, Message) else parameter


def _loaded(parameter: Any) -> Any:
    return Message.load(parameter) if isinstance(parameter, list) else parameter
