"""Typed reading of one table of a protocol file; every complaint names the file, the table and the field."""

from collections.abc import Iterable, Mapping
from datetime import date
from enum import StrEnum
from typing import TypeVar

Choice = TypeVar("Choice", bound=StrEnum)


class ProtocolError(Exception):
    """A protocol file breaks a rule. The message names the file, the table and the field."""


class Table:
    """One table of a protocol file. Fields are taken one by one; ``finish`` refuses what nobody asked for."""

    def __init__(self, fields: Mapping[str, object], where: str) -> None:
        self._fields = dict(fields)
        self.where = where

    def error(self, name: str, problem: str) -> ProtocolError:
        """The complaint about one field, to be raised."""
        return ProtocolError(f"{self.where}: {name}: {problem}")

    def has(self, name: str) -> bool:
        return name in self._fields

    def text(self, name: str) -> str:
        """A text that is not blank."""
        value = self._take(name)
        if not isinstance(value, str) or not value.strip():
            raise self.error(name, "must be a text")
        return value

    def optional_text(self, name: str) -> str | None:
        return self.text(name) if self.has(name) else None

    def choice(self, name: str, options: type[Choice]) -> Choice:
        """One of a closed vocabulary."""
        value = self.text(name)
        if value not in frozenset(options):  # `in` on the enumeration itself refuses plain texts before Python 3.12
            raise self.error(name, f"{value!r} is not one of {', '.join(options)}")
        return options(value)

    def one_of(self, name: str, options: Iterable[str]) -> str:
        """One of the given texts."""
        value, allowed = self.text(name), sorted(options)
        if value not in allowed:
            raise self.error(name, f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def integer(self, name: str, minimum: int = 0) -> int:
        """A whole number not below the minimum."""
        value = self._take(name)
        if isinstance(value, bool) or not isinstance(value, int) or value < minimum:
            raise self.error(name, f"must be a whole number, {minimum} or more")
        return value

    def day(self, name: str) -> date:
        value = self._take(name)
        if type(value) is not date:
            raise self.error(name, "must be a date")
        return value

    def table(self, name: str) -> "Table":
        """A table inside this one."""
        value = self._take(name)
        if not isinstance(value, dict):
            raise self.error(name, "must be a table")
        return Table(value, f"{self.where}: {name}")

    def named_tables(self, name: str) -> dict[str, "Table"]:
        """A table of tables: name -> table."""
        outer = self.table(name)
        return {key: outer.table(key) for key in list(outer._fields)}

    def tables(self, name: str, kind: str) -> list["Table"]:
        """A list of tables, each named by its unique code in later complaints."""
        value = self._take(name)
        if not isinstance(value, list) or not value or not all(isinstance(item, dict) for item in value):
            raise self.error(name, "must be a list of tables")
        found, codes = [], set()
        for number, item in enumerate(value, start=1):
            code = item.get("code")
            table = Table(item, f"{self.where}: {kind} {code if isinstance(code, str) else f'number {number}'}")
            if code in codes:
                raise table.error("code", "is used twice")
            codes.add(code)
            found.append(table)
        return found

    def finish(self) -> None:
        """ProtocolError if a field was never read: a misspelt field must not be silently without effect."""
        for name in self._fields:
            raise self.error(name, "is not a field of this table")

    def _take(self, name: str) -> object:
        if name not in self._fields:
            raise self.error(name, "is missing")
        return self._fields.pop(name)
