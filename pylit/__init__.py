"""Python source files as bilingual web pages: prose on the left, the code that runs on the right.

The commands are available as functions; their options are the keys of the configuration::

    import pylit

    report = pylit.render("package", out="pages", title="My package", notebooks=True)
    report = pylit.build()  # the whole site that the configuration describes
    report = pylit.check()
    for problem in report.errors:
        print(problem)

A `Report` holds every `Problem` with the pages, with its file, line and a hint. An error that makes it impossible to
continue, such as an invalid configuration, is raised as a `PylitError`. `pylit` reads the files that it documents and
never imports them.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

__version__ = Path(__file__).with_name("VERSION").read_text("ascii").strip()
__all__ = ["Problem", "PylitError", "Report", "build", "check", "render"]

if TYPE_CHECKING:
    from .api import build, check, render
    from .errors import Problem, PylitError, Report
else:

    def __getattr__(name: str) -> Any:
        """Import a public name on first access, which keeps `import pylit` fast.

        Raises:
            AttributeError: if the name does not exist.
        """
        if name not in __all__:
            raise AttributeError(f"module `pylit` has no attribute `{name}`")
        from . import api, errors

        return getattr(errors if hasattr(errors, name) else api, name)
