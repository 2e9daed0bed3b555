"""The endpoints of the fake Cal.com, one module for each resource of the API."""
