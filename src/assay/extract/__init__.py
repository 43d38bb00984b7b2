"""Facts in text, found by rules: money, areas, dates, addresses, citations."""
