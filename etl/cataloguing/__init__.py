"""The catalogue as other offices want it: counted, as a workbook in the official layout, and back from one."""
