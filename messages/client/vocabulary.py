"""What can be said through a client, sync or asyncio. Fields are those of the models in `messages`."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, Generic, TypeVar, Unpack
from uuid import UUID

from messages.client.correspondence import Attributes, checked
from messages.client.handles import Numbering, RunHandle
from messages.client.result import Result
from messages.ids import uuid7

F = TypeVar("F")
FlowRunT = TypeVar("FlowRunT", bound=RunHandle[Any])
TaskRunT = TypeVar("TaskRunT", bound=RunHandle[Any])

Said = tuple[str, Mapping[str, Any]] | tuple[str, Mapping[str, Any], Attributes]


class Vocabulary(ABC, Generic[F, FlowRunT, TaskRunT]):
    """The commands by name, each giving a future. Misspelt and missing fields are `Refused` at once."""

    _flow_run_handle: type[FlowRunT]
    _task_run_handle: type[TaskRunT]

    @abstractmethod
    def send(
        self,
        message_type: str,
        data: Mapping[str, Any],
        *,
        raise_on_error: bool = True,
        deadline: float | None = None,
        **attributes: Unpack[Attributes],
    ) -> F:
        """Sends a command or query of any type, its data unchecked, and gives the future of its answer."""

    @abstractmethod
    def batch(self, commands: Iterable[Said], *, raise_on_error: bool = True) -> list[F]:
        """Sends `(type, data)` or `(type, data, attributes)` in `batch` messages; a future for each."""

    @abstractmethod
    def answer(self, future: F) -> Result:
        """The answer that a future holds."""

    def say(self, message_type: str, fields: Mapping[str, Any], attributes: Attributes | None = None) -> F:
        """Sends a command or query whose data are checked first.

        Raises:
            Refused: `invalid_message`, with what is wrong where.
        """
        return self.send(message_type, checked(message_type, fields), **(attributes or {}))

    def upsert_flow(self, **fields: Any) -> F:
        """Makes or changes the flow of this name."""
        return self.say("flow.upsert", fields)

    def upsert_deployment(self, **fields: Any) -> F:
        """Makes or changes the deployment of this flow and name."""
        return self.say("deployment.upsert", fields)

    def delete_deployment(self, deployment_id: UUID | str) -> F:
        """Deletes a deployment."""
        return self.say("deployment.delete", {"deployment_id": deployment_id})

    def upsert_work_pool(self, **fields: Any) -> F:
        """Makes or changes the work pool of this name."""
        return self.say("work_pool.upsert", fields)

    def upsert_work_queue(self, **fields: Any) -> F:
        """Makes or changes the queue of this name in its pool."""
        return self.say("work_queue.upsert", fields)

    def upsert_concurrency_limit(self, **fields: Any) -> F:
        """Makes or changes the limit of this name."""
        return self.say("concurrency_limit.upsert", fields)

    def delete_concurrency_limit(self, name: str) -> F:
        """Deletes a limit with its slots."""
        return self.say("concurrency_limit.delete", {"name": name})

    def acquire_slots(self, names: list[str], slots: int = 1, *, lease_seconds: float | None = None) -> F:
        """Takes slots of all these limits, or of none: the answer is then WAIT."""
        lease = {} if lease_seconds is None else {"lease_seconds": lease_seconds}
        return self.say("concurrency_limit.acquire", {"names": names, "slots": slots, **lease})

    def release_slots(self, **fields: Any) -> F:
        """Gives slots back: `lease_id`, or `names` and `slots`."""
        return self.say("concurrency_limit.release", fields)

    def upsert_notification_policy(self, **fields: Any) -> F:
        """Makes a notification policy, or changes the one of this id."""
        return self.say("notification_policy.upsert", fields)

    def delete_notification_policy(self, policy_id: UUID | str) -> F:
        """Deletes a notification policy."""
        return self.say("notification_policy.delete", {"id": policy_id})

    def artifact(self, **fields: Any) -> F:
        """Makes an artifact."""
        return self.say("artifact.create", fields)

    def create_flow_run(self, *, ordered: bool = False, **fields: Any) -> FlowRunT:
        """Makes a flow run and gives its handle at once, without waiting for the answer.

        `ordered`: this and all that is said through the handle is applied in exactly this order. With an
        `idempotency_key` the run may be an earlier one, whose id only the answer tells.
        """
        chosen = UUID(str(fields.get("id") or uuid7()))
        known = None if fields.get("idempotency_key") is not None else chosen
        numbering = Numbering(str(chosen)) if ordered else None
        created = self._create("flow_run.create", {**fields, "id": chosen}, numbering)
        return self._flow_run_handle(self, known, numbering, created)

    def create_task_run(self, *, ordered: bool = False, **fields: Any) -> TaskRunT:
        """Makes a task run and gives its handle at once, without waiting for the answer.

        The run may be an earlier one of the same flow run, task key and dynamic key, whose id only the answer
        tells; one that is given an `id` here is taken to be new.
        """
        chosen = UUID(str(fields.get("id") or uuid7()))
        known = chosen if fields.get("id") else None
        numbering = Numbering(str(chosen)) if ordered else None
        created = self._create("task_run.create", {**fields, "id": chosen}, numbering)
        return self._task_run_handle(self, known, numbering, created)

    def flow_run(self, run_id: UUID | str, *, ordered: bool = False, first_sequence: int = 1) -> FlowRunT:
        """The handle of a flow run that exists.

        `ordered`: the first command through it has the number `first_sequence`, which is one unless this
        source has sent ordered commands for the run before. Of one run, have one such handle.
        """
        numbering = Numbering(str(run_id), first_sequence) if ordered else None
        return self._flow_run_handle(self, UUID(str(run_id)), numbering)

    def task_run(self, run_id: UUID | str, *, ordered: bool = False, first_sequence: int = 1) -> TaskRunT:
        """The handle of a task run that exists; `ordered` as for flow runs."""
        numbering = Numbering(str(run_id), first_sequence) if ordered else None
        return self._task_run_handle(self, UUID(str(run_id)), numbering)

    def _create(self, message_type: str, fields: Mapping[str, Any], numbering: Numbering | None) -> F:
        if numbering is None:
            return self.say(message_type, fields)
        with numbering.next() as attributes:
            return self.say(message_type, fields, attributes)
