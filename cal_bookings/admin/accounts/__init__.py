"""Accounts: their list and pages, the form that connects one, replacing its key, pausing it."""
