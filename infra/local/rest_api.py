"""What the emulator leaves out of a REST API that SAM made, put in by API Gateway's own calls.

ministack 1.5.33 reads an OpenAPI body without ``x-amazon-apigateway-any-method`` and without
``x-amazon-apigateway-gateway-responses``, and takes ``~1`` in a binary media type literally. AWS needs none of this.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from infra.local.environment import REGION
from infra.local.templates import API, any_routes, gateway_responses

STAGE = "api"


def mend_rest_api(
    gateway: Any,
    functions: Any,
    cloudformation: Any,
    stack: str,
    template: Mapping[str, Any],
    outputs: Mapping[str, str],
) -> bool:
    """Add what is missing and tell whether something was."""
    api = outputs["RestApiId"]
    resources = {item["path"]: item for item in gateway.get_resources(restApiId=api, limit=500)["items"]}
    missing = [route for route in any_routes(template) if "ANY" not in resources[route.path].get("resourceMethods", {})]
    answers = _missing_responses(gateway, api, template)
    arns = {name: _arn(functions, cloudformation, stack, name) for name in {route.function for route in missing}}
    for route in missing:
        _put_any(gateway, api, resources[route.path]["id"], arns[route.function])
    for kind, response in answers.items():
        gateway.put_gateway_response(restApiId=api, responseType=kind, **response)
    if missing or answers:
        # A stage shows what its deployment caught.
        gateway.create_deployment(restApiId=api, stageName=STAGE)
    return bool(missing or answers)


def with_plain_binary_types(template: Mapping[str, Any]) -> dict[str, Any]:
    """The template with the slashes of its binary media types as the emulator reads them: AWS has them as ``~1``."""
    changed = copy.deepcopy(dict(template))
    for resource in changed["Resources"].values():
        kinds = resource["Properties"].get("BinaryMediaTypes") if resource["Type"] == API else None
        if kinds:
            resource["Properties"]["BinaryMediaTypes"] = [kind.replace("~1", "/") for kind in kinds]
    return changed


def _missing_responses(gateway: Any, api: str, template: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    there = {item["responseType"]: item for item in gateway.get_gateway_responses(restApiId=api, limit=500)["items"]}
    return {
        kind: wanted
        for kind, wanted in gateway_responses(template).items()
        if there.get(kind, {}).get("responseTemplates") != wanted["responseTemplates"]
    }


def _put_any(gateway: Any, api: str, resource: str, arn: str) -> None:
    where = {"restApiId": api, "resourceId": resource, "httpMethod": "ANY"}
    gateway.put_method(**where, authorizationType="NONE")
    gateway.put_integration(
        **where,
        type="AWS_PROXY",
        integrationHttpMethod="POST",
        uri=f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations",
    )


def _arn(functions: Any, cloudformation: Any, stack: str, name: str) -> str:
    detail = cloudformation.describe_stack_resource(StackName=stack, LogicalResourceId=name)["StackResourceDetail"]
    return str(functions.get_function(FunctionName=detail["PhysicalResourceId"])["Configuration"]["FunctionArn"])
