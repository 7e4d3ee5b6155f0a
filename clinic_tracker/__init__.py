"""Clinic Tracker: the schedule, worklists and reports of clinics that give LEMTRADA under its REMS."""

from clinic_tracker.app import create_app

__all__ = ["create_app"]
