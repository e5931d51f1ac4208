"""Messages as nobody should send them: good ones with something else in one place or another, and plain bytes."""

import copy
import json
from typing import Any
from uuid import uuid4

from hypothesis import strategies as st

from docs.generate.story import BACKGROUND, COMMANDS, DEPLOYMENT, FLOW, LATER_TASK, QUERIES, RUN, TASK
from messages.registry import INPUTS
from messages.registry import QUERIES as QUERY_TYPES

#: what has broken programs before
NASTY: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 2**31, 2**63, -(2**63) - 1, 10**30, 10**400, 0.1, -0.0, 1e308),
    *(float("nan"), float("inf"), float("-inf")),
    *(
        "",
        " ",
        "\x00",
        "a\x00b",
        "\ud800",
        "\udfff\ud800",
        "\uffff",
        "a" * 5_000,
        "'; DROP TABLE flow_run; --",
    ),
    *("%s", "{}", "{0.__class__}", "${jndi:x}", "../../x", "NaN", "1e400", "null", "-infinity", "infinity"),
    *(
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999Z",
        "9999-12-31T23:59:59-14:00",
        "2026-02-30T00:00:00Z",
    ),
    *(
        "0000-01-01T00:00:00Z",
        "2026-11-23T12:00:00",
        "P1D",
        RUN,
        TASK,
        DEPLOYMENT,
        FLOW,
        LATER_TASK,
        BACKGROUND,
    ),
    *("00000000-0000-0000-0000-000000000000", RUN.upper(), RUN.replace("-", ""), f"{{{RUN}}}"),
    *(
        [],
        {},
        [[]],
        [None],
        [{}],
        {"": {}},
        {"a": None},
        {"type": "RUNNING"},
        {"type": "SCHEDULED", "data": {}},
    ),
    *({"any_": []}, {"any_": [RUN] * 500}, {"is_null_": "x"}, {"__class__": "x"}, {"$ref": "#"}),
)
numbers = st.one_of(
    st.integers(), st.floats(), st.sampled_from([each for each in NASTY if isinstance(each, int)])
)
texts = st.text(st.characters(codec="utf-8"), max_size=40)
junk: st.SearchStrategy[Any] = st.one_of(
    st.sampled_from(NASTY),
    st.sampled_from(NASTY),
    st.recursive(
        st.one_of(st.none(), st.booleans(), numbers, texts),
        lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(texts, inner, max_size=4)),
        max_leaves=12,
    ),
)
ATTRIBUTES = (
    *("specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data", "replyto"),
    *(
        "correlationid",
        "partitionkey",
        "sequence",
        "expirytime",
        "traceparent",
        "tracestate",
        "signature",
        "x",
    ),
)
_SAID = [*COMMANDS, *QUERIES]


@st.composite
def envelopes(draw: st.DrawFn, replyto: str) -> dict[str, Any]:
    """An envelope of any type, with up to three places filled with junk."""
    said = draw(st.sampled_from(_SAID))
    data = copy.deepcopy(said.data)
    for _ in range(draw(st.integers(0, 3))):
        _spoil(draw, data, INPUTS[said.type])
    made = {"specversion": "1.0", "id": str(uuid4()), "source": "fuzz", "type": said.type, "data": data}
    made["replyto"] = replyto
    if draw(st.integers(0, 2)) == 0:
        made[draw(st.sampled_from(ATTRIBUTES))] = draw(junk)
    return made


def _spoil(draw: st.DrawFn, data: dict[str, Any], model: Any) -> None:
    """Junk in a member that is there, or in one that could be."""
    target: Any = data
    while True:
        inner = [each for each in _values(target) if isinstance(each, dict | list) and each]
        if not inner or draw(st.booleans()):
            break
        target = draw(st.sampled_from(inner))
    if isinstance(target, list):
        target[draw(st.integers(0, len(target) - 1))] = copy.deepcopy(draw(junk))
        return
    names = list(target)
    if target is data:
        names += list(model.model_fields)
    # A copy: what is drawn stands for every example, and may be spoilt in its turn.
    target[draw(st.sampled_from(names or ["x"]))] = copy.deepcopy(draw(junk))


def _values(target: Any) -> list[Any]:
    return list(target.values()) if isinstance(target, dict) else list(target)


@st.composite
def bodies(draw: st.DrawFn, replyto: str) -> bytes:
    """What stands in Redis as a message: mostly one that can be read, with a spoilt envelope; or anything."""
    kind = draw(st.integers(0, 9))
    if kind == 0:
        return draw(st.binary(max_size=200))
    envelope = draw(envelopes(replyto))
    arguments = [envelope, *draw(st.lists(junk, max_size=1))] if kind == 1 else [envelope]
    if kind == 2:
        inner = [envelope, draw(envelopes(replyto)), draw(junk)]
        arguments = [{**envelope, "id": str(uuid4()), "type": "batch", "data": {"commands": inner}}]
    message: dict[str, Any] = {"queue_name": "commands", "actor_name": "x", "args": arguments, "options": {}}
    if kind == 3:
        message[draw(st.sampled_from(("args", "options", "queue_name", "kwargs")))] = draw(junk)
    body = json.dumps(message).encode()
    if kind == 4:
        place = draw(st.integers(0, len(body)))
        return body[:place] + draw(st.binary(max_size=4)) + body[place + draw(st.integers(0, 4)) :]
    return body


def is_query(body: bytes) -> bool:
    """Which queue it goes to. What is put on the wrong one is told so; both are tried."""
    return any(f'"type": "{each}"'.encode() in body for each in QUERY_TYPES)
