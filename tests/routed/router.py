"""The router of docs/scaling.md."""


class BookingsRouter:
    """Keeps the tables of cal_bookings in the database "bookings", all others in "default"."""

    def db_for_read(self, model, **hints):
        return "bookings" if model._meta.app_label == "cal_bookings" else "default"

    db_for_write = db_for_read

    def allow_relation(self, one, other, **hints):
        return True

    def allow_migrate(self, db, app_label, **hints):
        if db == "bookings":
            return app_label in {"cal_bookings", "auth", "contenttypes"}
        return app_label != "cal_bookings"
