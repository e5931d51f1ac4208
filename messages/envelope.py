"""The one envelope: CloudEvents 1.0 in its JSON format (contract, section 2)."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from messages.fields import SOURCE_PATTERN, Id, Instant, JsonObject

REPLYTO_PATTERN = r"^(?:actor:[A-Za-z0-9._-]{1,100}/[A-Za-z0-9._:-]{1,200}|[A-Za-z0-9._:-]{1,100})$"
MAX_SEQUENCE = 2**63 - 1


class Envelope(BaseModel):
    """A command or query as its producer sends it. Unknown attributes are kept and ignored."""

    model_config = ConfigDict(frozen=True, extra="allow")

    specversion: Literal["1.0"]
    id: Id
    source: Annotated[str, StringConstraints(pattern=SOURCE_PATTERN)]
    type: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    time: Instant | None = None
    datacontenttype: Literal["application/json"] | None = None
    data: JsonObject = Field(default_factory=dict)
    replyto: Annotated[str, Field(pattern=REPLYTO_PATTERN)] | None = None
    correlationid: Annotated[str, StringConstraints(max_length=200)] | None = None
    partitionkey: Annotated[str, StringConstraints(min_length=1, max_length=200)] | None = None
    sequence: Annotated[str, StringConstraints(pattern=r"^[1-9][0-9]{0,18}$")] | None = None
    expirytime: Instant | None = None
    traceparent: Annotated[str, StringConstraints(max_length=200)] | None = None
    tracestate: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    signature: Annotated[str, StringConstraints(max_length=500)] | None = None

    @model_validator(mode="after")
    def _parts_fit_together(self) -> "Envelope":
        if (self.partitionkey is None) != (self.sequence is None):
            raise ValueError("partitionkey and sequence go together: give both or neither")
        if self.sequence is not None and int(self.sequence) > MAX_SEQUENCE:
            raise ValueError(f"a sequence is a number from 1 to {MAX_SEQUENCE}")
        if self.replyto is not None and self.replyto.startswith("actor:") and "/" not in self.replyto:
            raise ValueError("replyto is the NAME of a stream, or actor:QUEUE/ACTOR")
        return self
