"""The figures of an installation: what waits, how much is done, how long it takes, what holds what."""
