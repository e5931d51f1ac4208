"""The colours and signs of states. White text can be read on each colour, and each is told by its sign as well."""

from collections.abc import Mapping
from dataclasses import dataclass

from messages.states import StateType


@dataclass(frozen=True, slots=True)
class Look:
    """How a type of state is shown: `#rrggbb`, and one character."""

    colour: str
    sign: str


LOOKS: Mapping[StateType, Look] = {
    StateType.SCHEDULED: Look("#a16207", "◷"),
    StateType.PENDING: Look("#6b7280", "○"),
    StateType.RUNNING: Look("#2563eb", "►"),
    StateType.PAUSED: Look("#7c3aed", "‖"),
    StateType.CANCELLING: Look("#be185d", "◌"),
    StateType.COMPLETED: Look("#15803d", "✓"),
    StateType.FAILED: Look("#dc2626", "✗"),
    StateType.CRASHED: Look("#c2410c", "!"),
    StateType.CANCELLED: Look("#475569", "⊘"),
}
