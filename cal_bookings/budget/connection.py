"""The only maker of clients, each with the budget of its credential and the circuit of its account."""

from collections.abc import Iterator
from contextlib import contextmanager

from cal_bookings import conf
from cal_bookings.budget import token_renewal
from cal_bookings.budget.cache_store import CacheStore
from cal_bookings.budget.circuit import Circuit
from cal_bookings.budget.database_store import DatabaseStore
from cal_bookings.budget.fallback_store import FallbackStore
from cal_bookings.budget.naming import name_of
from cal_bookings.budget.window import (
    Bucket,
    EndpointBucket,
    MaxWait,
    Priority,
    Store,
)
from cal_bookings.client import (
    Anonymous,
    CalClient,
    CalError,
    CalRateLimited,
    CalUnauthorized,
    Credential,
    RateLimit,
    endpoint_limit,
)
from cal_bookings.models import Account


@contextmanager
def connect(
    account: Account,
    *,
    priority: Priority,
    max_wait: MaxWait = None,
    though_paused: bool = False,
) -> Iterator[CalClient]:
    """Connect a client for `account` that sends no more than Cal.com allows, together with all other processes.

    Each request waits for its turn. If that would take longer than `max_wait` seconds (None: no limit; a function is
    called before each request), the client raises BudgetExhausted instead of sending it. It raises CircuitOpen if the
    account's credential is refused or its server down, until another try is worthwhile, and if a person paused the
    account, until a person resumes it; not with `though_paused`. Raises ImproperlyConfigured if the account has no
    usable credential. Tokens that have run out are exchanged on the way. Requests do not belong in a transaction: call
    it outside.
    """
    meter = _Meter(account, priority, max_wait)
    if not though_paused:
        meter.circuit.enter()
    with account.connect(
        before_request=meter.before_request,
        on_answer=meter.on_answer,
        on_error=meter.on_error,
        renew=meter.renew if token_renewal.can_renew(account) else None,
    ) as connection:
        try:
            yield connection
        finally:
            meter.close()


class _Meter:
    """The budget and the circuit that a client reports to."""

    def __init__(self, account: Account, priority: Priority, max_wait: MaxWait) -> None:
        self._account = account
        self._priority = priority
        self._max_wait = max_wait
        self._use(account.credential)

    def _use(self, credential: Credential) -> None:
        key = name_of(self._account.base_url, credential)
        self.credential = credential
        self.circuit = Circuit(self._account, key)
        self._buckets = {
            "": Bucket(
                _store(key),
                priority=self._priority,
                limit=conf.get("RATE_LIMIT"),
                max_wait=self._max_wait,
            )
        }

    def _counting(self, limit: str) -> list[Bucket]:
        """Return the buckets of a request; the bucket of its own limit comes first, because it is tighter.

        It is not known whether Cal.com counts such a request towards the credential's limit too, so both are kept.
        """
        if limit and limit not in self._buckets:
            self._buckets[limit] = EndpointBucket(
                _store(name_of(self._account.base_url, self.credential, limit)),
                priority=Priority.ACTION,
                max_wait=self._max_wait,
            )
        return [self._buckets[name] for name in ((limit, "") if limit else ("",))]

    def close(self) -> None:
        for bucket in self._buckets.values():
            bucket.close()

    def before_request(self, limit: str) -> None:
        for bucket in self._counting(limit):
            bucket.wait()
        if self._priority != Priority.ACTION:  # a begun action is completed
            self.circuit.look()

    def on_answer(self, limit: str, said: RateLimit | None, status: int) -> None:
        for bucket in self._counting(limit):
            bucket.heard(said, status)
        if status < 300:
            self.circuit.succeeded()

    def on_error(self, error: CalError) -> None:
        if isinstance(error, CalRateLimited):
            if error.is_upstream:  # no fault of the credential
                return
            for bucket in self._counting(endpoint_limit(error.method, error.path)):
                bucket.refused(error.retry_after)
        elif not self._is_about_nobody(error):
            self.circuit.failed(error)

    def _is_about_nobody(self, error: CalError) -> bool:
        """Return whether an answer only says that a credential is needed, to an account that has none."""
        return isinstance(error, CalUnauthorized) and isinstance(
            self.credential, Anonymous
        )

    def renew(self, error: CalUnauthorized) -> Credential:
        self.close()
        try:
            credential = token_renewal.renew(self._account, self.credential, error)
        except CalError as failure:
            # The failure is that of the token exchange: the request that needed the tokens had no effect.
            failure.may_have_applied = False
            self.circuit.failed(failure)
            raise
        self._use(credential)
        return credential


def _store(key: str) -> Store:
    cache = conf.shared_cache()
    if cache is None:
        return DatabaseStore(key)
    return FallbackStore(CacheStore(cache, key), DatabaseStore(key))
