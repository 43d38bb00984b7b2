"""assay metrics check, as users run it: on their files, their suites and their scoring services."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from bench import Bench

GOOD = "def polite(output):\n    return 'please' in output\n"
SHARE = "def share(output):\n    return len(output.strip()) / len(output.split())\n"
NAMES = "def names(output, vars):\n    return vars['city'] in output\n"
SUITE = """
prompts: [{id: p, text: "{{ city }}"}]
models: ["echo:one"]
metrics:
  - python: {name: names city, options: {target: "mine.py:names"}}
  - http: {name: service, options: {url: "${SCORES}", headers: {x-token: "${TOKEN}"}}}
  - exact
cases:
  - {id: one, city: Perth}
"""


class Service(BaseHTTPRequestHandler):
    """Scores by the length of the answer; `/broken` says no number."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """One score."""
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        score = "high" if self.path == "/broken" else 1 / (1 + len(asked["output"]))
        body = json.dumps({"score": score, "reason": f"for {asked['metric']}"}).encode()
        self.send_response(200 if self.headers["x-token"] == "secret" else 401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def scores() -> Iterator[str]:
    """The address of a scoring service."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


def test_a_metric_that_keeps_its_promises_is_told_so(lonely: Bench) -> None:
    lonely.write("mine.py", GOOD)
    done = lonely.run("metrics", "check", "mine.py:polite")
    assert done.code == 0, done.err
    assert done.out.splitlines()[0] == "ok     gives one score for each answer, in their order"
    assert done.out.splitlines()[-1] == "mine.py:polite keeps all rules, on 26 answers"
    assert lonely.run("metrics", "check", "exact").code == 0


def test_a_metric_that_breaks_a_rule_is_told_with_the_answer(lonely: Bench) -> None:
    lonely.write("mine.py", SHARE)
    done = lonely.run("metrics", "check", "mine.py:share")
    assert done.code == 1
    lines = done.out.splitlines()
    assert "BROKEN raises nothing, and fails on no content" in lines
    assert any(
        "on an empty answer: ZeroDivisionError: division by zero (mine.py, line 2)" in each for each in lines
    )
    assert lines[-1] == "mine.py:share breaks 1 of 8 rules, on 26 answers"
    document = lonely.run("metrics", "check", "mine.py:share", "--json")
    assert (document.code, document.json["metric"]) == (1, "mine.py:share")
    assert document.json["version"].startswith("1+")
    assert {each["rule"] for each in document.json["violations"]} == {"no error"}


def test_a_suite_says_which_metric_and_with_which_case(lonely: Bench) -> None:
    lonely.write("mine.py", NAMES)
    lonely.write("assay.yaml", SUITE)
    assert "KeyError: 'city'" in lonely.run("metrics", "check", "mine.py:names").out
    assert lonely.run("metrics", "check", "names city", "--suite", "assay.yaml").code == 0
    done = lonely.run("metrics", "check", "names", "--suite", "assay.yaml")
    assert (done.code, "It has: names city, service, exact." in done.err) == (2, True)


def test_a_scoring_service_is_asked_as_a_run_would_ask_it(
    lonely: Bench, scores: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lonely.write("assay.yaml", SUITE)
    monkeypatch.setenv("SCORES", f"{scores}/good")
    monkeypatch.setenv("TOKEN", "secret")
    check = ("metrics", "check", "service", "--suite", "assay.yaml")
    done = lonely.run(*check)
    assert done.code == 0, done.out + done.err
    monkeypatch.setenv("TOKEN", "wrong")
    assert "the service gave no score: " in lonely.run(*check).out
    monkeypatch.setenv("TOKEN", "secret")
    monkeypatch.setenv("SCORES", f"{scores}/broken")
    done = lonely.run(*check)
    assert (done.code, "the service gave the text 'high'" in done.out) == (1, True)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("exat", "Did you mean 'exact'?"),
        ("mine.py:own", "there is no file mine.py"),
        ("http", "needs this option"),
    ],
)
def test_what_cannot_be_checked_is_a_usage_error(lonely: Bench, name: str, said: str) -> None:
    done = lonely.run("metrics", "check", name)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
