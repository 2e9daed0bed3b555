"""What there is on the fake Cal.com: users, event types, bookings, its clock, and how people change them."""
