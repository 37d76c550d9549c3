"""The proof: every measure computed again from the source's own database by SQL, and compared row by row.

It shares no code with the streams: another language, other tables, another path. What both agree on, neither made up.
"""
