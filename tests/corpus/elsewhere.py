"""The classes of the table that no delivery brings: the tests that hold each, or that none does yet."""

from __future__ import annotations

from collections.abc import Mapping

NOT_YET = "not yet (issue 5)"
"""The word for what belongs to observations, webhooks and public maps, which are built in the fifth part."""

ELSEWHERE: Mapping[int, tuple[str, str]] = {
    19: ("compressed MQTT 256 MB length, bad topic UTF-8, wildcard in publish", NOT_YET),
    48: ("boundary lines not allowed on public maps", NOT_YET),
    55: ("CQL2: depth, injection, unknown or hidden property, function names", "tests/wall/test_malformed.py::test_a_query_or_tile_that_is_none_is_refused"),
    56: ("bbox, crs, datetime, limit and offset that are none", "tests/wall/test_malformed.py::test_a_query_or_tile_that_is_none_is_refused"),
    57: ("tile z 30, x out of range, %2e%2e, NUL, unicode digits", "tests/wall/test_malformed.py::test_a_query_or_tile_that_is_none_is_refused"),
    58: ("_dash-update-component: unknown output, forged inputs, huge store", "tests/wall/test_callbacks.py::test_a_callback_that_the_page_does_not_make_is_refused"),
    59: ("header/host/X-Forwarded spoof, verb override, parameter pollution", "tests/wall/test_malformed.py::test_what_a_proxy_might_say_is_believed_of_nobody"),
    60: ("webhook registration to loopback/self/metadata/redirect", "tests/wall/test_malformed.py::test_no_route_takes_an_address_to_call"),
    68: ("COG without overviews, nodata wrong, 16-bit", "tests/test_receive_rasters.py::test_heights_of_any_type_are_published_where_they_are_known"),
    74: ("person in two villages; household without head", NOT_YET),
    78: ("sensor stuck/flat/spike/unit change", NOT_YET),
    79: ("negative/duplicate sequence, reset counter", NOT_YET),
    81: ("CSV/xlsx formula on export", "tests/test_changes.py::test_exports_hold_every_change_and_no_formula"),
    82: ("file name injection", "tests/test_uploads.py::test_no_name_leads_off_the_shelf"),
    83: ("log injection", "tests/wall/test_malformed.py::test_nothing_that_is_written_makes_a_line_of_the_log"),
    84: ("GeoJSON in <script>", "tests/browser/test_payloads.py::"),
    85: ("PDF", "tests/test_reports.py::test_a_pdf_is_drawn_on_as_many_pages_as_it_takes"),
    86: ("EXIF", "tests/test_uploads.py::test_where_it_was_taken_by_what_and_every_word_of_it_are_gone_and_it_stands_upright"),
    87: ("ids in URLs", "tests/wall/test_hidden.py::test_the_hidden_and_the_unknown_get_the_same_bytes_and_headers"),
    88: ("ETag oracle", "tests/wall/test_hidden.py::test_the_hidden_and_the_unknown_get_the_same_bytes_and_headers"),
    89: ("error oracle", "tests/wall/test_hidden.py::test_the_hidden_and_the_unknown_get_the_same_bytes_and_headers"),
    90: ("timing oracle", "tests/wall/test_hidden.py::test_the_hidden_and_the_unknown_take_about_the_same_time"),
}  # fmt: skip
"""Number → (what it is, the test that holds it)."""
