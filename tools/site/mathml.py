"""Formulas as MathML, which browsers draw themselves: no script and no font from elsewhere."""

from docutils import nodes
from latex2mathml.converter import convert


def setup(app):
    """Sphinx calls this; ``html_math_renderer = "mathml"`` in the configuration chooses it."""
    app.add_html_math_renderer("mathml", (_inline, None), (_block, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def _block(translator, node):
    formula = convert(node.astext().strip(), display="block")
    translator.body.append(f'<div class="math">{formula}</div>\n')
    raise nodes.SkipNode
