"""The hardened server behind `garrison run`."""
