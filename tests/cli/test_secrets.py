"""A key goes to its provider and nowhere else."""

import subprocess
from pathlib import Path

from bench import KEY, Bench
from provider import Provider, Question, refuse, repeat

from assay.storage import embedded


def test_a_key_is_in_no_dump_no_file_and_no_message(bench: Bench, provider: Provider, data_dir: Path) -> None:
    def decide(question: Question):
        if question.text == "question 1":
            return refuse(401, "invalid_api_key", f"Incorrect API key provided: {KEY}. See x?key={KEY}")
        if question.text == "question 2":
            return refuse(400, "bad", f"header was: Bearer {KEY}")
        return repeat(question)

    provider.decide = decide
    bench.suite(6, models=[bench.model(headers={"X-Extra": "${TEST_KEY}"})])
    outputs = [f"r.{end}" for end in ("json", "jsonl", "csv", "parquet", "html", "md", "xml")]
    said = ""
    for arguments in (
        ("run", *(part for name in outputs for part in ("-o", name))),
        ("show", "--json"),
        ("retry",),
        ("doctor", "--json"),
        ("db", "status"),
    ):
        done = bench.run(*arguments)
        said += done.out + done.err
    assert provider.questions[0].headers["x-extra"] == KEY
    assert KEY not in said
    for name in outputs:
        assert KEY.encode() not in (bench.folder / name).read_bytes()
    dump = subprocess.run([embedded.pg_dump_path(), bench.dsn], capture_output=True, check=True).stdout
    assert bench.organization_id.encode() in dump
    assert [line for line in dump.splitlines() if KEY.encode() in line] == []
    assert KEY.encode() not in b"".join(path.read_bytes() for path in data_dir.rglob("*.log"))
