"""Proof that each layer of the toolkit does its work: it is switched off, and its checks must miss it."""
