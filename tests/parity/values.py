"""What the placeholders of one case stand for."""

import os
import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, UUID, uuid5

PLACEHOLDER = re.compile(r"\$\{([^}]+)\}")
OFFSET = re.compile(r"now(?:([+-][0-9.]+)s)?")
RANGE = re.compile(r"now([+-][0-9.]+)s\.\.now([+-][0-9.]+)s")


class Values:
    """`${uid}`, `${id:0a}`, `${now+30s}`, and what the case itself has kept."""

    def __init__(self) -> None:
        self.uid = "p" + os.urandom(6).hex()
        self.saved: dict[str, Any] = {}
        self.started = datetime.now(UTC)

    def get(self, name: str) -> Any:
        """The value of one placeholder."""
        if name in self.saved:
            return self.saved[name]
        if name == "uid":
            return self.uid
        if name.startswith("id:"):
            rest = uuid5(NAMESPACE_OID, f"{self.uid}/{name}").hex
            self.saved[name] = str(UUID(f"{name[3:]}{rest[2:12]}4{rest[13:16]}a{rest[17:]}"))
            return self.saved[name]
        offset = OFFSET.fullmatch(name)
        assert offset is not None, f"nothing was kept as ${{{name}}}"
        moment = datetime.now(UTC) + timedelta(seconds=float(offset[1] or 0))
        return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")

    def fill(self, item: Any) -> Any:
        """An item with its placeholders filled in."""
        if isinstance(item, dict):
            return {self.fill(key): self.fill(value) for key, value in item.items()}
        if isinstance(item, list):
            return [self.fill(value) for value in item]
        if not isinstance(item, str) or "${" not in item:
            return item
        whole = PLACEHOLDER.fullmatch(item)
        if whole:
            return self.get(whole[1])
        return PLACEHOLDER.sub(lambda match: str(self.get(match[1])), item)

    def keep(self, paths: dict[str, str], data: Any) -> None:
        """Keeps values of a result under their names."""
        for name, path in paths.items():
            value = dig(data, path)
            if value is not None:
                self.saved[name] = value

    def label(self, ids: Any) -> Any:
        """Ids as the names under which the case saved them: shorter to read."""
        names = {value: name for name, value in self.saved.items() if isinstance(value, str)}
        return [names.get(ident, ident) for ident in ids] if isinstance(ids, list) else ids


def dig(value: Any, path: str) -> Any:
    """The value at `a.0.b` of some JSON; None if there is none."""
    for part in path.split("."):
        if isinstance(value, list) and part.isdigit():
            value = value[int(part)] if int(part) < len(value) else None
        elif isinstance(value, dict):
            value = value.get(part)
        else:
            return None
    return value
