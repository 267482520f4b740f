"""Which path leads to which view."""

from django.urls import path

from . import views

urlpatterns = [
    path("", views.home),
    path("items", views.items),
    path("items/<int:number>", views.item),
    path("upload", views.upload),
    path("login", views.login),
    path("boom", views.boom),
    path("stream", views.stream),
]
