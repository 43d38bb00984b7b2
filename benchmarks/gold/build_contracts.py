"""Makes contracts.jsonl: items written whole by hand, and items composed of paragraphs with one or two
faults.

    python benchmarks/gold/build_contracts.py

The same file on every run. The labels of composed items follow from what was done to them.
"""

import json
import random
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import yaml

HERE = Path(__file__).parent
SOURCE = HERE / "contracts_source"
TARGET = HERE / "contracts.jsonl"
COMPOSED_FOR_EACH = 9
SEED = 20_261
_ITEM = re.compile(
    r"^=== (?P<id>[\w-]+) \| (?P<contract>\w+) \| (?P<place>[\w-]+) \| (?P<conditions>\{.*?\}) \|"
    r"(?P<labels>.*)$"
)
STYLES = ("numbered", "markdown", "capitals", "labels", "bold", "prose")


class Fault(NamedTuple):
    """What was done to a clause: the verdict, and its text in place of the whole one."""

    clause: str
    verdict: str
    body: str | None


def main() -> None:
    """Write all items."""
    items = [
        *written("written_*.txt", "written"),
        *composed(),
        *written("heldout_*.txt", "heldout"),
        *written("second_heldout*.txt", "heldout2"),
        *written("third_heldout.txt", "heldout3"),
        *written("fourth_heldout.txt", "heldout4"),
        *map(json.loads, (SOURCE / "independent.jsonl").read_text(encoding="utf-8").splitlines()),
    ]
    lines = [json.dumps(item, ensure_ascii=False, sort_keys=True) for item in items]
    TARGET.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(f"{len(items)} items in {TARGET.name}")


def written(pattern: str, split: str) -> Iterator[dict[str, Any]]:
    """Items as they stand in the source files."""
    for path in sorted(SOURCE.glob(pattern)):
        head, lines = None, []
        for line in [*path.read_text(encoding="utf-8").split("\n"), "==="]:
            if not line.startswith("==="):
                lines.append(line)
                continue
            if head is not None:
                yield _item(head, "\n".join(lines).strip() + "\n", split)
            head, lines = _ITEM.match(line), []


def _item(head: re.Match[str], text: str, split: str) -> dict[str, Any]:
    labels = [label.strip().split(":") for label in head["labels"].split(",") if label.strip()]
    return {
        "id": head["id"], "split": split, "contract": head["contract"], "jurisdiction": head["place"],
        "conditions": json.loads(head["conditions"]), "text": text,
        "findings": [{"clause": clause, "verdict": verdict} for clause, verdict in labels],
    }  # fmt: skip


def composed() -> Iterator[dict[str, Any]]:
    """Contracts put together from paragraphs: for each kind one whole item and others with faults."""
    kinds = yaml.safe_load((SOURCE / "paragraphs.yaml").read_text(encoding="utf-8"))
    for kind in kinds:
        rng = random.Random(f"{SEED}-{kind['id']}")
        for number in range(COMPOSED_FOR_EACH):
            yield _compose(kind, number, rng)


def _compose(kind: dict[str, Any], number: int, rng: random.Random) -> dict[str, Any]:
    faults = {fault.clause: fault for fault in _faults(kind, number, rng)}
    style = STYLES[(number + len(kind["id"])) % len(STYLES)]
    parts = [
        (
            rng.choice(clause["headings"]),
            fault.body if (fault := faults.get(name)) else rng.choice(clause["bodies"]),
        )
        for name, clause in sorted(kind["clauses"].items(), key=lambda item: item[0] == "execution")
        if not (name in faults and faults[name].verdict == "missing")
    ]
    middle = parts[2:-1]
    rng.shuffle(middle)
    decoys = [("General", decoy) for decoy in kind["decoys"] if rng.random() < 0.5]
    order = [*parts[:2], *middle, *decoys, parts[-1]]
    if style == "prose" and any(fault.verdict in ("excluded", "empty") for fault in faults.values()):
        style = "numbered"
    return {
        "id": f"{kind['id']}-{number:02}", "split": "composed", "contract": kind["contract"],
        "jurisdiction": kind["jurisdiction"], "conditions": kind.get("conditions", {}),
        "text": kind["title"] + "\n\n" + _laid_out(order, style) + "\n",
        "findings": [{"clause": fault.clause, "verdict": fault.verdict} for fault in faults.values()],
    }  # fmt: skip


def _faults(kind: dict[str, Any], number: int, rng: random.Random) -> Iterator[Fault]:
    """The first item of a kind is whole; the others have one to three faults."""
    if number == 0:
        return
    names = [name for name in kind["clauses"] if name not in ("execution",)]
    for name in rng.sample(names, k=rng.choice((1, 1, 2, 2, 3))):
        clause = kind["clauses"][name]
        choices = [("missing", None), ("missing", None), ("empty", "")]
        choices += [("partial", text) for text in clause.get("partial", [])]
        choices += [
            ("blank", text) for text in ("[to be inserted]", "TBC", "[insert details]", "____________")
        ]
        choices += [("dangling", text) for text in ("See Schedule 9.", "As set out in Annexure Q.")]
        choices += [
            ("excluded", text) for text in ("Not applicable.", "Deleted.", "This clause does not apply.")
        ]
        verdict, body = rng.choice(choices)
        yield Fault(name, verdict, body)


def _laid_out(parts: Sequence[tuple[str, str]], style: str) -> str:
    out = []
    for number, (heading, body) in enumerate(parts, 1):
        match style:
            case "numbered":
                out.append(f"{number}. {heading}\n{body}".rstrip())
            case "markdown":
                out.append(f"## {heading}\n\n{body}".rstrip())
            case "capitals":
                out.append(f"{heading.upper()}\n{body}".rstrip())
            case "labels":
                out.append(f"{heading}: {body}".rstrip())
            case "bold":
                out.append(
                    f"**{number}. {heading}**\n\n{number}.1 {body}".rstrip()
                    if body
                    else f"**{number}. {heading}**"
                )
            case _:
                out.append(body if len(body) > 40 else f"{heading}: {body}".rstrip())
    return "\n\n".join(out)


if __name__ == "__main__":
    main()
