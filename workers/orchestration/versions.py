"""What was promised to older clients, told apart by the versions they name."""

import re
from functools import lru_cache

from workers.orchestration.transition import Transition

Version = tuple[int, ...]

SENDS_FAILED_TASK_RUNS_AGAIN: Version = (0, 8, 3)
KNOWS_RESUMING: Version = (0, 8, 4)

# These clients propose states in an order under which a slot of a deployment would be taken and never given
# back.
CLIENTS_WITHOUT_SLOTS = frozenset({"3.0.0rc20", "3.0.0", "3.0.1", "3.0.2", "3.0.3"})


def older_than(t: Transition, version: Version) -> bool:
    """Whether the client speaks an API version before this one. Who names none is up to date."""
    named = t.orders.api_version or t.parameters.get("api-version")
    return isinstance(named, str) and _is_before(named, version)


@lru_cache(maxsize=256)
def _is_before(named: str, version: Version) -> bool:
    numbers = re.match(r"\d{1,9}(\.\d{1,9})*", named)
    return numbers is not None and tuple(int(number) for number in numbers[0].split(".")) < version
