"""Only what changed: which rows Altcraft accepted last, remembered as hashes, kept where the user says.

A row is skipped if what it says is the last thing that Altcraft certainly accepted of it. Whenever that is not certain
the row is forgotten, and so sent: before a batch leaves, its rows are forgotten; when it was answered, the accepted
ones are learnt. A process that ends in between costs rows that are sent once more, never a row wrongly skipped.
"""
