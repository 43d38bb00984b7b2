"""Another model's answer when the one that was asked cannot give any."""

from collections.abc import Sequence
from dataclasses import replace

from assay.domain.errors import (
    AccountStopped,
    ModelError,
    ModelTimeout,
    ModelUnavailable,
    RateLimited,
    RequestRejected,
)
from assay.domain.models import ModelConfig, ModelRequest, ModelResponse
from assay.domain.protocols import AttemptLedger, Model


class Fallback:
    """A model and those to ask, in order, when it cannot answer.

    Its own account, its availability or its name (404) open the way to the others; a request that it
    refuses does not, because then the question is wrong. Each model is wrapped by its own retries.
    An answer of a later model carries its label in `answered_by`.
    """

    def __init__(self, models: Sequence[Model], ledger: AttemptLedger) -> None:
        if not models:
            raise ValueError("a fallback needs at least one model")
        self._models = tuple(models)
        self._ledger = ledger

    @property
    def config(self) -> ModelConfig:
        """The configuration of the model that is asked first."""
        return self._models[0].config

    async def close(self) -> None:
        """Close all of them."""
        for model in self._models:
            await model.close()

    async def generate(self, request: ModelRequest) -> ModelResponse:
        """The first answer; if there is none, the first model's error with a note of the others'."""
        errors: list[ModelError] = []
        for model in self._models:
            if errors:
                latency_ms = errors[-1].details.get("latency_ms", 0.0)
                await self._ledger.attempt_failed(request, errors[-1], latency_ms)
            try:
                response = await model.generate(request)
            except ModelError as error:
                errors.append(error)
                if len(errors) == 1 and not opens_fallback(error):
                    raise
            else:
                return replace(response, answered_by=model.config.name) if errors else response
        for model, failed in zip(self._models[1:], errors[1:], strict=True):
            errors[0].add_note(f"fallback {model.config.name}: {failed.code}: {failed.message}")
        raise errors[0]


def opens_fallback(error: ModelError) -> bool:
    """Whether another model may do better where this error came from."""
    if isinstance(error, RequestRejected):
        return error.http_status == 404
    return isinstance(error, AccountStopped | ModelUnavailable | ModelTimeout | RateLimited)
