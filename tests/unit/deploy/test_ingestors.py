"""How the symbols are divided over services, and which of them are scaled."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infra.deploy.ingestors import SCALING, divided, stack_name
from infra.local.errors import DeploymentError
from infra.local.templates import load_template

SERVICE = load_template(Path(__file__).parents[3] / "infra/ingestor-service.yaml")


def test_each_shard_is_a_stack_and_sharing_is_one() -> None:
    assert divided("0") == []
    assert [stack_name("quant", shard) for shard in divided("2")] == ["quant-ingestor-1-of-2", "quant-ingestor-2-of-2"]
    assert [stack_name("quant", shard) for shard in divided("auto")] == ["quant-ingestor-auto"]


@pytest.mark.parametrize("shards", ["-1", "two", "1000", "1/2", ""])
def test_another_division_is_refused_before_anything_is_changed(shards: str) -> None:
    with pytest.raises(DeploymentError, match="SHARDS must be a number below 1000, or auto"):
        divided(shards)


def test_only_a_service_that_shares_is_scaled_and_no_deployment_undoes_it() -> None:
    resources: dict[str, Any] = SERVICE["Resources"]
    scaling = [one for one in resources.values() if SCALING in one["Type"]]
    assert [one["Condition"] for one in scaling] == ["IsShared", "IsShared"]
    assert SERVICE["Conditions"]["IsShared"] == {"Fn::Equals": [{"Ref": "Shard"}, "auto"]}
    condition, shared, fixed = resources["Service"]["Properties"]["DesiredCount"]["Fn::If"]
    assert (condition, shared, fixed) == ("IsShared", {"Ref": "AWS::NoValue"}, {"Ref": "Instances"})
