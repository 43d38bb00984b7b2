"""A model of the queue walks at random beside the real one: after each step both must say the same.

A walk is one transaction that is rolled back; the functions read the clock, not the transaction's time.
Plain rules of equal weight seldom reach "a stale token on a re-leased item", so the steps are weighted and
what was reached is counted and asserted. Mutants of the schema's functions prove that the walks see.
"""

import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import psycopg
import pytest

from assay.domain.ids import new_id
from tenants import ESTIMATE, INVARIANTS, act_for

WALKS, STEPS, MUTANT_WALKS = 240, 40, 50
MAX_ATTEMPTS, MAX_CRASHES = 3, 2
BOOK = Path(__file__).parents[2] / "migrations" / "create_evaluation_tables.sql"
LATER_S = 3600.0

SETUP = """
with organization as (
  insert into assay.organizations (id, name) values (%(org)s, 'walk')
), dataset as (
  insert into assay.test_datasets (organization_id, id, name) values (%(org)s, %(org)s, 'walk')
), version as (
  insert into assay.dataset_versions (organization_id, id, dataset_id, version, content_hash, case_count)
  values (%(org)s, %(org)s, %(org)s, 1, %(hash)s, 2)
), cases as (
  insert into assay.test_cases (organization_id, id, dataset_id, content_hash, key, vars)
  select %(org)s, ids.id, %(org)s, sha256(ids.id::text::bytea), ids.id::text, '{}'
    from unnest(%(cases)s::uuid[]) as ids (id)
), numbered as (
  insert into assay.dataset_cases (organization_id, dataset_version_id, case_no, case_id)
  select %(org)s, %(org)s, ids.no - 1, ids.id from unnest(%(cases)s::uuid[]) with ordinality as ids (id, no)
)
insert into assay.evaluation_jobs
  (organization_id, id, name, state, plan, config_hash, dataset_version_id, prompt_count, model_count,
   repeat_count, planned, cap_nanousd, max_attempts, max_crashes)
values
  (%(org)s, %(org)s, 'walk', 'queued', '{}', %(hash)s, %(org)s, 1, 1, 2, 4, %(cap)s, %(attempts)s,
   %(crashes)s)
"""
LOOK = """
select j.state::text, j.reserved_nanousd, j.spent_nanousd, j.unpriced_calls,
       (select array_agg(row_to_json(i)::jsonb order by i.item_no) from (
          select q.item_no, q.state::text, q.attempts, q.crashes, q.solo_crashes, q.solo,
                 case when q.state = 'leased' then q.lease_token end as token
            from assay.evaluation_queue q where q.job_id = j.id) i)
  from assay.evaluation_jobs j where j.id = %s
"""


class Found(AssertionError):
    """The database and the model disagree, or an invariant is broken."""


@dataclass(slots=True)
class Call:
    """A row of the ledger."""

    state: str = "intent"
    cost: int | None = None
    counts: bool = True


@dataclass(slots=True)
class Item:
    """A cell, as it should be."""

    item_no: int
    state: str = "ready"
    attempts: int = 0
    crashes: int = 0
    solo_crashes: int = 0
    solo: bool = False
    token: int | None = None
    due: bool = True
    expired: bool = False
    calls: dict[tuple[int, int], Call] = field(default_factory=dict)

    def seen(self) -> dict[str, Any]:
        """What a query shows of it."""
        names = ("item_no", "state", "attempts", "crashes", "solo_crashes", "solo", "token")
        return {name: getattr(self, name) for name in names}

    def call_no(self, token: int) -> int:
        """The number of the last call under a lease."""
        return max(number for at, number in self.calls if at == token)

    def settle(self, token: int, call_no: int, cost: int | None, counts: bool = True) -> str:
        """Close a call with the truth; the state that it was in."""
        call = self.calls[token, call_no]
        was = call.state
        if was != "settled":
            call.counts = was == "unknown" or counts
            call.state, call.cost = "settled", cost
        return was

    def close(self, state: str) -> None:
        """End the lease."""
        self.state, self.token, self.expired, self.due = state, None, False, True


