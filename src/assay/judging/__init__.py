"""Asking models to judge: prompts, replies, verdicts, juries.

A metric that asks models is a template, a `Question` made from a sample, and a function from the `Answer` to
an `Opinion`:

    question = Question(template=get_template("relevance"), data={"question": ..., "answer": ...})

    async def procedure(seat: Seat) -> Opinion | Unanswered:
        answer = await seat.put(question)
        return answer if isinstance(answer, Unanswered) else Opinion(value=..., reason=..., evidence=...)

    ruling = await convene(judges, procedure, samples=3, refusals=refusals)

- `templates`: `get_template`, `list_templates`; the files are in `prompts/`, the grammar is told there. In a
  schema the reasoning comes before the value, and the value's type allows null, by which a judge abstains;
  a form whose value is a list has a boolean `cannot_judge` at its end instead.
- `questions`: `Question`, `Answer`, `Unanswered`; how a question is fenced and a reply is read.
- `seat`: `Seat.put` asks, repairs once, counts calls and cost. A procedure may put several questions.
- `panel`: `convene` seats each judge once for each sample and settles on a value: a `Ruling`.
- `refusals`: one `Refusals` a metric remembers what providers cannot do.
- `strict_json`, `verdicts`, `words`: no score that was not said. `weighing`: finer values from probabilities.
- `canaries`: whether a judge can be talked into a score.

Nothing here raises for what a judge says: `judge_unparseable`, `judge_refused` and `judge_unreachable`
begin the reasons of failed rulings. Errors of `Judge.ask` that are no ModelError pass through.
"""
