"""Tables and charts of recorded results.

Provides HTML and SVG for the figures that a page specifies. Refuses records without numbers where numbers are
expected.
"""

from .html import FigureContext, chart_drawing, recorded_cells, render_figure
from .svg_chart import CHART_COLORS

__all__ = ["CHART_COLORS", "FigureContext", "chart_drawing", "recorded_cells", "render_figure"]
