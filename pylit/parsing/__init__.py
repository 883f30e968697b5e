"""Parses one file into sections and tokens: which lines are prose and code, and the Markdown of the prose.

Provides a `Source` with its `Section`s and their `Prose`. Looks at one file only, and never imports it. Refuses text
that cannot be decoded or parsed, with file and line.
"""

from .cjk_emphasis import cjk_marks
from .docstrings import split_names
from .escape import code_span, is_expression
from .figure_spec import (
    Chart,
    Column,
    Figure,
    FigureError,
    FigureKind,
    Format,
    Pages,
    Scale,
    Specimen,
    Standing,
    Table,
    Terms,
    Text,
    figure_texts,
    parse_figure,
)
from .html_blocks import alignment
from .html_tags import Tag, parse_attributes, parse_tag
from .inline_spans import Span, SpanKind, find_spans
from .invisible import HIDDEN_HINT, has_hidden, hidden_characters, show_hidden, suspicion, unwanted_characters
from .linked_notes import back_anchor
from .listing import listing
from .lookalikes import find_lookalikes
from .markdown import References, all_tokens, figure_kind, markdown, parse_inline, parse_lines, plain_text
from .math_delimiters import formula_at
from .model import (
    GUIDE,
    NOTEBOOK,
    DefinitionKind,
    FileKind,
    Fold,
    Output,
    OutputKind,
    Paper,
    ProseLine,
    Section,
    file_kind,
)
from .names import slug, unused_name
from .noise import without_directives
from .plain_math import plain_formula
from .prose import Prose, title_position
from .sections import innermost
from .source import (
    Source,
    decode_python,
    decode_utf8,
    parse_markdown,
    parse_python,
    parse_source,
    read_source,
)
from .syntax import (
    DefinitionNode,
    definition_nodes,
    is_static_method,
    parameters,
    python_tokens,
    syntax_tree,
)
from .values import ValuesError, YamlValue, read_json, read_yaml, refused_character

__all__ = [
    "GUIDE",
    "HIDDEN_HINT",
    "NOTEBOOK",
    "Chart",
    "Column",
    "DefinitionKind",
    "DefinitionNode",
    "Figure",
    "FigureError",
    "FigureKind",
    "FileKind",
    "Fold",
    "Format",
    "Output",
    "OutputKind",
    "Pages",
    "Paper",
    "Prose",
    "ProseLine",
    "References",
    "Scale",
    "Section",
    "Source",
    "Span",
    "SpanKind",
    "Specimen",
    "Standing",
    "Table",
    "Tag",
    "Terms",
    "Text",
    "ValuesError",
    "YamlValue",
    "alignment",
    "all_tokens",
    "back_anchor",
    "begins_with_title",
    "cjk_marks",
    "code_span",
    "decode_python",
    "decode_utf8",
    "definition_nodes",
    "figure_kind",
    "figure_texts",
    "file_kind",
    "find_lookalikes",
    "find_spans",
    "formula_at",
    "has_hidden",
    "hidden_characters",
    "innermost",
    "is_expression",
    "is_static_method",
    "listing",
    "markdown",
    "parameters",
    "parse_attributes",
    "parse_figure",
    "parse_inline",
    "parse_lines",
    "parse_markdown",
    "parse_python",
    "parse_source",
    "parse_tag",
    "plain_formula",
    "plain_text",
    "python_tokens",
    "read_json",
    "read_source",
    "read_yaml",
    "refused_character",
    "show_hidden",
    "slug",
    "split_names",
    "suspicion",
    "syntax_tree",
    "title_position",
    "unused_name",
    "unwanted_characters",
    "without_directives",
]
