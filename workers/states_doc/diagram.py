"""A state diagram in Mermaid's language, of the transitions that a chapter's rules accept."""

from collections.abc import Iterator

from messages.results import Status
from messages.states import TERMINAL, StateType
from workers.states_doc.cases import Chapter

ENDED = "ended"
_UNDER_WAY = [kind for kind in StateType if kind not in TERMINAL]
_LAST = [kind for kind in StateType if kind in TERMINAL]


def diagram(chapter: Chapter) -> str:
    """The four terminal types stand in one box: an arrow to or from the box is one to or from each of them."""
    accepted = {
        name: {to for to in StateType if chapter.ask(state, to).status is Status.ACCEPT}
        for name, state in chapter.starts
        if state is None or name == state.type
    }
    lines = ["```mermaid", "stateDiagram-v2", f"    state {ENDED} {{"]
    lines += [f"        {kind}" for kind in _LAST]
    lines += ["    }", f"    [*] --> {StateType.SCHEDULED}"]
    lines += [f"    {start} --> {end}" for start, end in _arrows(accepted)]
    return "\n".join([*lines, "```", ""])


def _arrows(accepted: dict[str, set[StateType]]) -> Iterator[tuple[str, str]]:
    for kind in _UNDER_WAY:
        yield from _from(kind, accepted[kind])
    common = set.intersection(*(accepted[kind] for kind in _LAST))
    for end in _UNDER_WAY:
        if end in common:
            yield ENDED, end
    for kind in _LAST:
        yield from _from(kind, accepted[kind] - common, inside=True)


def _from(kind: StateType, ends: set[StateType], *, inside: bool = False) -> Iterator[tuple[str, str]]:
    to_the_box = not inside and ends.issuperset(_LAST)
    for end in _UNDER_WAY:
        if end in ends and end is not kind:
            yield kind, end
    if to_the_box:
        yield kind, ENDED
    for end in _LAST:
        if end in ends and not to_the_box and not inside:
            yield kind, end
