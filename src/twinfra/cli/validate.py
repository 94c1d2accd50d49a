"""`twinfra validate`: whether the configuration is valid, without looking at state or cloud."""

from __future__ import annotations

from twinfra.cli.command import command, flag, value


@command("validate")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "accepted; validation calls no cloud")
@flag("no-tests", "accepted; files of tests are not read")
@value("test-directory", "accepted; files of tests are not read")
def validate(json: bool, no_color: bool, sandbox: bool, no_tests: bool, test_directory: str | None) -> int:
    """Check whether the configuration is valid."""
    from twinfra.cli.terminal import Terminal
    from twinfra.cli.workspace import make_providers, try_configuration
    from twinfra.config.installer import misfits_of
    from twinfra.diagnostics import Severity
    from twinfra.engine.api import validate as check

    configuration, diagnostics = try_configuration(misfits=False)
    if not diagnostics.has_errors:
        diagnostics.extend(misfits_of(configuration))
    if not diagnostics.has_errors:
        providers = make_providers(sandbox=False)
        try:
            diagnostics.extend(check(configuration, providers))
        finally:
            providers.close()
    errors = len(diagnostics.errors)
    warnings = sum(1 for one in diagnostics if one.severity is Severity.WARNING)
    if json:
        from twinfra.cli.machine.diagnostics import diagnostic_json
        from twinfra.cli.machine.text import dumps

        document = {
            "format_version": "1.0",
            "valid": errors == 0,
            "error_count": errors,
            "warning_count": warnings,
            "diagnostics": [diagnostic_json(one) for one in diagnostics],
        }
        print(dumps(document, indent=2))
        return 1 if errors else 0
    terminal = Terminal(no_color=no_color)
    terminal.diagnostics(diagnostics)
    if errors:
        return 1
    success = terminal.style("Success!", "green", "bold")
    terminal.say(f"{success} The configuration is valid" + (", with warnings as above." if warnings else "."))
    return 0


COMMANDS = {"validate": validate}
