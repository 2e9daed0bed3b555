"""The receiver that `benchmarks.webhooks` delivers to, and a view that only reads the body."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt


@csrf_exempt
def read_only(request: HttpRequest) -> HttpResponse:
    return HttpResponse(str(len(request.body)))


urlpatterns = [
    path("cal/", include("cal_bookings.urls")),
    path("read-only/", read_only),
]
