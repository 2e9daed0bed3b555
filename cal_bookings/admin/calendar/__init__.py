"""The calendar of bookings."""
