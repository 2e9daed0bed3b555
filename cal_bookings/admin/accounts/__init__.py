"""The list and the pages of accounts, and the forms that connect, pause and resume an account and replace its key."""
