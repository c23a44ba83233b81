"""A report on runs to send or to print: one page that opens anywhere, tables and figures for a paper, all numbers."""
