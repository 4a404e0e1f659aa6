"""The site to read: every notebook with its outputs, a glossary and the package's reference.

Pages are made from what is committed; nothing is executed, and nothing is fetched by a reader's
browser.
"""

from tools.site.build import build

__all__ = ["build"]
