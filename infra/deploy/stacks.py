"""CloudFormation stacks: created, updated, waited for, deleted; and why one failed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.local.errors import DeploymentError

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient

CAPABILITIES = ("CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND")
# A stack that never came up can only be deleted.
STILLBORN = ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")
_GONE = ("", "DELETE_COMPLETE")


def create_or_update(
    cloudformation: CloudFormationClient, request: dict[str, Any], deadline: float, pause: float = 0.05
) -> bool:
    """Bring the stack to what ``request`` says; false if it was so already. ``deadline`` is of time.monotonic().

    Raises:
        DeploymentError: it failed; the message names each resource and the reason.
    """
    name = request["StackName"]
    if status(cloudformation, name) in STILLBORN:
        cloudformation.delete_stack(StackName=name)
        wait(cloudformation, name, deadline, pause)
    if status(cloudformation, name) in _GONE:
        cloudformation.create_stack(**request)
    else:
        try:
            cloudformation.update_stack(**request)
        except ClientError as exc:
            if "No updates are to be performed" in str(exc):
                return False
            raise
    found = wait(cloudformation, name, deadline, pause)
    if found not in ("CREATE_COMPLETE", "UPDATE_COMPLETE"):
        raise DeploymentError(_reason(cloudformation, name, found))
    return True


def delete(cloudformation: CloudFormationClient, name: str, deadline: float, pause: float = 0.05) -> bool:
    """Delete the stack; false if there is none.

    Raises:
        DeploymentError: something of it could not be deleted.
    """
    if status(cloudformation, name) in _GONE:
        return False
    cloudformation.delete_stack(StackName=name)
    found = wait(cloudformation, name, deadline, pause)
    if found not in _GONE:
        raise DeploymentError(_reason(cloudformation, name, found))
    return True


def status(cloudformation: CloudFormationClient, name: str) -> str:
    """The stack's status, empty when there is no such stack."""
    try:
        return cloudformation.describe_stacks(StackName=name)["Stacks"][0]["StackStatus"]
    except ClientError as exc:
        if "does not exist" in str(exc):
            return ""
        raise


def wait(cloudformation: CloudFormationClient, name: str, deadline: float, pause: float = 0.05) -> str:
    while (found := status(cloudformation, name)).endswith("_IN_PROGRESS"):
        if time.monotonic() > deadline:
            raise DeploymentError(f"the stack {name} is still {found}")
        time.sleep(pause)
    return found


def outputs(cloudformation: CloudFormationClient, name: str) -> Mapping[str, str]:
    found = cloudformation.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in found}


def _reason(cloudformation: CloudFormationClient, name: str, found: str) -> str:
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    failed = [event for event in events if event.get("ResourceStatus", "").endswith("_FAILED")]
    reasons = [
        f"{event['LogicalResourceId']}: {event.get('ResourceStatusReason', 'no reason given')}" for event in failed
    ]
    return f"{found}; " + "; ".join(dict.fromkeys(reversed(reasons)))
