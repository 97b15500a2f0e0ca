"""Start a program that ends with its parent: ``python tether.py PARENT_PID SIGNAL PROGRAM [ARGUMENT…]``.

When the parent is gone, whatever way it went, the program gets SIGNAL. Linux has this built in; elsewhere a small
watcher looks once a second.
"""

import contextlib
import ctypes
import os
import sys
import time

_PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, number, program = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:]
    if not _ask_the_kernel(number):
        _fork_a_watcher(parent, number)
    if os.getppid() != parent:  # it went before the kernel was asked
        sys.exit(0)
    os.execvp(program[0], program)


def _ask_the_kernel(number: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0) == 0)


def _fork_a_watcher(parent: int, number: int) -> None:
    program = os.getpid()
    if os.fork():
        return
    while os.getppid() == program:
        if not _is_alive(parent):
            with contextlib.suppress(ProcessLookupError):
                os.kill(program, number)
            break
        time.sleep(1)
    os._exit(0)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


if __name__ == "__main__":
    main()
