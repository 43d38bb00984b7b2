"""What a user can get wrong: said with file, line, field and remedy, before any request and any row."""

import os

import pytest
from bench import Bench

SUITE = """\
prompts:
  - id: plain
    text: "{{ q }}"
models:
  - id: openai:m
    base_url: URL
    key_variable: TEST_KEY
dataset: cases.jsonl
metrics:
  - exact
"""
RESULTS = "select * from assay.evaluation_results where organization_id = %(org)s order by item_no"
CASES = '{"id": "a", "vars": {"q": "one"}, "expected": "one"}\n{"id": "b", "vars": {"q": "two"}}\n'


@pytest.fixture
def refused(bench: Bench):
    """Writes a suite with changes, runs it, sees that nothing happened, and returns what was said."""

    def run(
        *changes: tuple[str, str], cases: str | bytes = CASES, file: str = "cases.jsonl", options=(), code=2
    ):
        text = SUITE.replace("URL", bench.provider.url).replace("cases.jsonl", file)
        for old, new in changes:
            assert old in text
            text = text.replace(old, new)
        bench.write("assay.yaml", text)
        bench.write(file, cases)
        done = bench.run("run", *options)
        assert done.code == code, done
        assert done.out == ""
        assert "Traceback" not in done.err
        assert bench.provider.count == 0
        assert bench.jobs() == []
        return done.err

    return run


def test_an_unknown_key_is_named_with_its_line_and_the_likely_one(refused) -> None:
    said = refused(("metrics:", "metricks:"))
    assert "assay.yaml:9" in said
    assert "metricks" in said
    assert "did you mean" in said.lower()
    assert "metrics" in said


def test_an_unknown_key_inside_is_named_by_its_path(refused) -> None:
    said = refused(("    key_variable:", "    key_varable:"))
    assert "assay.yaml:7" in said
    assert "key_varable" in said
    assert "key_variable" in said.replace("key_varable", "")


def test_a_variable_that_a_case_lacks_is_named_with_its_line(refused) -> None:
    said = refused(cases=CASES + '{"id": "c", "vars": {"question": "three"}}\n')
    assert "cases.jsonl:3" in said
    assert "vars.q" in said
    assert "'c'" in said
    assert "question" in said


def test_an_unknown_provider_is_named_with_the_likely_one(refused) -> None:
    said = refused(("openai:m", "opnai:m"))
    assert "assay.yaml:5" in said
    assert "opnai" in said
    assert "'openai'" in said


def test_an_unknown_metric_is_named_with_the_likely_one(refused) -> None:
    said = refused(("- exact", "- exakt"))
    assert "assay.yaml:10" in said
    assert "exakt" in said
    assert "exact" in said


def test_an_unknown_option_of_a_metric_is_named(refused) -> None:
    said = refused(("- exact", "- {type: exact, options: {ignore_caze: true}}"))
    assert "assay.yaml:10" in said
    assert "ignore_caze" in said


@pytest.mark.parametrize(
    ("cases", "line"),
    [
        ('{"id": "a", "vars": {"q": "x"}}\n{"id": "a", "vars": {"q": "y"}}\n', 2),
        ('{"id": "", "vars": {"q": "x"}}\n', 1),
    ],
    ids=["duplicate", "empty"],
)
def test_a_case_id_that_cannot_be_used_is_named_with_its_line(refused, cases: str, line: int) -> None:
    said = refused(cases=cases)
    assert f"cases.jsonl:{line}" in said
    assert "id" in said


def test_no_case_at_all_is_refused(refused) -> None:
    assert "cases.jsonl" in refused(cases="")


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("cases.jsonl", "id,q\na,one\n"),
        ("cases.json", '{"id": "a"}\n{"id": "b"}\n'),
        ("cases.parquet", "id,q\na,one\n"),
        ("cases.csv", b"PAR1\x00\x01\x02\xffPAR1"),
        ("cases.yaml", "- {id: a\n"),
        ("cases.xlsx", b"PK\x03\x04"),
        ("cases.jsonl", b'{"id": "a", "vars": {"q": "caf\xe9 \xc3\xa9"}}\n'),
        (
            "cases.jsonl",
            b'{"id": "a", "vars": {"q": "caf\xc3\xa9"}}\n{"id": "b", "vars": {"q": "caf\xe9"}}\n',
        ),
    ],
    ids=[
        "csv-as-jsonl",
        "jsonl-as-json",
        "csv-as-parquet",
        "binary-as-csv",
        "yaml",
        "xlsx",
        "latin1",
        "mixed",
    ],
)
def test_a_data_file_that_is_not_what_it_claims_is_refused(refused, file: str, content: str | bytes) -> None:
    said = refused(file=file, cases=content)
    assert file in said or ".xlsx" in said


@pytest.mark.parametrize(
    "template",
    [
        "{{ q.__class__.__mro__ }}",
        "{{ ''.__class__ }}",
        "{% for x in ().__class__.__base__.__subclasses__() %}{{ x }}{% endfor %}",
        "{{ q | attr('__class__') }}",
        "{{ cycler.__init__.__globals__ }}",
        "{% include '/etc/passwd' %}",
        "{% import 'os' as os %}",
        "{{ range(10**9) | list }}",
    ],
)
def test_a_template_that_leaves_its_sandbox_is_refused(refused, template: str) -> None:
    said = refused(('"{{ q }}"', '"' + template + ' {{ q }}"'))
    assert "plain" in said or "assay.yaml:2" in said or "assay.yaml:3" in said


