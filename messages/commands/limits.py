"""What can be asked of concurrency limits."""

from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from messages.fields import Count, Data, Id, Name, Positive, Seconds

LimitName = Annotated[Name, StringConstraints(pattern=r"^[^/%&<>]+$")]
LeaseSeconds = Annotated[float, Field(gt=0, le=86_400 * 365, allow_inf_nan=False)]


class UpsertConcurrencyLimit(Data):
    """Makes a limit, or changes the given fields of the one that has this name. A tag's limit is named `tag:TAG`."""

    name: LimitName
    limit: Count
    active: bool = True
    slot_decay_per_second: Seconds = 0
    avg_slot_occupancy_seconds: Annotated[float, Field(gt=0, le=10**9, allow_inf_nan=False)] = 2.0


class AcquireSlots(Data):
    """Takes slots of all the named limits, or of none: then the answer is WAIT. A lease frees them by itself."""

    names: Annotated[list[LimitName], Field(min_length=1, max_length=100)]
    slots: Positive
    lease_seconds: LeaseSeconds | None = None


class ReleaseSlots(Data):
    """Gives slots back: a lease's, or so many of the named limits."""

    lease_id: Id | None = None
    names: Annotated[list[LimitName], Field(min_length=1, max_length=100)] | None = None
    slots: Positive | None = None

    @model_validator(mode="after")
    def _a_lease_or_names(self) -> "ReleaseSlots":
        by_name = self.names is not None and self.slots is not None
        neither = self.names is None and self.slots is None
        if not (by_name and self.lease_id is None) and not (neither and self.lease_id is not None):
            raise ValueError("give lease_id, or names and slots")
        return self


class DeleteConcurrencyLimit(Data):
    """Deletes a limit and all its slots."""

    name: LimitName
