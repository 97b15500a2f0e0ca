"""What can end a local run, each with a sentence for the user."""

from __future__ import annotations

from pathlib import Path

from quant.errors import QuantError


class LocalStackError(QuantError):
    """The local stack cannot start or go on."""


class AlreadyRunningError(LocalStackError):
    """Another run uses the same folder of state."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url

    def __str__(self) -> str:
        where = f" on {self.url}" if self.url else ""
        return (
            f"the platform is already running{where}; end it with `make stop`, or set STATE_DIR and PORT for a second"
        )


class ChildError(LocalStackError):
    """A process of the stack does not start, however often it is tried."""

    def __init__(self, name: str, problem: str, last_lines: str, log_path: Path) -> None:
        super().__init__(name, problem, last_lines, log_path)
        self.name, self.problem, self.last_lines, self.log_path = name, problem, last_lines, log_path

    def __str__(self) -> str:
        said = f"; its last words:\n{self.last_lines}" if self.last_lines else ""
        return f"the {self.name} {self.problem} (log: {self.log_path}){said}"


class DeploymentError(LocalStackError):
    """CloudFormation refused the template or could not create something."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return f"template.yaml could not be deployed to the emulator: {self.reason}"
