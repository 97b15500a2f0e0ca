"""LocalStack's DynamoDB engine is a Java archive that it would download. Here another server answers at its port.

It runs already, and whoever started it ends it: LocalStack neither starts nor stops it.
"""

from __future__ import annotations

from threading import Event
from typing import Any

from localstack.runtime import hooks  # type: ignore[import-not-found,unused-ignore]


@hooks.on_infra_start()  # type: ignore[untyped-decorator,unused-ignore]
def use_the_server_that_runs() -> None:
    from localstack.services.dynamodb import server  # type: ignore[import-not-found,unused-ignore]
    from localstack.utils.threads import FuncThread  # type: ignore[import-not-found,unused-ignore]

    def wait_instead(self: Any) -> Any:
        stopped = Event()
        thread = FuncThread(lambda *_: stopped.wait(), on_stop=lambda _: stopped.set(), name="dynamodb-elsewhere")
        thread.start()
        return thread

    server.DynamodbServer.do_start_thread = wait_instead
