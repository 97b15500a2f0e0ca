"""template.yaml as the emulator gets it: itself, with CodeUri pointing at the thin packages."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped,unused-ignore]
from samtranslator.yaml_helper import yaml_parse  # type: ignore[import-untyped,unused-ignore]

from infra.local.errors import DeploymentError
from infra.local.packages import Package, thin_package

FUNCTION, API = "AWS::Serverless::Function", "AWS::Serverless::Api"


@dataclass(frozen=True, slots=True)
class Route:
    """One route of the REST API that takes every method."""

    path: str
    function: str


def load_template(path: Path) -> dict[str, Any]:
    """Read a template; ``!Ref`` and its kin become their long forms.

    Raises:
        DeploymentError: it cannot be read.
    """
    try:
        template = yaml_parse(path.read_text())
    except (OSError, ValueError, yaml.YAMLError) as exc:
        raise DeploymentError(f"{path.name} cannot be read: {' '.join(str(exc).split())}") from exc
    if not isinstance(template, dict) or "Resources" not in template:
        raise DeploymentError(f"{path.name} has no Resources")
    return template


def with_packages(
    template: Mapping[str, Any],
    folder: Path,
    bucket: str,
    pack: Callable[[Path, str], Package] = thin_package,
) -> tuple[dict[str, Any], dict[str, Package]]:
    """The template with every CodeUri replaced by an address in ``bucket``, and the packages by their keys there.

    ``folder`` is where the template's relative paths begin.
    """
    changed, packages = copy.deepcopy(dict(template)), {}
    for _, function in _of_type(changed, FUNCTION):
        package = pack(folder / function["CodeUri"], function["Handler"])
        packages[package.key] = package
        function["CodeUri"] = f"s3://{bucket}/{package.key}"
    return changed, packages


def with_environment(template: Mapping[str, Any], variables: Mapping[str, str]) -> dict[str, Any]:
    """The template with these variables in every function's environment, in place of what it says there itself."""
    changed = copy.deepcopy(dict(template))
    for _, function in _of_type(changed, FUNCTION):
        environment = function.setdefault("Environment", {})
        environment["Variables"] = {**environment.get("Variables", {}), **variables}
    return changed


def any_routes(template: Mapping[str, Any]) -> list[Route]:
    """The routes whose event says ``Method: any``."""
    return [
        Route(event["Properties"]["Path"], name)
        for name, function in _of_type(template, FUNCTION)
        for event in function.get("Events", {}).values()
        if event["Type"] == "Api" and event["Properties"]["Method"].lower() == "any"
    ]


def gateway_responses(template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What the REST API says when no function answers: the arguments of ``put_gateway_response`` by response type."""
    return {
        kind: {
            "responseParameters": {
                f"gatewayresponse.header.{name}": value
                for name, value in response.get("ResponseParameters", {}).get("Headers", {}).items()
            },
            "responseTemplates": dict(response.get("ResponseTemplates", {})),
            **({"statusCode": str(response["StatusCode"])} if "StatusCode" in response else {}),
        }
        for _, api in _of_type(template, API)
        for kind, response in api.get("GatewayResponses", {}).items()
    }


def _of_type(template: Mapping[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, resource in template["Resources"].items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]
