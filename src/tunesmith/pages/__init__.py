"""Self-contained HTML pages: charts as SVG, numbers and words, one style sheet.

Knows how figures are shown, not where they come from. A page loads nothing, runs nothing, and treats all it
shows as text.
"""
