"""Run the probe: read the tenant, show the plan, ask every question, and remove all test accounts."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from azure.core.credentials import TokenCredential

from probe import plan
from probe.accounts import Accounts, CannotRemove
from probe.bench import Bench, Identity
from probe.calls import CREATE_USER, opened
from probe.clock import Clock
from probe.errors import ProbeError, Skipped, Unclear
from probe.graph import Graph, Meter, NoAnswer
from probe.leftovers import Leftovers, alone
from probe.operator import Operator
from probe.questions import Question
from probe.result import Outcome, Result
from probe.sign_in import CLOUDS, Session
from probe.tenant import Tenant, agree, check_address, look_at

DONE, NOT_ALL, REFUSED, INTERRUPTED = 0, 1, 2, 130
"""Exit codes: all questions asked; a question unclear or an account left; not started; interrupted."""
UNEXPECTED = (AttributeError, LookupError, TypeError, ValueError)
"""The errors that a question raises if Graph's answer lacks a property."""


@dataclass(frozen=True, slots=True)
class Options:
    """The options that the operator has chosen."""

    questions: Sequence[Question]
    addresses: Sequence[str] = ()
    sign_in: str = "az"
    also: Sequence[str] = ()
    tenant: str | None = None
    cloud: str = "public"
    graph: str | None = None
    limit: int = 200
    patience: float = 180.0
    yes: bool = False
    person: bool = True
    clean: bool = False
    result: Path = Path("probe-result.json")
    folder: Path = Path(".probe")


