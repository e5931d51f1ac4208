"""What a picture is of."""

from dataclasses import dataclass

from messages.states import StateType


@dataclass(frozen=True, slots=True, kw_only=True)
class Title:
    """The names of a flow run and of its flow, and its present state. What is not known stays out of the title."""

    run_id: str = ""
    run_name: str = ""
    flow_name: str = ""
    state_type: StateType | None = None
    state_name: str = ""

    @property
    def name(self) -> str:
        """`flow / run`, as runs are called in a graph."""
        return " / ".join(filter(None, (self.flow_name, self.run_name))) or self.run_id or "a flow run"
