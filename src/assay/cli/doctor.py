"""assay doctor."""

import click

from assay.cli.session import load_settings, start_embedded
from assay.cli.tables import echo_json
from assay.domain.errors import AssayError
from assay.services.doctor import Check, check_database, check_folder, check_keys, check_python
from assay.settings import Settings
from assay.storage import migrate

MARKS = {"ok": ("ok", "green"), "warning": ("!", "yellow"), "failed": ("FAIL", "red")}


@click.command(name="doctor")
@click.option("--json", "as_json", is_flag=True, help="Print as JSON.")
def doctor_command(as_json: bool) -> int:
    """Check environment, keys, database and clock, and say what to do."""
    settings = load_settings()
    checks = [
        check_python(),
        check_folder("data", settings.data_dir),
        check_folder("cache", settings.cache_dir),
        check_keys(settings.environment),
        *_database(settings),
    ]
    if as_json:
        echo_json(checks)
    else:
        for check in checks:
            _show(check)
    return 1 if any(check.state == "failed" for check in checks) else 0


def _database(settings: Settings) -> list[Check]:
    if settings.database_url is not None:
        return check_database(settings.database_url, "from DATABASE_URL")
    try:
        with start_embedded(settings) as server:
            if migrate.find_revision(server.dsn()) is None:
                migrate.upgrade(server.dsn(), settings.context_key)
            return check_database(server.dsn(), "embedded")
    except AssayError as error:
        return [Check(name="database", state="failed", found=error.message, remedy=error.remedy)]


def _show(check: Check) -> None:
    mark, colour = MARKS[check.state]
    click.echo(f"{click.style(f'{mark:4}', fg=colour)} {check.name:9} {check.found}")
    if check.remedy:
        click.echo(f"               {check.remedy}")
