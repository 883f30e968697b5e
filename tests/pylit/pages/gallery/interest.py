import marimo

app = marimo.App()


@app.cell
def _(mo):
    mo.md(r"""
    # Compound interest

    After $n$ years, $c$ has become $c\,(1 + r)^n$.
    """)
    return


@app.cell
def _():
    years = 10
    capital = 100 * 1.03**years
    return (capital,)
