"""Tables and charts of recorded results.

Provides HTML and SVG for the figures that a page specifies. Refuses records without numbers where numbers are
expected.
"""

from .html import FigureContext, chart_drawing, recorded_cells, render_figure
from .standing import LanguageStanding, PageStanding

__all__ = [
    "FigureContext",
    "LanguageStanding",
    "PageStanding",
    "chart_drawing",
    "recorded_cells",
    "render_figure",
]
