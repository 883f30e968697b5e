"""A cache of results, and a record of the questions that each result depends on.

Provides a `Store` of sealed entries, and `Questions`, which record the dependencies of a page. Knows nothing about
pages. Refuses entries that were not sealed with the user's key.
"""

from .dependencies import Answerer, Notes, Observation, Question, Questions, question
from .digests import canonical, digest, is_key
from .fingerprint import PACKAGE, TEMPLATES, THEME, engine_digest, folders_digest, library_versions
from .store import Store, open_store

__all__ = [
    "PACKAGE",
    "TEMPLATES",
    "THEME",
    "Answerer",
    "Notes",
    "Observation",
    "Question",
    "Questions",
    "Store",
    "canonical",
    "digest",
    "engine_digest",
    "folders_digest",
    "is_key",
    "library_versions",
    "open_store",
    "question",
]
