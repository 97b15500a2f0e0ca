"""A REST API whose binary types are ``*/*`` hands on what its functions answer as bytes, as API Gateway does.

LocalStack reads such a type as none at all, and would hand on a gzipped answer as base64.
"""

from __future__ import annotations

from localstack.runtime import hooks  # type: ignore[import-not-found,unused-ignore]

ANY = "*/*"


@hooks.on_infra_start()  # type: ignore[untyped-decorator,unused-ignore]
def know_any_type() -> None:
    from localstack.services.apigateway.next_gen.execute_api.integrations import (  # type: ignore[import-not-found,unused-ignore]
        aws,
    )

    known = aws.mime_type_matches_binary_media_types

    def matches(mime_type: str | None, binary_media_types: list[str]) -> bool:
        return ANY in binary_media_types or bool(known(mime_type, binary_media_types))

    aws.mime_type_matches_binary_media_types = matches
