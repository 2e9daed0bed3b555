"""The admin, to which / leads, and the receiver of webhooks."""

from django.contrib import admin
from django.urls import include, path
from django.views.generic import RedirectView

urlpatterns = [
    path("admin/", admin.site.urls),
    path("cal/", include("cal_bookings.urls")),
    path("", RedirectView.as_view(pattern_name="admin:index")),
]
