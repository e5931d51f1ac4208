"""Reading without a part in the writing: for queries, whose statements must all see the same moment."""

from store.transaction import Engine


def for_reading(engine: Engine) -> Engine:
    """The same pool of connections, for `transaction`: nothing can be written, and all statements of one
    transaction see the database as it was at the first. Such a transaction neither waits for rows that others
    have locked nor holds anybody up.
    """
    return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
