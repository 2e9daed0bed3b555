"""Actions on bookings: the forms, the pages that ask and confirm, and what the forms offer to choose from."""
