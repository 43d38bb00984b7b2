"""Contract completeness: verdicts, conditions, dates, places, packs of one's own, hostile texts, gold set."""

import importlib
import json
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.domain.datasets import Case
from assay.domain.errors import InvalidInput
from assay.domain.models import ModelResponse
from assay.domain.scores import MetricConfig, Sample
from assay.metrics.catalog import make_metric
from assay.metrics.clause_blanks import mark_placeholders
from assay.metrics.clause_headings import read_heading
from assay.metrics.clause_packs import list_clause_packs, load_clause_packs, parse_clause_pack
from assay.metrics.clause_terms import BLANK
from assay.metrics.clause_text import prepare_text, read_contract
from assay.metrics.contract_consistency import find_inconsistencies
from assay.metrics.contract_places import find_jurisdiction, read_jurisdiction

ROOT = Path(__file__).parents[2]
HEAD = """\
1. Parties. The vendor is Georgina Hale. The purchaser is Tariq Mahmoud.
2. Property. 14 Acacia Street, being Lot 6 in DP 70211.
3. Price. $845,000.
4. Settlement. 42 days after the date of this contract.
"""
DEPOSIT = "5. Deposit. 10% of the price, held by the vendor's agent as stakeholder.\n"
TAIL = "9. Signed by the vendor and the purchaser.\n"
TASMANIA = HEAD + DEPOSIT + TAIL


def examine(text, contract="sale_of_land", jurisdiction="TAS", metadata=None, **options):
    config = MetricConfig(
        name="c",
        type="contract_completeness",
        options={"contract": contract, "jurisdiction": jurisdiction, **options},
    )
    sample = Sample(
        case=Case(key="1", vars={"draft": text}, metadata=metadata or {}), response=ModelResponse(text=text)
    )
    (score,) = make_metric(config).score_batch([sample])
    return score


def clauses(score):
    return {each["clause"]: each for each in score.evidence["clauses"]}


def verdict(text, clause="deposit", **options):
    return clauses(examine(text, **options))[clause]["verdict"]


def with_deposit(paragraph):
    return HEAD + paragraph + "\n" + TAIL


def test_a_whole_contract_is_complete():
    score = examine(TASMANIA)
    assert (score.state, score.value) == ("scored", 1.0)
    assert score.reason == "6 of 6 clauses are complete"


def test_the_value_is_the_share_of_clauses_that_are_complete_and_a_partial_one_is_not():
    score = examine(with_deposit("5. Deposit. 10% of the price."))
    assert score.value == pytest.approx(5 / 6)
    found = clauses(score)["deposit"]
    assert (found["verdict"], found["missing_elements"]) == ("partial", ["holder"])
    assert "deposit partial" in score.reason


@pytest.mark.parametrize(
    ("paragraph", "wanted"),
    [
        ("5. Deposit. [insert amount]", "blank"),
        ("5. Deposit: TBC", "blank"),
        ("5. Deposit: $________", "blank"),
        ("Deposit ........ [to be advised]", "blank"),
        ("5. Deposit: {{ deposit }}", "blank"),
        ("DEPOSIT\n\nRISK OF LOSS\nThe purchaser bears it.", "empty"),
        ("5. Deposit\n\n6. Risk\nThe property is at the purchaser's risk.", "empty"),
        ("5. Deposit. Deleted.", "excluded"),
        ("5. Deposit: N/A", "excluded"),
        ("5. Deposit. 10% held by the agent as stakeholder.\n6. Clause 5 is deleted.", "excluded"),
        ("6. The deposit clause does not apply.", "excluded"),
        ("5. Deposit. See Schedule 2.", "dangling"),
        ("5. Deposit: as set out in clause 44.", "dangling"),
        ("6. Interest on any deposit is taxable.", "missing"),
        ("6. The purchaser pays with a cheque.", "missing"),
    ],
)
def test_a_clause_that_is_not_there_in_full_has_its_verdict(paragraph, wanted):
    assert verdict(with_deposit(paragraph)) == wanted


@pytest.mark.parametrize(
    "paragraph",
    [
        "DEPOSIT\nThe purchaser pays $84,500, which Marlow Conveyancing holds in its trust account.",
        "**Deposit:** 10%, held by the agent as stakeholder",
        "| Deposit | $84,500 to be held by the vendor's solicitor |",
        "5. How it is paid\nOn exchange ten per cent is payable as a deposit to the vendor's agent.",
        "Deposit ........ $84,500, held by the agent",
        "The purchaser must pay a deposit of 10%. The vendor's solicitor will hold it as stakeholder.",
        "5. Deposit. See Schedule 2.\n\nSCHEDULE 2\n$84,500, held by the agent as stakeholder.",
        "iv. The deposit: $84,500; Territory Realty keeps it in trust",
    ],
)
def test_a_clause_is_known_by_its_heading_or_by_what_it_says(paragraph):
    assert verdict(with_deposit(paragraph)) == "present"


