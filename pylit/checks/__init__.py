"""Static checks of a site: formulas, links, translations, parameters, typography.

Provides `check_site`, which writes nothing and runs no code of the site.
"""

from .site import check_site

__all__ = ["check_site"]
