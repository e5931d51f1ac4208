"""The same Interlock as for the tests of the contract, but one of its own."""

from tests.contract.conftest import interlock, redis, running

__all__ = ["interlock", "redis", "running"]
