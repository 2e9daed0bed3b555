"""The insertion of new rows, a page at a time: with COPY where the driver has it, in a third of an INSERT's time."""

import json
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from django.db import connections, models, router

_encode = json.JSONEncoder().encode


def insert(
    model: type[models.Model], names: Sequence[str], rows: Iterable[Sequence[Any]]
) -> None:
    """Insert rows that are not needed as objects; `names` are those of attributes, in the order of each row's values.

    Each value has the type of its column. Needs a transaction.
    """
    rows = list(rows)
    if not rows:
        return
    database = router.db_for_write(model)
    with connections[database].cursor() as cursor:
        if _has_copy(cursor):
            _copy(model, names, rows, cursor)
            return
    model._default_manager.using(database).bulk_create(
        model(**dict(zip(names, row, strict=True))) for row in rows
    )


def insert_objects(objects: list[Any]) -> None:
    """Insert new objects of one model and give them their primary keys. Needs a transaction; sends no signals."""
    if not objects:
        return
    model: type[models.Model] = type(objects[0])
    database = router.db_for_write(model)
    with connections[database].cursor() as cursor:
        if not _has_copy(cursor):
            model._default_manager.using(database).bulk_create(objects)
            return
        _number(objects, cursor)
        names = [field.attname for field in model._meta.concrete_fields]
        _copy(model, names, map(attrgetter(*names), objects), cursor)
    for instance in objects:
        instance._state.adding, instance._state.db = False, database


def _has_copy(cursor: Any) -> bool:
    """Return whether the driver has the `copy` method of psycopg 3, which others, psycopg 2 among them, lack."""
    return hasattr(cursor, "copy")


def _number(objects: list[Any], cursor: Any) -> None:
    """Draw the primary keys before the insertion, because COPY returns none."""
    meta = objects[0]._meta
    cursor.execute(
        "SELECT nextval(pg_get_serial_sequence(%s, %s)) FROM generate_series(1, %s)",
        [f'"{meta.db_table}"', meta.pk.column, len(objects)],
    )
    for instance, (number,) in zip(objects, cursor.fetchall(), strict=True):
        instance.pk = number


def _copy(
    model: type[models.Model],
    names: Sequence[str],
    rows: Iterable[Sequence[Any]],
    cursor: Any,
) -> None:
    fields = {field.attname: field for field in model._meta.concrete_fields}
    documents = [
        place
        for place, name in enumerate(names)
        if isinstance(fields[name], models.JSONField)
    ]
    columns = ", ".join(f'"{fields[name].column}"' for name in names)
    # The exceptions of `copy` do not pass through Django's cursor.
    with (
        cursor.db.wrap_database_errors,
        cursor.copy(f'COPY "{model._meta.db_table}" ({columns}) FROM STDIN') as copying,
    ):
        for row in rows:
            values = list(row)
            for place in documents:
                values[place] = _encode(values[place])
            copying.write_row(values)
