"""Every table, so that the metadata are complete: import this and not the parts."""

from store.tables import catalog, delivery, limits, runs, versions
from store.tables.metadata import metadata

__all__ = ["catalog", "delivery", "limits", "metadata", "runs", "versions"]
