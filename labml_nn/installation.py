"""
---
title: One labml_nn at a time
summary:
  The package index has another labml_nn. Where pip has mixed its files with these, this module says
  so.
---

# One `labml_nn` at a time

These modules are installed as `annotated-labml-nn`. The package index also has `labml-nn`, the code
of [nn.labml.ai](https://nn.labml.ai), and both keep their files in a folder called `labml_nn`. pip
does not object: whichever is installed last replaces the files that both have, and whichever is
uninstalled takes them away. What remains is half of each.

So `labml_nn` looks for the other one when it is imported. Where the other one has replaced
`labml_nn/__init__.py` itself, the [data package](data/__init__.py), which only we have, still
looks.
"""

import warnings
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

OURS = "annotated-labml-nn"
OTHER = "labml-nn"


def check_installation() -> None:
    """
    ## Looking for the other one

    Raises `ImportError` if `labml_nn/__init__.py` is missing or belongs to the other one. If it is
    ours and the other one is installed too, everything works until that one is uninstalled, so this
    is only a warning.

    >>> check_installation()
    """
    remedy = f"Run `pip uninstall {OTHER} {OURS}`, then install {OURS} again."
    start = Path(__file__).with_name("__init__.py")
    if not start.is_file():
        raise ImportError(
            f"{start} is missing, as it is after {OTHER} was uninstalled, "
            f"which has a file of that name too. {remedy}"
        )
    # Only ours calls this function.
    if "check_installation()" not in start.read_text("utf-8"):
        raise ImportError(
            f"{start} does not belong to {OURS}: {OTHER}, which has a file of "
            f"that name too, has replaced it. {remedy}"
        )
    try:
        other = f"{OTHER} {version(OTHER)}"
    except PackageNotFoundError:
        return
    warnings.warn(
        f"{other} is installed too, and has files of the same names as {OURS}. "
        f"When it is uninstalled, they are gone. {remedy}",
        stacklevel=2,
    )
