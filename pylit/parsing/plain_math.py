r"""Converts formulas to plain text, for titles, contents and attributes: `x^2` becomes x², `\alpha` α.

Anything without a letter in Unicode is written as in a message: `\frac{a}{b + c}` becomes a/(b + c).
"""

from __future__ import annotations

import re
import unicodedata
from contextlib import suppress
from functools import lru_cache

LONGEST = 300
"""Maximum length of a formula in characters; longer ones are shown as typed."""
DEEPEST = 20
"""Maximum depth of nested groups; deeper ones are shown as typed."""

_TOKEN = re.compile(r"\\[A-Za-z]+\*?\s*|\\.|\s+|.", re.DOTALL)
_SIGNS = {
    **{
        name: unicodedata.lookup(f"GREEK SMALL LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")
        for name in "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma tau"
        " upsilon phi chi psi omega".split()
    },
    **{
        name: unicodedata.lookup(f"GREEK CAPITAL LETTER {name.upper().replace('LAMBDA', 'LAMDA')}")
        for name in "Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega".split()
    },
    **dict(
        pair.split("=", 1)
        for pair in "varepsilon=ε varphi=φ vartheta=ϑ varrho=ϱ times=× cdot=· div=÷ pm=± mp=∓ ast=∗ star=⋆ circ=∘"
        " odot=⊙ oplus=⊕ otimes=⊗ le=≤ leq=≤ ge=≥ geq=≥ ne=≠ neq=≠ approx=≈ sim=∼ simeq=≃ equiv=≡ propto=∝ ll=≪ gg=≫"
        " in=∈ notin=∉ subset=⊂ subseteq=⊆ cup=∪ cap=∩ setminus=∖ emptyset=∅ infty=∞ partial=∂ nabla=∇ sum=∑ prod=∏"
        " int=∫ forall=∀ exists=∃ land=∧ lor=∨ neg=¬ to=→ rightarrow=→ leftarrow=← Rightarrow=⇒ Leftarrow=⇐ mapsto=↦"
        " iff=⇔ ldots=… dots=… cdots=⋯ vdots=⋮ ell=ℓ hbar=ℏ top=⊤ bot=⊥ mid=| vert=| lvert=| rvert=| Vert=‖ lVert=‖"
        " rVert=‖ langle=⟨ rangle=⟩ lfloor=⌊ rfloor=⌋ lceil=⌈ rceil=⌉"
        " prime=′ dagger=† triangleq=≜ perp=⊥ parallel=∥".split()
    ),
    **dict.fromkeys("quad qquad".split(), " "),
    **dict.fromkeys(
        "left right big Big bigl bigr Bigl Bigr bigg Bigg displaystyle textstyle limits nolimits mathrm mathbf mathit"
        " mathcal mathsf mathtt mathscr mathfrak boldsymbol bm text textbf textit textrm texttt operatorname"
        " mbox".split(),
        "",
    ),
}
_SINGLE = {
    "\\\\": " ",
    "\\|": "‖",
    "~": " ",
    "'": "′",
    **dict.fromkeys(["\\,", "\\;", "\\:", "\\ "], " "),
    "\\!": "",
}
_ACCENTS = {
    "hat": "\u0302",
    "widehat": "\u0302",
    "bar": "\u0304",
    "tilde": "\u0303",
    "vec": "\u20d7",
    "dot": "\u0307",
}
_RAISED = str.maketrans("0123456789+-=()niTtx", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱᵀᵗˣ")
_LOWERED = str.maketrans("0123456789+-=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ")


@lru_cache(maxsize=1024)
def plain_formula(tex: str) -> str:
    """Return a formula as text; as typed if it is too long or nested too deeply."""
    if len(tex) > LONGEST:
        return tex
    try:
        return " ".join(_Writer(tex).group().split())
    except RecursionError:
        return tex


class _Writer:
    def __init__(self, tex: str) -> None:
        self.tokens: list[str] = _TOKEN.findall(re.sub(r"\\(?:begin|end)\{\w+\*?\}|(?<!\\)&", " ", tex))
        self.at = 0
        self.depth = 0

    def group(self) -> str:
        """Return the text up to the end of a group."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise RecursionError
        parts = []
        while self.at < len(self.tokens) and self.tokens[self.at] != "}":
            parts.append(self.item())
        self.at += 1
        self.depth -= 1
        return "".join(parts)

    def argument(self) -> str:
        """Return the argument of a command or sign: a group, or the next piece."""
        while self.at < len(self.tokens) and self.tokens[self.at].isspace():
            self.at += 1
        return self.item() if self.at < len(self.tokens) and self.tokens[self.at] != "}" else ""

    def item(self) -> str:
        """Return the next piece of a formula."""
        token = self.tokens[self.at]
        self.at += 1
        if token == "{":
            return self.group()
        if token in "^_":
            return _script(token, self.argument())
        if len(token) == 1 or not token[1].isalpha():
            return _SINGLE.get(token, token[-1])
        return self.command(token[1:].strip().rstrip("*"), " " * token[-1].isspace())

    def command(self, name: str, space: str) -> str:
        """Return the text of a command; its own name if it is unknown, such as `log`."""
        if name in ("frac", "dfrac", "tfrac", "cfrac"):
            above, below = self.argument(), self.argument()
            return f"{_closed(above)}/{_closed(below)}"
        if name in ("ref", "eqref"):
            label = self.argument()
            return f"({label})" if name == "eqref" else label
        if name in ("textcolor", "color", "colorbox", "htmlClass", "htmlId", "htmlStyle", "htmlData"):
            self.argument()  # not shown; `\color` applies to what follows
            return "" if name == "color" else self.argument()
        if name == "sqrt":
            return f"√{_closed(self.argument())}"
        if name == "mathbb":
            letter = self.argument()
            for style in ("DOUBLE-STRUCK", "MATHEMATICAL DOUBLE-STRUCK"):
                with suppress(KeyError):  # some of these letters are in an older block
                    return unicodedata.lookup(f"{style} CAPITAL {letter}")
            return letter
        if accent := _ACCENTS.get(name):
            letter = self.argument()
            return letter + accent if len(letter) == 1 else letter
        found = _SIGNS.get(name)
        return f"{name}{space}" if found is None else found + space * bool(found.strip())


def _script(sign: str, text: str) -> str:
    raised = text.translate(_RAISED if sign == "^" else _LOWERED)
    is_word = len(text) > 1 and text.isalpha()
    if text and not is_word and all(a != b for a, b in zip(text, raised, strict=True)):
        return raised
    if sign == "^" and text in ("′", "∗", "⊤", "*"):
        return text
    return f"{sign}{_closed(text)}"


def _closed(text: str) -> str:
    """Return `text` in parentheses, unless it is a single name, number or sign."""
    return text if len(text) == 1 or re.fullmatch(r"\w+|\(.*\)", text) else f"({text})"
