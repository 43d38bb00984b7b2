"""Metrics as users write them, for the tests of those who run them."""

from dataclasses import dataclass


def fixed():
    """A metric that looks at nothing."""
    return 1.0


def share_of_letters(output):
    """A graded metric of text."""
    letters = sum(char.isalpha() for char in output)
    return {"score": letters / len(output) if output else 0.0, "reason": f"{letters} letters"}


async def brief(output, options):
    """An asynchronous metric with options."""
    return len(output) <= options.get("limit", 10)


@dataclass
class Longest:
    """A metric that scores a batch at once."""

    limit: int = 100

    def score_batch(self, rows):
        """A share of the limit for each row."""
        return [min(1.0, len(row["output"]) / self.limit) for row in rows]
