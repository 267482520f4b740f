"""What a secret looks like, wherever it stands: tokens, keys, credentials in URLs, values beside a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

MASK: Final = "[redacted]"

# What Python, JSON, forms, shells and HTTP write between a name and its value.
# URLs escape it; a value may be in a list, a tuple, or the call that makes it.
_SEPARATOR: Final = (
    r"(?:\\?[\"']|%22)?\s{0,4}(?:=>|[=:]|%3[aAdD])\s{0,4}(?:(?:[\w.]{0,40}[\[(]){0,2}b?(?=\\?[\"']))?"
)
# A raw header, a pair of a form, or an option of a command, as Python prints it.
_PAIR: Final = r"(?:\(b?[\"']|\[b[\"']|[\"']--)[A-Za-z_-]{0,40}"
_COMMA: Final = r"[\"'],\s?b?"
# After a backslash, as in JSON inside of JSON, a quote ends at the next backslash.
_QUOTED: Final = r"\\[\"'][^\"'\\]++|\"(?:[^\"\\]|\\.)++|'(?:[^'\\]|\\.)++"
# What forms add to the name of a password that is asked for twice.
TWICE: Final = r"(?:[_-]?(?:\d{1,2}|confirm(?:ation)?|again|repeat))?"
_SCHEME: Final = r"(?:(?i:bearer|basic|digest|token)\s)?"
_LINE_END: Final = r"(?:\r\n|\\r\\n)"
_BARE: Final = r"[^\s\"',;&}\[\\][^\s\"',;&}\\]{2,}+"
# "Invalid token: expired" is a sentence; a token is seldom a plain word.
_PLAIN_WORD: Final = r"(?!(?<=:\s)[A-Za-z]?[a-z]+(?![^\s.,;!)\]\"']))"
# What is said of a field, or is its type, and is no value of it.
_SAID: Final = (
    "absent|bool|bytes|empty|expired|false|field|incorrect|int|invalid|is|malformed|missing|must|none|not|null"
    "|optional|rejected|required|revoked|str|string|true|unknown|unset|value|wrong"
)
# Whose name has a hyphen or an underscore is a field and not prose: there a plain word is a value.
_NOT_SAID: Final = rf"(?!(?<=:\s)(?i:{_SAID})(?![^\s.,;!)\]\"']))"


# What is in a text that has shapes, and not in most others: a run too long for a word, or what stands
# between a name and its value. Shapes without either announce themselves.
Sign = Literal["run", "separator", "none"]
RUN: Final = re.compile(r"[A-Za-z0-9_-]{15}")


@dataclass(frozen=True, slots=True)
class Shape:
    """One way in which secrets are written.

    Attributes:
        markers: one of these is in whatever has the shape, in lower case; looking for them costs a tenth
            of the expression.
        expression: finds it. Each part has one way to match and few places to begin, so that the time stays
            linear in the text's length. The group `kept`, where there is one, is not masked.
        sign: what else is in it.
        published: whether pages show things of this shape that are no secrets, such as the keys that
            browsers use.
    """

    markers: tuple[str, ...]
    expression: re.Pattern[str]
    sign: Sign = "separator"
    published: bool = False

    def finds(self, text: str, lowered: str) -> bool:
        """Whether it is there, given the text in lower case too."""
        return self._may_match(lowered) and self.expression.search(text) is not None

    def masked(self, text: str, lowered: str) -> str:
        """The text without it, given the text in lower case too."""
        return self.expression.sub(mask, text) if self._may_match(lowered) else text

    def _may_match(self, lowered: str) -> bool:
        for marker in self.markers:  # noqa: SIM110 - a generator costs more than it saves
            if marker in lowered:
                return True
        return False


def may_separate(text: str) -> bool:
    """Whether there is anything in a text that stands between names and values."""
    return "=" in text or ":" in text or "%3" in text or "'," in text or '",' in text


def mask(match: re.Match[str]) -> str:
    """What stands in the place of a match: its group `kept`, an opening quote, and the mask."""
    groups = match.groupdict()
    # Inside of its quotes, so that JSON stays JSON.
    quoted = groups.get("quoted") or ""
    opening = quoted[: 2 if quoted.startswith("\\") else 1]
    return f"{groups.get('kept') or ''}{opening}{MASK}"


SHAPES: Final = (
    # RFC 7519 and RFC 7516: three parts of a signed token, five of an encrypted one.
    Shape(
        ("eyj",),
        sign="run",
        expression=re.compile(
            r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{12,}+\.[A-Za-z0-9_-]*+\.[A-Za-z0-9_-]*+"
            r"(?:\.[A-Za-z0-9_-]*+\.[A-Za-z0-9_-]++)?"
        ),
        published=True,
    ),
    # RFC 6750 section 2.1 and RFC 7617. After "Basic" a plain word is prose, since Base64 is none; a bearer's
    # token may be one.
    Shape(
        ("bearer", "basic", "digest", "dpop"),
        sign="none",
        expression=re.compile(
            r"(?i:\b(?:bearer|dpop)\s+(?!(?:auth[a-z]+|credentials?|instruments?)(?![A-Za-z0-9._~+/=-])))"
            r"[A-Za-z0-9._~+/=-]{8,}+"
            r"|(?i:\bbasic\s+)(?![A-Za-z][a-z]{7,}(?![A-Za-z0-9+/=]))[A-Za-z0-9+/=]{8,}+"
            r"|(?i:\bdigest\s+username=)[^\r\n]++"
        ),
        published=True,
    ),
    # RFC 9110 section 11.6.2, with a scheme of whatever name: its token, or its parameters.
    Shape(
        ("authorization",),
        re.compile(
            r"(?P<kept>(?i:authorization)[\"']?\s{0,4}[:=]\s{0,4}b?[\"']?"
            r"[A-Za-z][A-Za-z0-9_-]{0,40}[ \t]{1,4})"
            r"(?=[a-z]{0,256}[0-9A-Z=+/_~.-])[^\s\"',;\[]++(?:,[ \t]?[A-Za-z_-]{1,40}=[^\s\"',]++)*+"
        ),
        published=True,
    ),
    # RFC 3986 section 3.2.1: user and password, or a user that is long enough for a token. Up to the last
    # @ that can be meant, since people forget to escape those of a password.
    Shape(
        ("://", "%3a%2f%2f"),
        re.compile(
            r"(?<=://)(?:[^/\s:@\"'<>]{0,256}:[^/\s\"'<>]{1,256}|[^/\s:@\"'<>]{16,256})(?=@)"
            r"|(?<=%3[aA]%2[fF]%2[fF])[^/\s:@\"'<>&%]{0,256}%3[aA][^/\s\"'<>&]{1,256}?(?=%40)"
        ),
    ),
    # RFC 7468, with the key that follows; also where its line ends are written as \n.
    Shape(
        ("private key",),
        sign="none",
        expression=re.compile(
            r"-----BEGIN [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----)[\s\S])*+"
            r"(?:-----END [A-Z ]{0,32}PRIVATE KEY(?: BLOCK)?-----)?"
        ),
    ),
    # Prefixes that their makers document for secret scanners.
    Shape(
        (
            "akia",
            "asia",
            "ghp_",
            "gho_",
            "ghu_",
            "ghs_",
            "ghr_",
            "github_pat_",
            "glpat-",
            "k_live_",
            "k_test_",
            "xox",
            "xapp-",
            "whsec_",
            "sk-",
            "npm_",
            "pypi-",
            "sg.",
            "dop_v1_",
            "hvs.",
            "hvb.",
            "shp",
            "gocspx-",
            "ya29.",
            "garrison_key_",
            "hooks.slack.com",
        ),
        sign="run",
        expression=re.compile(
            r"""(?<![A-Za-z0-9_])(?:
              (?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])          # AWS access key id
            | gh[pousr]_[A-Za-z0-9]{20,}+                        # GitHub
            | github_pat_[A-Za-z0-9_]{20,}+                      # GitHub, fine-grained
            | glpat-[A-Za-z0-9_-]{16,}+                          # GitLab
            | [sr]k_(?:live|test)_[A-Za-z0-9]{10,}+              # Stripe
            | whsec_[A-Za-z0-9]{9,}+[A-Za-z0-9+/=]*+             # webhooks of Stripe, Svix
            | xox[abceoprs]-[A-Za-z0-9-]{12,}+                   # Slack
            | xapp-[0-9]-[A-Za-z0-9-]{10,}+                      # Slack, app level
            | sk-(?:ant-|proj-|svcacct-|or-v1-)?[A-Za-z0-9_-]{24,}+  # OpenAI, Anthropic
            | npm_[A-Za-z0-9]{30,}+                              # npm
            | pypi-[A-Za-z0-9_-]{50,}+                           # PyPI
            | SG\.[A-Za-z0-9_-]{16,}+\.[A-Za-z0-9_-]{16,}+       # SendGrid
            | dop_v1_[a-f0-9]{32,}+                              # DigitalOcean
            | hv[sb]\.[A-Za-z0-9_-]{20,}+                        # Vault
            | shp(?:at|ca|pa|ss)_[a-fA-F0-9]{20,}+               # Shopify
            | GOCSPX-[A-Za-z0-9_-]{20,}+                         # Google OAuth client secret
            | ya29\.[A-Za-z0-9_-]{20,}+                          # Google access token
            | garrison_key_[A-Za-z0-9_-]{20,}+                   # an API key of `garrison contract key`
            | hooks\.slack\.com/services/[A-Za-z0-9]{1,16}/[A-Za-z0-9]{1,16}/[A-Za-z0-9]{15,}+
            )""",
            re.VERBOSE,
        ),
    ),
    # Google API keys stand in every page that shows a map.
    Shape(("aiza",), re.compile(r"(?<![A-Za-z0-9_])AIza[A-Za-z0-9_-]{35}"), sign="run", published=True),
    # Telegram bots and Azure storage.
    Shape(
        (":aa", "accountkey=", "sharedaccesskey="),
        re.compile(
            r"(?<![A-Za-z0-9])\d{8,10}:AA[A-Za-z0-9_-]{33}(?![A-Za-z0-9_-])"
            r"|(?P<kept>(?i:\b(?:AccountKey|SharedAccessKey)=))[A-Za-z0-9+/=]{20,}+"
        ),
    ),
    # A header line, or a pair of raw headers as Python prints it.
    Shape(
        ("cookie",),
        re.compile(
            r"(?P<kept>(?i:\bcookie)[\"']?(?:\s{0,4}[:=]|(?<=[\"']),)\s{0,4}b?[\"']?)"
            r"(?=[^\r\n\"'=\s]{1,256}=)[^\r\n\"']++"
        ),
        published=True,
    ),
)

# A plain word after one of these and a colon may well be the secret itself.
_PASSWORDS: Final = frozenset({"password", "passwd", "passphrase", "pwd", "secret"})


@lru_cache(maxsize=64)
def beside(names: tuple[str, ...]) -> Shape:
    """The shape of a value beside one of these names, as in `password=…`, `"api_key": "…"`, `DB_SECRET: …`.

    Args:
        names: how keys end that have such values; a hyphen or underscore in them stands for either, or none.
    """
    lowered = sorted({name.strip().lower() for name in names}, key=lambda name: (-len(name), name))
    passwords = _any_of(name for name in lowered if name in _PASSWORDS)
    others = _any_of(name for name in lowered if name not in _PASSWORDS)
    # Looked for behind the name, where it costs nothing in a text without one.
    words = {re.escape(re.split("[_-]", name)[-1]) for name in lowered}
    joined = "|".join(f"(?<=[_-]{word})" for word in sorted(words)) or "(?!)"
    return Shape(
        tuple(_markers(lowered)),
        re.compile(
            rf"(?P<kept>(?i:(?:{passwords}){TWICE}){_SEPARATOR}"
            rf"|(?i:(?:{others})(?P<joined>{joined})?){_SEPARATOR}{_SCHEME}"
            rf"(?(joined){_NOT_SAID}|{_PLAIN_WORD})"
            rf"|(?i:{_PAIR}(?:{_any_of(lowered)})){_COMMA})"
            rf"(?:(?P<quoted>{_QUOTED})|{_BARE})"
        ),
        published=True,
    )


@lru_cache(maxsize=64)
def in_parts(names: tuple[str, ...]) -> Shape:
    """The shape of a multipart form's value under one of these names (RFC 7578), also as Python prints bytes.

    Args:
        names: how the names of such values end.
    """
    return Shape(
        ('name="', 'name=\\"'),
        re.compile(
            rf'(?P<kept>name=\\?"[^"\\\r\n]{{0,64}}?(?i:(?:{_any_of(names)}){TWICE})\]?\\?"{_LINE_END}'
            rf"(?:[Cc]ontent-[^\r\n\\]{{0,200}}{_LINE_END})?{_LINE_END})(?:(?!{_LINE_END})[\s\S])++"
        ),
        published=True,
    )


def in_urls(names: Iterable[str]) -> re.Pattern[str]:
    """What finds the values of query parameters with these names in URLs, escaped once or not.

    Args:
        names: in lower case; between their words stands a hyphen, an underscore, or nothing.
    """
    return re.compile(
        rf"(?P<kept>(?i:(?:[?&;]|%(?:25){{0,3}}(?:3f|26))(?:{_any_of(names)})(?:=|%(?:25){{0,3}}3d)))"
        r"[^\s&#\"'<>\\]++"
    )


def _any_of(names: Iterable[str]) -> str:
    # Of no name, an expression that never matches.
    return "|".join(r"[_-]?".join(map(re.escape, re.split("[_-]", name))) for name in names) or r"(?!)"


def _markers(names: Iterable[str]) -> Iterable[str]:
    """A word of each name, which every spelling of it has, without those that hold another."""
    words = {_rare(re.split("[_-]", name)) for name in names}
    return sorted(word for word in words if not any(other in word for other in words - {word}))


def _rare(words: list[str]) -> str:
    """The last of some words that is not as short as `id`, which is in every other text."""
    return next((word for word in reversed(words) if len(word) > 2), words[-1])
