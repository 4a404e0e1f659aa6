"""How Sphinx builds the site."""

import paperlib

project = "Five papers on 3D human pose, running"
author = "The paperlib authors"
copyright = author
release = paperlib.__version__

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx_design", "tools.site.mathml"]
html_math_renderer = "mathml"
nb_execution_mode = "off"
nb_merge_streams = True
nb_render_markdown_format = "myst"  # with tables, and links that Sphinx follows
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
autodoc_typehints = "signature"
autodoc_member_order = "bysource"
add_module_names = False
python_use_unqualified_type_names = True

html_theme = "sphinx_book_theme"
html_title = project
html_static_path = ["static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "navbar_persistent": [],
}
