"""What set_state commands of flow runs and task runs have in common."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field, StringConstraints

from messages.fields import Data
from messages.states import ProposedState


class OnWait(StrEnum):
    """What becomes of a command to which the rules say WAIT: tell the sender, or try again later."""

    REPLY = "reply"
    DEFER = "defer"


class OrchestrationParameters(Data):
    """What older clients say of themselves: facts for the rules."""

    model_config = ConfigDict(frozen=True, extra="forbid", validate_by_name=True, validate_by_alias=True)

    api_version: Annotated[str, StringConstraints(pattern=r"^\d{1,6}\.\d{1,6}\.\d{1,6}$")] | None = Field(
        None, alias="api-version"
    )


class SetState(Data):
    """Proposes a state; `force` takes the minimal policy, `if_version` applies only to that version of the run."""

    state: ProposedState
    force: bool = False
    policy: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_.-]{0,99}$")] = "core"
    orchestration_parameters: OrchestrationParameters = OrchestrationParameters()
    client_version: Annotated[str, StringConstraints(max_length=100)] | None = None
    if_version: Annotated[int, Field(ge=0)] | None = None
    on_wait: OnWait = OnWait.REPLY
