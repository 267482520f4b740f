"""Forks that end with the process that made them, where the kernel can promise that."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from typing import Final

# prctl(2), PR_SET_PDEATHSIG in <linux/prctl.h>; a fork does not inherit it.
_SET_PARENT_DEATH_SIGNAL: Final = 1


def end_with(parent: int) -> bool:
    """Let this process, which was just forked, end when its parent does.

    Args:
        parent: The id of the process that forked it.

    Returns:
        Whether that is still there.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
    # It may have died before the promise was asked for.
    return os.getppid() == parent
