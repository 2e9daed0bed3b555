"""The budget of requests: one per credential, which all processes share, and the circuit that stops futile requests."""

from cal_bookings.budget.circuit import pause, reset
from cal_bookings.budget.connection import connect
from cal_bookings.budget.consumption import (
    Usage,
    usage,
)
from cal_bookings.budget.errors import BudgetExhausted, CircuitOpen, NotNow
from cal_bookings.budget.window import Priority

__all__ = [
    "BudgetExhausted",
    "CircuitOpen",
    "NotNow",
    "Priority",
    "Usage",
    "connect",
    "pause",
    "reset",
    "usage",
]
