"""The names under which credentials travel: in queries, in headers, and in everything with fields."""

from __future__ import annotations

from typing import Final

# The keys that OpenTelemetry's HTTP conventions redact in url.query, and the names under which
# credentials travel in practice (OWASP Logging Cheat Sheet, "Data to exclude").
QUERY: Final = (
    "access_token",
    "api_key",
    "apikey",
    "auth",
    "authorization",
    "awsaccesskeyid",
    "client_secret",
    "code",
    "code_verifier",
    "id_token",
    "key",
    "otp",
    "password",
    "passwd",
    "pwd",
    "refresh_token",
    "samlresponse",
    "secret",
    "session",
    "sessionid",
    "sig",
    "signature",
    "ticket",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-goog-credential",
    "x-goog-signature",
)

# What carries credentials, by RFC 9110, RFC 6265 and the gateways that authenticate for an app.
HEADERS: Final = (
    "api-key",
    "authorization",
    "cf-access-jwt-assertion",
    "cookie",
    "private-token",
    "proxy-authorization",
    "set-cookie",
    "stripe-signature",
    "x-access-token",
    "x-amz-security-token",
    "x-amzn-oidc-accesstoken",
    "x-amzn-oidc-data",
    "x-api-key",
    "x-auth-token",
    "x-csrf-token",
    "x-csrftoken",
    "x-forwarded-access-token",
    "x-gitlab-token",
    "x-goog-iap-jwt-assertion",
    "x-hub-signature",
    "x-hub-signature-256",
    "x-ms-token-aad-access-token",
    "x-ms-token-aad-id-token",
    "x-vault-token",
    "x-xsrf-token",
)

# How the keys of JSON, forms, settings and log fields end that hold secrets.
NAMES: Final = (
    "access_key",
    "api_key",
    "authorization",
    "client_secret",
    "credential",
    "credentials",
    "otp",
    "passphrase",
    "passwd",
    "password",
    "private_key",
    "pwd",
    "secret",
    "secret_key",
    "session_id",
    "token",
)
