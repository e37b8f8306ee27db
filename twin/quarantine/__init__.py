"""Refused rows and what people decide about them: seen, corrected, accepted, sent back, returned; never deleted.

An act names one row by source, identity and the fingerprint of what was refused. It changes no data: the receiving side
reads the acts that hold and does them to the delivered rows of its next run.
"""

from __future__ import annotations
