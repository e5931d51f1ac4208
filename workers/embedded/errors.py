"""What can go wrong with the embedded servers."""


class EmbeddedError(Exception):
    """Raised when an embedded server cannot run. The text says what is wrong, and what to do about it."""
