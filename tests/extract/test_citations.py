"""Citations: what is found, where, and what the register says of it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.extract.citations import MAX_CITATIONS, check_citation, find_citations, load_register


def only(text: str):
    (citation,) = find_citations(text)
    assert text[citation.start : citation.end] == citation.text
    return citation


@pytest.mark.parametrize(
    ("text", "title", "year", "jurisdiction", "provisions"),
    [
        ("s 66W of the Conveyancing Act 1919 (NSW)", "Conveyancing Act", 1919, "NSW", ("66W",)),
        ("section 32 of the Sale of Land Act 1962 (Vic)", "Sale of Land Act", 1962, "Vic", ("32",)),
        ("ss 52A and 66S of the Conveyancing Act 1919", "Conveyancing Act", 1919, None, ("52A", "66S")),
        ("Property Law Act 2023 (Qld), s 99(1)", "Property Law Act", 2023, "Qld", ("99(1)",)),
        (
            "Land and Business (Sale and Conveyancing) Act 1994 (SA) s 5",
            "Land and Business (Sale and Conveyancing) Act", 1994, "SA", ("5",),
        ),
        (
            "reg 4 of the Conveyancing (Sale of Land) Regulation 2022 (NSW)",
            "Conveyancing (Sale of Land) Regulation", 2022, "NSW", ("4",),
        ),
        (
            "Sch 1 of the Competition and Consumer Act 2010 (Commonwealth)",
            "Competition and Consumer Act", 2010, "Cth", ("1",),
        ),
        ("s 18 of the Australian Consumer Law", "Australian Consumer Law", None, None, ("18",)),
        ("Residential Tenancies Act 2010 No 42", "Residential Tenancies Act", 2010, None, ()),
        ("Residential Tenancies Act (NSW) 2010", "Residential Tenancies Act", 2010, "NSW", ()),
        ("Residential Tenancies Act of 2010 (NSW)", "Residential Tenancies Act", 2010, "NSW", ()),
        ("Residential Tenancies Act, 2010 NSW", "Residential Tenancies Act", 2010, "NSW", ()),
        ("the Victorian Residential Tenancies Act 1997", "Residential Tenancies Act", 1997, "Vic", ()),
        ("Queensland's Property Law Act 2023", "Property Law Act", 2023, "Qld", ()),
        ("sec. 32 of the Sale of Land Act 1962", "Sale of Land Act", 1962, None, ("32",)),
        ("\u00a7 32000 of the Sale of Land Act 1962", "Sale of Land Act", 1962, None, ("32000",)),
    ],
)  # fmt: skip
def test_legislation_is_found_with_its_parts(text, title, year, jurisdiction, provisions):
    found = only(f"Now, under {text} it is so.")
    assert found.kind == "legislation"
    assert (found.title, found.year, found.jurisdiction) == (title, year, jurisdiction)
    assert found.provisions == provisions


@pytest.mark.parametrize(
    ("text", "kind", "title", "year"),
    [
        ("[1992] HCA 23", "case", "HCA", 1992),
        ("[2020] NSWSC 123", "case", "NSWSC", 2020),
        ("(1992) 175 CLR 1", "report", "CLR", 1992),
        ("175 CLR 1", "report", "CLR", None),
        ("[2021] 2 Qd R 14", None, "", None),
        ("42 U.S.C. § 3604(c)", "us_code", "42", None),
        ("42 USC 3607", "us_code", "42", None),
        ("24 C.F.R. § 100.75(c)", "us_regulation", "24", None),
        ("24 CFR part 100", "us_regulation", "24", None),
    ],
)
def test_cases_reports_and_united_states_law_are_found(text, kind, title, year):
    found = find_citations(f"Compare {text}, which decides it.")
    if kind is None:
        assert [each.kind for each in found] in ([], ["report"])
        return
    assert [(each.kind, each.title, each.year) for each in found] == [(kind, title, year)]


@pytest.mark.parametrize(
    "text",
    [
        "We act in 2020 for the vendor.",
        "The Act says so.",
        "Regulations 2 and 3 apply.",
        "Sold for 42 US dollars",
        "ACL injury in 2019",
        "[2020] was a good year",
        "There is no Residential Tenancies Act 2007 (Vic).",
        "There is no such Act as the Privacy Act 1998 (Cth).",
        "The Conveyancing Act 1920 (NSW) doesn't exist.",
    ],
)
def test_what_only_looks_like_a_citation_is_none(text):
    assert find_citations(text) == []


@pytest.mark.parametrize(
    ("text", "standing"),
    [
        ("Conveyancing Act 1919 (NSW) s 66S", "ok"),
        ("Conveyancing Act 1920 (NSW) s 66S", "wrong"),
        ("Conveyancing Act 1919 (Qld) s 66S", "wrong"),
        ("Conveyancing Act 1919 (NSW) s 666", "wrong"),
        ("Conveyancing Act 1919 (NSW) s 0", "wrong"),
        ("Conveyancing Act 1919 (NSW) s 66666", "wrong"),
        ("Residential Tenancies Act 1997 NSW", "wrong"),
        ("Residential Tenancies Act (NSW) 1997", "wrong"),
        ("Conveyancing Act 1919 (NSW) sch 999", "ok"),
        ("Residential Tenancies Act 2010 (Vic)", "wrong"),
        ("Residential Tenancies Act 1997 (Vic)", "ok"),
        ("section 32 of the Sale of Land Act", "unverified"),
        ("Fairness of Cooling Off Act 2019 (NSW)", "unverified"),
        ("section 999 of the Australian Consumer Law", "wrong"),
        ("[1950] QCAT 3", "wrong"),
        ("[2019] HCA 12", "unverified"),
        ("[2019] ZZZC 12", "unverified"),
        ("175 CLR 1", "unverified"),
        ("42 U.S.C. § 3604(c)", "ok"),
        ("99 U.S.C. § 3604", "wrong"),
        ("42 U.S.C. § 1983", "unverified"),
        ("42 U.S.C. § 36170", "wrong"),
        ("42 U.S. Code § 3699", "wrong"),
        ("24 U.S.C. § 3604", "wrong"),
        ("24 U.S.C. § 225", "unverified"),
        ("24 C.F.R. § 100.75", "ok"),
        ("24 C.F.R. § 100.450", "wrong"),
        ("24 C.F.R. § 100.600", "ok"),
        ("24 C.F.R. § 100.999", "wrong"),
        ("42 C.F.R. § 100.75", "wrong"),
        ("42 C.F.R. § 100.3", "unverified"),
        ("77 C.F.R. § 100.75", "wrong"),
        ("12 C.F.R. § 1024.2", "unverified"),
    ],
)
def test_the_register_says_what_it_knows_and_no_more(text, standing):
    checked = check_citation(only(text))
    assert checked.standing == standing
    assert checked.reason


def test_the_register_has_every_jurisdiction_and_no_act_twice():
    acts = [act for same in load_register().values() for act in same]
    assert {act.jurisdiction for act in acts} == {
        *("Cth", "NSW", "Vic", "Qld", "SA", "WA", "Tas", "ACT", "NT")
    }
    assert len({act[:3] for act in acts}) == len(acts) > 150


def test_every_act_of_the_register_is_found_again_and_known():
    for same in load_register().values():
        for act in same:
            found = only(f"Under the {act.title} {act.year} ({act.jurisdiction}) it is so.")
            assert (found.title, check_citation(found).standing) == (act.title, "ok")


@settings(max_examples=150, deadline=None)
@given(st.text(st.sampled_from("Act 2010(NSW)s1,[]§.U.SC of the Land Sale\n"), max_size=80))
def test_spans_are_in_order_inside_the_text_and_do_not_overlap(text):
    end = 0
    for citation in find_citations(text):
        assert end <= citation.start < citation.end <= len(text)
        assert text[citation.start : citation.end] == citation.text
        assert check_citation(citation).reason
        end = citation.end


@pytest.mark.parametrize(
    "part",
    ["Act 2010 ", "Conveyancing Act 1919 (NSW) s 1, ", "s 1, ", "[2020] HCA 1 ", "(", "9", "1 U.S.C. "],
)
def test_a_million_characters_give_a_bounded_list(part):
    assert len(find_citations(part * (1_000_000 // len(part)))) <= MAX_CITATIONS
