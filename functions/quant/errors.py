"""Every exception that this project raises on purpose.

    QuantError
    ├── SettingError          a setting is missing or out of range; names the setting
    ├── ValidationError       a caller's input is wrong; names the field
    │   └── UnknownSymbolError
    ├── RequestError          a request cannot be served as it is; carries a word for programs
    │   ├── UnauthorizedError no token, or none that is valid
    │   └── VersionError      the item was changed meanwhile; carries its current version
    ├── DataError             stored or received data cannot be used
    │   ├── ChunkError        a packed chunk is damaged or of an unknown version
    │   ├── FrameError        an exchange's message is not what its documentation promises
    │   └── SeriesError       a series has no such statistic: too short, constant, not finite …
    ├── StorageError          the storage refused or did not answer
    │   ├── UnavailableError  it may answer later
    │   ├── ThrottledError    it asked for less; try again
    │   ├── ConflictError     somebody else changed the item first; read again
    │   └── NotFoundError
    ├── NotificationError     a notification cannot be sent now
    │   ├── PostError         there was no answer to a POST
    │   └── SecretError       a secret cannot be read; names it
    └── ExchangeError         the exchange refused or did not answer
        ├── RateLimitedError  it asked for less; carries how long to wait
        └── UnsupportedError  this host does not serve that request

Facts are passed to ``__init__``; ``__str__`` makes the sentence.
"""

from __future__ import annotations


class QuantError(Exception):
    """Root of the tree."""

    retryable = False


class SettingError(QuantError):
    """A setting of the environment cannot be used."""

    def __init__(self, name: str, problem: str, value: str | None = None) -> None:
        super().__init__(name, problem, value)
        self.name, self.problem, self.value = name, problem, value

    def __str__(self) -> str:
        got = "" if self.value is None else f", got {self.value!r}"
        return f"setting {self.name} {self.problem}{got}"


class ValidationError(QuantError):
    """A caller's input cannot be used."""

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(field, problem)
        self.field, self.problem = field, problem

    def __str__(self) -> str:
        return f"{self.field} {self.problem}"


class UnknownSymbolError(ValidationError):
    """No such symbol is followed on that exchange."""

    def __init__(self, exchange: str, symbol: str) -> None:
        super().__init__("symbol", f"{symbol!r} is not followed on {exchange}; GET /api/symbols lists what is")
        self.exchange, self.symbol = exchange, symbol


class RequestError(QuantError):
    """A request cannot be served as it is.

    ``code`` is a word for programs that the entry point has a status for: ``bad_request``, ``not_found``,
    ``conflict``, ``payload_too_large`` …
    """

    def __init__(self, code: str, problem: str, field: str = "") -> None:
        super().__init__(code, problem, field)
        self.code, self.problem, self.field = code, problem, field

    def __str__(self) -> str:
        return self.problem


class UnauthorizedError(RequestError):
    """There is no token, or it is not one of the valid ones."""

    def __init__(self, problem: str) -> None:
        super().__init__("unauthorized", problem)


class VersionError(RequestError):
    """Somebody else changed the item first."""

    def __init__(self, current: int, field: str = "version") -> None:
        super().__init__("conflict", f"{field} is not the current one, which is {current}; read again", field)
        self.current = current


class DataError(QuantError):
    """Data cannot be used as it is."""


class ChunkError(DataError):
    """A packed chunk cannot be read."""

    def __init__(self, key: str, reason: str) -> None:
        super().__init__(key, reason)
        self.key, self.reason = key, reason

    def __str__(self) -> str:
        return f"chunk {self.key} cannot be read: {self.reason}"


class FrameError(DataError):
    """An exchange's message cannot be used."""

    def __init__(self, reason: str, frame: bytes = b"") -> None:
        super().__init__(reason, frame)
        self.reason, self.frame = reason, frame[:200]

    def __str__(self) -> str:
        return self.reason


class SeriesError(DataError):
    """A statistic of a series, or of a pair of series, does not exist.

    ``reason`` is a word for programs: ``too_few``, ``unequal``, ``not_finite``, ``too_large``, ``not_positive``,
    ``constant``, ``collinear``, ``missing_bars`` or ``failed``.
    """

    def __init__(self, series: str, reason: str, problem: str) -> None:
        super().__init__(series, reason, problem)
        self.series, self.reason, self.problem = series, reason, problem

    def __str__(self) -> str:
        return f"{self.series} {self.problem}"


class StorageError(QuantError):
    """The storage refused or did not answer."""

    def __init__(self, operation: str, reason: str) -> None:
        super().__init__(operation, reason)
        self.operation, self.reason = operation, reason

    def __str__(self) -> str:
        return f"storage could not {self.operation}: {self.reason}"


class UnavailableError(StorageError):
    """The storage did not answer, or failed on its own side; trying again may help."""

    retryable = True


class ThrottledError(StorageError):
    """The storage asked for less."""

    retryable = True


class ConflictError(StorageError):
    """Somebody else changed the item first."""

    retryable = True


class NotFoundError(StorageError):
    """There is no such item."""


class NotificationError(QuantError):
    """A notification cannot be sent now."""

    retryable = True


class PostError(NotificationError):
    """There was no answer. The words hold nothing of the URL, whose path may be a secret."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


class SecretError(NotificationError):
    """There is no such secret, or it cannot be read now. Says its name, never what it holds."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(name, reason)
        self.name, self.reason = name, reason

    def __str__(self) -> str:
        return f"the secret {self.name} {self.reason}"


class ExchangeError(QuantError):
    """The exchange refused or did not answer."""

    def __init__(self, request: str, reason: str, *, retryable: bool = True) -> None:
        super().__init__(request, reason)
        self.request, self.reason, self.retryable = request, reason, retryable

    def __str__(self) -> str:
        return f"the exchange did not serve {self.request}: {self.reason}"


class RateLimitedError(ExchangeError):
    """The exchange asked for less."""

    def __init__(self, request: str, retry_after: float) -> None:
        super().__init__(request, f"too many requests, retry after {retry_after:g} s")
        self.retry_after = retry_after


class UnsupportedError(ExchangeError):
    """This host does not serve that request."""

    def __init__(self, request: str) -> None:
        super().__init__(request, "not offered by this host", retryable=False)
