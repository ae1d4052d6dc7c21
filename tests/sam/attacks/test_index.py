"""Which test stands for which attack: the list for reviewers, and a check that each is there.

Paths are those of the files under tests/; each test's docstring names what stands against it.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[2]
KEYS, GUESSING, NETWORK, MONEY, THIEVES = (
    f"sam/attacks/test_{name}.py" for name in ("keys", "guessing", "network", "payments", "thieves")
)
PAYING, FILING, REFUNDS = (
    "sam/handset/test_payments.py",
    "sam/ledger/test_filing.py",
    "sam/ledger/test_refunds.py",
)
RECONCILED = "sam/ledger/test_reconciliation.py"

CLASSES: dict[str, tuple[str, ...]] = {
    "an old session key replayed (Denning and Sacco)": (
        f"{KEYS}::test_replay_of_an_old_session_key",
        f"{KEYS}::test_a_fresh_key_is_proved_by_a_nonce",
        f"{PAYING}::test_an_older_key_is_dead_after_a_payment_under_a_newer_one",
    ),
    "multiplicity: one ticket, many sessions (Lowe)": (
        f"{KEYS}::test_multiplicity",
        f"{PAYING}::test_a_code_is_credited_once",
    ),
    "reflection, roles swapped": (
        f"{KEYS}::test_reflection",
        f"{PAYING}::test_a_key_pays_one_way",
        f"{MONEY}::test_a_payees_code_as_a_debit_order",
    ),
    "type flaws": (
        f"{KEYS}::test_a_ticket_typed_where_a_confirmation_belongs",
        f"{KEYS}::test_a_tag_in_the_place_of_a_proof",
        f"{MONEY}::test_a_code_typed_into_every_field",
        "sam/protocol/test_labels.py::test_no_two_labels_share_a_value",
    ),
    "parallel sessions, oracles": (
        f"{KEYS}::test_parallel_sessions",
        f"{MONEY}::test_charges_in_parallel",
    ),
    "unknown key share, misbinding": (
        f"{KEYS}::test_unknown_key_share",
        f"{KEYS}::test_a_renamed_asker_at_the_challenge",
        f"{PAYING}::test_a_code_is_for_its_amount_payee_and_payer",
    ),
    "tickets swapped, limits of one under the key of another": (
        f"{KEYS}::test_ticket_swap",
        f"{KEYS}::test_a_sealed_ticket_moved",
        f"{NETWORK}::test_an_answer_for_another_holder",
    ),
    "collision of a short MAC inside another": (
        f"{GUESSING}::test_collision_of_a_short_proof",
        "sam/analysis/test_ours.py::test_the_attacks_fail",
        "sam/analysis/test_attacks.py::test_published_rates_are_measured",
    ),
    "recorded responses under nonces that recur": (
        f"{GUESSING}::test_nonces_that_come_round_again",
        f"{MONEY}::test_recorded_answers_to_charges",
        f"{MONEY}::test_small_counts_of_a_new_sim",
        f"{MONEY}::test_small_counts_come_round_after_four_sims",
    ),
    "online guessing": (
        f"{GUESSING}::test_online_guessing_of_a_ticket",
        f"{GUESSING}::test_online_guessing_of_a_confirmation",
        f"{GUESSING}::test_guessing_with_the_power_cut",
        f"{PAYING}::test_ten_wrong_charges_end_a_key_for_challenges",
        f"{PAYING}::test_wrong_small_codes_end_small_payments_alone",
        "sam/analysis/test_codes.py::test_what_is_spent_when_sam_ends_every_lock",
    ),
    "silent aborts (Roscoe)": (
        f"{GUESSING}::test_silent_aborts",
        f"{MONEY}::test_small_charges_thrown_away",
    ),
    "a spoofed sender, an insider at the gateway": (
        f"{NETWORK}::test_a_spoofed_sender",
        f"{NETWORK}::test_an_ask_bent_on_the_way",
        f"{FILING}::test_a_forged_log",
    ),
    "a recycled number, a swapped SIM": (
        f"{KEYS}::test_a_recycled_number",
        f"{MONEY}::test_a_withdrawn_payer",
        f"{MONEY}::test_a_load_told_again_to_a_new_sim",
        f"{FILING}::test_a_replaced_sim_is_not_heard",
    ),
    "messages replayed, doubled, reordered": (
        f"{NETWORK}::test_answers_replayed_duplicated_reordered",
        f"{NETWORK}::test_an_old_ask_replayed",
        f"{PAYING}::test_a_load_counts_once",
        f"{FILING}::test_messages_in_any_order_twice",
    ),
    "quota and cost": (
        f"{NETWORK}::test_a_flood_of_asks_by_a_party",
        f"{NETWORK}::test_a_flood_of_recorded_asks",
        f"{NETWORK}::test_a_flood_of_forged_asks",
        f"{FILING}::test_the_share_of_answers",
    ),
    "downgrade": (
        f"{KEYS}::test_a_downgrade_to_another_expiry",
        f"{MONEY}::test_a_downgrade_to_a_small_payment",
        f"{MONEY}::test_another_currency",
    ),
    "state put back": (
        f"{KEYS}::test_a_mark_lowered_by_an_older_key",
        f"{NETWORK}::test_sam_put_back",
        f"{NETWORK}::test_a_sim_put_back_reuses_no_number_of_sams",
        f"{RECONCILED}::test_a_purse_copied_back",
        f"{RECONCILED}::test_a_purse_copied_back_that_hides_one_log",
        f"{REFUNDS}::test_a_refund_outlives_a_restore",
    ),
    "an oracle in the errors": (
        f"{GUESSING}::test_an_oracle_in_the_refusals",
        f"{GUESSING}::test_sam_tells_a_forger_nothing",
    ),
}

NAMED: dict[str, tuple[str, ...]] = {
    "a ticket typed as a payment code, and the reverse": (
        f"{PAYING}::test_a_ticket_is_no_payment_and_a_payment_is_a_ticket",
    ),
    "one express code twice, for another sum, elsewhere, after its ticket, after cuts": (
        f"{MONEY}::test_an_express_code_entered_everywhere",
        f"{PAYING}::test_a_power_cut_while_a_code_is_taken_credits_it_once",
    ),
    "a power cut between debit and display": (
        f"{PAYING}::test_a_power_cut_between_debit_and_display_loses_no_code",
    ),
    "two sums under one payment number": (f"{MONEY}::test_two_sums_under_one_number",),
    "a payee's code as a debit order": (f"{MONEY}::test_a_payees_code_as_a_debit_order",),
    "a push between debit and entry": (f"{MONEY}::test_a_push_between_debit_and_entry",),
    "a party enrolled twice": (
        f"{KEYS}::test_a_party_enrolled_twice",
        "sam/service/test_administration.py::test_enrolment_again_ends_with_the_first_message",
    ),
    "backup, a new SIM, restore, a new SIM": (
        "sam/store/test_restoring.py::test_a_new_sim_before_and_after",
    ),
    "four restores": (
        f"{KEYS}::test_four_epochs",
        "sam/store/test_restoring.py::test_four_restores_in_a_row",
    ),
    "a recorded unlock": (
        "sam/handset/test_syncing.py::test_an_unlock_ends_the_lock_it_names",
        f"{PAYING}::test_three_wrong_pins_lock_the_purse_until_sam_ends_it",
    ),
    "marks evicted": (
        f"{KEYS}::test_marks_evicted",
        f"{KEYS}::test_a_mark_outlives_every_older_ticket",
    ),
    "256 weeks of silence": (
        f"{KEYS}::test_256_weeks_of_silence",
        f"{KEYS}::test_152_weeks_of_silence",
    ),
    "a phone bricked by junk": (
        f"{GUESSING}::test_a_phone_bricked_by_junk",
        f"{GUESSING}::test_junk_in_a_peers_name_does_not_touch_its_key",
    ),
    "the master key rotated while tickets are out": (
        f"{MONEY}::test_a_master_key_rotated_while_tickets_are_out",
    ),
    "an opened SIM": (
        f"{MONEY}::test_an_opened_sim_and_its_payees",
        f"{RECONCILED}::test_a_key_used_beside_its_sim",
        f"{RECONCILED}::test_an_opened_sim_in_small_payments",
        f"{FILING}::test_nonsense_from_an_opened_sim",
    ),
    "payer and payee collude for a refund": (
        f"{MONEY}::test_a_code_taken_after_its_refund",
        f"{REFUNDS}::test_objections",
    ),
    "all of them together": (
        "sam/handset/test_adversary.py::test_the_guarantee",
        f"{THIEVES}::test_thieves",
    ),
}


@cache
def _docstrings(path: str) -> dict[str, str]:
    """Return the docstring of each test in a file."""
    tree = ast.parse((TESTS / path).read_text())
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {function.name: ast.get_docstring(function) or "" for function in functions}


def test_all_eighteen_classes_are_listed() -> None:
    """The classes that are told of in the literature of protocols and of SIMs."""
    assert len(CLASSES) == 18


@pytest.mark.parametrize("attack", [*CLASSES, *NAMED])
def test_each_attack_has_its_test(attack: str) -> None:
    """Every test in the list is there, and says what it is about."""
    for place in (CLASSES | NAMED)[attack]:
        path, _, name = place.partition("::")
        assert len(_docstrings(path).get(name, "")) > 20, place


@pytest.mark.parametrize("path", [KEYS, GUESSING, NETWORK, MONEY])
def test_each_attack_of_this_room_says_what_stands_against_it(path: str) -> None:
    """A countermeasure in each docstring, or a reference to the test before."""
    for name, docstring in _docstrings(path).items():
        if name.startswith("test_"):
            assert "gainst it" in docstring or "The same" in docstring, name
