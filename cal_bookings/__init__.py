"""Cal.com bookings and attendees as Django models, and actions pushed back."""

__version__ = "0.1.0"
