"""Forms that fill themselves from published tables, through the policy: declared, filled, written as xlsx and PDF."""

from twin.reports.filling import Filled, Filler
from twin.reports.form import Form, find, read_all
from twin.reports.paper import pdf
from twin.reports.period import Period
from twin.reports.workbook import xlsx

__all__ = ["Filled", "Filler", "Form", "Period", "find", "pdf", "read_all", "xlsx"]
