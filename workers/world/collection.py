"""Values by id, that can be changed, looked up by other keys, and put back as they were."""

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from messages.fields import Id

T = TypeVar("T")
_MISSING = object()


class Journal:
    """What dictionaries held before each change, so that one command's changes can be taken back."""

    def __init__(self) -> None:
        self._entries: list[tuple[dict[Any, Any], Any, Any]] = []

    def set(self, target: dict[Any, Any], key: Any, value: Any) -> None:
        """`target[key] = value`, remembered."""
        self._entries.append((target, key, target.get(key, _MISSING)))
        target[key] = value

    def drop(self, target: dict[Any, Any], key: Any) -> None:
        """`del target[key]`, remembered; nothing if there is no such key."""
        if key in target:
            self._entries.append((target, key, target.pop(key)))

    def mark(self) -> int:
        """The place to go back to."""
        return len(self._entries)

    def rewind(self, mark: int) -> None:
        """Takes back every change since the mark."""
        while len(self._entries) > mark:
            target, key, value = self._entries.pop()
            if value is _MISSING:
                target.pop(key, None)
            else:
                target[key] = value


@dataclass(frozen=True, slots=True)
class Changed(Generic[T]):
    """What became of a collection: to be inserted, to be updated (old, new), and ids to be deleted first."""

    inserted: list[T]
    updated: list[tuple[T, T]]
    deleted: list[Id]


def _no_keys(_value: Any) -> Iterable[Hashable]:
    return ()


class Collection(Generic[T]):
    """Values by their `id`. `keys` names the other keys under which a value can be found."""

    def __init__(self, journal: Journal, keys: Callable[[T], Iterable[Hashable]] = _no_keys) -> None:
        self._journal, self._keys = journal, keys
        # By the number of the id: a UUID computes its hash anew at each look, in Python.
        self._rows: dict[int, T] = {}
        self._loaded: dict[int, T] = {}
        self._index: dict[Hashable, int] = {}
        self._removed: dict[int, Id] = {}

    def load(self, values: Iterable[T]) -> None:
        """Values as the database has them."""
        for value in values:
            ident = value.id.int  # type: ignore[attr-defined]
            self._rows[ident] = self._loaded[ident] = value
            for key in self._keys(value):
                self._index[key] = ident

    def get(self, ident: Id | None) -> T | None:
        """The value with this id."""
        return None if ident is None else self._rows.get(ident.int)

    def by(self, *key: Hashable) -> T | None:
        """The value with this other key."""
        ident = self._index.get(key)
        return None if ident is None else self._rows.get(ident)

    def put(self, value: T) -> T:
        """Adds a value, or replaces the one with its id."""
        ident = value.id.int  # type: ignore[attr-defined]
        self._journal.set(self._rows, ident, value)
        for key in self._keys(value):
            if self._index.get(key) != ident:
                self._journal.set(self._index, key, ident)
        return value

    def remove(self, ident: Id) -> None:
        """Takes the value out."""
        number = ident.int
        value = self._rows.get(number)
        if value is None:
            return
        self._journal.drop(self._rows, number)
        self._journal.set(self._removed, number, ident)
        for key in self._keys(value):
            if self._index.get(key) == number:
                self._journal.drop(self._index, key)

    def __iter__(self) -> Iterator[T]:
        return iter(list(self._rows.values()))

    def __len__(self) -> int:
        return len(self._rows)

    def changes(self) -> Changed[T]:
        """What differs from what was loaded."""
        inserted, updated = [], []
        for ident, value in self._rows.items():
            old = self._loaded.get(ident)
            if old is None or ident in self._removed:
                inserted.append(value)
            elif old is not value:
                updated.append((old, value))
        return Changed(
            inserted, updated, [ident for number, ident in self._removed.items() if number in self._loaded]
        )
