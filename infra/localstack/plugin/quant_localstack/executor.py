"""Runs a Lambda function as a process of this machine, where LocalStack would start a container.

The interpreter is the program ``quant-lambda-python`` on PATH: it has the libraries that thin packages leave out.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import Any

from localstack.services.lambda_.invocation.lambda_models import (  # type: ignore[import-not-found,unused-ignore]
    InvocationResult,
)
from localstack.services.lambda_.invocation.plugins import (  # type: ignore[import-not-found,unused-ignore]
    RuntimeExecutorPlugin,
)
from localstack.services.lambda_.invocation.runtime_executor import (  # type: ignore[import-not-found,unused-ignore]
    LambdaRuntimeException,
    RuntimeExecutor,
)

WORKER = Path(__file__).with_name("worker.py")
PYTHON = "quant-lambda-python"
_LOG_TAIL = 8_000


class SubprocessExecutor(RuntimeExecutor):  # type: ignore[misc,unused-ignore]
    """One warm process, which answers one invocation after another."""

    def __init__(self, id: str, function_version: Any) -> None:
        super().__init__(id, function_version)
        self._process: subprocess.Popen[str] | None = None
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the process

    @classmethod
    def prepare_version(cls, function_version: Any) -> None:
        root = _root(function_version)
        shutil.rmtree(root, ignore_errors=True)
        function_version.config.code.prepare_for_execution()
        shutil.copytree(function_version.config.code.get_unzipped_code_location(), root)

    @classmethod
    def cleanup_version(cls, function_version: Any) -> None:
        shutil.rmtree(_root(function_version), ignore_errors=True)

    def start(self, env_vars: dict[str, str]) -> None:
        root = _root(self.function_version)
        python = shutil.which(PYTHON)
        if python is None:
            raise LambdaRuntimeException(f"{PYTHON} is not on PATH")
        context = {
            "root": str(root),
            "handler": self.function_version.config.handler,
            "name": self.function_version.id.function_name,
            "memory": str(self.function_version.config.memory_size),
        }
        self._process = subprocess.Popen(
            [python, "-P", str(WORKER), json.dumps(context)],
            cwd=root,
            env={"PATH": "/usr/bin:/bin", **{name: str(value) for name, value in env_vars.items()}},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            bufsize=1,
        )
        answer = json.loads(self._line() or "{}")
        if not answer.get("ready"):
            raise LambdaRuntimeException(f"the function does not load: {answer or self.get_logs()}")

    def stop(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()
        self._log.close()

    def invoke(self, payload: dict[str, str]) -> Any:
        assert self._process is not None
        assert self._process.stdin is not None
        limit = self.function_version.config.timeout
        watch = threading.Timer(limit + 1, self._process.kill)
        watch.start()
        try:
            event = json.loads(payload["payload"] or "null")
            request = {
                "id": payload["invoke-id"],
                "arn": payload["invoked-function-arn"],
                "seconds": limit,
                "event": event,
            }
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            line = self._line()
        finally:
            watch.cancel()
        timed_out = {"error": {"errorType": "Sandbox.Timedout", "errorMessage": f"ended, or no answer in {limit} s"}}
        answer = json.loads(line) if line else timed_out
        body = json.dumps(answer.get("error", answer.get("answer"))).encode()
        logs = self.get_logs() or f"END RequestId: {payload['invoke-id']}"
        return InvocationResult(payload["invoke-id"], body, is_error="error" in answer, logs=logs)

    def get_logs(self) -> str:
        self._log.flush()
        end = self._log.seek(0, 2)
        self._log.seek(max(0, end - _LOG_TAIL))
        tail = self._log.read()
        self._log.seek(0, 2)
        return tail

    def get_address(self) -> str:
        return "127.0.0.1"

    def get_endpoint_from_executor(self) -> str:
        return "127.0.0.1"

    def get_runtime_endpoint(self) -> str:
        return ""

    def _line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.readline()


def _root(function_version: Any) -> Path:
    digest = function_version.config.code.code_sha256[:12].replace("/", "-").replace("+", "-")
    name = function_version.id.qualified_arn().replace(":", "_")
    return Path(tempfile.gettempdir()) / "quant-localstack-functions" / f"{name}-{digest}"


class SubprocessPlugin(RuntimeExecutorPlugin):  # type: ignore[misc,unused-ignore]
    name = "subprocess"

    def load(self, *_: Any, **__: Any) -> type[SubprocessExecutor]:
        return SubprocessExecutor