LEASE = """\
Item 1  Landlord     Eagle Tower Pty Ltd, 1 Eagle Street, Brisbane QLD 4000
Item 2  Tenant       Kestrel Surveyors Pty Ltd, 20 Creek Street, Brisbane QLD 4000
Item 3  Premises     Suite 501, 1 Eagle Street, Brisbane QLD 4000
Item 4  Term         four years, commencing 1 June 2026
Item 5  Rent         $120,000 per annum, monthly in advance
Item 6  Rent review  3% on each anniversary
Item 7  Use          offices of a surveyor
"""


@pytest.mark.parametrize("clause", ["parties", "premises", "term", "rent", "rent_review", "permitted_use"])
def test_a_schedule_of_items_is_read_row_by_row(clause):
    assert verdict(LEASE, clause, contract="commercial_lease", jurisdiction="QLD") == "present"


@pytest.mark.parametrize(
    "terms",
    [
        "1 Vendor - Georgina Hale\n2 Purchaser - Tariq Mahmoud\n3 Deposit - $84,500, held by the agent",
        "| 1 | Vendor | Georgina Hale |\n| 2 | Purchaser | Tariq Mahmoud |\n"
        "| 3 | Deposit | $84,500, held by the agent |",
        "Vendor\nGeorgina Hale\nPurchaser\nTariq Mahmoud\nDeposit\n$84,500, held by the agent",
        "Vendor\n    Georgina Hale\nPurchaser\n    Tariq Mahmoud\nDeposit\n    $84,500, held by the agent",
        "**Who are the parties?**\nThe vendor is Georgina Hale and the purchaser is Tariq Mahmoud.\n\n"
        "**Is there a deposit?**\nYes: $84,500. The agent holds it.",
        "**1. Vendor.** Georgina Hale\n\n**2. Purchaser.** Tariq Mahmoud\n\n"
        "**3. Deposit.** $84,500, held by the agent",
    ],
)
def test_key_terms_are_read_in_each_layout(terms):
    assert [verdict(terms, clause) for clause in ("parties", "deposit")] == ["present", "present"]


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("Hale sells the property described in Schedule 1.", "dangling"),
        ("Hale sells the property described in the Second Schedule.", "dangling"),
        ("Property: as per Annexure K.", "dangling"),
        (
            "Hale sells the property described in Schedule 1.\n\nSCHEDULE 1\n14 Acacia Street, Hobart",
            "present",
        ),
        ("Hale sells 14 Acacia Street, more fully described in Schedule 1.", "present"),
        ("The deed plan of the property is attached as Annexure C.", "missing"),
        ("", "missing"),
    ],
)
def test_a_property_that_only_a_lost_schedule_describes_dangles(sentence, wanted):
    text = (
        "The vendor is Georgina Hale of 3 Rokeby Road, Subiaco. "
        "The buyer is Tariq Mahmoud of 9 King Street.\n\n" + sentence
    )
    assert verdict(text, "property") == wanted


def test_only_a_section_of_its_own_makes_up_for_one_that_points_away():
    text = "1. Scope of services. The scope is as stated in Exhibit A.\n2. Fees. The consultant gets $5,000."
    assert verdict(text, "services", contract="services", jurisdiction="US") == "dangling"
    text += "\n3. Services. The consultant shall audit the depots."
    assert verdict(text, "services", contract="services", jurisdiction="US") == "present"


@pytest.mark.parametrize(
    ("paragraph", "clause", "wanted"),
    [
        (
            "5. Deposit. $84,500 held by [holder to be confirmed] as agent of 10% of the price.",
            "price",
            "present",
        ),
        ("5. Deposit. $84,500, to be held by [open / agent / solicitor - select].", "deposit", "blank"),
        ("Deposit: $84,500, held by the agent\nThe vendor's phone number is [insert].", "deposit", "present"),
        ("The deposit is still to be settled.", "deposit", "blank"),
        ("\nThe deposit of $ is held by the agent.", "deposit", "blank"),
        ("5. Deposit. ???", "deposit", "blank"),
    ],
)
def test_a_blank_counts_against_the_clause_that_it_is_in(paragraph, clause, wanted):
    assert verdict(with_deposit(paragraph), clause) == wanted


