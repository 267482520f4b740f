"""MDN HTTP Observatory's score of a reply, computed in process (algorithm 6, version 1.6.3)."""

from __future__ import annotations

from garrison_harness.observatory.scoring import Reply, Score, grade, score

__all__ = ["Reply", "Score", "grade", "score"]