class Walk:
    """One job with four cells, in the database and in Python."""

    def __init__(
        self, connection: psycopg.Connection[Any], rng: random.Random, reached: Counter[str]
    ) -> None:
        self.connection, self.rng, self.reached = connection, rng, reached
        self.id: UUID = new_id()
        self.estimate = None if rng.random() < 0.15 else ESTIMATE
        self.cap = None if self.estimate is None else rng.choice([None, None, 10_000, 10_000, 1500, 400])
        self.state = "queued"
        self.items: dict[int, Item] = {}
        self.leases: list[tuple[int, int]] = []
        self.answered: set[tuple[int, int]] = set()
        act_for(connection, self.id)
        values = {"org": self.id, "cases": [new_id(), new_id()], "hash": bytes(32), "cap": self.cap}
        connection.execute(SETUP, values | {"attempts": MAX_ATTEMPTS, "crashes": MAX_CRASHES})
        self.call("expand_job(%s, %s::jsonb, 10)", orjson.dumps([(0, 0, self.estimate, 0)]).decode())
        self.items = {number: Item(number) for number in range(4)}

    def call(self, function: str, *parameters: Any) -> list[Any]:
        """Rows of one of the schema's functions."""
        query = f"select * from assay.{function}"  # noqa: S608 - ours
        return self.connection.execute(query, [self.id, *parameters]).fetchall()

    def run(self, steps: int) -> None:
        """Take the steps and compare after each."""
        moves = {
            self.claim: 30,
            self.record: 18,
            self.next_attempt: 9,
            self.heartbeat: 6,
            self.release: 8,
            self.expire: 20,
            self.reap: 4,
            self.pause: 2,
            self.resume: 4,
            self.cancel: 0.6,
        }
        for move in self.rng.choices(list(moves), list(moves.values()), k=steps):
            move()
            if self.state == "paused" and self.rng.random() < 0.5:
                self.resume()
            self.compare(move.__name__)
            if self.state in ("completed", "cancelled") and self.rng.random() < 0.3:
                break
        self.reached[self.state] += 1

    # -- what is true

    def compare(self, step: str) -> None:
        """Raise Found where the database is not what it should be."""
        state, reserved, spent, unpriced, rows = self.connection.execute(LOOK, [self.id]).fetchone()  # type: ignore[misc]
        expect((state, reserved, spent, unpriced), (self.state, *self.money()), step)
        expect(rows, [item.seen() for item in self.items.values()], step)
        broken = [row for row in self.connection.execute(INVARIANTS).fetchall() if row[1]]
        expect(broken, [], step)

    def money(self) -> tuple[int, int, int]:
        """Reserved, spent, and calls of unknown price."""
        calls = [call for item in self.items.values() for call in item.calls.values()]
        estimate = self.estimate or 0
        reserved = sum(estimate for call in calls if call.state == "intent")
        lost = [call for call in calls if call.state == "unknown"]
        settled = [call for call in calls if call.state == "settled"]
        spent = estimate * len(lost) + sum(call.cost or 0 for call in settled)
        unpriced = sum(call.cost is None for call in settled) + (len(lost) if self.estimate is None else 0)
        return reserved, spent, unpriced

    def held(self, item_no: int, token: int) -> bool:
        """Whether a lease is the one that counts."""
        return self.items[item_no].token == token

    def choose(self, most: int) -> list[tuple[int, int]]:
        """Some leases, old ones too."""
        if not self.leases:
            return []
        current = [lease for lease in self.leases if self.held(*lease)]
        pool = current if current and self.rng.random() < 0.6 else self.leases[-8:]
        return self.rng.sample(pool, min(len(pool), self.rng.randint(1, most)))

    # -- steps

    def claim(self) -> None:
        suspects = any(item.solo for item in self.items.values())
        count, solo = self.rng.randint(1, 3), self.rng.random() < (0.5 if suspects else 0.1)
        open_ = self.state in ("queued", "running")
        ready = [i for i in self.items.values() if open_ and i.state == "ready" and i.solo == solo and i.due]
        room = count
        if self.cap is not None:
            reserved, spent, _ = self.money()
            room = max(0, self.cap - reserved - spent) // ESTIMATE
        rows = self.call("claim(%s, 'walker', %s, interval '1 hour', %s)", count, solo)
        expect(len(rows), min(count, room, len(ready)), "claim")
        newest = max((token for _, token in self.leases), default=0)
        for item_no, token, attempt, *_ in rows:
            item = self.items[item_no]
            expect(item in ready and token > newest, True, "claim")
            item.state, item.token, item.attempts = "leased", token, item.attempts + 1
            expect(attempt, item.attempts, "claim")
            item.calls[token, 1] = Call()
            self.leases.append((item_no, token))
        if rows:
            self.state = "running"

    def record(self) -> None:
        batch: list[dict[str, Any]] = []
        expected: dict[tuple[int, int], str] = {}
        for item_no, token in self.choose(3):
            kind = self.rng.choices(["success", "failure", "retry"], [5, 1, 4])[0]
            counts = kind == "success" or self.rng.random() < 0.7
            cost = None if self.estimate is None else self.rng.choice([0, 30, ESTIMATE]) * (kind == "success")
            call_no = self.items[item_no].call_no(token)
            row = {"item_no": item_no, "lease_token": token, "call_no": call_no, "kind": kind}
            row |= {"counts": counts, "delay_s": self.rng.choice([0.0, 0.0, LATER_S]), "cost_nanousd": cost}
            row |= {"output": "x", "finish": "complete", "outcome": kind, "cached": False, "scores": []}
            batch.append(row | {"scores": [["m", "1", "scored", 1.0, True, "r", None, 0, 0]]})
        for row in batch:
            expected[row["item_no"], row["lease_token"]] = self.recorded(row)
        if self.rng.random() < 0.1:
            batch += batch[:1]
        rows = self.call("record(%s, %s::jsonb)", orjson.dumps(batch).decode())
        expect({(item, token): answer for item, token, answer in rows}, expected, "record")

    def recorded(self, row: dict[str, Any]) -> str:
        """What a row of `record` does to the model, and its answer."""
        item, token, kind = self.items[row["item_no"]], row["lease_token"], row["kind"]
        was = item.settle(token, row["call_no"], row["cost_nanousd"], row["counts"])
        self.reached["late truth"] += was == "unknown"
        if not self.held(item.item_no, token):
            answer = "already" if (item.item_no, token) in self.answered else "fenced"
            self.reached[answer] += 1
            return answer
        state = {"success": "succeeded", "failure": "failed"}.get(kind)
        again = not row["counts"] or item.attempts < MAX_ATTEMPTS
        item.attempts -= not row["counts"]
        item.close(state or ("ready" if again else "failed"))
        item.due = kind != "retry" or row["delay_s"] == 0
        if kind == "success":
            self.answered.add((item.item_no, token))
        self.reached[item.state] += 1
        return item.state

    def next_attempt(self) -> None:
        batch, expected = [], set()
        for item_no, token in self.choose(2):
            item, counts = self.items[item_no], self.rng.random() < 0.7
            call_no = max(1, item.call_no(token) - (self.rng.random() < 0.2))
            row = {"item_no": item_no, "lease_token": token, "call_no": call_no, "counts": counts}
            batch.append(row | {"outcome": "again", "cost_nanousd": 0})
            item.settle(token, call_no, 0, counts)
            if self.held(item_no, token):
                expected.add((item_no, token))
                if (token, call_no + 1) not in item.calls:
                    item.calls[token, call_no + 1] = Call()
                    item.attempts += counts
                    self.reached["next attempt"] += 1
        rows = self.call("next_attempt(%s, %s::jsonb)", orjson.dumps(batch).decode())
        expect(set(rows), expected, "next_attempt")

    def heartbeat(self) -> None:
        leases = self.choose(3)
        alive = [lease for lease in leases if self.held(*lease) and self.state in ("running", "paused")]
        rows = self.call("heartbeat(%s, %s::bigint[], interval '1 hour')", [token for _, token in leases])
        expect({token for (token,) in rows}, {token for _, token in alive}, "heartbeat")
        for item_no, _ in alive:
            self.items[item_no].expired = False

    def release(self) -> None:
        leases = self.choose(2)
        sent = [token for _, token in leases if self.rng.random() < 0.5]
        self.call("release(%s, %s::bigint[], %s::bigint[])", [token for _, token in leases], sent)
        for item_no, token in leases:
            if not self.held(item_no, token):
                continue
            item = self.items[item_no]
            call = item.calls[token, item.call_no(token)]
            call.state, call.cost = ("unknown", None) if token in sent else ("settled", 0)
            call.counts = token in sent
            item.attempts -= token not in sent
            item.close("cancelled" if self.state == "cancelling" else "ready")
            self.reached["released"] += 1

    def expire(self) -> None:
        """Leases run out; three times in four somebody sweeps at once."""
        current = [item for item in self.items.values() if item.state == "leased"]
        for item in self.rng.sample(current, min(len(current), self.rng.randint(1, 2))):
            item.expired = True
            self.connection.execute(
                "update assay.evaluation_queue set lease_expires_at = clock_timestamp() - interval '1 s'"
                " where job_id = %s and item_no = %s",
                [self.id, item.item_no],
            )
        if self.rng.random() < 0.75:
            self.reap()

    def reap(self) -> None:
        row = self.call("reap(%s, interval '0 s')")[0]
        counted = Counter(self.lose(i) for i in self.items.values() if i.state == "leased" and i.expired)
        for item in self.items.values():
            if item.state == "ready" and self.state == "cancelling":
                item.state = "cancelled"
                counted["cancelled"] += 1
        waiting = [item.due for item in self.items.values() if item.state == "ready"]
        leased = any(item.state == "leased" for item in self.items.values())
        if not waiting and not leased:
            self.state = {"cancelling": "cancelled", "running": "completed"}.get(self.state, self.state)
        expected = (
            counted["ready"],
            counted["dead"],
            counted["cancelled"],
            bool(waiting),
            leased,
            self.state,
        )
        expect((*row[:5], row[6]), expected, "reap")
        expect((row[5] is not None, row[5] == 0), (bool(waiting), any(waiting)), "reap")
        self.reached.update(counted)

    def lose(self, item: Item) -> str:
        """What losing its lease makes of an item."""
        assert item.token is not None
        item.calls[item.token, item.call_no(item.token)].state = "unknown"
        item.crashes, item.solo_crashes = item.crashes + 1, item.solo_crashes + item.solo
        dead = item.solo and item.solo_crashes >= MAX_CRASHES
        item.solo = item.crashes >= 2
        item.close("dead" if dead else "ready")
        self.reached["reclaimed"] += 1
        return item.state

    def pause(self) -> None:
        self.move("paused", ("queued", "running"))

    def resume(self) -> None:
        self.move("running", ("paused",))

    def cancel(self) -> None:
        self.move("cancelling", ("queued", "running", "paused"))

    def move(self, state: str, allowed: Sequence[str]) -> None:
        """What a user does to a job."""
        if self.state in allowed:
            self.state = state
            self.connection.execute(
                "update assay.evaluation_jobs set state = %s::assay.job_state where id = %s", [state, self.id]
            )