@pytest.mark.parametrize(
    "paragraph",
    [
        "Deposit: Not applicable.\nThe agent will hold 10% of other money for the vendor.",
        "5. Deposit. Intentionally omitted.",
        "5. Deposit: Reserved",
        "5. Deposit. This clause has been removed at the request of both parties.",
        "5. Deposit: struck out by agreement",
    ],
)
def test_a_clause_that_is_left_out_on_purpose_is_excluded(paragraph):
    assert verdict(with_deposit(paragraph)) == "excluded"


def test_a_clause_that_is_replaced_is_not_struck_out():
    text = (
        HEAD + DEPOSIT + '8. Clause 5 is deleted and replaced by: "Deposit. 5%, held by the agent."\n' + TAIL
    )
    assert verdict(text) == "present"


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ('P.S. We agreed that the paragraph headed "Deposit" is deleted.', "excluded"),
        ("The clause about the deposit comes out of this contract.", "excluded"),
        ("We have struck out the clause headed Deposit.", "excluded"),
        ("Clause 5 is deleted and nothing is put in its place.", "excluded"),
        ("SC1. The parties delete the whole of clause 5.", "excluded"),
        ("Clause 5 no longer applies.", "excluded"),
        ("Clause 5 does not apply if the purchaser pays the whole price on signing.", "present"),
        ("Item 5 is deleted.", "present"),
        ('The paragraph headed "Interest on the deposit" is deleted.', "present"),
    ],
)
def test_a_clause_is_struck_out_by_its_title_or_number_wherever_that_is_said(sentence, wanted):
    assert verdict(HEAD + DEPOSIT + TAIL + "\n" + sentence + "\n") == wanted


def test_a_term_with_a_letter_is_struck_out_by_it():
    terms = "A. Deposit. 10%, held by the agent.\n\nB. Settlement. On 3 July 2026.\n\n"
    text = terms + "SPECIAL TERMS\n\nS1. Standard term A does not apply and is struck out.\n"
    assert [verdict(text, clause) for clause in ("deposit", "settlement")] == ["excluded", "present"]


@pytest.mark.parametrize("heading", ["What goes with the house\n\n", "## Things left in the home\n"])
def test_what_is_blank_below_a_heading_is_not_what_the_heading_ends_with(heading):
    assert verdict(HEAD + DEPOSIT + "\n" + heading + "[list to be added]\n", "property") == "present"


def test_the_subject_line_of_a_letter_heads_no_clause():
    opening = "SEASIDE REALTY\n\nDear Directors\n\nAppointment to sell your warehouse\n\n"
    text = (
        opening
        + "You appoint us as sole selling agent.\n\nOur appointment runs for [insert] days from today.\n"
    )
    found = clauses(examine(text, contract="agency_agreement", jurisdiction="WA"))
    assert (found["appointment"]["verdict"], found["term"]["verdict"]) == ("present", "blank")


@pytest.mark.parametrize(
    ("paragraph", "wanted"),
    [
        ("5. Deposit. Please refer to Annexure C.", "dangling"),
        ("Particular 5   Deposit: as described in Annexure 1", "dangling"),
        ("Particular 5   Deposit: $84,500, held by the agent", "present"),
    ],
)
def test_a_polite_pointer_is_one_and_particulars_are_numbered(paragraph, wanted):
    assert verdict(with_deposit(paragraph)) == wanted


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("I will pay a deposit of $84,500.", "missing"),
        ("The purchaser pays the agent a holding deposit of $5,000.", "missing"),
        ("The purchaser pays the vendor eight hundred thousand dollars ($800,000).", "present"),
        ("You are buying it for $640,000.", "present"),
    ],
)
def test_a_deposit_that_is_paid_is_no_price(sentence, wanted):
    assert verdict(sentence, "price") == wanted


