"""docs/states.md, made by asking the rules themselves: `python -m workers.states_doc [--check]`."""
