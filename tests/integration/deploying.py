"""What a deployment to an emulator works with."""

from __future__ import annotations

from typing import Any

import boto3

from frontend_static.build import build
from infra.deploy.commands import Tools
from infra.local.environment import CREDENTIALS, REGION


class Session:
    """Clients of one emulator, and what was said."""

    def __init__(self, url: str) -> None:
        self.url, self.said = url, list[str]()
        self.tools = Tools(self.client, self.said.append, self._answer, lambda folder: build(folder, api_base="/api"))
        self.answer = ""

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=self.url,
            region_name=REGION,
            aws_access_key_id=CREDENTIALS["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=CREDENTIALS["AWS_SECRET_ACCESS_KEY"],
        )

    def _answer(self, question: str) -> str:
        return self.answer or question.rpartition("Type ")[2].split(" ", 1)[0]

    def names(self, table: str) -> set[str]:
        return {item["pk"]["S"] for item in self.client("dynamodb").scan(TableName=table)["Items"]}

    def put(self, table: str, pk: str) -> None:
        self.client("dynamodb").put_item(TableName=table, Item={"pk": {"S": pk}, "sk": {"S": "1"}})
