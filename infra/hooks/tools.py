"""Run the programs that hooks need: az, azd, the script that grants permissions, and a container engine."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.hooks.errors import HookError


@dataclass(frozen=True, slots=True)
class Tools:
    """Finds programs on the PATH of an environment, and runs them in it."""

    environment: Mapping[str, str]
    seconds: float = 300.0
    """Longest duration of a program that asks the person nothing, in seconds."""

    def find(self, *names: str) -> str | None:
        """Return the path of the first of these programs that is on the PATH; None if none of them is."""
        found = (shutil.which(name, path=self.environment.get("PATH")) for name in names)
        return next((path for path in found if path), None)

    def az(self, *arguments: str) -> Any:
        """Run az on the subscription that azd deploys to, and return the JSON that az prints.

        Raises:
            HookError: az is not installed, is not signed in, took too long, or refused.

        """
        subscription = self.environment.get("AZURE_SUBSCRIPTION_ID", "")
        scope = ("--subscription", subscription) if subscription else ()
        return self._json("az", *arguments, *scope, "--output", "json")

    def az_version(self) -> str:
        """Return the version of az."""
        return str(self._json("az", "version", "--output", "json")["azure-cli"])

    def azd(self, *arguments: str) -> Any:
        """Run azd, and return the JSON that azd prints."""
        return self._json("azd", *arguments, "--output", "json")

    def azd_set(self, name: str, value: str) -> None:
        """Write a value into the azd environment, from which the parameter file reads it."""
        self._text("azd", "env", "set", name, value)

    def run(self, *command: str) -> int:
        """Run a command that may ask the person questions, and return its exit code."""
        return subprocess.run(command, env=dict(self.environment), check=False).returncode

    def _json(self, program: str, *arguments: str) -> Any:
        text = self._text(program, *arguments)
        try:
            return json.loads(text)
        except ValueError:
            raise HookError(f"{program} {arguments[0]} answers something that is not JSON") from None

    def _text(self, program: str, *arguments: str) -> str:
        path = self.find(program)
        if path is None:
            raise HookError(f"{program} is not on PATH: install it")
        try:
            done = subprocess.run(
                [path, *arguments],
                env=dict(self.environment),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=self.seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            said = f"{program} {arguments[0]} did not end within {self.seconds:g} s: does it wait for an answer?"
            raise HookError(said) from None
        if done.returncode != 0:
            lines = [line for line in done.stderr.splitlines() if line.strip()] or ["it said nothing"]
            told = next((line for line in lines if line.startswith("ERROR")), lines[0])
            raise HookError(f"{program} {' '.join(arguments[:3])}: {told.strip()}")
        return done.stdout
