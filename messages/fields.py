"""The kinds of field that messages are made of, each with the bounds that every part of the system can keep."""

from datetime import UTC, datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
)

Id: TypeAlias = UUID

SOURCE_PATTERN = r"^[A-Za-z0-9._:/-]{1,100}$"
STREAM_NAME_PATTERN = r"^[A-Za-z0-9._:-]{1,100}$"
MAX_NAME = 1_000
MAX_KEY = 2_000
#: In UTF-8: what is longer does not fit into an index.
MAX_INDEXED_BYTES = 2_000
INT32_MAX = 2**31 - 1


def _as_text(value: Any) -> Any:
    """Times are texts: a number would be read as seconds since the epoch, and hide a mistake."""
    if isinstance(value, datetime | str):
        if isinstance(value, str) and len(value) < len("2026-01-01T00:00Z"):
            raise ValueError("a time is a text in the form of RFC 3339, such as 2026-11-23T05:09:21.246Z")
        return value
    raise ValueError("a time is a text in the form of RFC 3339, such as 2026-11-23T05:09:21.246Z")


def _as_utc(value: datetime) -> datetime:
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise ValueError("a time between the years 1 and 9999") from None


def in_bytes(value: str) -> int:
    """How long a text is in UTF-8."""
    return len(value.encode(errors="surrogatepass"))


def _fits(value: str) -> str:
    if in_bytes(value) > MAX_INDEXED_BYTES:
        raise ValueError(f"at most {MAX_INDEXED_BYTES} bytes in UTF-8; this one has {in_bytes(value)}")
    return value


Instant = Annotated[AwareDatetime, BeforeValidator(_as_text), AfterValidator(_as_utc)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=MAX_NAME), AfterValidator(_fits)]
Key = Annotated[str, StringConstraints(min_length=1, max_length=MAX_KEY), AfterValidator(_fits)]
Indexed = Annotated[str, StringConstraints(max_length=MAX_KEY), AfterValidator(_fits)]
Text = Annotated[str, StringConstraints(max_length=1_000_000)]
Tags = list[Annotated[str, StringConstraints(max_length=MAX_NAME)]]
JsonObject = dict[str, Any]
Labels = dict[str, str | bool | int | float | None]
Count = Annotated[int, Field(ge=0, le=INT32_MAX)]
Positive = Annotated[int, Field(ge=1, le=INT32_MAX)]
Seconds = Annotated[float, Field(ge=0, le=10**9, allow_inf_nan=False)]
StreamName = Annotated[str, StringConstraints(pattern=STREAM_NAME_PATTERN)]


class Data(BaseModel):
    """Base of everything under `data`: frozen, and unknown members are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def given(self, *names: str) -> dict[str, Any]:
        """Those of the named fields that the sender set, null or not."""
        return {name: getattr(self, name) for name in names if name in self.model_fields_set}
