"""The process of a function: loads its handler, then answers one line of JSON with another until its input ends.

It is run as a file. What the function prints goes to the log.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
import traceback
from typing import Any


class Context:
    """What a handler is told of its invocation."""

    function_version = "$LATEST"
    identity = None
    client_context = None

    def __init__(self, told: dict[str, str], request: dict[str, Any]) -> None:
        self.function_name, self.memory_limit_in_mb = told["name"], told["memory"]
        self.aws_request_id, self.invoked_function_arn = request["id"], request["arn"]
        self._deadline = time.monotonic() + request["seconds"]

    def get_remaining_time_in_millis(self) -> int:
        return max(0, int((self._deadline - time.monotonic()) * 1000))


def _error(exc: BaseException) -> dict[str, Any]:
    trace = traceback.format_exc().splitlines()
    return {"error": {"errorType": type(exc).__name__, "errorMessage": str(exc), "stackTrace": trace}}


def main() -> int:
    told = json.loads(sys.argv[1])
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)
    sys.path.insert(0, told["root"])
    module, _, name = told["handler"].rpartition(".")
    try:
        handler = getattr(importlib.import_module(module.replace("/", ".")), name)
    except Exception as exc:
        out.write(json.dumps(_error(exc)) + "\n")
        return 1
    out.write('{"ready": true}\n')
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = json.dumps({"answer": handler(request["event"], Context(told, request))})
        except Exception as exc:
            answer = json.dumps(_error(exc))
        out.write(answer + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
