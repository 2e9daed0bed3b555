"""The base of the errors that say: no request for this account at the moment."""


class NotNow(Exception):
    """No request was made, and none is made for a while; the message says why and what helps.

    `seconds`: how long to do something else before asking again.
    """

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
