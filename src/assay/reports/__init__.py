"""Reports: a run as numbers with their uncertainty, on a terminal, in Markdown, HTML and JUnit."""
