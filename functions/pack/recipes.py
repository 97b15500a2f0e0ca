"""What goes into the package of each function, and what it may weigh."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 2**20
PYTHON = "3.13"
"""Python of the Lambda runtime; template.yaml says the same."""
LIMIT = 262_144_000
"""Bytes that Lambda takes unpacked."""
SHARED = "quant"
RUNTIME_BRINGS = ("boto3", "botocore", "jmespath", "s3transfer", "python-dateutil", "six")
"""What the runtime has already, and what the locks therefore leave out."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The folder of the function, the lock file of its libraries, and its budget unpacked and compiled."""

    folder: str
    lock: str
    budget: int


RECIPES = {
    "ApiFunction": Recipe("api", "light.lock", 60 * MIB),
    "ResampleFunction": Recipe("resample", "light.lock", 90 * MIB),
    "CheckAlertsFunction": Recipe("check_alerts", "light.lock", 90 * MIB),
    "AnalyseFunction": Recipe("analyse", "analyse.lock", 240 * MIB),
}
