"""What is checked and shown before anything is changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from infra.local.errors import DeploymentError


@dataclass(frozen=True, slots=True)
class Target:
    """Where to deploy. ``endpoint`` is an emulator's address, empty for AWS."""

    account: str
    identity: str
    region: str
    endpoint: str

    @property
    def is_emulator(self) -> bool:
        return bool(self.endpoint)

    def __str__(self) -> str:
        place = f"an emulator at {self.endpoint}" if self.is_emulator else "AWS"
        return f"account {self.account} ({self.identity}), region {self.region}, {place}"


def warnings(target: Target, symbols: str) -> list[str]:
    """What a user should know before the bill and the silence tell it."""
    asks_binance = any(not part.strip().startswith("coinbase:") for part in symbols.split(","))
    if target.region.startswith("us-") and asks_binance and not target.is_emulator:
        return [
            f"Binance refuses addresses in the USA (HTTP 451), and {target.region} has such: nothing will arrive. "
            "Choose another region, such as eu-central-1 or ap-northeast-1, or symbols of Coinbase"
        ]
    return []


def parameters(template: Mapping[str, Any], given: Mapping[str, str]) -> list[dict[str, str]]:
    """What was given as CloudFormation wants it.

    Raises:
        DeploymentError: the template has no such parameter, or it allows no such value.
    """
    known = template.get("Parameters", {})
    for name, value in given.items():
        if name not in known:
            raise DeploymentError(f"there is no parameter {name}; there are {', '.join(sorted(known))}")
        allowed = [str(one) for one in known[name].get("AllowedValues", [])]
        if allowed and value not in allowed:
            raise DeploymentError(f"{name} must be one of {', '.join(allowed)}, not {value!r}")
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in sorted(given.items())]


def confirm(question: str, word: str, ask: Callable[[str], str]) -> None:
    """Go on only when ``word`` is typed.

    Raises:
        DeploymentError: something else was.
    """
    if ask(f"{question} Type {word} to go on: ").strip() != word:
        raise DeploymentError("not confirmed; nothing was changed")


def left_over(tables: Mapping[str, bool]) -> None:
    """Refuse to create a stack whose tables exist: an earlier destroy kept them. ``tables`` says of each whether it is.

    Raises:
        DeploymentError: some are there.
    """
    there = sorted(name for name, exists in tables.items() if exists)
    if there:
        raise DeploymentError(
            f"these tables are there without their stack, since an earlier destroy kept them: {', '.join(there)}. "
            "Take them into a new stack by importing resources (docs/operations.md), use another PREFIX, or delete them"
        )
