"""Ports of this machine: whether they are free, and which are."""

from __future__ import annotations

import socket

from quant.errors import SettingError

HOST = "127.0.0.1"


def reserve(port: int, setting: str) -> socket.socket:
    """Bind ``port`` (0 takes a free one) and keep it until the socket is closed.

    Raises:
        SettingError: it is taken, or may not be used.
    """
    held = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        held.bind((HOST, port))
    except OSError as exc:
        held.close()
        other = port + 1 if 1024 <= port < 65535 else 8000
        reason = "which may not be used by this user" if isinstance(exc, PermissionError) else "which is taken"
        problem = f"is port {port}, {reason}; end the program that uses it, or choose another one ({setting}={other})"
        raise SettingError(setting, problem) from exc
    return held


def choose(port: int, setting: str) -> int:
    """The port itself when it is free, or a free one for 0.

    Raises:
        SettingError: it is taken.
    """
    with reserve(port, setting) as held:
        return int(held.getsockname()[1])
