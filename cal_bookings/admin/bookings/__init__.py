"""The list, search, exports and pages of bookings, with attendees and changes."""
