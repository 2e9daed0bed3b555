"""The addresses that Cal.com calls. Include them in the site's URLs: ``path("cal/", include("cal_bookings.urls"))``."""

from django.urls import path

from cal_bookings.webhooks import views

app_name = "cal_bookings"
urlpatterns = [
    path("webhooks/<str:path_id>/", views.receive, name="webhook"),
]
