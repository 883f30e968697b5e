"""Static checks of a site: formulas, links, translations, parameters, typography.

Provides `check_site`, which writes nothing and runs no code of the site, and its checks of a single translation.
"""

from .site import check_site, translation_problems

__all__ = ["check_site", "translation_problems"]