EVERYDAY = [
    ("property", "sale_of_land", "You are buying 12 Heron Landing, Ballina NSW 2478."),
    ("property", "sale_of_land", "The house stands at 7 The Ramble, Orange NSW 2800."),
    ("settlement", "sale_of_land", "Keys and money change hands on 3 July 2026."),
    ("rent_increase", "residential_tenancy", "I can put the rent up no more than once in 12 months."),
    (
        "rent_increase",
        "residential_tenancy",
        "We may charge more rent after 12 months, on two months' notice.",
    ),
    (
        "access",
        "residential_tenancy",
        "We come round to look at the place only after giving you two days' warning.",
    ),
    ("condition_report", "residential_tenancy", "We both wrote down the state of each room."),
    ("term", "residential_tenancy", "You move in on 1 May 2026 and stay for a year."),
    ("term", "agency_agreement", "We start on 9 March 2026 and stop on 30 June 2026."),
    ("expenses", "agency_agreement", "You pay nothing for advertising."),
    ("commission", "agency_agreement", "When your home is sold and settles, $15,000 is ours."),
    ("permitted_use", "commercial_lease", "The shop is let as a bookshop."),
    (
        "default",
        "commercial_lease",
        "When rent stays unpaid for 14 days the landlord may take the shop back.",
    ),
    ("rent_review", "commercial_lease", "Every July the rent climbs by three per cent."),
    ("confidentiality", "services", "The Designer treats recipes and supplier prices as secret."),
    ("termination", "services", "Two weeks' notice from either side finishes the engagement."),
    ("liability", "services", "Neither side can claim more than $10,000 from the other."),
    ("intellectual_property", "services", "You get all rights in the photographs."),
    ("payment", "services", "Half up front, half when the site goes live."),
]


@pytest.mark.parametrize(("clause", "contract", "sentence"), EVERYDAY)
def test_a_clause_is_known_in_everyday_words(clause, contract, sentence):
    assert verdict(sentence, clause, contract=contract) == "present"


@pytest.mark.parametrize(
    ("clause", "contract", "sentence", "wanted"),
    [
        (
            "access",
            "residential_tenancy",
            "I drop in to inspect the cottage once every three months.",
            "partial",
        ),
        ("access", "residential_tenancy", "The landlord may enter twice a year to inspect.", "partial"),
        (
            "rent_increase",
            "residential_tenancy",
            "If you go when the year is up, give 14 days' notice.",
            "missing",
        ),
        ("expenses", "agency_agreement", "The vendor pays the cost of marketing.", "missing"),
        (
            "rent_review",
            "commercial_lease",
            "The tenant pays 8% of the cost of the lifts; it is fair.",
            "missing",
        ),
        ("confidentiality", "services", "We will not share the invoice costs with others.", "missing"),
        ("liability", "services", "The fee is no more than $10,000.", "missing"),
    ],
)
def test_words_of_a_clause_without_what_it_says_are_not_the_clause(clause, contract, sentence, wanted):
    assert verdict(sentence, clause, contract=contract) == wanted


SIGNED = [
    "SIGNED SEALED AND DELIVERED by Georgina Hale in the presence of:\n..............................",
    "Executed by Hale Pty Ltd under section 127 of the Corporations Act 2001",
    "Vendor ______________ Purchaser ______________ Dated ______________",
    "Principal ............................  Date ..............",
    "Kind regards\n\n____________________\nGeorgina Hale",
    "_______________\nGeorgina Hale, Vendor\n\n_______________\nTariq Mahmoud, Purchaser",
    "/s/ Georgina Hale",
    "Signed electronically by Georgina Hale on 3 June 2026",
    "THE COMMON SEAL of Hale Pty Ltd was affixed in the presence of:",
    "| Vendor | ____________ |\n| Purchaser | ____________ |",
]


@pytest.mark.parametrize("block", SIGNED)
def test_a_signing_block_is_known_in_each_form(block):
    assert verdict(HEAD + DEPOSIT + "\n" + block, "execution") == "present"


@pytest.mark.parametrize(
    "sentence",
    [
        "No change counts unless it is in writing and both parties sign it.",
        "The purchaser received a statement signed by the vendor.",
        "The deposit is payable when the purchaser signs this contract.",
        "The settlement date is ____________",
    ],
)
def test_a_mention_of_signing_is_no_signature(sentence):
    assert verdict(HEAD + DEPOSIT + "\n" + sentence, "execution") == "missing"


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ('"Confidential Information" means what is marked so.', "missing"),
        ("WHEREAS the parties wish to agree on confidential matters;", "missing"),
        ("I keep to myself whatever I learn.", "present"),
        ("Confidential papers of the client are returned.", "present"),
    ],
)
def test_a_definition_or_a_recital_is_no_clause(sentence, wanted):
    assert verdict(sentence, "confidentiality", contract="services", jurisdiction="US") == wanted


@pytest.mark.parametrize(
    ("sentence", "wanted"),
    [
        ("The consultant has professional indemnity cover of $2 million.", "missing"),
        ("Redwood is a Delaware limited liability company.", "missing"),
        ("The most that I owe you is what you have paid me.", "present"),
        ("Neither party is liable for loss of profit.", "present"),
    ],
)
def test_insurance_and_companies_of_limited_liability_are_no_term_on_liability(sentence, wanted):
    assert verdict(sentence, "liability", contract="services", jurisdiction="US") == wanted


