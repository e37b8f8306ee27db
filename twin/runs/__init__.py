"""What was promised, what is due, what ran, where each resource stands, and what people ask of the receiving side.

The receiving side (etl) works ticks off here and hands its reports in; the pages read here and ask here. Neither knows
the other. Every function takes an open connection of the operational store, so that a deed and its record are one
transaction.
"""
