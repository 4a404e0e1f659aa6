"""The picture of the ledger's counts."""

import pandas as pd

from paperlib import claims, plotting


def test_each_paper_has_a_bar_as_long_as_its_claims_are_many():
    words = [*claims.VERDICTS, claims.OPEN]
    counts = pd.DataFrame(0, index=["pavllo2019", "kato2020"], columns=words)
    counts.loc["pavllo2019", ["shows", "opposite"]] = 3, 2
    counts.loc["kato2020", "open"] = 4
    figure = plotting.verdict_counts(counts)
    (ax,) = figure.axes
    ends = [max(bars[p].get_x() + bars[p].get_width() for bars in ax.containers) for p in (0, 1)]
    assert ends == [5, 4]
    assert [label.get_text() for label in ax.get_yticklabels()] == [
        "Pavllo et al. 2019",
        "Kato et al. 2020",
    ]
    assert sorted(text.get_text() for text in ax.texts) == ["2", "3", "4"]  # nothing for nothing
    legend = figure.legends[0]
    assert [text.get_text() for text in legend.get_texts()] == words
    figure.canvas.draw()
    box, page = legend.get_window_extent(), figure.bbox
    assert box.x0 >= 0 and box.x1 <= page.x1 and box.y1 <= page.y1  # none is cut off
