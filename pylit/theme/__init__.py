"""The look of the pages: templates, a stylesheet, two scripts. Also a theme for MkDocs."""
