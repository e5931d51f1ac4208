"""Many commands in one message."""

from typing import Annotated

from pydantic import Field

from messages.fields import Data, JsonObject

MAX_BATCH = 1_000


class Batch(Data):
    """Up to 1,000 envelopes, applied in their order, each with its own result. Each is looked at for itself."""

    commands: Annotated[list[JsonObject], Field(min_length=1, max_length=MAX_BATCH)]
