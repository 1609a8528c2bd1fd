"""An interpreter for the part of Logic Apps that the sample uses: actions in order, HTTP polling, expressions.

The HTTP action follows `Location` while the answer is 202, and waits as long as `Retry-After` says. It repeats a call
that got no answer, 408, 429 or 5xx (https://learn.microsoft.com/azure/logic-apps/logic-apps-create-api-app and
https://learn.microsoft.com/azure/logic-apps/error-exception-handling).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

import httpx

_PART = re.compile(r"@\{([^}]*)\}")
_CALL = re.compile(r"(?P<name>\w+)\((?:'(?P<argument>[^']*)')?\)(?P<path>(?:\??\['[^']*'\])*)")
_STEP = re.compile(r"\??\['([^']*)'\]")
RETRIES = 4
JSON = dict[str, Any]


class Terminated(Exception):
    """The action *Terminate* ended the run."""


class LogicApp:
    """One run of a definition."""

    def __init__(
        self,
        definition: JSON,
        parameters: Mapping[str, Any],
        headers: Mapping[str, str],
        answers: Mapping[str, JSON],
        wait: Callable[[float], None],
    ) -> None:
        """`answers` are the results of webhook actions, by name; `wait` is called with the seconds of each pause."""
        self._definition, self._headers, self._answers, self._wait = definition, dict(headers), answers, wait
        defaults = {name: row.get("defaultValue") for name, row in definition["parameters"].items()}
        self._parameters = {**defaults, **parameters}
        self.bodies: dict[str, Any] = {}
        self.waited: list[float] = []
        self.polled: list[tuple[str, int]] = []

    def run(self, trigger: JSON) -> None:
        """Run the definition with this trigger body to its end. Raises Terminated if *Terminate* ends it."""
        self._trigger = trigger
        self._actions(self._definition["actions"])

    def _actions(self, actions: JSON) -> None:
        left = dict(actions)
        while left:
            name = next(name for name, action in left.items() if not set(action["runAfter"]) & set(left))
            self._action(name, left.pop(name))

    def _action(self, name: str, action: JSON) -> None:
        match action["type"]:
            case "Http":
                self.bodies[name] = self._http(self._filled(action["inputs"]))
            case "ApiConnectionWebhook":
                self._filled(action["inputs"]["body"])
                self.bodies[name] = self._answers[name]
            case "Switch":
                found = self._filled(action["expression"])
                cases = [each for each in action["cases"].values() if each["case"] == found]
                self._actions((cases[0] if cases else action["default"])["actions"])
            case "If":
                tests = action["expression"]["and"]
                met = all(len({self._filled(side) for side in test["equals"]}) == 1 for test in tests)
                self._actions((action if met else action["else"])["actions"])
            case "Terminate":
                raise Terminated(self._filled(action["inputs"]))
            case other:
                raise AssertionError(f"the sample has an action that this interpreter does not know: {other}")

    def _http(self, inputs: JSON) -> Any:
        answer = self._call(inputs["method"], inputs["uri"], inputs.get("body"))
        while answer.status_code == httpx.codes.ACCEPTED and "location" in answer.headers:
            self._pause(float(answer.headers.get("retry-after", "20")))
            answer = self._call("GET", answer.headers["location"], None)
            self.polled.append((str(answer.url), answer.status_code))
        answer.raise_for_status()
        return answer.json()

    def _call(self, method: str, uri: str, body: Any) -> httpx.Response:
        for attempt in range(RETRIES + 1):
            try:
                answer = httpx.request(method, uri, json=body, headers=self._headers, timeout=60, trust_env=False)
            except httpx.TransportError:
                if attempt == RETRIES:
                    raise
            else:
                if answer.status_code not in {408, 429} and not answer.is_server_error:
                    return answer
            self._pause(7.0 * 2**attempt)
        return answer

    def _pause(self, seconds: float) -> None:
        self.waited.append(seconds)
        self._wait(seconds)

    def _filled(self, value: Any) -> Any:
        if isinstance(value, dict):
            return {name: self._filled(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._filled(each) for each in value]
        if not isinstance(value, str):
            return value
        if value.startswith("@") and not value.startswith("@{"):
            return self._value(value[1:])
        return _PART.sub(lambda found: _text(self._value(found[1])), value)

    def _value(self, expression: str) -> Any:
        call = _CALL.fullmatch(expression)
        assert call, f"an expression that is not understood: {expression}"
        match call["name"]:
            case "parameters":
                found: Any = self._parameters[call["argument"]]
            case "triggerBody":
                found = self._trigger
            case "body":
                found = self.bodies[call["argument"]]
            case "listCallbackUrl":
                return "https://prod.logic.azure.com/callback"
            case other:
                raise AssertionError(f"the sample calls a function that this interpreter does not know: {other}")
        for step in _STEP.findall(call["path"]):
            found = found.get(step) if isinstance(found, dict) else None
        return found


def _text(value: Any) -> str:
    return "" if value is None else str(value)
