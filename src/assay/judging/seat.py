"""One judge's one sample: questions are put to it, and what they took is counted."""

from dataclasses import dataclass, replace

from assay.domain.errors import ModelError, RequestRejected
from assay.domain.models import ModelRequest, ModelResponse
from assay.domain.prompts import Message
from assay.domain.protocols import Judge
from assay.judging.questions import Answer, Question, Unanswered, cut, make_request, read_reply, repair_text
from assay.judging.refusals import Refusals, refused_part, without
from assay.judging.strict_json import UnusableReply

REASON_CHARS = 300


@dataclass(slots=True, kw_only=True)
class Seat:
    """A judge at work on sample number `sample` of `samples`, within one event loop."""

    label: str
    judge: Judge
    refusals: Refusals
    sample: int = 0
    samples: int = 1
    calls: int = 0
    """Replies that were not cached."""
    cached: int = 0
    cost_nanousd: int | None = 0
    """What the replies cost; None once the price of one is unknown."""
    model: str | None = None
    """The model that answered last, by the provider's word."""

    async def put(self, question: Question) -> Answer | Unanswered:
        """Its verdict; an unusable reply is asked to be repaired once. Raises no ModelError.

        `judge_unreachable` is the reason when a call fails, `judge_unparseable` when the repair is unusable.
        """
        request = make_request(question, self.judge.config, self.sample, self.samples)
        try:
            return await self._judged(question, request)
        except ModelError as error:
            return Unanswered(state="failed", reason=f"judge_unreachable: {error.message[:REASON_CHARS]}")

    async def _judged(self, question: Question, request: ModelRequest) -> Answer | Unanswered:
        response = await self._ask(request)
        try:
            return read_reply(question, response)
        except UnusableReply as problem:
            said = repair_text(question, str(problem), response.text)
        response = await self._ask(_with_addition(request, said))
        try:
            found = read_reply(question, response)
        except UnusableReply as problem:
            reason = f"judge_unparseable: {problem}"
            return Unanswered(state="failed", reason=reason, raw=cut(response.text))
        return replace(found, repaired=True) if isinstance(found, Answer) else found

    async def _ask(self, request: ModelRequest) -> ModelResponse:
        """Ask, leaving out what the provider refuses. Raises a ModelError."""
        request = self.refusals.strip(self.label, request)
        left_out: list[str] = []
        while True:
            try:
                reply = await self.judge.ask(request)
                break
            except RequestRejected as error:
                part = refused_part(request, error)
                if part is None:
                    raise
                request = without(request, part)
                left_out.append(part)
        self.refusals.remember(self.label, left_out)
        self._count(reply.response.cached, reply.cost_nanousd)
        self.model = reply.response.model or self.judge.config.model
        return reply.response

    def _count(self, cached: bool, cost_nanousd: int | None) -> None:
        if cached:
            self.cached += 1
            return
        self.calls += 1
        if self.cost_nanousd is None or cost_nanousd is None:
            self.cost_nanousd = None
        else:
            self.cost_nanousd += cost_nanousd


def _with_addition(request: ModelRequest, text: str) -> ModelRequest:
    """The request with a text after its last message: some servers refuse two messages of one role."""
    *before, last = request.messages
    return replace(request, messages=(*before, Message(last.role, f"{last.content}\n\n{text}")))
