"""Write the generated files, and the generated parts of other files."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from reference import bicep, contract, decisions, http, pages, protocol, request, samples

ROOT = Path(__file__).parents[1]


class Part(NamedTuple):
    """A generated part of a file, between the comments `<mark> generated: <name> …` and `<mark> end of generated …`."""

    mark: str
    name: str


Text = Callable[[], str]
WHOLE: Mapping[str, Text] = {
    "docs/reference/request.md": request.page,
    "docs/reference/rules.md": pages.rules,
    "docs/reference/settings.md": pages.settings,
    "docs/reference/permissions.md": pages.permissions,
    "docs/reference/errors.md": pages.errors,
    "docs/reference/openapi.json": contract.openapi,
    "docs/reference/connector.swagger.json": contract.swagger,
    "docs/reference/request.schema.json": contract.parse_json,
    "docs/reference/stages.md": protocol.stages,
    "docs/reference/waits.md": protocol.waits,
    "docs/decisions/README.md": decisions.index,
    "infra/graph-permissions.json": samples.graph_permissions,
    "infra/sign-in.json": samples.sign_in,
    "local.settings.sample.json": samples.local_settings,
}
PARTS: Mapping[str, Mapping[Part, Text]] = {
    "infra/modules/types.bicep": {Part("//", "rule overrides"): bicep.rule_overrides},
    "infra/main.bicep": {
        Part("//", "parameters of settings"): bicep.parameters,
        Part("//", "settings"): bicep.app_settings,
    },
    "infra/main.bicepparam": {Part("//", "settings"): bicep.parameter_file},
    "docs/reference/api.md": {
        Part("<!--", "routes"): http.routes,
        Part("<!--", "roles"): http.roles,
        Part("<!--", "status of a request"): http.status,
    },
    "docs/architecture.md": {Part("<!--", "stages"): protocol.picture},
    ".github/workflows/deploy.yml": {Part("#", "settings"): samples.workflow_variables},
}


def stale() -> list[str]:
    """Return the names of the files that differ from what the tables generate."""
    return [name for name, text in _made().items() if _current(name) != text]


def write() -> list[str]:
    """Write the stale files and return their names."""
    made, changed = _made(), stale()
    for name in changed:
        (ROOT / name).write_text(made[name], "utf-8")
    return changed


def _made() -> dict[str, str]:
    whole = {name: text() for name, text in WHOLE.items()}
    parts = {name: _with_parts(_current(name), texts) for name, texts in PARTS.items()}
    return whole | parts


def _current(name: str) -> str:
    path = ROOT / name
    return path.read_text("utf-8") if path.exists() else ""


def _with_parts(text: str, parts: Mapping[Part, Text]) -> str:
    for (mark, name), made in parts.items():
        begin, end = rf"( *){mark} generated: {re.escape(name)}[^\n]*\n", rf" *{mark} end of generated[^\n]*\n"
        found = re.search(f"{begin}(.*?){end}", text, re.DOTALL)
        if found is None:
            raise ValueError(f"no part '{name}' between comments")
        indent = found[1]
        lines = "".join(f"{indent}{line}\n" if line else "\n" for line in made().splitlines())
        text = text[: found.start(2)] + lines + text[found.end(2) :]
    return text
