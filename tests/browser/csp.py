"""The strictest Content-Security-Policy that a site may have: everything from the site itself, nothing inline."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse


def strict(
    get_response: Callable[[HttpRequest], HttpResponse],
) -> Callable[[HttpRequest], HttpResponse]:
    def respond(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        response["Content-Security-Policy"] = "default-src 'self'"
        return response

    return respond
