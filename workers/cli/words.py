"""How every word of the command line ends: with its exit code, and never with a traceback for what an operator
can mend."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer
from typer.core import TyperGroup

from workers.cli.failures import INTERRUPTED, explain


class Words(TyperGroup):
    """The words, each of them ending as `graceful` says."""

    def invoke(self, ctx: Any) -> Any:
        """Runs the word that was given."""
        with _graceful():
            answer = super().invoke(ctx)
            # Here, where it is met, and not when the interpreter ends.
            sys.stdout.flush()
            return answer


@contextmanager
def _graceful() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None
    except BrokenPipeError:
        # Whoever read this (`| head`) has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit(0) from None
    except Exception as error:
        # Exit and usage errors, which typer knows how to end: they are no failures to be looked into.
        if type(error).__module__.startswith(("typer", "click")):
            raise
        failure = explain(error)
        if failure is None:
            raise
        typer.echo(f"interlock: {failure.sentence}", err=True)
        raise typer.Exit(failure.exit_code) from None
