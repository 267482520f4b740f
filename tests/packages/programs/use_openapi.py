"""Holds an app to its document with what the extra `openapi` brings: JSON, forms and signed tokens."""

from __future__ import annotations

import json
from pathlib import Path

import jwt
from asking import ask, hello  # type: ignore[import-not-found]  # beside this file
from cryptography.hazmat.primitives.asymmetric import rsa

from garrison import Contract, Settings, harden
from garrison.openapi.key_documents import read_keys

FORM = "multipart/form-data; boundary=x"
PART = '--x\r\nContent-Disposition: form-data; name="%s"\r\n\r\n1\r\n--x--\r\n'
ITEM = {"schema": {"type": "object", "required": ["item"]}}
DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Shop", "version": "1"},
    "paths": {
        "/orders": {
            "post": {
                "requestBody": {
                    "required": True,
                    "content": {"application/json": ITEM, "multipart/form-data": ITEM},
                },
                "responses": {"200": {"description": "taken"}},
            }
        }
    },
}

Path("openapi.json").write_text(json.dumps(DOCUMENT), encoding="utf-8")
app = harden(hello, Settings(access_log=None, contract=Contract(document="openapi.json")))
bodies = [
    ("application/json", '{"item": 1}'),
    ("application/json", "{}"),
    (FORM, PART % "item"),
    (FORM, PART % "other"),
]
print(*(ask(app, "POST", "/orders", kind, body.encode()).status for kind, body in bodies))

public = rsa.generate_private_key(public_exponent=65537, key_size=2048).public_key()
key = {**jwt.algorithms.RSAAlgorithm.to_jwk(public, as_dict=True), "kid": "one"}
print(*(each.id for each in read_keys(json.dumps({"keys": [key]}).encode()).keys))
