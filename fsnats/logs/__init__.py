"""What programs say of themselves: one event a line, on standard error and in files.

Pure, but for `files` and `writer` (the way to the disk) and `reading` (the way back).
"""
