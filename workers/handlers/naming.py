"""Names for runs that were given none."""

from coolname import generate_slug


def new_name() -> str:
    """Two words that are easy to say, such as `brave-otter`."""
    return str(generate_slug(2))