def test_what_a_clause_says_may_stand_in_any_order(tmp_path):
    path = tmp_path / "ours.yaml"
    path.write_text(PACK.replace("headings: [scope]", "says: [[audit, '{money}']]"))
    options = {"contract": "engagement", "packs": [str(path)]}
    assert examine("For $500 we audit.", **options).value == 1.0
    assert examine("We audit for $500.", **options).value == 1.0
    assert examine("We audit. It costs $500.", **options).value == 0.0
    with pytest.raises(InvalidInput, match=r"clauses\.0\.says: must be a list of lists"):
        parse_clause_pack(PACK.replace("headings: [scope]", "says: [audit]"), "ours.yaml")


def test_a_list_is_introduced_by_its_own_lead_only():
    attached = "The following documents are attached:\n* planning certificate\n* title search\n"
    away = "\n3. Sewer\nThe vendor has ordered a sewer diagram and may send it later.\n"
    found = clauses(examine(HEAD + DEPOSIT + "\n" + attached + away, jurisdiction="NSW"))
    names = ("planning_certificate", "title_documents", "drainage_diagram")
    assert [found[name]["verdict"] for name in names] == ["present", "present", "partial"]


def test_evidence_quotes_the_place_and_names_the_source():
    found = clauses(examine("Préambule “é”.\n" + TASMANIA))["deposit"]
    text = "Préambule “é”.\n" + TASMANIA
    assert text[found["start"] : found["end"]].startswith("5. Deposit. 10%")
    assert found["quote"].startswith("5. Deposit.")
    assert found["source"] == "market practice"


def test_clauses_of_a_state_are_asked_for_in_that_state_only():
    assert "vendor_statement" in clauses(examine(TASMANIA, jurisdiction="VIC"))
    assert "vendor_statement" not in clauses(examine(TASMANIA))
    parties = clauses(examine(TASMANIA, jurisdiction="AU-VIC"))["parties"]
    assert parties["source"].startswith("Instruments Act")


def test_a_clause_is_asked_for_from_the_day_on_which_it_is_law():
    assert "seller_disclosure" in clauses(examine(TASMANIA, jurisdiction="QLD", as_of="2025-08-01"))
    assert "seller_disclosure" not in clauses(examine(TASMANIA, jurisdiction="QLD", as_of="2025-07-31"))
    assert "seller_disclosure" in clauses(examine(TASMANIA, jurisdiction="QLD"))


def test_conditions_come_from_the_options_the_case_or_the_text():
    options = {"jurisdiction": "NSW", "clause": "pool_certificate"}
    assert verdict(TASMANIA, **options) == "not_applicable"
    assert verdict(TASMANIA + "There is a swimming pool.", **options) == "missing"
    assert verdict(TASMANIA + "There is no swimming pool.", **options) == "not_applicable"
    assert verdict(TASMANIA, conditions={"pool": True}, **options) == "missing"
    assert verdict(TASMANIA + "There is a pool.", conditions={"pool": False}, **options) == "not_applicable"
    assert verdict(TASMANIA, metadata={"conditions": {"pool": True}}, **options) == "missing"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [("built in 1965", "missing"), ("built in 1978", "not_applicable"), ("a home", "not_applicable")],
)
def test_lead_paint_is_asked_for_in_homes_built_before_1978(said, wanted):
    text = f"Seller: Loretta Pace. Buyer: Dwight Coleman. The house, {said}, is sold for $300,000."
    assert verdict(text, "lead_paint", contract="residential_purchase", jurisdiction="US") == wanted


def test_recommended_clauses_count_only_when_asked_for():
    assert "inclusions" not in clauses(examine(TASMANIA))
    with_them = examine(TASMANIA, include_recommended=True)
    assert clauses(with_them)["inclusions"]["verdict"] == "missing"
    assert with_them.value < 1.0


def test_a_variable_can_be_looked_at_in_place_of_the_answer():
    config = MetricConfig(
        name="c",
        type="contract_completeness",
        options={"text": "vars.draft", "contract": "sale_of_land", "jurisdiction": "TAS"},
    )
    sample = Sample(case=Case(key="1", vars={"draft": TASMANIA}), response=ModelResponse(text="Done."))
    missing = Sample(case=Case(key="2", vars={}), response=ModelResponse(text=TASMANIA))
    found = make_metric(config).score_batch([sample, missing])
    assert (found[0].value, found[1].state) == (1.0, "skipped")
    assert "vars.draft" in found[1].reason


