"""The village, as received: from the departments' files to published snapshots."""
