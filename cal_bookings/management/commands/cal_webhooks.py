"""The command ``manage.py cal_webhooks`` for the subscriptions on Cal.com that make the mirror immediate."""

import json
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from typing import Any

from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import CommandError

from cal_bookings import budget, client
from cal_bookings.budget import advice
from cal_bookings.client import RemoteWebhook, WebhookOwner
from cal_bookings.management import exit_codes
from cal_bookings.models import Account, WebhookReceiver
from cal_bookings.webhooks import (
    account_secrets,
    processing,
    refusals,
    subscriptions,
    trials,
)

SOME_FAILED, NOT_LOADED = 1, 2

#: The seconds between two checks whether the site has loaded a secret.
_LOOK_AGAIN = 2.0

Told = dict[str, Any]


class Command(exit_codes.CalCommand):
    help = (
        "Subscribes to Cal.com's webhooks, lists and tests the subscriptions, replaces their secret or address, removes "
        "them, and processes deliveries that are due. Exit code 0: done; 1: it failed for an account; 2: the site has to "
        f"load a new secret first; {exit_codes.SHARED}"
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "do",
            choices=["ensure", "list", "test", "rotate", "remove", "process"],
            help="ensure: subscribe, or mend the subscription; list: show what is subscribed; test: send a signed delivery "
            "through SITE_URL; rotate: replace the secret; remove: unsubscribe; process: read the bookings that deliveries "
            "name, for a site without Celery",
        )
        parser.add_argument(
            "--account", metavar="ALIAS", help="only this account (default: all)"
        )
        parser.add_argument(
            "--event-type",
            type=int,
            metavar="ID",
            help="the subscription of one event type, of the account's team if it mirrors one",
        )
        parser.add_argument(
            "--address",
            action="store_true",
            help="with rotate: replace the address of the receiver instead of the secret",
        )
        parser.add_argument(
            "--wait",
            type=float,
            default=0,
            metavar="SECONDS",
            help="with rotate: wait this long until the site has loaded a new secret of the settings",
        )
        parser.add_argument(
            "--json",
            action="store_true",
            help="print one JSON object per account and nothing else",
        )

    def handle(self, *, do: str, account: str | None, **options: Any) -> None:
        self.options = options
        self.codes = {0}
        work: Callable[[Account], Told] = getattr(self, f"_{do}")
        for one in _accounts(account):
            report = self._work(one, work)
            if options["json"]:
                self.stdout.write(json.dumps({"account": one.alias} | report))
            elif options["verbosity"] or "error" in report:
                out = self.stderr if "error" in report else self.stdout
                for line in _lines(report):
                    out.write(f"{one}: {line}")
        if code := max(self.codes):
            raise SystemExit(code)

    def _work(self, account: Account, work: Callable[[Account], Told]) -> Told:
        try:
            return work(account)
        except trials.TrialFailed as error:
            self.codes.add(SOME_FAILED)
            return {"error": str(error)}
        except (client.CalError, budget.NotNow, ImproperlyConfigured) as error:
            is_ours = isinstance(error, ImproperlyConfigured)
            self.codes.add(exit_codes.CONFIGURATION if is_ours else SOME_FAILED)
            question = advice.Operation.QUESTION
            # A refused subscription names no people, and Cal.com's words say why.
            return {
                "error": str(advice.explain(account, error, question, quoting=True))
            }

    def _owner(self, account: Account) -> WebhookOwner:
        event_type = self.options["event_type"]
        if event_type is None:
            return subscriptions.default_owner(account)
        return subscriptions.event_type_owner(account, event_type)

    def _ensure(self, account: Account) -> Told:
        return _ensured(subscriptions.ensure(account, self._owner(account)))

    def _list(self, account: Account) -> Told:
        found = subscriptions.listed(account, self._owner(account))
        return {
            "webhooks": [_shown(one, is_ours=ours) for one, ours in found],
            "refused_lately": refusals.counts([account.pk])[account.pk],
        }

    def _test(self, account: Account) -> Told:
        trials.run(account)
        return {"result": "a test delivery arrived"}

    def _remove(self, account: Account) -> Told:
        count = subscriptions.remove(account, self._owner(account))
        return {"result": "removed", "webhooks_removed": count}

    def _process(self, account: Account) -> Told:
        done = processing.process(account.pk)
        if done.stopped:
            self.codes.add(SOME_FAILED)
            return {"error": f"{done.done} processed, others wait: {done.stopped}"}
        report: Told = {"result": f"{done.done} processed", "requests": done.requests}
        return report | {"outcomes": dict(done.outcomes)}

    def _rotate(self, account: Account) -> Told:
        owner = self._owner(account)
        if self.options["address"]:
            return _ensured(subscriptions.rotate_address(account, owner))
        if account_secrets.are_in_settings(account):
            return self._rotate_in_settings(account, owner)
        return _ensured(subscriptions.rotate_secret(account, owner))

    def _rotate_in_settings(self, account: Account, owner: WebhookOwner) -> Told:
        """Go on with the newest secret of the settings once the site accepts it; make one if Cal.com has it already."""
        known = account_secrets.accepted(WebhookReceiver.objects.of(account))
        current = {
            one.secret for one, ours in subscriptions.listed(account, owner) if ours
        }
        if known and known[0] not in current and current:
            trials.run(account, secret=known[0])
            return _ensured(subscriptions.ensure(account, owner))
        secret = account_secrets.new()
        instruction = (
            f'put "{secret}" in front of CAL_BOOKINGS["ACCOUNTS"]["{account}"]["WEBHOOK_SECRETS"], keep the others there for '
            "a day, load it into the site, and run this again."
        )
        if self.options["wait"] and self._is_loaded(account, secret, instruction):
            with_it = subscriptions.ensure(account, owner, secret=secret)
            return _ensured(with_it)
        self.codes.add(NOT_LOADED)
        return {"result": instruction, "secret": secret}

    def _is_loaded(self, account: Account, secret: str, instruction: str) -> bool:
        """Wait as long as requested until the site accepts the secret; return whether it does."""
        self.stderr.write(f"{account}: {instruction} Waiting for the site …")
        ends = time.monotonic() + self.options["wait"]
        while time.monotonic() < ends:
            try:
                trials.run(account, secret=secret)
            except trials.TrialFailed:
                time.sleep(_LOOK_AGAIN)
            else:
                return True
        return False


