"""What holds for all routes of one deployment: who may read, which origins are answered, how often is allowed."""

from __future__ import annotations

from dataclasses import dataclass, field

from quant.contract.operation import AnyOperation, Auth
from quant.errors import UnauthorizedError
from quant.http.keys import KeyRing


@dataclass(frozen=True, slots=True)
class Gate:
    """
    Attributes:
        keys: the valid tokens.
        public_read: whether reads need no token.
        origins: of other sites whose pages may call; the API's own origin always may.
        rate_limit: requests a second that the stage lets through to each route; 0 where none is known.
    """

    keys: KeyRing = field(default_factory=lambda: KeyRing(lambda: ()))
    public_read: bool = True
    origins: frozenset[str] = frozenset()
    rate_limit: int = 0

    def admit(self, operation: AnyOperation, authorization: str | None, now: int) -> None:
        """
        Raises:
            UnauthorizedError: a token is needed and not there, or one is there and not valid.
        """
        if operation.auth is Auth.NONE:
            return
        if authorization is not None:
            self.keys.check(authorization, now)
        elif operation.auth is Auth.WRITE or not self.public_read:
            raise UnauthorizedError("this route needs a token: Authorization: Bearer …")

    @property
    def policy(self) -> dict[str, str]:
        """What may be asked, as draft-ietf-httpapi-ratelimit-headers says it; only the stage knows what is left."""
        return {"RateLimit-Policy": f'"route";q={self.rate_limit};w=1'} if self.rate_limit else {}

    def is_private(self, operation: AnyOperation, authorization: str | None) -> bool:
        """Whether an answer is for this caller alone, so that no shared cache may keep it."""
        return authorization is not None or (operation.auth is not Auth.NONE and not self.public_read)
