"""A plan as people read it: what happens to each resource, only what changes, why it is replaced, and a sum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from twinfra.addresses import DATA, AbsResource
from twinfra.cli.render.diff import Differ, bare, same
from twinfra.cli.render.style import Style
from twinfra.engine.changes import Action, OutputChange, Plan, Reason, ResourceChange
from twinfra.schema import Block, NestedBlock, Nesting
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import GetAttr, Index, Path, Set, Unknown, Value

SchemaOf = Callable[[ResourceChange], Block | None]

SYMBOLS = {
    Action.CREATE: "  +",
    Action.READ: " <=",
    Action.UPDATE: "  ~",
    Action.DELETE: "  -",
    Action.DELETE_THEN_CREATE: "-/+",
    Action.CREATE_THEN_DELETE: "+/-",
    Action.FORGET: "  .",
    Action.NO_OP: "   ",
}
MEANINGS = {
    Action.CREATE: "create",
    Action.UPDATE: "update in place",
    Action.DELETE: "destroy",
    Action.DELETE_THEN_CREATE: "destroy and then create the replacement",
    Action.CREATE_THEN_DELETE: "create the replacement and then destroy",
    Action.READ: "read during apply",
    Action.FORGET: "forget: no longer managed, and not destroyed",
}
COLOURS = {
    Action.CREATE: ("green",),
    Action.UPDATE: ("yellow",),
    Action.DELETE: ("red",),
    Action.DELETE_THEN_CREATE: ("red",),
    Action.CREATE_THEN_DELETE: ("green",),
    Action.READ: ("cyan",),
}
REASONS = {
    Reason.REPLACE_BECAUSE_TAINTED: "is tainted, so must be replaced",
    Reason.REPLACE_BY_REQUEST: "will be replaced, as requested",
    Reason.REPLACE_BY_TRIGGERS: "will be replaced due to changes in replace_triggered_by",
    Reason.DELETE_BECAUSE_NO_RESOURCE_CONFIG: "(because {resource} is not in the configuration)",
    Reason.DELETE_BECAUSE_NO_MODULE: "(because {module} is not in the configuration)",
    Reason.DELETE_BECAUSE_WRONG_REPETITION: "(because the resource uses count or for_each differently now)",
    Reason.DELETE_BECAUSE_COUNT_INDEX: "(because index {key} is out of range for count)",
    Reason.DELETE_BECAUSE_EACH_KEY: "(because key {key} is not in the for_each map)",
    Reason.DELETE_BECAUSE_NO_MOVE_TARGET: "(because nothing is configured at the address it moved to)",
    Reason.READ_BECAUSE_CONFIG_UNKNOWN: "(its configuration depends on values that are not known yet)",
    Reason.READ_BECAUSE_DEPENDENCY_PENDING: "(it depends on a resource with changes pending)",
    Reason.READ_BECAUSE_CHECK_NESTED: "(it is read to verify a check block)",
}
ALWAYS_SHOWN = ("id", "name", "tags")


def visible(change: ResourceChange) -> bool:
    """Whether a change is worth showing: anything but a no-op that neither moved nor is imported."""
    if change.action is Action.NO_OP:
        return change.previous is not None or bool(change.importing)
    return True


def render_plan(plan: Plan, schema_of: SchemaOf, style: Style, *, show_drift: bool = True) -> Iterator[str]:
    """The whole plan as pieces of text, each ending in a line feed."""
    drift = [change for change in plan.drift if visible(change)]
    told = drift if plan.mode == "refresh-only" else _that_matters(plan, drift)
    if told and (show_drift or plan.mode == "refresh-only"):
        yield from _drift(plan, told, schema_of, style)
    if len(told) < len(drift):
        yield "\n" + style(_quiet_drift(len(drift) - len(told)), "dim") + "\n"
    changes = [change for change in plan.changes if visible(change)]
    if changes:
        yield "\n" + style("Twinfra will do the following:", "bold") + "\n"
        yield legend(changes, style)
        for change in changes:
            yield "\n" + render_change(change, schema_of(change), style)
        yield "\n" + summary(plan, style) + "\n"
    outputs = [one for one in plan.outputs if one.action is not Action.NO_OP]
    if outputs:
        yield "\n" + style("Changes to outputs:", "bold") + "\n" + render_outputs(outputs, style)
    if not changes and not outputs:
        yield "\n" + no_changes(plan, bool(told), style)
    elif not changes:
        yield "\nNo infrastructure changes: only output values will be saved to the state.\n"


def legend(changes: Iterable[ResourceChange], style: Style) -> str:
    """What each symbol in this plan means."""
    used = {change.action for change in changes}
    lines = [
        f"  {style(SYMBOLS[action], *COLOURS.get(action, ()))} {meaning}"
        for action, meaning in MEANINGS.items()
        if action in used
    ]
    return "\n".join(lines) + ("\n" if lines else "")


def no_changes(plan: Plan, drifted: bool, style: Style) -> str:
    """What to say when nothing is to be done."""
    title = style("No changes.", "bold", "green")
    if plan.errored:
        return ""
    if plan.mode == "refresh-only" and drifted:
        return "Applying this plan would write the values found to the state; it changes no real object.\n"
    if plan.mode == "refresh-only":
        return f"{title} What really exists still matches the state.\n"
    if plan.mode == "destroy":
        return f"{title} No objects need to be destroyed.\n"
    if drifted:
        return f"{title} The configuration still holds; 'apply -refresh-only' would record what was found.\n"
    return f"{title} What really exists matches the configuration.\n"


def counts(plan: Plan) -> dict[str, int]:
    """How many objects are imported, added, changed, removed and forgotten."""
    found = {"import": 0, "add": 0, "change": 0, "remove": 0, "forget": 0}
    for change in plan.changes:
        if change.importing:
            found["import"] += 1
        action = change.action
        if action is Action.CREATE or action.replaces:
            found["add"] += 1
        if action is Action.UPDATE:
            found["change"] += 1
        if action is Action.DELETE or action.replaces:
            found["remove"] += 1
        if action is Action.FORGET:
            found["forget"] += 1
    return found


def summary(plan: Plan, style: Style) -> str:
    """`Plan: 3 to add, 0 to change, 1 to destroy.`"""
    found = counts(plan)
    parts = [f"{found['import']} to import"] if found["import"] else []
    parts += [f"{found['add']} to add", f"{found['change']} to change", f"{found['remove']} to destroy"]
    if found["forget"]:
        parts.append(f"{found['forget']} to forget")
    return style("Plan:", "bold") + " " + ", ".join(parts) + "."


def _drift(plan: Plan, drift: list[ResourceChange], schema_of: SchemaOf, style: Style) -> Iterator[str]:
    yield "\n" + style("Changed outside of Twinfra since the last apply:", "bold", "cyan") + "\n"
    for change in drift:
        yield "\n" + render_change(change, schema_of(change), style, drift=True)
    if plan.mode != "refresh-only":
        yield "\nThe plan below takes this into account; what the configuration declares is put back.\n"
    yield style("─" * min(style.width, 80), "dim") + "\n"


def _that_matters(plan: Plan, drift: list[ResourceChange]) -> list[ResourceChange]:
    """The drift that one should know of: what this plan puts back, what it depends on, and what is gone."""
    if not drift:
        return []
    changing = {change.address for change in plan.changes if change.action is not Action.NO_OP}
    used: dict[str, set[object]] = {}
    for address, path in plan.relevant:
        used.setdefault(address, set()).add(path[0] if path else None)
    return [
        change
        for change in drift
        if change.action is Action.DELETE
        or change.address in changing
        or _is_used(change, used.get(str(change.address), set()) | used.get(_without_key(change), set()))
    ]


def _without_key(change: ResourceChange) -> str:
    return str(AbsResource(change.address.module, change.address.resource))


def _is_used(change: ResourceChange, names: set[object]) -> bool:
    before, after = bare(change.before) or {}, bare(change.after) or {}
    return None in names or any(
        name in names and not same(before.get(name), after.get(name)) for name in after
    )


def _quiet_drift(number: int) -> str:
    objects = "1 object was" if number == 1 else f"{number} objects were"
    return f"({objects} changed outside of Twinfra where nothing here depends on it: plan -refresh-only shows it.)"


def headline(change: ResourceChange, drift: bool = False) -> str:
    """The sentence above a resource."""
    address = str(change.address) + (f" (deposed object {change.deposed})" if change.deposed else "")
    action = change.action
    if drift:
        return f"{address} " + ("has been deleted" if action is Action.DELETE else "has changed")
    if change.reason in (
        Reason.REPLACE_BECAUSE_TAINTED,
        Reason.REPLACE_BY_REQUEST,
        Reason.REPLACE_BY_TRIGGERS,
    ):
        return f"{address} {REASONS[change.reason]}"
    sentences = {
        Action.CREATE: "will be created",
        Action.READ: "will be read during apply",
        Action.UPDATE: "will be updated in-place",
        Action.DELETE: "will be destroyed",
        Action.DELETE_THEN_CREATE: "must be replaced",
        Action.CREATE_THEN_DELETE: "must be replaced",
        Action.FORGET: "will no longer be managed by Twinfra, but will not be destroyed",
        Action.NO_OP: "stays as it is",
    }
    if change.importing and action is Action.NO_OP:
        return f"{address} will be imported"
    if change.previous is not None and action is Action.NO_OP:
        return f"{change.previous} has moved to {address}"
    return f"{address} {sentences[action]}"


def notes(change: ResourceChange) -> list[str]:
    """Further remarks below the headline: why it goes, where it moved from, what it is imported from."""
    found = []
    text = REASONS.get(change.reason, "")
    if text.startswith("("):
        found.append(
            text.format(
                resource=change.address.resource, module=change.address.module, key=repr(change.address.key)
            )
        )
    if change.previous is not None and change.action is not Action.NO_OP:
        found.append(f"(moved from {change.previous})")
    if change.importing:
        found.append(f"(imported from {change.importing!r})".replace("'", '"'))
    return found


def render_change(change: ResourceChange, block: Block | None, style: Style, drift: bool = False) -> str:
    """One resource with the attributes that change."""
    differ = Differ(style, change.replace_paths)
    differ.lines.append("  " + style(f"# {headline(change, drift)}", "bold"))
    differ.lines.extend("  " + style(f"# {note}", "dim") for note in notes(change))
    kind = "data" if change.address.resource.mode == DATA else "resource"
    mark = style(SYMBOLS[change.action], *COLOURS.get(change.action, ()))
    differ.lines.append(f'{mark} {kind} "{change.address.resource.type}" "{change.address.resource.name}" {{')
    secrets = secrets_in(change.before, change.after)
    before, after = hide(change.before, secrets), hide(change.after, secrets)
    _body(differ, 8, block, before, after, (), top=True)
    differ.lines.append("    }")
    return "\n".join(differ.lines) + "\n"


def _body(
    differ: Differ,
    indent: int,
    block: Block | None,
    before: Value,
    after: Value,
    path: Path,
    top: bool = False,
) -> None:
    """The attributes of a body that change, then its blocks."""
    before, after = bare(before), bare(after)
    old = before if isinstance(before, dict) else {}
    new = after if isinstance(after, dict) else {}
    blocks = block.blocks if block is not None else {}
    creating, deleting = before is None, after is None
    shown: list[str] = []
    hidden = 0
    for name in sorted((old.keys() | new.keys()) - blocks.keys()):
        left, right = old.get(name), new.get(name)
        if same(left, right):
            if bare(right) is None:
                continue
            if top and name in ALWAYS_SHOWN and not creating and not deleting and bare(right) not in ("", {}):
                shown.append(name)
            else:
                hidden += 1
        elif not (bare(left) is None and bare(right) is None):
            shown.append(name)
    width = max(map(len, shown), default=0)
    for name in shown:
        left, right = old.get(name), new.get(name)
        label = f"{name.ljust(width)} = "
        if same(left, right):
            _unchanged(differ, indent, label, right)
        else:
            differ.entry(indent, label, left, right, (*path, GetAttr(name)))
    if not creating and not deleting:
        differ.hidden(indent, hidden, "attribute")
    hidden = 0
    for name in sorted(blocks):
        hidden += _nested(differ, indent, name, blocks[name], old.get(name), new.get(name), path)
    differ.hidden(indent, hidden, "block")


def _unchanged(differ: Differ, indent: int, label: str, value: Value) -> None:
    from twinfra.cli.render.values import value_lines

    lines = value_lines(value, indent)
    differ.line(indent, " ", label + lines[0])
    differ.lines.extend(lines[1:])


def _nested(
    differ: Differ, indent: int, name: str, nested: NestedBlock, before: Value, after: Value, path: Path
) -> int:
    """One kind of nested block; returns how many unchanged ones were left out."""
    before, after = bare(before), bare(after)
    path = (*path, GetAttr(name))
    if type(after) is Unknown:
        differ.lines.append("")
        differ.line(indent, "+" if not before else "~", f"{name} (known after apply)", path)
        return 0
    if nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
        pairs: list[tuple[str, Value, Value, Path]] = [("", before, after, path)]
    elif nested.nesting is Nesting.MAP:
        old, new = before or {}, after or {}
        keys = sorted(old.keys() | new.keys())
        pairs = [(f' "{key}"', old.get(key), new.get(key), (*path, Index(key))) for key in keys]
    else:
        pairs = _block_pairs(before or (), after or (), path)
    hidden = 0
    for label, left, right, where in pairs:
        if bare(left) is None and bare(right) is None:
            continue
        if same(left, right):
            hidden += 1
            continue
        mark = "+" if bare(left) is None else "-" if bare(right) is None else "~"
        differ.lines.append("")
        differ.line(indent, mark, f"{name}{label} {{", where if where in differ.replace else path)
        _body(differ, indent + 4, nested.block, left, right, where)
        differ.lines.append(" " * indent + "}")
    return hidden


def _block_pairs(
    before: tuple[Value, ...], after: tuple[Value, ...], path: Path
) -> list[tuple[str, Value, Value, Path]]:
    if isinstance(before, Set) or isinstance(after, Set):
        from twinfra.cli.render.diff import fingerprint

        old = {fingerprint(one): one for one in before}
        new = {fingerprint(one): one for one in after}
        kept = [("", one, one, path) for key, one in old.items() if key in new]
        gone = [("", one, None, path) for key, one in old.items() if key not in new]
        come = [("", None, one, path) for key, one in new.items() if key not in old]
        return gone + come + kept
    size = max(len(before), len(after))
    return [
        (
            "",
            before[at] if at < len(before) else None,
            after[at] if at < len(after) else None,
            (*path, Index(at)),
        )
        for at in range(size)
    ]


def render_outputs(outputs: Iterable[OutputChange], style: Style) -> str:
    """The root outputs that change."""
    from twinfra.cli.render.values import SENSITIVE_TEXT

    differ = Differ(style)
    listed = sorted(outputs, key=lambda one: one.name)
    width = max((len(one.name) for one in listed), default=0)
    for output in listed:
        label = f"{output.name.ljust(width)} = "
        if output.sensitive:
            marks = {Action.CREATE: "+", Action.DELETE: "-"}
            differ.line(4, marks.get(output.action, "~"), label + SENSITIVE_TEXT)
        else:
            differ.entry(4, label, output.before, output.after, ())
    return "\n".join(differ.lines) + "\n"
