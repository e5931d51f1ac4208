"""What can go wrong with the demo itself."""


class DemoFailed(Exception):
    """Raised when the demo cannot go on. The text says why."""