def _accounts(alias: str | None) -> Iterator[Account]:
    active = Account.objects.configured()
    if alias is None:
        yield from active
        return
    account = active.filter(alias=alias).first()
    if account is None:
        known = ", ".join(active.values_list("alias", flat=True)) or "none"
        raise CommandError(
            f'There is no active account "{alias}". Known: {known}.',
            returncode=exit_codes.CONFIGURATION,
        )
    yield account


def _ensured(ensured: subscriptions.Ensured) -> Told:
    report: Told = {"result": ensured.result, "webhook": _shown(ensured.webhook)}
    return report | {"note": subscriptions.WHY_OFF} if ensured.was_off else report


def _shown(webhook: RemoteWebhook, *, is_ours: bool = True) -> Told:
    """Return the public facts of a subscription, without its address, whose random part keeps strangers away."""
    return {
        "id": webhook.id,
        "is_ours": is_ours,
        "active": webhook.active,
        "triggers": sorted(webhook.triggers),
        "has_secret": bool(webhook.secret),
        "has_template": bool(webhook.payload_template),
        "version": webhook.version,
    }


def _lines(report: Told) -> Iterator[str]:
    if "error" in report:
        yield report["error"]
    if "result" in report:
        yield report["result"]
    if "note" in report:
        yield report["note"]
    for webhook in report.get("webhooks", ()):
        yield _line(webhook)
    if "webhooks" in report and not report["webhooks"]:
        yield "nothing is subscribed."
    if report.get("refused_lately"):
        yield f"{report['refused_lately']} deliveries were refused in the last hours, because of their signature."


def _line(webhook: Told) -> str:
    whose = "ours" if webhook["is_ours"] else "another receiver's"
    state = "active" if webhook["active"] else "switched off"
    secret = "" if webhook["has_secret"] else ", without a secret"
    return f"{webhook['id']}: {whose}, {state}, {len(webhook['triggers'])} triggers{secret}"
