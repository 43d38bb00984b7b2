"""The error tree.

    AssayError                     something that a user or an operator can act on
    ├── InvalidInput               what the user wrote is wrong: file, line, field and remedy
    ├── NotFound                   a job, file, prompt or model that is not there
    ├── Conflict                   the state of a stored thing forbids what was asked
    ├── NotAllowed                 the caller's role forbids what was asked
    ├── MissingKey                 a credential is needed and not set
    ├── SecretUnreadable           a stored secret does not open with the keys at hand
    ├── StorageFailed              PostgreSQL is away, refuses, or is of another version
    ├── OptionalPartMissing        a library that this feature needs is not installed
    └── ModelError                 a call to a model did not give a result
        ├── RateLimited            429, 529 or 503 "overloaded": wait and repeat
        ├── AccountStopped         quota or credit exhausted: repeating cannot help
        ├── ModelUnavailable       5xx, refused or broken connection: repeat
        ├── ModelTimeout           connect, first byte, idle or total time is over: repeat
        ├── InvalidResponse        an answer that is not the protocol: repeat
        └── RequestRejected        400, 401, 403, 404, 413, 422: repeating cannot help

`code` is stable and machine-readable, `status` the HTTP status with which an API answers,
`exit_code` what a command line ends with (1 tool error, 2 usage).
"""

from collections.abc import Mapping
from typing import Any, ClassVar


class AssayError(Exception):
    """Root of all that Assay raises on purpose; `remedy` says what to do about it."""

    code: ClassVar[str] = "error"
    status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1

    def __init__(self, message: str, *, remedy: str | None = None, **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.details: Mapping[str, Any] = details

    def __str__(self) -> str:
        return f"{self.message}\n  {self.remedy}" if self.remedy else self.message


class InvalidInput(AssayError):
    """A file, option or value that cannot be used; names file, line and field where known."""

    code = "invalid_input"
    status = 422
    exit_code = 2

    def __init__(
        self,
        message: str,
        *,
        file: str | None = None,
        line: int | None = None,
        field: str | None = None,
        remedy: str | None = None,
    ) -> None:
        super().__init__(message, remedy=remedy, file=file, line=line, field=field)
        self.file, self.line, self.field = file, line, field

    def __str__(self) -> str:
        place = ":".join(str(part) for part in (self.file, self.line) if part is not None)
        subject = f"{self.field}: {self.message}" if self.field else self.message
        text = f"{place}: {subject}" if place else subject
        return f"{text}\n  {self.remedy}" if self.remedy else text


class NotFound(AssayError):
    """Something that was asked for by name or id does not exist."""

    code = "not_found"
    status = 404
    exit_code = 2


class Conflict(AssayError):
    """The present state of a stored thing forbids the operation."""

    code = "conflict"
    status = 409


class NotAllowed(AssayError):
    """The role of who asks forbids the operation."""

    code = "not_allowed"
    status = 403


class MissingKey(AssayError):
    """A provider needs a credential that is not set."""

    code = "missing_key"
    status = 422
    exit_code = 2


class SecretUnreadable(AssayError):
    """A stored secret does not open: another master key, or a row that was changed or moved."""

    code = "secret_unreadable"


class StorageFailed(AssayError):
    """PostgreSQL is away, refuses, or holds another version of the schema."""

    code = "storage_failed"
    status = 503


class OptionalPartMissing(AssayError):
    """A library that a feature needs is not installed."""

    code = "optional_part_missing"
    status = 501


class ModelError(AssayError):
    """A call to a model gave no result. `retryable` says whether repeating can help.

    `sent` is False when no byte of the request left this machine, so that nothing can be charged.
    """

    code = "model_error"
    status = 502
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        message: str,
        *,
        http_status: int | None = None,
        retry_after_s: float | None = None,
        sent: bool = True,
        provider_request_id: str | None = None,
        body: str | None = None,
    ) -> None:
        super().__init__(message)
        self.http_status = http_status
        self.retry_after_s = retry_after_s
        self.sent = sent
        self.provider_request_id = provider_request_id
        self.body = body


class RateLimited(ModelError):
    """The provider asks to slow down; `retry_after_s` is its own wish, if it gave one."""

    code = "rate_limited"
    retryable = True


class AccountStopped(ModelError):
    """The account's quota or credit is used up; repeating cannot help until a person acts."""

    code = "account_stopped"


class ModelUnavailable(ModelError):
    """The provider failed (5xx) or the connection did."""

    code = "model_unavailable"
    retryable = True


class ModelTimeout(ModelError):
    """A time limit ended the call; the message names which one."""

    code = "model_timeout"
    retryable = True


class InvalidResponse(ModelError):
    """What came back is not an answer of the protocol: truncated, not JSON, wrong type, too large."""

    code = "invalid_response"
    retryable = True


class RequestRejected(ModelError):
    """The provider refuses this request (400, 401, 403, 404, 413, 422)."""

    code = "request_rejected"
