"""Webhooks: hints that make the mirror immediate. A delivery says which booking to read again, and writes no column itself."""
