"""The page: a diagram, and a table for each kind of run under each policy."""

from messages.results import Status
from messages.states import StateType
from workers.orchestration.decision import Decision
from workers.orchestration.facts import Orders
from workers.states_doc.cases import FLOW_STARTS, TASK_STARTS, Chapter, Start, flow_run, task_run
from workers.states_doc.diagram import diagram

FORCE = Orders(force=True)
LATE = Orders(policy="late")
CORE = Orders()
RUNNING = StateType.RUNNING

CHAPTERS = (
    Chapter(
        "Flow runs of a deployment, core policy",
        "What a command gets that says nothing else.",
        FLOW_STARTS,
        flow_run(CORE),
    ),
    Chapter(
        "Flow runs without a deployment, core policy",
        "Nobody would start such a run again: it cannot be scheduled again once it has ended, nor resumed once "
        "it was suspended.",
        FLOW_STARTS,
        flow_run(CORE, deployed=False),
    ),
    Chapter(
        "Flow runs, minimal policy",
        "With `force: true`, or `policy: minimal`; and when a run is created in a state.",
        FLOW_STARTS,
        flow_run(FORCE),
    ),
    Chapter(
        "Flow runs, late policy",
        "With it the clock marks runs that have not started in time: SCHEDULED stands for a state of that type "
        "named Late.",
        FLOW_STARTS,
        flow_run(LATE, name="Late"),
    ),
    Chapter(
        "Task runs of a running flow run, core policy",
        "What a command gets that says nothing else.",
        TASK_STARTS,
        task_run(CORE, RUNNING),
    ),
    Chapter(
        "Task runs without a flow run, core policy",
        "As above; but there is no flow run of which this could be another attempt.",
        TASK_STARTS,
        task_run(CORE),
    ),
    Chapter(
        "Task runs in the background",
        "Their proposed states are `deferred`; this policy is theirs even with `force: true`.",
        TASK_STARTS,
        task_run(CORE, deferred=True),
    ),
    Chapter(
        "Task runs, minimal policy",
        "With `force: true`, or `policy: minimal`; and when a run is created in a state.",
        TASK_STARTS,
        task_run(FORCE, RUNNING),
    ),
)

_HEAD = """# States

Made from the rules by `python -m workers.states_doc > docs/states.md`; do not edit it by hand.

A run has one of nine types of state, or none yet. A command proposes another; the rules of a policy decide. This
page shows what they say to each pair of types, asked one by one, in the plain case: states have their default
names, and no results but where a row says so; nothing is ahead of its time; no limit is full; no retries are left.
Each of those has rules of its own: `workers/orchestration/rules/` has them all, a sentence each. Rules of your own
can be added: see [custom-rules.md](custom-rules.md).
"""
_DIAGRAM_HEAD = """## The way of a flow run

The transitions that the core policy accepts for a run of a deployment. A run may be created in any state.
"""
_LEGEND = """## How to read the tables

From the state on the left to the type above:

| | |
| --- | --- |
| ✓ | ACCEPT: the proposed state is written |
| ✓ NAME | ACCEPT: written under this name |
| → TYPE | REJECT: a state of this type is written in its place |
| reject | REJECT: nothing is written, the run keeps its state |
| abort | ABORT: nothing is written |

The numbers lead to the reasons below each table. (WAIT is the answer to a run ahead of its scheduled time, and to
a task run of which a tag's limit is full.)
"""
_STOPPED_HEAD = """## Task runs of a flow run that is not running, core policy

A task run can become RUNNING only in a flow run that is RUNNING. All other transitions are as in the tables above.

| the flow run is | task run to RUNNING |
| --- | --- |
"""


def page() -> str:
    """The whole of docs/states.md."""
    parts = [_HEAD, _DIAGRAM_HEAD, diagram(CHAPTERS[0]), _LEGEND, *map(_chapter, CHAPTERS), _stopped_flows()]
    return "\n".join(parts)


def _chapter(chapter: Chapter) -> str:
    reasons: list[str] = []
    types = list(StateType)
    lines = [f"## {chapter.title}", "", chapter.text, ""]
    lines.append("| from \\ to | " + " | ".join(types) + " |")
    lines.append("| --- |" + " --- |" * len(types))
    lines += [_row(chapter, start, reasons) for start in chapter.starts]
    if reasons:
        lines += ["", *(f"{number}. {reason}" for number, reason in enumerate(reasons, 1))]
    return "\n".join(lines) + "\n"


def _row(chapter: Chapter, start: Start, reasons: list[str]) -> str:
    cells = [_cell(chapter.ask(start[1], to), to, reasons) for to in StateType]
    return f"| **{start[0]}** | " + " | ".join(cells) + " |"


def _cell(decision: Decision, to: StateType, reasons: list[str]) -> str:
    state = decision.state
    if decision.status is Status.ACCEPT:
        named = state is not None and state.name not in (to.default_name, "Late")
        return f"✓ {state.name}" if named and state else "✓"
    number = _number(decision.reason or "", reasons)
    word = decision.status.lower() if state is None else f"→ {_what(state.type, state.name)}"
    return f"{word} <sup>{number}</sup>"


def _what(kind: StateType, name: str) -> str:
    return kind if name == kind.default_name else f"{kind} {name}"


def _number(reason: str, reasons: list[str]) -> int:
    if reason not in reasons:
        reasons.append(reason)
    return reasons.index(reason) + 1


def _stopped_flows() -> str:
    rows = []
    for kind in StateType:
        decision = task_run(CORE, kind)(None, RUNNING)
        reasons: list[str] = []
        cell = _cell(decision, RUNNING, reasons).partition(" <sup>")[0]
        rows.append(f"| {kind} | {': '.join([cell, *reasons])} |")
    return _STOPPED_HEAD + "\n".join(rows) + "\n"
