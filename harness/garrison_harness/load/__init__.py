"""Drives a target with Locust and judges what came back against thresholds."""