@dataclass(slots=True)
class Run:
    """One run, with the services that it uses."""

    options: Options
    operator: Operator
    clock: Clock
    http: httpx.Client
    credential: Callable[[str], TokenCredential]
    meter: Meter = field(default_factory=Meter)

    def perform(self) -> int:
        """Run the probe, and return the exit code. An error is shown in one sentence."""
        try:
            with alone(self.options.folder):
                return self._signed_in()
        except (ProbeError, NoAnswer) as error:
            self.operator.say(str(error))
        except KeyboardInterrupt:
            self.operator.say("Interrupted before the first question.")
            return INTERRUPTED
        return REFUSED

    def _signed_in(self) -> int:
        main, *others = [self._identity(form) for form in (self.options.sign_in, *self.options.also)]
        self._check_permissions(main)
        tenant = look_at(main.graph)
        agree(tenant, limit=self.options.limit, named=self.options.tenant)
        leftovers = Leftovers(self.options.folder / f"{tenant.initial}.json")
        accounts = Accounts(main.graph, self.clock, self.meter, leftovers, tenant.initial, self.options.patience)
        if self.options.clean:
            self.operator.say(f"Test accounts removed: {accounts.clean(take_over=True)}.")
            return DONE
        self._check_addresses()
        if not self._agreed(tenant, len(leftovers)):
            self.operator.say("Nothing was done.")
            return REFUSED
        accounts.clean(take_over=False)
        for address in self.options.addresses:
            check_address(main.graph, tenant, address)
        bench = Bench(
            tenant=tenant,
            main=main,
            others=others,
            accounts=accounts,
            addresses=self.options.addresses,
            operator=self.operator if self.options.person else None,
            clock=self.clock,
            meter=self.meter,
            patience=self.options.patience,
        )
        with self._nothing_left(accounts, leftovers) as end:
            end.code = self._ask_all(bench)
        return end.code

    def _identity(self, form: str) -> Identity:
        cloud = CLOUDS[self.options.cloud]
        session = Session(form, self.credential(form), cloud, self.clock)
        session.token()
        return Identity(session, Graph(self.http, self.options.graph or cloud.graph, session, self.clock, self.meter))

    def _check_permissions(self, main: Identity) -> None:
        held = main.session.permissions
        missing = [name for name in plan.required(self.options.questions) if not opened(name, held)]
        if missing and main.session.who == "application":
            raise ProbeError(f"The sign-in lacks {' and '.join(missing)}; grant that, or ask less with --only.")

    def _check_addresses(self) -> None:
        makes = any(CREATE_USER in question.calls for question in self.options.questions)
        if makes and not self.options.addresses:
            raise ProbeError("Give with --address an address outside the tenant whose mail you can open.")

    def _agreed(self, tenant: Tenant, left: int) -> bool:
        chosen = self.options
        for line in plan.told(tenant, chosen.questions, chosen.addresses, person=chosen.person, left=left):
            self.operator.say(line)
        return chosen.yes or self.operator.agree("Type yes to go on: ")

    def _ask_all(self, bench: Bench) -> int:
        outcomes: list[Outcome] = []
        for question in self.options.questions:
            outcomes.append(self._ask(bench, question))
            self.operator.say(outcomes[-1].line)
            self._write(bench, outcomes)
        unclear = any(outcome.ended == "unclear" for outcome in outcomes)
        self.operator.say(f"The result is in {self.options.result}.")
        return NOT_ALL if unclear else DONE

    def _ask(self, bench: Bench, question: Question) -> Outcome:
        try:
            if question.control:
                bench.control()
            reading = question.ask(bench)
            outcome = Outcome(question, "seen", reading.fits, answer=reading.answer)
        except Skipped as reason:
            outcome = Outcome(question, "skipped", reason=str(reason))
        except Unclear as reason:
            outcome = Outcome(question, "unclear", reason=str(reason), answer=reason.answer)
        except UNEXPECTED as error:
            # Surprises are what the probe is for: one odd answer must not end the other questions.
            outcome = Outcome(question, "unclear", reason=f"an answer has an unexpected form ({error!r})")
        bench.accounts.remove([account.entry for account in bench.own])
        bench.own.clear()
        return outcome

    def _write(self, bench: Bench, outcomes: Sequence[Outcome]) -> None:
        tenant, session = bench.tenant, bench.main.session
        kind = {
            "cloud": self.options.cloud,
            "size": tenant.size,
            "ownDomain": tenant.default != tenant.initial,
            "federatedDomain": tenant.federated,
            "signedInAs": session.who,
            "permissions": sorted(session.permissions) if session.who == "application" else None,
        }
        parts = {part for address in bench.addresses for part in (address, *address.rpartition("@")[::2])}
        names = {*tenant.verified, *parts}
        Result(f"{self.clock.now():%Y-%m-%d}", kind, outcomes, self.meter, names).write(self.options.result)

    @contextmanager
    def _nothing_left(self, accounts: Accounts, leftovers: Leftovers) -> Iterator["_End"]:
        """Remove every test account at the end, also after an error or Ctrl-C. Name the accounts that are left."""
        end = _End()
        try:
            yield end
        except KeyboardInterrupt:
            self.operator.say("Interrupted: removing the test accounts.")
            end.code = INTERRUPTED
        except (ProbeError, NoAnswer) as error:
            self.operator.say(str(error))
            end.code = NOT_ALL
        finally:
            self._clear_away(end, accounts, leftovers)

    def _clear_away(self, end: "_End", accounts: Accounts, leftovers: Leftovers) -> None:
        """Remove the test accounts. Only a second Ctrl-C stops this."""
        while leftovers:
            try:
                self._remove(accounts, leftovers)
                break
            except KeyboardInterrupt:
                if end.code == INTERRUPTED:
                    break
                end.code = INTERRUPTED
                self.operator.say("Interrupted: the test accounts are removed first.")
        if leftovers:
            end.code = end.code or NOT_ALL
            self.operator.say("Left behind; the next run removes it, or --clean does:")
        for entry in leftovers:
            self.operator.say(f"  {entry.name} ({entry.where})")

    def _remove(self, accounts: Accounts, leftovers: Leftovers) -> None:
        try:
            for entry in leftovers:
                try:
                    accounts.remove([entry])
                except CannotRemove as error:
                    self.operator.say(str(error))
        except (NoAnswer, ProbeError) as error:
            self.operator.say(str(error))


@dataclass(slots=True)
class _End:
    code: int = NOT_ALL
