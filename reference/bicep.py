"""Write the settings and rules in Bicep: parameters, app settings and a parameter file."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from b2b import readers
from b2b.domain.eligibility.judge import PINNED, RULE_IDS
from b2b.domain.findings import Severity
from b2b.settings import SETTINGS, Setting

MADE_BY_TEMPLATE = {
    "AZURE_CLIENT_ID": "identity.properties.clientId",
    "B2B_SIGN_IN": "empty(signInClientId) ? 'false' : 'true'",
}
"""The settings that the template computes, so that no parameter sets them."""


@dataclass(frozen=True)
class Kind:
    """How to write one kind of setting in Bicep. `{p}` is the parameter, `{t}` its text in the environment."""

    type: str
    default: Callable[[str], str]
    to_setting: str
    from_text: str
    decorators: tuple[str, ...] = ()


def _string(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _strings(text: str) -> str:
    return "[" + ", ".join(_string(part.strip()) for part in text.split(",") if part.strip()) + "]"


def _sized(least: int, most: int) -> Kind:
    return Kind("string", _string, "{p}", "{t}", (f"@minLength({least})", f"@maxLength({most})"))


_UNION = "\n  | "
_KINDS: dict[Any, Kind] = {
    readers.boolean: Kind("bool", str, "{p} ? 'true' : 'false'", "bool({t})"),
    readers.graph_url: Kind(_UNION + _UNION.join(map(_string, readers.CLOUDS)), _string, "{p}", "{t}"),
    readers.hosts: Kind(
        "string[]",
        _strings,
        "join({p}, ',')",
        "map(\n  split({t}, ','),\n  host => trim(host)\n)",
        ("@minLength(1)",),
    ),
    readers.base_url: Kind("string", _string, "{p}", "{t}", ("@maxLength(2048)",)),
    readers.domains: Kind(
        "string[]",
        _strings,
        "join({p}, ',')",
        "filter(\n  map(split({t}, ','), domain => trim(domain)),\n  domain => !empty(domain)\n)",
    ),
    readers.optional_guid: Kind("string", _string, "{p}", "{t}", ("@maxLength(36)",)),
    readers.overrides: Kind("overrides", str, "string({p})", "json({t})"),
    readers.redirect: _sized(8, 2048),
    readers.schedule: _sized(11, 120),
    readers.share: _sized(1, 6),
}


def _kind(setting: Setting) -> Kind:
    if isinstance(setting.read, readers.Seconds | readers.Count):
        bounds = (f"@minValue({setting.read.least})", f"@maxValue({setting.read.most})")
        return Kind("int", str, "string({p})", "int({t})", bounds)
    if isinstance(setting.read, readers.Days):
        bounds = ("@minValue(0)", f"@maxValue({setting.read.most})")
        return Kind("int", str, "string({p})", "int({t})", bounds)
    if isinstance(setting.read, readers.Choice):
        return Kind(" | ".join(_string(value) for value in setting.read.kind), _string, "{p}", "{t}")
    return _KINDS[setting.read]


def deployed() -> list[Setting]:
    """Return the settings that are parameters of a deployment."""
    return [row for row in SETTINGS if row.name not in MADE_BY_TEMPLATE]


def parameter(setting: Setting) -> str:
    """Return the name of a setting's parameter, in Bicep's camel case."""
    first, *others = setting.name.removeprefix("B2B_").lower().split("_")
    return first + "".join(map(str.title, others))


def parameters() -> str:
    """Return the parameters of main.bicep."""
    return "\n\n".join(_declared(row, _kind(row)) for row in deployed())


def _declared(row: Setting, kind: Kind) -> str:
    meaning = re.sub("`", "", row.meaning)
    described = f"@description({_string(meaning[0].upper() + meaning[1:] + '.')})"
    line = f"param {parameter(row)}{'' if kind.type.startswith(_UNION) else ' '}{kind.type}"
    return "\n".join((described, *kind.decorators, f"{line} = {kind.default(row.suggested)}"))


def app_settings() -> str:
    """Return the app settings in main.bicep."""
    chosen = {row.name: _kind(row).to_setting.format(p=parameter(row)) for row in deployed()}
    values = {row.name: MADE_BY_TEMPLATE.get(row.name) or chosen[row.name] for row in SETTINGS}
    return "\n".join(f"{name}: {value}" for name, value in values.items())


def parameter_file() -> str:
    """Return the lines of main.bicepparam that read parameters from the environment."""
    return "\n".join(
        f"param {parameter(row)} = "
        + _kind(row).from_text.format(t=f"readEnvironmentVariable({_string(row.name)}, {_string(row.suggested)})")
        for row in deployed()
    )


def rule_overrides() -> str:
    """Return the types of the parameter for B2B_RULE_OVERRIDES."""
    only_block = "without them there is nothing to invite"
    head = f"""type severity = {" | ".join(_string(severity) for severity in Severity)}

@export()
@sealed()
@description('Severities that replace those of docs/reference/rules.md. Some can only be block: {only_block}.')
type ruleOverrides = {{"""
    rows = [f"  {_string(rule)}: {_string('block') if rule in PINNED else 'severity'}?" for rule in RULE_IDS]
    return "\n".join((head, *rows, "}"))