def test_kind_and_jurisdiction_come_from_the_case_else_from_the_text():
    metric = make_metric(MetricConfig(name="c", type="contract_completeness"))

    def score(text, **metadata):
        (found,) = metric.score_batch(
            [Sample(case=Case(key="1", vars={}, metadata=metadata), response=ModelResponse(text=text))]
        )
        return found

    title = "Contract for the sale of land, Hobart TAS 7000\n"
    found = score(title + TASMANIA).evidence
    assert (found["contract"], found["jurisdiction"]) == ("sale_of_land", "TAS")
    assert score(TASMANIA, contract_type="sale_of_land", jurisdiction="SA").evidence["jurisdiction"] == "SA"
    unknown = score(TASMANIA, contract_type="sale_of_land")
    assert unknown.reason.endswith(
        "the jurisdiction is not known, so only clauses of all of them were asked for"
    )
    assert score("The weather in Hobart is fine today.").state == "skipped"
    assert score(TASMANIA, contract_type="treaty").reason == "no pack is for the contract type 'treaty'"
    assert score(TASMANIA, contract_type="sale_of_land", jurisdiction="Mars").state == "skipped"
    assert score(TASMANIA, contract_type="sale_of_land", jurisdiction="US").state == "skipped"
    assert score(" \n").state == "abstained"


@pytest.mark.parametrize(
    ("options", "field", "said"),
    [
        ({"contract": "treaty"}, "options.contract", "There are: agency_agreement"),
        ({"jurisdiction": "Mars"}, "options.jurisdiction", "NSW"),
        ({"as_of": "soon"}, "options.as_of", "2026-03-01"),
        ({"text": "expected"}, "options.text", "vars.NAME"),
        ({"packs": "nowhere"}, "options.packs", "there is no clause pack 'nowhere'"),
    ],
)
def test_what_is_wrong_in_an_option_is_said_before_any_call(options, field, said):
    with pytest.raises(InvalidInput) as caught:
        make_metric(MetricConfig(name="c", type="contract_completeness", options=options))
    assert caught.value.field == field
    assert said in str(caught.value)


PACK = """\
pack: ours
title: Engagement letters
version: "1"
contract: engagement
clauses:
  - id: scope
    title: Scope
    level: required
    why: Clients ask.
    source: our handbook, page 3
    headings: [scope]
    elements: {work: [advice, audit]}
"""


def test_a_pack_of_ones_own_needs_no_code(tmp_path):
    path = tmp_path / "ours.yaml"
    path.write_text(PACK)
    text = "## Scope\nWe give advice.\n"
    score = examine(text, contract="engagement", packs=[str(path)])
    assert score.value == 1.0
    assert clauses(score)["scope"]["source"] == "our handbook, page 3"
    assert examine("## Scope\nTo come.\n", contract="engagement", packs=str(path)).value == 0.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("level: required", "level: needed"), "ours.yaml:8: clauses.0.level: must be one of required"),
        (("why: Clients ask.", "whi: x"), "there is no such field; did you mean 'why'"),
        (("id: scope", "id: My Scope"), "clauses.0.id: is lower-case letters"),
        (("headings: [scope]", "when: {dry: true}\n    headings: [scope]"), "clauses.0.when.dry"),
        (("headings: [scope]", "headings: ['re:(scope']"), "clauses.0.headings.0: not a regular expression"),
        (("headings: [scope]", "headings: ['{nix}']"), "there is no term 'nix'"),
        (("    headings: [scope]\n", ""), "needs `headings`, `cues` or `says`"),
        (("source: our handbook, page 3", "source: ''"), "clauses.0.source: must be a text"),
        (("headings: [scope]", "valid_from: soon\n    headings: [scope]"), "must be a day such as"),
        (("headings: [scope]", "blanks_allowed: maybe\n    headings: [scope]"), "must be true or false"),
        (("title: Engagement letters\n", ""), "title: is missing"),
        ((PACK, "- x"), "a clause pack is a mapping"),
    ],
)
def test_what_is_wrong_in_a_pack_is_said_with_file_line_and_field(change, said):
    with pytest.raises(InvalidInput) as caught:
        parse_clause_pack(PACK.replace(*change), "ours.yaml")
    assert said in str(caught.value)


