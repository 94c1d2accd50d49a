"""`twinfra functions`: the functions of the language, with their signatures."""

from __future__ import annotations

from twinfra.cli.command import command, flag


@command("functions")
@flag("json", "print JSON, as `terraform metadata functions -json` does")
def functions(json: bool) -> None:
    """List the functions of the language."""
    from twinfra.lang.functions.document import metadata

    document = metadata()
    if json:
        from json import dumps

        print(dumps(document))
        return
    for name, signature in sorted(document["function_signatures"].items()):
        parameters = [one["name"] for one in signature.get("parameters", ())]
        if "variadic_parameter" in signature:
            parameters.append(signature["variadic_parameter"]["name"] + "...")
        print(f"{name}({', '.join(parameters)})")


COMMANDS = {"functions": functions}
