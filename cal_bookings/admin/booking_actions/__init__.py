"""The actions on bookings: their forms, the pages that ask and confirm, and the choices of the forms."""