def expect(found: Any, wanted: Any, step: str) -> None:
    """Raise Found when the two differ."""
    if found != wanted:
        raise Found(f"{step}: {found} in place of {wanted}")


@contextmanager
def undone(connection: psycopg.Connection[Any]) -> Iterator[None]:
    """A savepoint to which the block's end goes back."""
    with connection.transaction(force_rollback=True):
        yield


def walk(connection: psycopg.Connection[Any], seed: int, reached: Counter[str]) -> None:
    """One walk, of which nothing stays."""
    with undone(connection):
        connection.execute("set local role assay_app")
        Walk(connection, random.Random(seed), reached).run(STEPS)


@pytest.mark.parametrize("part", range(3))
def test_a_random_walk_and_its_model_never_disagree(dsn: str, part: int) -> None:
    reached: Counter[str] = Counter()
    with psycopg.connect(dsn, autocommit=True) as connection:
        for seed in range(part * WALKS // 3, (part + 1) * WALKS // 3):
            walk(connection, seed, reached)
    assert not {name: n for name, n in LEAST.items() if reached[name] < n / 3}, reached


LEAST = {
    "fenced": 500,
    "already": 60,
    "reclaimed": 500,
    "released": 150,
    "late truth": 150,
    "next attempt": 150,
    "succeeded": 200,
    "dead": 12,
    "completed": 20,
    "cancelled": 12,
}
"""What the walks must reach in sum; a third of it in each part."""

# Name -> function, what is replaced in it (alternatives that guard one another by "|"), and by what.

MUTANTS = {
    "record: any token will do": (
        "record",
        "q.item_no = b.item_no and q.lease_token = b.lease_token and",
        "q.item_no = b.item_no and",
    ),
    "record: a batch is joined by item alone": (
        "record",
        "left join moved m using (item_no, lease_token)",
        "left join moved m using (item_no)",
    ),
    "record: attempts never run out": ("record", "(b.counts is false or q.attempts < most)", "true"),
    "record: a wait counts as an attempt": (
        "record",
        "attempts = q.attempts - (b.counts is false)::int,",
        "",
    ),
    "settle: a late truth adds to the estimate": ("settle_calls", "+ s.paid - s.assumed", "+ s.paid"),
    "settle: reserved money is kept": ("settle_calls", "j.reserved_nanousd - s.freed", "j.reserved_nanousd"),
    "settle: a settled call is settled again": (
        "settle_calls",
        "c.state in ('intent', 'unknown')",
        "c.state is not null",
    ),
    "settle: unknown prices are not counted": ("settle_calls", "+ s.unpriced", ""),
    "claim: no look at the budget": ("claim", "room is null or p.so_far <= room", "true"),
    "claim: paused jobs are worked on": ("claim", "('queued', 'running')", "('queued', 'running', 'paused')"),
    "claim: suspects run among others": ("claim", "and q.solo = p_solo", ""),
    "claim: delays are not waited for": ("claim", "and q.available_at <= clock_timestamp()", ""),
    "next_attempt: lost leases go on": (
        "next_attempt",
        "and q.item_no = b.item_no and q.lease_token = b.lease_token and q.lease_expires_at is not null",
        "and q.item_no = b.item_no and q.lease_expires_at is not null",
    ),
    "next_attempt: the next call reserves nothing": (
        "next_attempt",
        "(select coalesce(sum(h.estimate_nanousd), 0)::bigint from held h)",
        "0",
    ),
    "heartbeat: every token is held": ("heartbeat", "and j.state in ('running', 'paused')", ""),
    "release: any lease of a job": (
        "release",
        "q.lease_token = t.lease_token|q.lease_token = any (p_tokens)",
        "true",
    ),
    "release: what was sent is free": ("release", "+ s.paid", ""),
    "release: it costs an attempt": (
        "release",
        "case when q.lease_token = any (p_sent) then 0 else 1 end",
        "0",
    ),
    "reap: lost calls stay open": (
        "reap",
        """set state = case when c.answer is null then 'unknown' else 'settled' end::assay.call_state,
           outcome = 'lease_lost',""",
        "set outcome = 'lease_lost',",
    ),
    "reap: the money of a lost call is forgotten": ("reap", "j.spent_nanousd + s.paid", "j.spent_nanousd"),
    "reap: suspects are never alone": ("reap", "solo = q.crashes + 1 >= 2", "solo = false"),
    "reap: the innocent die": (
        "reap",
        "q.solo and q.solo_crashes + 1 >= job.max_crashes",
        "q.crashes + 1 >= job.max_crashes",
    ),
    "reap: a job ends while items are leased": (
        "reap",
        "if not ready and not leased and",
        "if not ready and",
    ),
    "reap: leases that did not run out": ("reap", "and q.lease_expires_at < clock_timestamp()", ""),
}


def test_the_walk_and_the_invariants_catch_every_mutant(dsn: str) -> None:
    survivors = []
    with psycopg.connect(dsn, autocommit=True) as connection:
        for name, (function, old, new) in MUTANTS.items():
            with undone(connection):
                connection.execute("set local role assay_owner")
                connection.execute(mutate(function, old, new))
                if not is_caught(connection):
                    survivors.append(name)
    assert not survivors


def mutate(function: str, old: str, new: str) -> str:
    """The definition of a function with a defect in it."""
    found = re.search(rf"create (function assay\.{function}\(.*?\$\$.*?\$\$;)", BOOK.read_text(), re.DOTALL)
    assert found
    text = found[1]
    for part in old.split("|"):
        assert part in text, f"{function} has no {part!r}"
        text = text.replace(part, new)
    return "create or replace " + text


def is_caught(connection: psycopg.Connection[Any]) -> bool:
    """Whether walks see the defect; a check or trigger of the schema that refuses counts as seen."""
    for seed in range(MUTANT_WALKS):
        try:
            walk(connection, seed, Counter())
        except (Found, psycopg.errors.IntegrityError):
            return True
        except psycopg.DatabaseError as refused:
            if refused.sqlstate not in ("P0401", "P0402", "P0403"):
                raise
            return True
    return False
