"""Where Interlock answers otherwise than recorded, and why. Each is asserted to differ in just this way."""

from dataclasses import dataclass

_SLOTS = (
    "concurrency_limit.read: concurrency_limit.active_slots is {}, not '{} (a number, or as many members)'"
)


@dataclass(frozen=True)
class Difference:
    """`says` = the sentences that matter, by step; no other step may differ, nor these in another way."""

    reason: str
    says: dict[int, tuple[str, ...]]


NO_SLOT_TO_GIVE_BACK = "decision 1: a run that never held a slot gives none back; the reference counted down"
SLOT_GOES_WITH_ITS_RUN = "decision 1: a slot goes with its run; the reference left it to nobody"
NOT_WAITING_FOR_ITSELF = "decision 2: a run does not wait for a slot that it holds"
ALL_TAGS_OR_NONE = (
    "decision 2: all tags are looked at first; the reference kept the slots of the earlier ones"
)
WRAPPER_IS_ITS_SUBFLOW = "decision 14: the id of a subflow's wrapper task run resolves to the subflow's node"

_SUBFLOW = Difference(
    WRAPPER_IS_ITS_SUBFLOW,
    {
        11: (
            "flow_run.graph: graph.root_node_ids is ['a'], not ['a', 'b']",
            "flow_run.graph: graph.nodes.child.children is ['b'], not []",
            "flow_run.graph: graph.nodes.b.parents is ['child'], not []",
        )
    },
)

DIFFERENCES = {
    "deployments/limit-changes.0-2": Difference(NO_SLOT_TO_GIVE_BACK, {15: (_SLOTS.format(1, 0),)}),
    "deployments/limit-changes.None-1": Difference(NO_SLOT_TO_GIVE_BACK, {15: (_SLOTS.format(1, 0),)}),
    "deployments/without-slot.running-force": Difference(NO_SLOT_TO_GIVE_BACK, {10: (_SLOTS.format(1, 0),)}),
    "sequences/shared-0019": Difference(NO_SLOT_TO_GIVE_BACK, {31: (_SLOTS.format(1, 0),)}),
    "task_tags/delete-keeps-slot": Difference(SLOT_GOES_WITH_ITS_RUN, {7: (_SLOTS.format(0, 1),)}),
    "task_tags/holder.running-again-1": Difference(
        NOT_WAITING_FOR_ITSELF,
        {
            7: (
                "task_run.set_state: status is 'ACCEPT', not 'WAIT'",
                "task_run.set_state: run.state_name is 'Rerunning', not 'Running'",
                "task_run.set_state: run.run_count is 2, not 1",
            ),
            9: ("task_run.read: task_run.run_count is 2, not 1",),
        },
    ),
    "task_tags/tags.first-full": Difference(
        ALL_TAGS_OR_NONE, {12: (_SLOTS.format(0, 1),), 15: (_SLOTS.format(0, 1),)}
    ),
    "task_tags/tags.first-zero": Difference(
        ALL_TAGS_OR_NONE,
        {
            8: (_SLOTS.format(0, 1),),
            10: ("task_run.set_state: status is 'ACCEPT', not 'WAIT'",),
            15: (_SLOTS.format(1, 0),),
        },
    ),
    "graph/subflow.running": _SUBFLOW,
    "graph/subflow.scheduled": _SUBFLOW,
}
