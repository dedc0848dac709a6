"""The 28 traps of docs/traps.md: each is held by tests that are named here, and exist."""

import ast
import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent
DOCUMENT = (TESTS.parent / "docs" / "traps.md").read_text()

INGEST = "workers/ingest"
PROTOCOL = "gateway/protocol"
FANOUT = "gateway/fanout"

HELD_BY: dict[int, tuple[str, ...]] = {
    1: (
        "fsnats/test_sources.py::test_a_value_that_cannot_be_used_is_named_as_the_user_wrote_it",
        f"{INGEST}/test_worker.py::test_streams_are_asked_for_by_messages_and_never_in_a_url",
        "workers/simulator/test_routes.py::test_the_old_path_delivers_public_streams_only",
    ),
    2: (
        "fsnats/binance/test_streams.py::test_usdm_book_streams_are_on_the_public_route",
        "fsnats/binance/test_streams.py::test_other_usdm_streams_are_on_the_market_route",
        "fsnats/binance/test_streams.py::test_usdm_all_market_streams_have_their_route",
        "fsnats/binance/test_streams.py::test_the_part_that_is_wrong_is_named",
        f"{INGEST}/test_layout.py::test_each_route_has_feeds_of_its_own",
        f"{INGEST}/test_worker.py::test_it_carries_what_a_gateway_wants_of_its_group_on_the_right_routes",
    ),
    3: (
        f"{INGEST}/test_worker.py::test_names_that_no_exchange_has_never_go_upstream",
        f"{INGEST}/test_subscriptions.py::test_an_acknowledged_stream_is_silent_until_its_first_event",
        f"{INGEST}/test_silence.py::test_a_steady_stream_that_never_speaks_is_named_in_time",
        f"{PROTOCOL}/test_binance.py::test_unknown_name_is_acknowledged_shown_and_never_listened_to",
        "e2e/test_bad_clients.py::test_unknown_stream_is_acknowledged_and_never_asked_of_the_exchange",
    ),
    4: (
        f"{INGEST}/test_layout.py::test_a_full_feed_is_followed_by_another",
        f"{INGEST}/test_layout.py::test_each_stream_is_on_one_feed_of_its_route_and_stays",
        f"{INGEST}/test_layout.py::test_a_feed_stays_below_what_the_exchange_allows",
        f"{PROTOCOL}/test_binance.py::test_stream_too_many_is_an_error_and_a_close",
    ),
    5: (
        f"{INGEST}/test_feed.py::test_a_thousand_streams_are_asked_for_within_the_exchanges_limits",
        f"{INGEST}/test_strand.py::test_after_a_cut_it_comes_back_and_asks_for_everything_again",
        f"{INGEST}/test_subscriptions.py::test_a_connection_is_audited_seldom",
        "fsnats/test_window.py::test_no_window_ever_holds_more_than_the_limit",
    ),
    6: (f"{INGEST}/test_strand.py::test_on_spot_where_pings_count_as_messages_none_is_sent",),
    7: (
        f"{INGEST}/test_upstream.py::test_server_pings_are_answered_with_their_payload",
        f"{INGEST}/test_worker.py::test_while_nats_is_gone_the_feeds_stay_and_data_flows_again_when_it_is_back",
    ),
    8: (
        f"{INGEST}/test_strand.py::test_connections_do_not_age_together",
        f"{INGEST}/test_strand.py::test_a_connection_that_grows_old_is_replaced_without_losing_or_repeating_anything",
        f"{INGEST}/test_arbiter.py::test_one_that_comes_back_ahead_of_the_other_waits_for_it",
        "e2e/test_chaos.py::test_what_is_lost_is_made_good_or_told",
    ),
    9: (
        f"{INGEST}/test_router.py::test_the_announcement_of_the_end_is_understood_in_both_shapes",
        f"{INGEST}/test_carrier.py::test_a_notice_of_the_end_makes_it_due",
        "e2e/test_chaos.py::test_what_is_lost_is_made_good_or_told",
    ),
    10: (
        f"{INGEST}/test_carrier.py::test_a_ghost_is_given_up_by_what_its_connection_used_to_bring",
        f"{INGEST}/test_silence.py::test_a_steady_stream_that_falls_silent_is_named_in_time_and_once",
        f"{INGEST}/test_silence.py::test_a_quiet_symbol_is_not_named_but_counted_as_unheard",
        "e2e/test_silence.py::test_silent_streams_are_named_in_time_and_each_step_heals_what_it_is_for",
    ),
    11: (f"{INGEST}/test_worker.py::test_streams_are_asked_for_by_messages_and_never_in_a_url",),
    12: (
        "fsnats/binance/test_commands.py::test_batches_lose_nothing_and_stay_small",
        f"{INGEST}/test_subscriptions.py::test_what_is_never_answered_counts_as_refused",
    ),
    13: (
        f"{INGEST}/test_router.py::test_a_message_becomes_a_numbered_frame_with_the_payloads_own_bytes",
        f"{PROTOCOL}/test_forms.py::test_typed_partial_depth_names_its_stream",
        f"{PROTOCOL}/test_binance.py::test_set_property_switches_every_stream",
    ),
    14: (
        f"{INGEST}/test_track.py::test_a_spot_books_changes_join_by_their_ids",
        f"{INGEST}/test_track.py::test_a_futures_books_changes_name_the_one_before",
        f"{INGEST}/test_recovery.py::test_a_book_cannot_be_filled_and_says_so_at_once",
        "fsnats/test_notices.py::test_whoever_keeps_a_book_is_told_to_begin_again",
        f"{FANOUT}/test_hub.py::test_whoever_keeps_a_book_is_told_to_begin_again",
        "e2e/test_python_binance.py::test_python_binance_keeps_an_order_book",
    ),
    15: (
        f"{INGEST}/test_candles.py::test_bars_whose_closing_nobody_saw_are_missing",
        f"{INGEST}/test_candles.py::test_candles_that_rest_does_not_have_yet_are_asked_for_again",
        f"{INGEST}/test_candles.py::test_a_candle_that_knows_fewer_trades_than_the_stream_told_of_is_not_its_last_word",
        f"{INGEST}/test_candles.py::test_a_candle_of_rest_looks_like_one_of_its_stream",
        f"{INGEST}/test_recovery.py::test_bars_that_closed_while_the_connection_was_lost_are_fetched",
        f"{INGEST}/test_track.py::test_the_last_word_on_a_candle_may_come_after_the_first_one_on_the_next",
        f"{FANOUT}/test_waiting.py::test_a_closed_candle_is_kept_and_takes_the_place_of_the_open_one",
    ),
    16: (
        f"{INGEST}/test_arrays.py::test_each_market_gets_its_own_rows_as_they_were_written",
        f"{INGEST}/test_arrays.py::test_single_objects_are_kept_or_dropped_whole",
        f"{INGEST}/test_router.py::test_all_market_streams_of_futures_lose_the_other_markets_rows",
        "fsnats/binance/test_streams.py::test_the_part_that_is_wrong_is_named",
    ),
    17: (
        "fsnats/binance/test_commands.py::test_requests_are_binances_own",
        "fsnats/binance/test_commands.py::test_both_shapes_of_error_are_read",
        f"{PROTOCOL}/test_commands.py::test_id_comes_back_with_value_and_type",
        f"{PROTOCOL}/test_commands.py::test_error_is_binances",
    ),
    18: (
        f"{FANOUT}/test_hub.py::test_only_the_first_and_the_last_listener_concern_the_bus",
        "gateway/test_app.py::test_a_client_that_leaves_takes_nothing_from_another",
        f"{PROTOCOL}/test_binance.py::test_two_spellings_of_a_stream_deliver_it_once_until_both_are_gone",
        f"{INGEST}/test_demand.py::test_a_stream_that_nobody_wants_any_more_lingers",
        f"{INGEST}/test_router.py::test_late_messages_of_a_stream_that_was_left_are_counted",
        "e2e/test_demand.py::test_stream_is_left_when_its_last_client_leaves",
    ),
    19: (
        "e2e/test_listings.py::test_what_is_listed_and_delisted_is_carried_left_and_told",
        "fsnats/supervisor/test_census.py::test_an_announced_contract_is_there_long_before_the_next_poll",
        "fsnats/test_symbols.py::test_coinm_says_contract_status_where_others_say_status",
        "gateway/test_app.py::test_all_includes_symbols_that_are_listed_later",
        f"{INGEST}/test_silence.py::test_a_symbol_that_does_not_trade_is_not_named",
    ),
    20: (
        f"{FANOUT}/test_hub.py::test_what_a_slow_client_loses_is_decided_by_the_kind_of_the_stream",
        f"{FANOUT}/test_hub.py::test_a_client_that_does_not_read_holds_back_nobody_else",
        "gateway/test_app.py::test_a_client_that_never_reads_is_closed_and_its_memory_is_bounded",
        f"{INGEST}/test_router.py::test_a_sequence_counts_what_the_bus_did_not_take",
    ),
    21: ("fsnats/binance/test_streams.py::test_only_the_symbol_is_case_folded",),
    22: (
        f"{INGEST}/test_router.py::test_keys_that_nobody_knows_pass_and_disturb_no_sequence",
        f"{INGEST}/test_router.py::test_recorded_payloads_pass_byte_for_byte",
        f"{INGEST}/test_candles.py::test_candles_that_rest_does_not_have_yet_are_asked_for_again",
        "fsnats/test_symbols.py::test_recorded_exchange_infos_are_read",
    ),
    23: (
        "fsnats/binance/test_streams.py::test_the_part_that_is_wrong_is_named",
        "fsnats/binance/test_streams.py::test_intervals_belong_to_market_and_kind",
    ),
    24: (
        "fsnats/test_subjects.py::test_names_and_subjects_are_a_bijection",
        f"{INGEST}/test_router.py::test_non_ascii_names_are_found_however_they_are_written",
        f"{PROTOCOL}/test_paths.py::test_names_outside_ascii_are_utf8_however_they_arrive",
        f"{PROTOCOL}/test_forms.py::test_names_outside_ascii_travel_as_utf8",
    ),
    25: (
        "fsnats/exits/test_pool.py::test_weight_is_shared_by_all_programs_and_by_both_futures_markets",
        "fsnats/exits/test_pool.py::test_the_exchanges_own_count_is_believed",
        "fsnats/exits/test_rest.py::test_a_ban_is_waited_out_without_another_request",
        "workers/history/test_service.py::test_after_a_429_nobody_asks_until_the_exchange_allows_it",
        "workers/history/test_rows.py::test_what_was_missed_does_not_take_all_of_the_weight",
        f"{INGEST}/test_recovery.py::test_nobody_is_asked_while_the_exchange_wants_a_rest",
    ),
    26: (
        f"{INGEST}/test_upstream.py::test_the_exchanges_refusals_are_told_apart",
        "fsnats/exits/test_pool.py::test_451_is_of_one_host",
        "fsnats/exits/test_pool.py::test_451_is_probed_by_one_alone_and_the_others_follow_when_it_worked",
        "fsnats/exits/test_through_proxies.py::test_websocket_and_rest_go_through_the_proxy",
    ),
    27: (
        "fsnats/test_sources.py::test_a_value_that_cannot_be_used_is_named_as_the_user_wrote_it",
        f"{PROTOCOL}/test_paths.py::test_milliseconds_are_never_served_as_microseconds",
    ),
    28: (
        f"{PROTOCOL}/test_binance.py::test_binary_closes",
        f"{PROTOCOL}/test_binance.py::test_invalid_json_closes_futures_after_the_error",
        "e2e/test_bad_clients.py::test_malformed_json_is_answered_on_spot_and_closed_on_futures",
        f"{INGEST}/test_worker.py::test_names_that_no_exchange_has_never_go_upstream",
    ),
}


@cache
def _names(file: str) -> frozenset[str]:
    tree = ast.parse((TESTS / file).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)))


def test_every_trap_is_documented_and_held() -> None:
    rows = re.findall(r"^\| (\d+) \| .+ \| .+ \|$", DOCUMENT, re.MULTILINE)

    assert [int(number) for number in rows] == list(HELD_BY) == list(range(1, 29))


@pytest.mark.parametrize("number", HELD_BY)
def test_the_tests_that_hold_it_exist(number: int) -> None:
    for test in HELD_BY[number]:
        file, _, name = test.partition("::")
        assert name in _names(file), test
