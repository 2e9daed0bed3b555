"""The world of the fake Cal.com: users, event types, bookings, its clock, and the changes that people make."""
