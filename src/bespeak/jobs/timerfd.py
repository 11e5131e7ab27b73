"""A timer for an instant of the wall clock that also goes off when the clock is set.

A sleep of "ten minutes from now" is wrong as soon as somebody moves the clock. The kernel's timerfd can be armed for
an absolute instant and told to cancel when the clock jumps, so the dispatcher looks again at that very moment.
Python learnt about timerfd in 3.13 only, hence :mod:`ctypes`; where the kernel refuses, the back-stop interval of the
dispatcher bounds the error.
"""

from __future__ import annotations

import ctypes
import os

from bespeak.base.clock import FOREVER_US, SECOND_US

_CLOCK_REALTIME = 0
_TFD_FLAGS = os.O_NONBLOCK | os.O_CLOEXEC
_TIMER_ABSTIME = 1
_TIMER_CANCEL_ON_SET = 2
_FAR_SECONDS = 9_000_000_000
"""Later than any clock of Linux can be set to, and less than the kernel's timers can hold (2^63 ns)."""


class _Timespec(ctypes.Structure):
    _fields_ = (("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long))


class _Itimerspec(ctypes.Structure):
    _fields_ = (("interval", _Timespec), ("value", _Timespec))


class WallTimer:
    """One timer; readable when its instant has come or the clock was set."""

    def __init__(self) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._set = libc.timerfd_settime
        self._descriptor = int(libc.timerfd_create(_CLOCK_REALTIME, _TFD_FLAGS))
        if self._descriptor < 0:
            raise OSError(ctypes.get_errno(), "timerfd_create")

    def arm(self, instant_us: int) -> None:
        """Go off at an instant, µs UTC; FOREVER_US leaves only the notice of a clock that is set."""
        seconds, rest_us = divmod(max(instant_us, 1), SECOND_US)
        if instant_us >= FOREVER_US or seconds > _FAR_SECONDS:
            seconds, rest_us = _FAR_SECONDS, 0
        wanted = _Itimerspec(_Timespec(0, 0), _Timespec(seconds, rest_us * 1000))
        if self._set(self._descriptor, _TIMER_ABSTIME | _TIMER_CANCEL_ON_SET, ctypes.byref(wanted), None):
            raise OSError(ctypes.get_errno(), "timerfd_settime")

    def take(self) -> bool:
        """Read the timer; True when the clock was set."""
        try:
            os.read(self._descriptor, 8)
        except BlockingIOError:
            return False
        except OSError:  # ECANCELED
            return True
        return False

    def fileno(self) -> int:
        """Return the descriptor to wait on."""
        return self._descriptor

    def close(self) -> None:
        """Close the timer."""
        os.close(self._descriptor)
