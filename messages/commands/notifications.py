"""What can be asked of notification policies."""

from string import Formatter
from typing import Annotated

from pydantic import AfterValidator, StringConstraints

from messages.fields import Data, Id, StreamName, Tags

TEMPLATE_NAMES = (
    "flow_run_notification_policy_id",
    "flow_id",
    "flow_name",
    "flow_run_url",
    "flow_run_id",
    "flow_run_name",
    "flow_run_parameters",
    "flow_run_state_type",
    "flow_run_state_name",
    "flow_run_state_timestamp",
    "flow_run_state_message",
)


def _only_documented_names(template: str) -> str:
    try:
        parts = list(Formatter().parse(template))
    except ValueError as error:
        raise ValueError(f"not a template: {error}") from None
    for _, name, form, conversion in parts:
        if name is None:
            continue
        if name not in TEMPLATE_NAMES or form or conversion:
            raise ValueError(f"a template may hold only {{NAME}} with a NAME of {', '.join(TEMPLATE_NAMES)}")
    return template


MessageTemplate = Annotated[str, StringConstraints(max_length=10_000), AfterValidator(_only_documented_names)]


class UpsertNotificationPolicy(Data):
    """Makes a policy, or changes the given fields of the one that has this id."""

    id: Id | None = None
    is_active: bool = True
    state_names: Tags = []
    tags: Tags = []
    notify: StreamName
    message_template: MessageTemplate | None = None


class DeleteNotificationPolicy(Data):
    """Deletes a notification policy."""

    id: Id
