"""The request budget of a credential in words, and as a meter that repeats them."""

from typing import Any

from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from cal_bookings import budget


def show(usage: budget.Usage, *, of: str) -> SafeString:
    if usage.is_blocked:
        message = _("blocked by Cal.com for %d s, after too many requests")
        return _badge("rejected", message % _whole(usage.blocked_for), usage, of)
    if usage.slots is None:
        return _unknown(usage)
    counted = {"used": usage.used, "slots": usage.slots}
    kind = "pending" if usage.is_used_up else "accepted"
    message = _("%(used)d of %(slots)d requests used")
    if usage.ends_in:
        message = _("%(used)d of %(slots)d requests used; resets in %(seconds)d s")
    counted["seconds"] = _whole(usage.ends_in)
    return _badge(kind, message % counted, usage, of)


def _unknown(usage: budget.Usage) -> SafeString:
    why = usage.problem or _("No recent requests.")
    badge = '<span class="cal-status cal-unknown">{}</span><br>{}'
    return format_html(badge, _("unknown"), why)


def _whole(seconds: float) -> int:
    return max(1, round(seconds))


def _badge(kind: str, text: str, usage: budget.Usage, of: str) -> SafeString:
    slots = usage.slots or 1
    used = slots if usage.is_blocked else usage.used
    # Browsers colour a meter by its value: green up to low, amber up to high, red above. If low were the
    # optimum itself, they would show green in place of amber.
    colours = {"accepted": (slots, slots), "pending": ("0.1", slots)}
    low, high = colours.get(kind, ("0.1", "0.2"))
    values: dict[str, Any] = {"slots": slots, "used": used, "low": low, "high": high}
    return format_html(
        '<span class="cal-status cal-{kind} cal-wraps">{text}</span><meter class="cal-meter" min="0" max="{slots}" '
        'low="{low}" high="{high}" optimum="0" value="{used}" aria-label="{label}"></meter>',
        kind=kind,
        text=text,
        label=_("Budget in use of %s") % of,
        **values,
    )
