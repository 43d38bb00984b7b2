"""The fields of a record, each with the other names that it goes by."""

from collections.abc import Mapping

_NAMES: Mapping[str, str] = {
    "price": (
        "asking_price list_price listing_price listed_price purchase_price contract_price sale_price "
        "price_aud price_usd display_price advertised_price price_range price_guide guide_price guide "
        "price_estimate indicative_price price_from price_text listed_at statement_of_information_range"
    ),
    "price_min": "min_price price_low price_lower guide_min low_price",
    "price_max": "max_price price_high price_upper guide_max high_price",
    "sold_price": "sold_for final_price sold_amount",
    "last_sold_price": "previous_price last_sale_price previous_sale_price prior_sale_price original_price",
    "rent_per_week": (
        "weekly_rent rent rental rent_pw rent_weekly rental_per_week weekly_rental rental_income "
        "rent_per_month monthly_rent rent_pcm rent_per_year annual_rent rent_pa current_rent "
        "rental_appraisal"
    ),
    "deposit": "deposit_amount deposit_aud deposit_paid",
    "deposit_percent": "deposit_pct deposit_percentage deposit_rate",
    "stamp_duty": "transfer_duty duty land_transfer_duty conveyance_duty stamp_duty_amount",
    "gross_yield_percent": "gross_yield yield rental_yield yield_percent gross_rental_yield",
    "net_yield_percent": "net_yield net_rental_yield",
    "price_per_sqm": "price_sqm price_per_m2 rate_per_sqm",
    "strata_levies": (
        "strata strata_fees strata_levy strata_fee body_corporate body_corporate_fees owners_corporation "
        "owners_corporation_fees strata_rates body_corp levies strata_levies_per_quarter "
        "strata_per_quarter strata_quarterly strata_levy_per_quarter body_corporate_per_year "
        "strata_per_year strata_levies_per_year body_corporate_per_quarter owners_corporation_per_quarter "
        "owners_corporation_per_year strata_fees_per_quarter strata_levies_quarterly strata_levies_pq "
        "strata_pq strata_annual owners_corporation_fees_per_year owners_corporation_fees_per_quarter "
        "body_corporate_fees_per_year strata_fee_per_quarter community_fees"
    ),
    "council_rates": (
        "council council_rate rates council_rates_per_quarter council_rates_per_year council_rates_annual "
        "council_rates_pa council_rates_pq council_rates_quarterly council_per_year council_per_quarter "
        "municipal_rates"
    ),
    "water_rates": "water water_rates_per_quarter water_rates_per_year water_rates_pa water_rates_quarterly",
    "land_tax": "land_tax_per_year land_tax_annual",
    "hoa_fees": "hoa hoa_fee hoa_dues hoa_per_month hoa_monthly hoa_fees_per_month hoa_fee_per_month",
    "property_tax": "property_taxes annual_property_tax annual_taxes taxes property_tax_per_year tax_annual",
    "bond": "rental_bond bond_amount security_deposit",
    "address": (
        "street_address full_address property_address address_line street_and_number street_name "
        "display_address"
    ),
    "unit": "unit_number apartment_number",
    "street_number": "house_number number",
    "street": "",
    "suburb": "city town locality",
    "state": "state_code region territory",
    "postcode": "post_code zip zip_code zipcode postal_code",
    "bedrooms": "beds bedroom bed num_bedrooms bedroom_count",
    "bathrooms": "baths bathroom bath num_bathrooms bathroom_count",
    "car_spaces": (
        "cars car parking car_space carspaces parking_spaces garage_spaces car_parks carparks garages "
        "num_parking parking_count car_spots"
    ),
    "land_area_sqm": (
        "land_area land_size land_size_sqm land_sqm lot_size lot_size_sqm lot_area block_size lot_acres "
        "block_size_sqm lot_size_acres lot_size_sqft land_area_acres land_area_ha land_size_ha lot_sqft "
        "land_ha land_acres site_area site_area_sqm land_m2 land_area_m2 land_hectares"
    ),
    "floor_area_sqm": (
        "floor_area internal_area internal_area_sqm building_area building_area_sqm living_area area_sqm "
        "living_area_sqm house_size floor_size floor_size_sqm internal_sqm sqft square_feet "
        "living_area_sqft size_sqm floor_area_sqft building_size interior_sqft living_sqft house_size_sqm "
        "floor_area_squares area_sqft"
    ),
    "year_built": "built construction_year built_year year_constructed",
    "property_type": "type dwelling_type home_type property_kind",
    "auction_date": "auction auction_at auction_datetime auction_day auction_time",
    "inspection_date": (
        "inspection open_home inspection_dates open_house next_inspection inspections open_home_date "
        "inspection_times inspection_time open_for_inspection"
    ),
    "contract_date": (
        "exchange_date contract_signed sale_date sold_date date_of_contract contract_day date as_of"
    ),
    "settlement_date": "settlement_day completion_date closing_date",
    "settlement_days": "settlement settlement_period settlement_terms settlement_period_days",
    "available_date": "available available_from date_available",
    "cooling_off_days": "cooling_off cooling_off_period cooling_off_business_days",
    "buyer": (
        "buyer_type purchaser purchase_purpose occupancy owner_occupier principal_residence "
        "principal_place_of_residence intended_use purpose first_home_buyer"
    ),
}
ALIASES: Mapping[str, str] = {
    alias: name for name, others in _NAMES.items() for alias in (name, *others.split())
}
"""Any usual name of a field -> its name here."""
PERIODIC_FIELDS = frozenset(
    (
        "rent_per_week",
        "strata_levies",
        "council_rates",
        "water_rates",
        "land_tax",
        "hoa_fees",
        "property_tax",
        "bond",
    )
)
"""Amounts that are paid again and again, or compared as if they were."""
MONEY_FIELDS = frozenset(
    (
    "price", "sold_price", "last_sold_price", "rent_per_week", "deposit", "stamp_duty", "price_per_sqm",
    "strata_levies", "council_rates", "water_rates", "land_tax", "hoa_fees", "property_tax", "bond"
))  # fmt: skip

AREA_FIELDS = frozenset(("land_area_sqm", "floor_area_sqm"))
DATE_FIELDS = frozenset(
    ("auction_date", "inspection_date", "contract_date", "settlement_date", "available_date")
)
COUNT_FIELDS = frozenset(("bedrooms", "bathrooms", "car_spaces"))
PERCENT_FIELDS = frozenset(("deposit_percent", "gross_yield_percent", "net_yield_percent"))
PLACE_FIELDS = frozenset(("address", "unit", "street_number", "street", "suburb", "state", "postcode"))
OTHERS = frozenset(
    (
    "agent", "agency", "agents", "vendor", "seller", "comparables", "comparable_sales", "nearby_sales",
    "recent_sales", "market", "suburb_stats", "history", "sales_history", "price_history", "lender"
))  # fmt: skip

"""Parts of a record that are about something else than this property."""
