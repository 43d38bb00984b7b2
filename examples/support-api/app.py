"""A small support application, to be tested from outside: two versions of one answer service.

    python app.py                  serves on http://127.0.0.1:8099 until Ctrl-C
    python app.py assay run        serves on a free port while the command runs, then stops

POST /v1/ask or /v2/ask with {"question": "...", "plan": "free" or "pro"} answers {"answer": "..."}.
The first version looks for one word in the question; the second counts words, knows the plans and takes
long questions. Standard library only.
"""

import json
import os
import re
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

PORT = 8099
LONGEST_V1 = 120
SORRY = "I'm sorry, but I can't help with that. Please write to support@example.com."

FIRST = {
    "password": "Open Settings, choose Security, then Reset password.",
    "invoice": "Invoices are under Settings, Billing.",
    "cancel": "Write to support@example.com to cancel.",
    "export": "Use Export on the project's page. You get a CSV file.",
    "refund": "We refund within 30 days of payment.",
}
SECOND = (
    ({"password", "login", "locked", "sign"}, "Open Settings, choose Security, then Reset password."),
    ({"invoice", "invoices", "receipt", "bill"}, "Invoices are under Settings, Billing, as PDF files."),
    (
        {"cancel", "stop", "end", "subscription"},
        "Open Settings, Billing, Cancel plan. It ends with the month.",
    ),
    ({"export", "download", "csv", "parquet"}, "Use Export on the project's page. You get a CSV file."),
    ({"refund", "money", "back"}, "We refund within 30 days of payment, to the card that paid."),
    ({"delete", "remove", "erase"}, "Open Settings, Privacy, Delete account. Data are gone after 7 days."),
)
LIMITS = {"free": "The free plan has 3 projects.", "pro": "The pro plan has 50 projects."}


def answer_first(question: str, _plan: str) -> str:
    """The first topic whose word is in the question."""
    return next((text for word, text in FIRST.items() if word in question.lower()), SORRY)


def answer_second(question: str, plan: str) -> str:
    """The topic that shares the most words with the question."""
    words = set(re.findall(r"[a-z]+", question.lower()))
    if words & {"projects", "limit"}:
        return LIMITS.get(plan, LIMITS["free"])
    score, text = max(((len(words & topic), text) for topic, text in SECOND), key=lambda found: found[0])
    return text if score else SORRY


class Support(BaseHTTPRequestHandler):
    """Answers questions; 422 for what the first version cannot take, 404 for other paths."""

    protocol_version = "HTTP/1.1"
    # Headers and body leave together: apart, the second waits 40 ms for the client's acknowledgement.
    wbufsize = -1

    def do_POST(self) -> None:
        """Answer one question."""
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        question, plan = str(asked["question"]), str(asked.get("plan", "free"))
        if self.path == "/v1/ask" and len(question) > LONGEST_V1:
            self._send(422, {"error": f"a question has at most {LONGEST_V1} characters"})
        elif self.path == "/v1/ask":
            self._send(200, {"answer": answer_first(question, plan)})
        elif self.path == "/v2/ask":
            self._send(200, {"answer": answer_second(question, plan)})
        else:
            self._send(404, {"error": "POST /v1/ask or /v2/ask"})

    def _send(self, status: int, document: dict[str, str]) -> None:
        body = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the terminal for the results."""


def main(command: list[str]) -> int:
    """Serve, alone or round a command; the command's exit code."""
    with ThreadingHTTPServer(("127.0.0.1", 0 if command else PORT), Support) as server:
        address = f"http://127.0.0.1:{server.server_port}"
        if not command:
            print(f"serving on {address}; Ctrl-C stops")
            try:
                server.serve_forever()
            except KeyboardInterrupt:
                return 0
        threading.Thread(target=server.serve_forever, daemon=True).start()
        environment = {**os.environ, "SUPPORT_API": address}
        code = subprocess.run(command, check=False, env=environment).returncode  # noqa: S603 - the user's own
        server.shutdown()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