def test_two_packs_of_one_contract_cannot_have_the_same_clause(tmp_path):
    for name in ("a.yaml", "b.yaml"):
        (tmp_path / name).write_text(PACK)
    with pytest.raises(InvalidInput, match=r"a\.yaml has the clause 'scope' of 'engagement' too"):
        load_clause_packs([str(tmp_path / "a.yaml"), str(tmp_path / "b.yaml")])


def test_every_built_in_pack_has_reasons_sources_and_something_to_find():
    packs = load_clause_packs(list_clause_packs())
    assert len(packs) == 6
    for clause in (clause for pack in packs for clause in pack.clauses):
        assert clause.why and clause.source
        assert clause.headings and (clause.cues or clause.says)
    assert {pack.contract for pack in packs} >= {
        "sale_of_land",
        "residential_tenancy",
        "residential_purchase",
    }


@pytest.mark.parametrize("place", ["NSW", "VIC", "QLD", "SA", "WA", "TAS", "ACT", "NT"])
def test_each_state_has_required_clauses_of_land_tenancy_agency_and_lease(place):
    for contract in ("sale_of_land", "residential_tenancy", "agency_agreement", "commercial_lease"):
        found = clauses(examine("Nothing.", contract=contract, jurisdiction=place))
        assert sum(each["level"] == "required" for each in found.values()) >= 6


@pytest.mark.parametrize(
    ("line", "title", "number"),
    [
        ("## 3. Deposit", "Deposit", "3"),
        ("4.2 Deposit", "Deposit", "4.2"),
        ("Clause 7 - Deposit", "Deposit", "7"),
        ("DEPOSIT", "DEPOSIT", ""),
        ("**Deposit**", "Deposit", ""),
        ("Deposit: 10%", "Deposit", ""),
        ("| Deposit | 10% |", "Deposit", ""),
        ("SCHEDULE 2", "schedule 2", "schedule 2"),
        ("Annexure B - Inclusions", "Inclusions", "annexure b"),
        ("## Section 32 statement", "Section 32 statement", ""),
        ("6. DEPOSIT The purchaser pays 10%.", "DEPOSIT", "6"),
    ],
)
def test_headings_of_many_styles_are_read(line, title, number):
    found = read_heading(line, "", "", lambda text: text.lower() == "deposit")
    assert (found.title, found.number) == (title, number)


@pytest.mark.parametrize(
    "line",
    [
        "14 Rose Street, Newtown NSW 2042",
        "The purchaser pays the deposit to the agent.",
        "see schedule 2 for the deposit that is payable",
        "https://example.com/deposit",
    ],
)
def test_lines_of_text_are_no_headings(line):
    assert read_heading(line, "", "", lambda text: text.lower() == "deposit") is None


@pytest.mark.parametrize(
    "text",
    [
        "[insert]",
        "[Vendor's name]",
        "TBC",
        "____",
        "$____",
        "[●]".replace("●", "*"),
        "to be advised",
        "<name>",
    ],
)
def test_placeholders_are_marked_and_the_length_stays(text):
    marked = mark_placeholders(f"The price is {text} in all.")
    assert BLANK in marked
    assert len(marked) == len(f"The price is {text} in all.")


@pytest.mark.parametrize(
    "text",
    [
        "[x] yes [ ] no",
        "the rent is to be determined by a valuer",
        "Signed: ________",
        "see [the guide](https://example.com)",
        "clause [3]",
    ],
)
def test_what_only_looks_like_a_placeholder_is_left(text):
    assert mark_placeholders(text) == text


def issues(text):
    return {
        issue.check: issue
        for issue in find_inconsistencies(read_contract(text, lambda _: False, prepare_text(text)))
    }


@pytest.mark.parametrize(
    ("text", "check"),
    [
        ("The price is $800,000. A deposit of 10% ($75,000) is payable.", "deposit_amount"),
        ("1. Price. $800,000.\n2. Deposit. 10% ($75,000).", "deposit_amount"),
        ("The purchase price is $800,000.\n\nThe purchase price of $820,000 is payable.", "price_conflict"),
        ("Contract dated 3 March 2026. Settlement is on 1 March 2026.", "settlement_before_contract"),
        ("The lease runs from 1 July 2026 to 30 June 2025.", "term_ends_before_it_starts"),
        ("The fittings are in Schedule 4.", "missing_annexure"),
        ("1. Price\nA.\n2. Deposit\nSee clause 9.\n3. Costs\nB.", "missing_clause"),
        (
            'The "Vendor", the "Purchaser" and the "Property" are defined. The Holding Fee is due. '
            "When the Holding Fee is paid, the Vendor signs.",
            "undefined_term",
        ),
    ],
)
def test_a_contradiction_is_found(text, check):
    found = issues(text)
    assert list(found) == [check]
    assert text[found[check].start : found[check].end].strip()


