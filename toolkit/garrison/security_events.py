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

# Version of 2025, and `malicious_excess404` as its own example writes it.
VOCABULARY: Final = frozenset(
    """
    authn_login_success authn_login_successafterfail authn_login_fail authn_login_fail_max authn_login_lock
    authn_password_change authn_password_change_fail authn_impossible_travel
    authn_token_created authn_token_revoked authn_token_reuse authn_token_delete
    authz_fail authz_change authz_admin
    crypt_decrypt_fail crypt_encrypt_fail
    excess_rate_limit_exceeded
    upload_complete upload_stored upload_validation upload_delete
    input_validation_fail input_validation_discrete_fail
    malicious_excess_404 malicious_excess404 malicious_extraneous malicious_attack_tool malicious_cors
    malicious_direct_reference
    privilege_permissions_changed
    sensitive_create sensitive_read sensitive_update sensitive_delete
    sequence_fail
    session_created session_renewed session_expired session_use_after_expire
    sys_startup sys_shutdown sys_restart sys_crash sys_monitor_disabled sys_monitor_enabled
    user_created user_updated user_archived user_deleted
    """.split()  # noqa: SIM905 - as a list it would be a page
)
"""Every event of the vocabulary."""
