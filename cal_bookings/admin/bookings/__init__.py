"""Bookings: their list, search, exports and pages, with attendees and changes."""
