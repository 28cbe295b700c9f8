"""Charts of the report, drawn with Altair and turned into static SVG by vl-convert, without a browser or network."""
