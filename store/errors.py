"""The errors of this package."""


class StoreError(Exception):
    """Base of the errors of this package. `sqlstate` is PostgreSQL's code, where it has given one."""

    sqlstate: str = ""


class SchemaMismatch(StoreError):
    """Raised when the database's schema is not the one that this version works with."""


class StoreUnavailable(StoreError):
    """Raised when the database cannot be reached, or broke off: nothing is known to have been committed."""


class Raced(StoreError):
    """Raised when another transaction was first (a lock order, a unique key): the whole batch can be tried again."""


class Unstorable(StoreError):
    """Raised when the database refuses what it was given, for a reason that trying again does not mend."""


class TookTooLong(Unstorable):
    """Raised when the database cancelled a statement: it took longer than its timeout, or an operator ended it."""
