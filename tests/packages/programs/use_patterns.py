"""Masks what a pattern of one's own finds, with what the extra `patterns` brings."""

from __future__ import annotations

from garrison import Redaction
from garrison.redaction import Redactor

print(Redactor(Redaction(patterns="cust-[0-9]+")).text("an order of cust-1234"))
