import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import numpy as np
    import pandas as pd

    import loss_widget as lw

    names = ["Business", "Sci/Tech", "Sports", "World"]
    rows = np.arange(60)
    probs = np.full((60, 4), 0.02)
    probs[rows, rows % 4] = 0.02 + 0.9 * ((rows * 17 + 5) % 60) / 60
    probs[rows, (rows + 1) % 4] += 1 - probs.sum(axis=1)
    df = pd.DataFrame({"text": [f"headline {i} <b>not bold</b>" for i in rows], "label": [names[i % 4] for i in rows]})
    widget = lw.LossWidget(df, probs=probs, label_names=names)
    grid = mo.ui.anywidget(widget)
    grid
    return mo, widget


@app.cell
def _(mo):
    look = mo.ui.button(label="Look at the DataFrame", value=0, on_click=lambda n: n + 1)
    look
    return (look,)


@app.cell
def _(look, mo, widget):
    mo.md(f"look {look.value}: {', '.join(widget.df['label'])}")
    return


if __name__ == "__main__":
    app.run()