@pytest.mark.parametrize(
    "text",
    [
        "The price is $800,000. A deposit of 10% ($80,000) is payable.",
        "The price is $800,000. A deposit of 10% is payable, and a further deposit of $5,000 later.",
        "Contract dated 3 March 2026. Settlement is on 1 April 2026.",
        "The lease runs from 1 July 2026 to 30 June 2027.",
        "The plan is attached as Annexure C.",
        "Schedule 1 to the Residential Tenancies Regulation 2019 applies.",
        "1. Price\nA.\n2. Deposit\nSee clause 1.\n3. Costs\nClause 20 of the general conditions applies.",
    ],
)
def test_what_agrees_is_no_contradiction(text):
    assert issues(text) == {}


def test_contradictions_are_in_the_evidence_and_do_not_change_the_value():
    score = examine(TASMANIA + "The fittings are in Schedule 4.\n")
    assert score.value == 1.0
    assert score.evidence["consistency"][0]["check"] == "missing_annexure"
    assert score.reason.endswith("; 1 inconsistencies")


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("nsw", "NSW"),
        ("AU-VIC", "VIC"),
        ("Queensland", "QLD"),
        ("us-ca", "US-CA"),
        ("Texas", "US-TX"),
        ("UK", None),
    ],
)
def test_a_jurisdiction_is_read_from_code_or_name(value, code):
    assert read_jurisdiction(value) == code


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("12 Rose Street, Newtown NSW 2042", "NSW"),
        ("governed by the laws of Queensland", "QLD"),
        ("Austin, TX 78704", "US-TX"),
        ("Dayton, Ohio 45405", "US"),
        ("ABN 12 345 678 901", "AU"),
        ("Victoria Street, Darwin NT 0800", "NT"),
        ("nothing here", None),
    ],
)
def test_a_jurisdiction_is_found_in_a_text(text, code):
    assert find_jurisdiction(text) == code


@settings(max_examples=60, deadline=None)
@given(st.text(st.sampled_from("aB1.:*#_|-[]()\n \t$%\x01é“#") | st.characters(), max_size=120))
def test_any_text_is_split_into_sections_in_order(text):
    contract = read_contract(text, lambda title: "a" in title, prepare_text(text))
    assert len(contract.flat) == len(text)
    place = 0
    for section in contract.sections:
        assert place <= section.start <= section.body <= section.end <= section.extent <= len(text)
        place = section.start


HOSTILE = {
    "brackets": "[insert ",
    "open brackets": "[[[[",
    "headings": "# Deposit\n",
    "references": "see Schedule 2 and clause 4 is deleted. ",
    "names": "John Smith (",
    "lines": "a:\n",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_texts_are_scored_or_refused_with_the_limit(kind):
    piece = HOSTILE[kind]
    assert examine(piece * (60_000 // len(piece))).state == "scored"
    refused = examine(piece * (1_000_000 // len(piece)))
    assert refused.state == "failed"
    assert "over the limit of 400,000" in refused.reason


@pytest.fixture
def measured(monkeypatch):
    """The rows of the benchmark of this pack."""
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    return importlib.import_module("metrics.packs_contracts").run(Path())


def test_the_gold_set_is_found_as_well_as_is_promised(measured):
    judged = [row for row in measured if row["target"] is not None]
    assert len(judged) == 35
    assert [row for row in judged if row["value"] < row["target"]] == []


def test_the_gold_set_has_items_of_each_kind_and_is_labelled_with_known_clauses():
    lines = (ROOT / "benchmarks" / "gold" / "contracts.jsonl").read_text(encoding="utf-8").splitlines()
    items = [json.loads(line) for line in lines]
    packs = load_clause_packs(list_clause_packs())
    known = {contract: set() for contract in {pack.contract for pack in packs}}
    for pack in packs:
        known[pack.contract] |= {clause.id for clause in pack.clauses}
    assert {item["contract"] for item in items} == set(known)
    for item in items:
        assert {label["clause"] for label in item["findings"]} <= known[item["contract"]]
    assert len({item["id"] for item in items}) == len(items) >= 240


def test_a_clause_holds_between_its_days():
    (pack,) = load_clause_packs(["contracts_au_sale_of_land"])
    clause = next(each for each in pack.clauses if each.id == "seller_disclosure")
    assert not clause.holds_on(date(2025, 7, 31))
    assert clause.holds_on(date(2025, 8, 1)) and clause.holds_on(None)
