"""The words by which a claim's field is told, and what hedges, denies or limits it."""

import re
from collections.abc import Mapping

MONEY_CUES: Mapping[str, str] = {
    "price_per_sqm": r"(?:price|rate|cost|dollars)\s(?:per|a)\s(?:sq(?:m|uare\sm\w+|uare\sfoot)|m2|m²)",
    "rent_per_week": r"rent(?:s|ed|al|ing)?(?!\s?(?:bond|yield|return))|leased?|let(?:s|ting)?(?=\s(?:at|for|"
    r"to|out))|tenant(?:s|ed)?|tenancy|weekly|lease|first\sweek|(?:rental|weekly|passing|current)\sincome|the\sincome(?=\sis\b)",
    "stamp_duty": r"(?:stamp|transfer|conveyance|land\stransfer)[\s-]dut(?:y|ies)|dut(?:y|ies)",
    "strata_levies": r"strata|body\scorp(?:orate)?|owners?['\u2019]?\scorp(?:oration)?|lev(?:y|ies)|"
    r"corporation\sfees?|assessments?|"
    r"o\.?c\.?\sfees?|admin(?:istration)?\sfund|community\sfees",
    "council_rates": r"council|municipal|shire|(?<!water\s)(?<!interest\s)\brates",
    "water_rates": r"water",
    "land_tax": r"land\stax",
    "property_tax": r"(?:property|annual|real\sestate)\stax(?:es)?|taxes|tax\s(?:bill|roll)",
    "hoa_fees": r"h\.?o\.?a\.?|(?:homeowners?['\u2019]?\s)?association",
    "bond": r"bond|security\sdeposit",
    "deposit": r"(?:%|per\s?cent)\s(?:is\s)?(?:(?:due|payable)\s)?(?:on|at|upon)\s"
    r"(?:signing|exchange|the\s(?:fall|day)|auction\sday)|"
    r"(?<=\d\s)(?:(?:is\s)?(?:due|payable)\s)?(?:on|at|upon)\s(?:signing|exchange)|"
    r"deposit(?:\s(?:paid|payable|due|required))?|put(?:ting)?\sdown|(?:%|per\s?cent|percent)\sdown",
    "last_sold_price": r"last\schanged\shands|first\s(?:offered|listed|advertised|priced)|"
    r"(?<=\()was|(?<=,\s)was(?=\s\$)|"
    r"last\s(?:sold|traded|changed|purchased|bought)|previous(?:ly)?|former(?:ly)?|"
    r"originally|"
    r"original|purchased|bought|prior\ssale|"
    r"initial(?:ly)?|(?:down|up)\sfrom|(?:reduced|dropped|cut|lowered|revised|adjusted|"
    r"slashed)(?:\s\w+){0,3}\sfrom|was\s(?:listed|priced|asking|advertised)|paid|prior",
    "sold_price": r"sold|(?:went|gone)\sfor|snapped\sup|fetched|changed\shands|sale\sprice|"
    r"(?<!of\sthe\s)hammer|"
    r"selling\sprice|knocked\sdown",
    "price": r"pric(?:e|ed|ing)|asking|guide|list(?:ed|ing)|for\ssale|offers?\s(?:over|above|from|in|"
    r"invited|around|"
    r"near|welcome|considered|between)|offers|offered|on\soffer|on\sthe\smarket|"
    r"valued|worth|expectations?|purchase|contract\sprice|quoted|buy|"
    r"marketed|advertised|from|range|sale",
    "": r"packages?|anything|anyone|knocked\sback|turned\sdown|rejected|"
    r"builders?|architects?|contractors?|roofers?|leav(?:e|es|ing)|"
    r"(?:you|they|we)\s(?:net|clear|keep|pocket)|"
    r"management\sfees?|display\shomes?|offer(?:ing|\sof)?|counter-?offers?|bid(?:s|ding)?|"
    r"in\sadvance|up\s?front|loan|borrow\w*|down\spayment|financ\w+|principal|"
    r"mortgage|repay\w*|grant|rebate|"
    r"concession|sav(?:e|es|ing|ings)|discount|"
    r"renovat\w*|upgrad\w*|spent|spend|insurance|legal(?:s)?|"
    r"conveyanc(?:er|ing)|budget(?!\sfor)|commission|penalt\w*|surcharge|registration|gst|lmi|lenders|"
    r"(?:build(?:ing)?|construction|renovation|moving|repair|running|holding|total|"
    r"upfront)\scosts?|reserve|profit|equity|income|turnover|"
    r"exemption|threshold|reduc\w*\sby|by\s(?=\$)|increase[ds]?\sof|cap(?:ped)?|median|"
    r"average|inspection\scost|balance|remaining|remainder|the\srest|holding\sfee|application|"
    r"land\svalue|site\svalue|unimproved|improvements?|insured|outgoings|expenses|maintenance|"
    r"quote[ds]?\sfor|cost\sof|revenue|fund\sbalance|sinking|valuation|appraised|"
    r"agent'?s?\sfee|utility|utilities|"
    r"electricity|pest|interest|shortfall|difference|more\sthan\sthe|less\sthan\sthe|"
    r"above\sthe|below\sthe|per\smonth\son",
}
"""What an amount is, by the words near it; the empty name is something that no record has."""
CUE = re.compile(
    "|".join(f"\\b(?P<c{number}>{cue})\\b" for number, cue in enumerate(MONEY_CUES.values())), re.IGNORECASE
)
CUE_NAMES = tuple(MONEY_CUES)
BASE_PHRASE = re.compile(
    r"\b(?:on|of|at|for)\s(?:the|a|that|this|your|its)\s(?:[\w-]+\s){0,2}(?:price|value|guide|"
    r"purchase|sale)\b",
    re.IGNORECASE,
)
TO_BUILD = re.compile(
    r"\b(?:build(?:ing)?|construction)\scosts?\b|\b(?:to|could|can|may|might|would)\s(?:be\s)?(?:build|"
    r"built)\b|"
    r"\bdisplay\shomes?\b|\bpackages?\b",
    re.IGNORECASE,
)
WEEKS_OF_RENT = re.compile(r"\b(?:weeks?|months?)['\u2019]?s?\s(?:of\s)?rent\b", re.IGNORECASE)
NAMED_PRICE = re.compile(
    r"\b(?:price\sguide|(?:asking|list|sale|purchase)\sprice|guide)\s?(?:of|is|at|:)?\s[*_]{0,2}$",
    re.IGNORECASE,
)
"""What makes an amount the property's price, whatever is expected of bidders."""
BASE = re.compile(
    r"\bon\s(?:a\s|an\s|the\s|this\s|that\s|your\s)?(?:purchase\s|sale\s|contract\s|price\s|"
    r"sum\s|of\s|value\s|asking\s|full\s)*[*_]{0,2}$",
    re.IGNORECASE,
)
"""What comes before the amount that a sum is of: "duty on $900,000"."""
RESULT = re.compile(
    r"(?:\b(?:is|are|be|(?:it|that|which)['\u2019]s|equals?|to|(?:out|calculated|assessed|estimated)\sat|"
    r"means|totals?|(?:I|we)\s(?:make|get|have)\s(?:it|that)|hand(?:ing)?\sover|owe|"
    r"set\saside|you['\u2019]d\spay|costs?|gives|makes|get|attracts|adds|payable|come|=)|[:=(])\s?(?:about\s|around\s|"
    r"approximately\s|roughly\s|only\s|a\s|an\s|just\s)?[*_]{0,2}$",
    re.IGNORECASE,
)
DERIVED = re.compile(
    rf"\b(?:(?P<price_per_sqm>{MONEY_CUES['price_per_sqm']})|"
    rf"(?P<stamp_duty>{MONEY_CUES['stamp_duty']})|(?P<deposit>deposit))\b",
    re.IGNORECASE,
)
NO_CONCESSION = re.compile(r"\b(?:without|no|before|ignoring)\s(?:any\s|the\s)?concessions?\b", re.IGNORECASE)
OF_NEXT = re.compile(
    r"\s(?:of|is|at|to\sbe|comes?\sto|would\sbe|will\sbe)\s(?:about\s|"
    r"around\s)?",
    re.IGNORECASE,
)
"""What links a word to the amount behind it, so that it tells nothing of the one before it."""
AT = re.compile(r"\b(?:at|for|of)\s(?:a\s|the\s)?(?:price\sof\s)?$", re.IGNORECASE)
OF_LOAN = re.compile(r"\b(?:loans?|mortgages?|borrow\w*|repayments?|interest|financ\w+)\b", re.IGNORECASE)
LOAN = re.compile(r"\s(?:home\s)?(?:loan|mortgage|deposit|budget|grant|salary|income)", re.IGNORECASE)
EXEMPT = re.compile(r"\b(?:no\s(?:stamp|transfer)\sdut|exempt|threshold|up\sto|waive|abolish)", re.IGNORECASE)
"""Words that make an amount near "duty" a limit of a concession."""
IF = re.compile(r"\b(?:if|suppose|assum\w+)\b", re.IGNORECASE)
WEEKLY = re.compile(
    r"\$[\d,.]+\s?(?:a\sweek|per\sweek|each\sweek|weekly|p\.?w\.?|/w(?:ee)?k?)\b", re.IGNORECASE
)
"""A rent for a week, of which one for a month is told: "$680 a week is $2,947 a month"."""
OVER_A_YEAR = re.compile(
    r"[*_]{0,2},?\s(?:over|across|for|in|through(?:out)?)?\s?(?:a|the|one|every)\s(?:full\s|whole\s)?(?:year|month)\b",
    re.IGNORECASE,
)
"""What follows such a rent: "$780 a week comes to $40,560 over the year"."""
LINKS = frozenset(
    ("", "in", "is the", "as the", "as", "of", "for", "for the", "in annual", "for annual", "for quarterly")
)
"""What may stand between an amount and a word that tells what it is: "$90,000 as the deposit"."""
BEYOND = 60.0
"""How much farther a word counts on the other side of another amount."""
MAX_CUE_DISTANCE = 130.0
SMALLEST_PRICE = 40_000.0
"""A smaller amount that no word explains is not taken for a price."""
HEDGE = re.compile(
    r"(?:\b(?:approx(?:imately|\.)?|about|around|roughly|circa|nearly|almost|some|c\.|"
    r"close\sto|(?:just|a\s(?:little|bit|touch|shade|fraction))\s(?:over|under|shy\sof|above|below)|in\sthe\s(?:region|vicinity)\sof|"
    r"estimated(?:\sat)?|mid|low|high|ballpark|or\sso|say)|~|\u2248)[\s(]*(?:an?\s|the\s|of\s|"
    r"at\s)?[*_]{0,2}$",
    re.IGNORECASE,
)
NEGATED = re.compile(
    r"(?:\b(?:not|never|no\slonger|rather\sthan|instead\sof|as\sopposed\sto|nor|without)|n't|"
    r"n\u2019t)\s(?:actually\s|really\s|have\s|the\s|a\s|an\s|for\s|at\s|be\s|any\s|"
    r"priced\sat\s|listed\sat\s|in\s)*[*_\"(]{0,3}$",
    re.IGNORECASE,
)
SUB_AREA = re.compile(
    r"\b(?:balcon(?:y|ies)|courtyard|terrace|garage|shed|deck|storage|minimum|verandah?|"
    r"alfresco|patio|studio|workshop|pool|bedroom|rooftop|kitchen|garden|cellar|cage|"
    r"national\spark|reserve|parkland|loft|mezzanine|lounge|basement|showroom|office|"
    r"granny\sflat|secondary\sdwelling|carport|shop|retail|warehouse|barn|store\s?room)\b",
    re.IGNORECASE,
)
LAND = re.compile(
    r"\b(?:land|block|lots?|allotment|parcel|site|grounds|acre(?:s|age)?|hectares?|holding|land\ssize)\b",
    re.IGNORECASE,
)
FLOOR = re.compile(
    r"\b(?:floor(?:\s?plan|\sarea|\sspace)?|internal(?:ly)?|living(?:\sarea|\sspace)?|"
    r"interior|inside|of\s(?:house|home)|(?:house|home|dwelling)(?=\s(?:itself\s)?(?:takes|covers|measures|of|spans)\b)|"
    r"house\ssize|building|footprint|under\sroof|residence|indoor|"
    r"living\sspace|build|finished|heated)\b",
    re.IGNORECASE,
)
PARTIAL_BEFORE = re.compile(
    r"\b(?:further|additional|other|more|extra|upstairs|downstairs|remaining|secondary|minor|shar(?:e|es|ing)|"
    r"another|of\sthe|of\sits|includes?|ground-floor|first-floor|plus|children's|guest)\s$",
    re.IGNORECASE,
)
PARTIAL_AFTER = re.compile(
    r"^\s?,?\s?(?:are\s|all\s|both\s|each\s|is\s)?(?:upstairs|downstairs|on\s(?:the|each|"
    r"this)\s(?:\w+\s)?(?:level|floor|storey)|with\s(?:built|a\sbuilt|their|private|en|wal)|"
    r"have|has|feature|share|overlook|open|at\sthe\s(?:rear|front|back)|include|come|enjoy|"
    r"located|being|off)\b",
    re.IGNORECASE,
)
PERCENT_CUES = re.compile(
    r"\b(?:(?P<net_yield_percent>net\s(?:rental\s)?(?:yields?|returns?))|"
    r"(?P<gross_yield_percent>(?:gross\s|rental\s)*(?:yield(?:s|ing)?)|(?:rental|"
    r"gross)\sreturns?|gross)"
    r"|(?P<deposit_percent>deposit|put(?:ting)?\sdown)|(?P<other>interest|growth|discount|commission|"
    r"vacancy|lvr|"
    r"loan|mortgage|grew|rose|fell|increase\w*|decrease\w*|clearance|"
    r"gst|cpi|surcharge|rates?|tax|duty|off|above|below|higher|lower|share|ownership|occupancy))\b",
    re.IGNORECASE,
)
DATE_CUES = (
    ("auction_date", r"auction(?:ed|s)?|under\sthe\shammer|gavel|hammer\sfalls"),
    (
        "inspection_date",
        r"inspect(?:ion|ions|ed|s)?|open\s(?:home|house|for)|viewings?|view(?=\s(?:it|the|this|on)\b)|"
        r"\b(?<=the\s)open(?=(?:['\u2019]s|\sis|\swill\sbe)?\s(?:on|this|next|at|\w{3,6}day|\d))|opens?(?=\W{1,4}(?:on\s|again\s|this\s|next\s|(?:mon|tues|wednes|thurs|fri|satur|sun|sat|wed|"
        r"thu|tue)|\d))|come\s(?:by|through)|walk\sthrough|look\sthrough",
    ),
    (
        "settlement_date",
        r"settl(?:e|es|ed|ement|ing)|complet(?:e|es|ing|ion)|due\son(?!\ssign)|clos(?:e|es|ing)(?=\s(?:is|on|of|date|set|sched|"
        r"\w{3,9}\s\d))|closing",
    ),
    (
        "available_date",
        r"available|vacant\sfrom|free\s(?:from|on)|move[\s-]?in|moving\sin|commenc(?:e|es|ing)|"
        r"yours\s(?:to\s(?:rent|lease|enjoy)\s)?from|(?:lease|tenancy)\s(?:(?:would|will|can|could)\s)?(?:begins?|starts?)|"
        r"(?:tenancy\s)?start(?:s|ing)?\s(?:date|on)|tenancy\sstart|occup(?:y|ation|ied)(?=\s(?:\w+\s){0,3}?(?:from|as\sof|on)\b)|"
        r"(?:rent|have|lease|call|be)\s(?:it|yours|the\s\w+|this\s\w+)(?:\s\w+){0,2}?\s(?:from|as\sof)|"
        r"(?:rent|let|lease)(?:\sit)?\sfrom|unpack(?:ing)?|ready(?=\s(?:from|on|by|"
        r"(?:mon|tues|wednes|thurs|fri|satur|sun)day|\d))|keys",
    ),
    (
        "contract_date",
        r"contracts?(?:\s(?:date|day))?(?=[^\w.]{0,4}(?:(?:is|was|were|are|being|signed|"
        r"dated|exchanged|of|on|from|"
        r"date|day|for)\b|\d|$))|exchang(?:e|ed|es|ing)|sign(?:ed|ing)",
    ),
    (
        "",
        r"(?:bids?|applications?|registrations?|submissions?|tenders?|eois?|interest)\s(?:(?!settl)[\w\'\u2019]+\s){0,5}?clos\w+|expression|eoi|offers?\sclose|listed|built|renovat\w+|sold|lease|tenan\w+|approved|"
        r"updated|today|as\s(?:of|at)|valid|inspection\sreport|offers",
    ),
)
DATE_CUE = re.compile(
    "|".join(f"\\b(?P<d{number}>{cue})\\b" for number, (_, cue) in enumerate(DATE_CUES)), re.IGNORECASE
)
BEGINS = re.compile(r"\b(?:from|after|since|starting|beginning)\s(?:the\s|\w+day,?\s)?$", re.IGNORECASE)
AFTER_IT = re.compile(
    r"\s(?:after|before|from|past|beyond|following)\s(?:the\s)?(?:settle|complet|clos)", re.IGNORECASE
)
"""What makes a period one that begins or ends with the settlement."""
SETTLEMENT = re.compile(
    r"\bsettl(?:e|es|ed|ement|ing)\b|\bterms(?=\s(?:are|of|is)\s|:\s)|\bclosing\b|\bcompletion\b",
    re.IGNORECASE,
)
TERM = re.compile(rf"{SETTLEMENT.pattern}|\d\W?(?:days?|weeks?)\b", re.IGNORECASE)
"""What makes a second date the end of a contract's term."""
COOLING = re.compile(
    r"\bcool(?:ing)?[\s-]off\b|\bchang(?:e|ing)\s(?:your|their|his|her|one's)\sminds?\b|"
    r"\b(?:pull|back|get|walk)(?:ing)?\sout\s(?:of\s(?:\w+\s){0,3}?(?:contract|deal|sale|purchase)|without\spenalty)\b|"
    r"\brescind\b|\bthink\sit\sover\b|\bcold\sfeet\b",
    re.IGNORECASE,
)
FULL_DATE = re.compile(
    r"\b\d{4}\b|\b\d{1,2}/\d|\b\d{1,2}(?:st|nd|rd|th)?\s(?:of\s)?"
    r"(?:Jan|Feb|Mar|Apr|May|June?|July?|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\b"
)
"""A date that stands before another: the other is the end of a period, or has a word of its own."""
WITH_PART = re.compile(
    r"\s(?:with|including|incl\.?|inclusive\sof)\s(?:the\s|its\s|a\s)?(?:balcon|courtyard|"
    r"garage|terrace|storage|car)",
    re.IGNORECASE,
)
"""What makes an area that of the home and a part outside it together."""
SHARE_OF_PRICE = re.compile(
    r"(?<![\w.])(?:10|5|ten|five)\s?(?:%|per\s?cent|percent)(?:\s(?:of|on)\s(?:that|this|it|the\s(?:price|guide)|\$[\d,.]+\d(?:\smillion|m|k)?))?,?\s"
    r"(?:is|=|equals|comes\sto|would\sbe|makes|means|that(?:\sis|['\u2019]s)|or|i\.e\.|(?:so\s)?you(?:['\u2019](?:d|ll)|\s(?:would|will))?\s(?:(?:need|have)\sto\s)?"
    r"(?:find|pay|hand\sover|put\s(?:down|up)|come\sup\swith|owe|transfer))\s(?:about\s|around\s)?$",
    re.IGNORECASE,
)
"""What comes before a deposit that is not called so: "ten per cent is"."""
OF_INSURANCE = re.compile(r"\b(?:lmi|lenders?|mortgages?|loans?|borrow\w*|financ\w+|banks?)\b", re.IGNORECASE)
"""What makes a deposit that of a loan, and not the contract's."""
TOGETHER = re.compile(
    r"\b(?:and|plus|,)\b[^$]*\b(?:together|combined|altogether|in\s(?:all|total)|all\sup)\b[^$]{0,30}$",
    re.IGNORECASE,
)
"""What comes before the sum of several amounts that are not told: "council and water together come to"."""
IN_ALL = re.compile(
    r"\s?(?:in\s(?:all|total)|all\s(?:up|told|in)|altogether|combined|together|between\sthem|for\s(?:both|"
    r"all|the\stwo|the\sthree|the\slot))\b",
    re.IGNORECASE,
)
"""What follows the sum of several amounts."""
DIFFERENCE = re.compile(
    r"\s(?:more|less|higher|lower|cheaper|dearer|apart)\b(?!\sthan\s\$)|"
    r"\s(?:over|above|below|under|short\sof|more\sthan|less\sthan)\s(?:that|this|it|what)\b|"
    r"\s(?:over|above|below|under|short\sof|more\sthan|less\sthan|off)\s(?:the|its|their|"
    r"our)\s(?:\w+\s)?(?:price|guide|asking|reserve)",
    re.IGNORECASE,
)
"""What follows an amount by which a price differs."""
OPERAND = re.compile(r"\s?(?:[\u00d7/\u00f7]|\*(?!\*)|x\s|at\s\d[\d.]*\s?%|times\s|divided\sby)\s?")
"""What follows the amount that a sum is made of: "$912,000 x 5.5% = $50,160"."""
FACTOR = re.compile(r"[\w%]\s?(?:[\u00d7*\u00f7]|x)\s?$|\bweeks?\s(?:at|of)\s$")
"""What comes before another such amount: "4 x $610"."""
ADDED = re.compile(r"\$[^$]*(?:\band\b|\bplus\b|\+)[^$]*\$", re.IGNORECASE)
MAKES = re.compile(
    r"\b(?:makes?|add(?:s|ing)?\s(?:up\s)?to|comes?\sto|brings?\s[\w\s]{1,20}to|total(?:s|ling)?|"
    r"=)\s(?:about\s|around\s)?$",
    re.IGNORECASE,
)
"""What comes before the sum of two amounts."""
TOTAL = re.compile(
    r"\+[^+]{0,60}=\s?(?:about\s|roughly\s|approximately\s|around\s)?$|\btotal(?:ling|"
    r"s)?\s(?:cost\s|price\s|outlay\s)?"
    r"(?:of\s|to\s|is\s|comes\sto\s)*(?:about\s|roughly\s|approximately\s|around\s)?$",
    re.IGNORECASE,
)
"""What comes before the sum of several amounts."""
