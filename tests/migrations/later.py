"""Migrations of versions to come, written by the tests into a folder of their own."""

from pathlib import Path

from store.migrate import History, newest

_FILE = '''"""{name}"""

from alembic import op

from store.migrations.steps import create_index_concurrently

revision = {revision!r}
down_revision = {before!r}
branch_labels = None
depends_on = None
oldest = {oldest!r}


def upgrade() -> None:
{body}
'''
EXPAND = (
    'op.execute("ALTER TABLE flow_run ADD COLUMN colour text")',
    'op.execute("ALTER TABLE command ADD COLUMN weight integer NOT NULL DEFAULT 1")',
    'op.execute("CREATE TABLE colour (name text PRIMARY KEY)")',
)


class Later:
    """What follows the newest schema; each migration comes after the one before it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self._folder = folder
        self._last = newest()

    @property
    def history(self) -> History:
        """What the code of the last of these versions knows."""
        return History((self._folder,))

    def add(self, revision: str, *statements: str, oldest: str | None = None) -> str:
        """One more migration; `oldest` as it declares it, by default that today's code still works."""
        body = "\n".join(f"    {statement}" for statement in statements) or "    pass"
        text = _FILE.format(
            name=revision, revision=revision, before=self._last, oldest=oldest or "0001", body=body
        )
        (self._folder / f"{revision}.py").write_text(text)
        self._last = revision
        return revision
