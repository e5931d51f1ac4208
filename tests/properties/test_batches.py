"""A sequence of commands comes to the same end in one batch, in several, or one by one."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store.transaction import Engine
from tests.properties.commands import Command, cut, sequences
from tests.properties.conftest import Budget
from tests.properties.space import Space, story_of

SECONDS = 13


def lived(engine: Engine, batches: list[list[Command]]) -> dict[str, object]:
    space = Space(engine)
    for batch in batches:
        space.apply(batch)
    return story_of(space)


@settings(
    max_examples=80,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(sequence=sequences(14), sizes=st.lists(st.integers(1, 8), min_size=1, max_size=4))
def test_however_a_sequence_is_cut_into_batches_it_comes_to_the_same(
    engine: Engine, budget: Budget, sequence: list[Command], sizes: list[int]
) -> None:
    if budget.is_spent(SECONDS):
        return
    with budget.looking():
        together = lived(engine, [sequence])
        assert lived(engine, cut(sequence, sizes)) == together
        assert lived(engine, [[command] for command in sequence]) == together
