"""Becomes a command that dies with the process that started it, where the kernel can promise that.

Started as a script, `leash.py PARENT_PID COMMAND...`, between fork and exec: asking the kernel from a
`preexec_fn` instead would run Python in a forked copy of a threaded process, which may deadlock.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

# prctl(2), PR_SET_PDEATHSIG in <linux/prctl.h>; it survives exec, so the command inherits the promise.
_SET_PARENT_DEATH_SIGNAL = 1


def main(arguments: list[str]) -> int:
    """Replace this process by the command; return the shell's status for a command that cannot start."""
    parent, *command = arguments
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        # The parent may have died before the promise was asked for.
        if os.getppid() != int(parent):
            return 1
    try:
        os.execvp(command[0], command)  # noqa: S606 - becoming the user's command is the point
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return 127


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
