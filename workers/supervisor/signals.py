"""Signals as something to read: they arrive on a pipe, so that one loop can wait for them and for more."""

import contextlib
import os
import signal
from collections.abc import Sequence
from types import FrameType
from typing import Self


class SignalPipe:
    """While entered, the given signals do nothing but show up in `received()`. For the main thread."""

    def __init__(self, numbers: Sequence[signal.Signals]) -> None:
        self._numbers = numbers

    def __enter__(self) -> Self:
        self._read_end, self._write_end = os.pipe()
        for end in (self._read_end, self._write_end):
            os.set_blocking(end, False)
        self._wakeup_before = signal.set_wakeup_fd(self._write_end, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, _note) for number in self._numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        os.close(self._read_end)
        os.close(self._write_end)

    def fileno(self) -> int:
        return self._read_end

    def received(self) -> bytes:
        """The numbers of the signals since the last call, oldest first."""
        with contextlib.suppress(BlockingIOError):
            return os.read(self._read_end, 4096)
        return b""


def _note(_number: int, _frame: FrameType | None) -> None:
    """The interpreter has written the number to the pipe already."""
