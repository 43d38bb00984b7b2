"""The commands by name; the module of one is loaded when it is used, so that help costs nothing."""

import sys
from importlib import import_module
from typing import Any

import click

import assay
from assay.domain.errors import AssayError

INTERRUPTED = 130

COMMANDS: dict[str, tuple[str, str]] = {
    "init": ("init", "Write an example suite to start from."),
    "run": ("run", "Run a suite: prompts x models x cases x repeats."),
    "resume": ("resume", "Go on with a job that was stopped."),
    "retry": ("resume", "Run the failed cells of a job again, as a child job."),
    "cancel": ("jobs", "Cancel a job that is not finished."),
    "jobs": ("jobs", "List jobs, newest first."),
    "show": ("show", "Show the scores and comparisons of a job."),
    "compare": ("compare", "Compare jobs, or prompts and models inside one, paired by case."),
    "gate": ("gate", "May the candidate replace the baseline? Yes, no, or not to tell."),
    "score": ("score", "Score the stored answers of a job by further metrics."),
    "export": ("export", "Write the results of a job to files."),
    "estimate": ("estimate", "Calls, tokens and cost of a suite, before a cent is spent."),
    "plan": ("plan", "How many cases or repeats a difference needs, and what a job can show."),
    "prompts": ("prompts", "Keep prompts in versions: list, show, diff, label, unlabel, import, log."),
    "datasets": ("datasets", "Keep data sets in versions: list, show, import, export, diff, tag, label."),
    "metrics": ("metrics", "List the metrics, or show one: its needs, options, source, judge prompts."),
    "models": ("metrics", "List the providers of models and the keys that they need."),
    "budgets": ("budgets", "Limit what all jobs spend in a day, in a month, or in all."),
    "doctor": ("doctor", "Check environment, keys, database and clock, and say what to do."),
    "credentials": ("credentials", "Keep keys of providers, encrypted."),
    "keys": ("keys", "Make and revoke API keys."),
    "db": ("db", "Work with the database: status, check, backup, restore, readers, psql, ..."),
    "demo": ("demo", "Run the demonstration on a local model."),
}
ALIASES = {"eval": "run", "runs": "jobs"}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """The names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command by its name or alias."""
        name = ALIASES.get(cmd_name, cmd_name)
        if name not in COMMANDS:
            return None
        module = import_module(f"assay.cli.{COMMANDS[name][0]}")
        command: click.Command = getattr(module, f"{name}_command")
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Names and summaries, without importing a command."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, with a suggestion for a name that is nearly right."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            close = import_module("difflib").get_close_matches(args[0], [*COMMANDS, *ALIASES], n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"{error.message}{hint}", ctx) from error


@click.group(
    cls=LazyGroup,
    context_settings={"auto_envvar_prefix": "ASSAY", "help_option_names": ["-h", "--help"]},
    epilog="Every option can be set by a variable: ASSAY_RUN_CONCURRENCY=50 is `assay run -j 50`.",
)
@click.version_option(assay.__version__, prog_name="assay")
def cli() -> None:
    """Evaluate prompts and models with evidence."""


def main(arguments: list[str] | None = None) -> None:
    """Run and exit: 0 good, 1 tool error, 2 usage, 3 inconclusive, 100 gate failed, 130 interrupted."""
    try:
        code: Any = cli.main(arguments, standalone_mode=False)
    except AssayError as error:
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(INTERRUPTED)
    except BrokenPipeError:
        sys.stderr.close()
        sys.exit(1)
    sys.exit(code if isinstance(code, int) else 0)
