"""The charts as pictures that need no script: a chart's data and layout -> marks -> scales -> inline SVG."""
