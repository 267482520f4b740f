"""Names of what matters to security, as the OWASP Logging Vocabulary has them: for `RequestContext.note`."""

from __future__ import annotations

from typing import Final

# A credential or an attempt to log in was accepted, was not, or there were too many attempts.
LOGIN_SUCCESS: Final = "authn_login_success"
LOGIN_FAIL: Final = "authn_login_fail"
LOGIN_FAIL_MAX: Final = "authn_login_fail_max"
# Somebody wanted what they may not have: without credentials, without the scope, or what is closed to them.
AUTHZ_FAIL: Final = "authz_fail"
# A quota had no room.
EXCESS: Final = "excess_rate_limit_exceeded"
# What was sent is out of bounds, or does not keep what was declared.
INPUT_FAIL: Final = "input_validation_fail"
# A page of another origin wanted to read or to act.
CORS: Final = "malicious_cors"
