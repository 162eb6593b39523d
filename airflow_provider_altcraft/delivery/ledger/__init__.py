"""The ledger: hashes of the rows that Altcraft last accepted, so that only changes are sent.

A row is skipped only if its content is certainly the last that Altcraft accepted. So rows are forgotten before their
batch is sent, and learned again when it is answered and they are accepted. A process that dies in between causes rows
to be sent once more, but never a row to be wrongly skipped.
"""