def test_a_template_with_a_mistake_is_named_with_its_line(refused) -> None:
    said = refused(('"{{ q }}"', '"{{ q "'))
    assert "assay.yaml" in said
    assert "plain" in said or "prompts.0" in said


@pytest.mark.parametrize("output", ["missing/out.csv", "out.pdf", "."])
def test_an_output_that_cannot_be_written_is_refused_before_the_run(refused, output: str) -> None:
    said = refused(options=("-o", output))
    assert output.rpartition("/")[2] in said


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_an_output_in_a_folder_of_others_is_refused(refused) -> None:
    assert "/proc/out.csv" in refused(options=("-o", "/proc/out.csv"))


def test_a_key_that_is_not_set_is_named(refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TEST_KEY")
    said = refused()
    assert "TEST_KEY" in said
    assert "set" in said.lower()


def test_an_unknown_option_is_named_with_the_likely_one(refused) -> None:
    said = refused(options=("--concurency", "5"))
    assert "--concurency" in said
    assert "--concurrency" in said


@pytest.mark.parametrize(
    ("options", "named"),
    [
        (("--filter-pattern", "("), "--filter-pattern"),
        (("--filter-range", "abc"), "--filter-range"),
        (("--filter-range", "5"), "--filter-range"),
        (("--filter-metadata", "x"), "--filter-metadata"),
        (("--filter-prompts", "nothing"), "--filter-prompts"),
        (("--filter-models", "nothing"), "--filter-models"),
        (("--filter-pattern", "nothing"), "no case"),
        (("--filter-range", "10:20"), "no case"),
        (("--limit", "0"), "--limit"),
        (("--var", "x"), "--var"),
        (("--repeat", "0"), "--repeat"),
        (("--min-pass-rate", "2"), "--min-pass-rate"),
        (("-c", "other.yaml"), "other.yaml"),
        (("--env-file", "nowhere.env"), "nowhere.env"),
        (("--resume", "nowhere"), "nowhere"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_an_option_that_cannot_be_used_is_named(refused, options: tuple[str, ...], named: str) -> None:
    assert named in refused(options=options)


def test_a_missing_suite_says_how_to_begin(bench: Bench) -> None:
    done = bench.run("run")
    assert done.code == 2
    assert "assay.yaml" in done.err
    assert "assay init" in done.err


def test_a_missing_data_file_is_named(refused) -> None:
    said = refused(("dataset: cases.jsonl", "dataset: casses.jsonl"))
    assert "casses.jsonl" in said


def test_a_budget_needs_known_prices(refused) -> None:
    elsewhere = ("    base_url: ", "    base_url: https://models.example/")
    said = refused(elsewhere, ("metrics:", "budget_usd: 1\nmetrics:"))
    assert "assay.yaml:9" in said
    assert "price" in said
    said = refused(elsewhere, options=("--budget", "1"))
    assert "openai:m" in said
    assert "price" in said


def test_a_server_that_cannot_be_reached_is_a_tool_error(refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://someone:pass-canary-word@127.0.0.1:9/none")
    said = refused(code=1)
    assert "DATABASE_URL" in said
    assert "pass-canary-word" not in said


def test_a_database_url_that_is_none_is_a_tool_error(refused, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", "this is no address")
    assert "DATABASE_URL" in refused(code=1)


def test_a_database_without_our_schema_is_a_tool_error(
    refused, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", bench.dsn.replace("dbname='postgres'", "dbname='template1'"))
    said = refused(code=1)
    assert "assay db upgrade" in said


def test_an_environment_file_with_a_bad_line_is_named(refused, bench: Bench) -> None:
    bench.write("keys.env", "GOOD=1\nthis is no assignment\n")
    assert "keys.env:2" in refused(options=("--env-file", "keys.env"))


def test_an_environment_file_that_is_no_text_is_named(refused, bench: Bench) -> None:
    bench.write("keys.env", b"KEY=caf\xe9\n")
    assert "keys.env" in refused(options=("--env-file", "keys.env"))


@pytest.mark.parametrize("value", ["lots", "-1", "nan"])
def test_a_setting_that_cannot_be_used_is_named(refused, monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("ASSAY_DB_IDLE_S", value)
    assert "ASSAY_DB_IDLE_S" in refused()


def test_a_bad_tenant_is_named(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.suite(1)
    monkeypatch.setenv("ASSAY_ORGANIZATION_ID", "me")
    done = bench.run("run")
    assert done.code == 2
    assert "ASSAY_ORGANIZATION_ID" in done.err


def test_many_mistakes_are_told_at_once(refused) -> None:
    said = refused(("metrics:", "metricks:"), ("    text:", "    txt:"))
    assert "metricks" in said
    assert "txt" in said


def test_nothing_stored_is_lost_by_a_refusal(bench: Bench) -> None:
    bench.suite(2)
    assert bench.run("run").code == 0
    before = bench.rows(RESULTS)
    bench.suite([{"id": "a", "vars": {"q": "x"}}, {"id": "a", "vars": {"q": "y"}}])
    assert bench.run("run").code == 2
    assert bench.rows(RESULTS) == before
    assert len(bench.jobs()) == 1
