"""Words that patterns of clause packs may use in braces, beside those of the pack itself.

Texts are folded (see `rule_phrases.fold`), line ends inside a block are spaces, and each character of a
placeholder such as "[insert]" is BLANK.
"""

from collections.abc import Mapping

from assay.metrics.rule_phrases import Terms

BLANK = "\x01"
"""Stands for each character of a placeholder."""

_ONES = "one|two|three|four|five|six|seven|eight|nine"
_NUMBER_WORDS = (
    rf"{_ONES}|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen|twenty|thirty|forty|fifty|sixty|"
    rf"seventy|eighty|ninety|"
    r"hundred|thousand|million"
)
_NUMBER = (
    rf"(?:\d{{1,4}}|{_ONES}|ten|eleven|twelve|thirteen|fourteen|fifteen|sixteen|seventeen|eighteen|nineteen|"
    rf"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[\s-](?:{_ONES}))?|hundred)"
)
_ORDINAL = (
    r"(?:(?:twenty|thirty)[\s-])?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|"
    r"eleventh|twelfth|"
    r"(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth)"
)
_SPELLED = rf"\b(?:{_NUMBER_WORDS})(?:[\s,-]+(?:and\s)?(?:{_NUMBER_WORDS})){{0,14}}"
_MONTH = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|"
    r"oct(?:ober)?|"
    r"nov(?:ember)?|dec(?:ember)?)"
)
_STREET = (
    r"(?:street|st|road|rd|avenue|ave|av|drive|dr|court|ct|place|pl|crescent|cres|cr|lane|ln|way|parade|pde|"
    r"terrace|"
    r"tce|highway|hwy|boulevard|blvd|close|cl|circuit|cct|grove|gr|esplanade|esp|square|sq|row|mews|rise|"
    r"quay|walk|"
    r"trail|loop|circle|cir|track|view|gardens|promenade|broadway|arcade|parkway|pkwy|mall|wharf|lookout|"
    r"outlook|"
    r"chase|glen|ridge|heights|alley)"
)
_CAPITAL_STREET = (
    r"(?:Landing|Run|Trace|Bend|Point|Crossing|Hollow|Pass|Path|Reach|Approach|Cove|Knoll|Plaza|Pike|Turnpike|Spur|"
    r"Fairway|Concourse|Link|Vista|Gate|Green|Hill|Hills|Common|Corner|Creek|Estate|Park|Meadows?|Ramble|Rest|Retreat|"
    r"Steps|Strand|Vale|Wynd|Yard|Brae|Causeway|Corso|Cutting|Dale|Elbow|End|Grange|Mount|Parklands|Passage|Quays)"
)
"""Ends of the names of streets that are words too, and so count in capitals only."""
_LINK = r"(?:[\s]+(?:van|von|de|der|da|la|le|el|al|bin|of|and|&))"
_NAME_WORD = r"[A-Z][\w'&-]*"
_GAP_CHARACTER = r"(?:[^.\n\x01]|\.[^\s\x01]|\b(?:no|st|dr|mr|ms|mrs|cl|s|ss|pty|ltd|inc|co|[A-Z])\.\s)"

_PLACE_NAME = (
    r"(?:new\ssouth\swales|nsw|victorian?|queensland|qld|tasmanian?|(?:western|south)\saustralian?|"
    r"northern\sterritory|"
    r"australian\scapital\sterritory|australian?|commonwealth|english|england|wales|scottish|scotland|"
    r"new\szealand|singapore|"
    r"alabama|alaska|arizona|arkansas|california|colorado|connecticut|delaware|florida|georgia|hawaii|idaho|"
    r"illinois|indiana|iowa|"
    r"kansas|kentucky|louisiana|maine|maryland|massachusetts|michigan|minnesota|mississippi|missouri|"
    r"montana|nebraska|nevada|"
    r"new\s(?:hampshire|jersey|mexico|york)|(?:north|south)\s(?:carolina|dakota)|ohio|oklahoma|oregon|"
    r"pennsylvania|rhode\sisland|"
    r"tennessee|texas|utah|vermont|virginia|washington|wisconsin|wyoming)"
)
_FULL_NAME = (
    rf"(?-i:\b(?:(?:Dr|Mr|Mrs|Ms|"
    rf"Prof)\.?\s+)?[A-Z][\w'&-]*{_LINK}?(?:[\s]+[A-Z]\.?)?{_LINK}?[\s]+{_NAME_WORD})"
)
_CALLING = (
    r"(?:\((?:(?:the|hereinafter|hereafter|as|collectively|together|jointly|called|referred\sto\sas)\s|"
    r"[\"'*,])*|"
    r"\bas\s(?:the\s)?[\"'*]*|\b(?:hereinafter|hereafter|called|referred\sto\sas|known\sas)(?:\s(?:called|"
    r"referred\sto\sas|"
    r"known\sas))?,?\s(?:as\s)?(?:the\s)?[\"'*]*|,\s(?:the\s|as\s|our\s)?[\"'*]*|"
    r"\b(?:is|are|am|being|acting\sas)\s(?:the\s)?[\"']?|[\"'])"
)
_GAP = _GAP_CHARACTER + "{0,70}?"
_ROLE = (
    r"(?:buyer|seller|purchaser|vendor|lessor|lessee|landlord|tenant|renter|agent|client|principal|owner|"
    r"provider|supplier|"
    r"customer|contractor|consultant|company)"
)
_LEAVE = (
    r"(?:terminat|cancel|revok|rescind|withdr[ae]w|determin(?:e[sd]?\b|ation)|walk(?:s|ing)?\saway|"
    r"bring[a-z]*\s(?:it|[a-z\s]{3,40}?)\sto\san\send|(?:call|opt|pull|back|get)[a-z]*\s(?:(?:it|this|of|"
    r"the\s(?:sale|deal|contract))\s)?o(?:ff|ut)\b)"
)
_SIGNING = (
    r"(?:\bsigned(?:,|\s+(?:by|as\s+an\s+agreement|as\s+a\s+deed|for|sealed|at|on|and|below|in|"
    r"electronically|this|[a-z]+\s+(?:by|for))\b)|"
    r"\bexecuted(?:,|\s+(?:by|as|for|on|this|in|at|and|under)\b)|\bexecut(?:e|es)\s+this|"
    rf"\bsignatures?(?:\s+of)?\b[^.\n]{{0,60}}(?::|_{{3}}|\.{{4}}|\bblocks?\b)|\b{_ROLE}(?:.s\s+signature|"
    rf"s)?\b[\s:.]{{0,4}}_{{4,}}|"
    r"\bduly\s+(?:signed|executed)\b|\bin\s+witness\s+(?:whereof|of)|"
    rf"\b{_ROLE}\s+signs?\b(?:\s*_|\s*\.\.|\s+(?:below|here))|"
    r"\b(?:parties|party|each\s+of\s+(?:them|us)|both(?:\s+of\s+us)?|they|we)\s+(?:(?:have|hereby|hereto|"
    r"must|to|each|both|now|electronically)\s+)*"
    r"(?:signs?|signed|executes?|executed)\b|\bby\s+signing\b|\bsigned\b[^a-z]*(?:\(|$)|\bsign\s+here\b|"
    r"\b(?:electronically|digitally)\s+(?:signed|executed)|\be-?signed|\bdocusign|/s/|"
    r"\bplace\s+their\s+signatures|\bset\s+their\s+hands|"
    r"\bcommon\s+seal\b|_{4,}|(?:\.{6,}|(?:\.\s){5,})\s*(?:$|\n|dated?\b|in\s+the\s+presence|\(|witness|"
    r"director))"
)

_EXPRESSIONS: Mapping[str, str] = {
    "near": _GAP_CHARACTER + "{0,110}?",
    "gap": _GAP,
    "money": (
        r"(?:(?:(?:au|us|a|nz)?\$|aud|usd|£|EUR)\s?\d[\d,]*(?:\.\d+)?(?:\s?(?:k|m|million)\b)?|"
        r"\b\d[\d,]*(?:\.\d\d)?\s?(?:dollars|aud|usd)\b|" + _SPELLED + r"\sdollars|"
        r"\bdollars\s+\(?\d)"
    ),
    "percent": (
        r"(?:\b\d+(?:\.\d+)?\s?(?:%|per\s?cent(?:um)?\b|percent\b)|"
        rf"\b{_NUMBER}\s?(?:\(\d+%?\)\s?)?(?:%|per\s?cent(?:um)?\b|percent\b))"
    ),
    "number": _NUMBER,
    "date": (
        rf"(?:\b\d{{1,2}}(?:st|nd|rd|th)?(?:\sday)?(?:\sof)?[\s-]{_MONTH}[\s,-]{{1,2}}\d{{4}}\b|"
        rf"\b{_ORDINAL}(?:\sday)?(?:\sof)?\s{_MONTH},?\s(?:\d{{4}}|two\sthousand)\b|"
        rf"\b{_MONTH}\s\d{{1,2}}(?:st|nd|rd|th)?,?\s\d{{4}}\b|\b\d{{1,2}}[/.-]\d{{1,2}}[/.-]\d{{2,4}}\b|"
        r"\b\d{4}-\d{2}-\d{2}\b)"
    ),
    "period": (
        rf"(?:\b{_NUMBER}(?:\s?\(\d{{1,4}}\))?['\s-]{{0,2}}(?:(?:clear|business|working|calendar|"
        rf"consecutive|full|complete|"
        r"whole|more)[\s-]){0,2}(?:days?|weeks?|months?|years?|hours?|fortnights?)\b|"
        rf"\b(?:\d{{1,3}}(?:st|nd|rd|th)|(?:forty[\s-])?{_ORDINAL}|fortieth|fiftieth|"
        r"sixtieth|ninetieth)\s(?:clear\s|business\s|working\s)?day\b|"
        r"\b(?:for|within|stays?|lasts?|after)\sa\s(?:full\s|whole\s|calendar\s)?(?:year|month|fortnight|week)\b|"
        r"\ba\s(?:year|month|fortnight|week)'s\s(?:written\s)?(?:notice|warning))"
    ),
    "address": (
        rf"(?:\b\d{{1,5}}[a-z]?(?:[/-]\d{{1,5}}[a-z]?)?,?\s(?-i:[A-Z])[\w']*(?:\s[\w']+){{0,3}}?\s{_STREET}\b|"
        r"\b(?:unit|apartment|apt|lot|suite|level|shop)\s\d+[a-z]?,?\s(?:/\s?)?\d+[a-z]?\s(?-i:[A-Z])\w+|"
        rf"\b\d{{1,5}}[a-z]?(?:[/-]\d{{1,5}}[a-z]?)?,?(?-i:(?:\s[A-Z][\w']*){{1,3}}\s{_CAPITAL_STREET}\b)|"
        rf"\b\d{{1,5}}[a-z]?(?:[/-]\d{{1,5}}[a-z]?)?(?-i:(?:\s[A-Z][\w']*){{1,4}},(?:\s[A-Z][\w']*){{1,3}}),?\s"
        rf"(?:(?-i:[A-Z]{{2,3}})|{_PLACE_NAME})\s\d{{4,5}}\b|"
        r"\b\d{1,5}[a-z]?\s(?:the\s)?(?:broadway|esplanade|parade|boulevard|strand|corso|crescent)\b)"
    ),
    "title_reference": (
        r"(?:\blots?\s(?:no\.?\s)?\d+|\bvolume\s\d+|\bfolio\s(?:identifier\s|no\.?\s)?\d|"
        r"\bcertificates?\sof\stitle\s"
        r"(?:\w+\s){0,3}?\d|\btitle\s(?:reference|ref)[\s:]+\d|\b[sd]p\s?\d{3,}|"
        r"\bblocks?\s\d+,?\s(?:of\s)?section\s\d+|"
        r"\bplan\s(?:of\ssubdivision\s)?(?:ps|sp|dp|up|rp)?\s?\d{3,}|\bct\s\d{3,}|\bunit\s\d+\s(?:in|of|"
        r"on)\s)"
    ),
    "full_name": _FULL_NAME,
    "calling": _CALLING,
    "called": _GAP_CHARACTER + "{0,110}?" + _CALLING + r"\b",
    "is_named": rf"s?\b[^.\n,;]{{0,60}}?,?\s(?:is|are)\s(?:the\s)?{_FULL_NAME}",
    "named": (
        r"(?:.s|s)?\b(?:\s?\((?:s|\w+)\))?(?:\sfull)?(?:\s(?:names?|details))?[*\s|]*(?::|[=-]+|is|are|\||,|"
        r"\(|\.{3,}|;)?[*\s|]*"
        + _FULL_NAME
    ),
    "large_sum": (
        r"(?:(?:(?:au|us|a|nz)?\$|aud|usd)\s?(?:\d{2,3}(?:,\d{3})+|\d{1,3}(?:,\d{3}){2,}|\d{5,}|\d[\d.]*\s?(?:k|m|million)\b)|"
        + _SPELLED
        + r"\sdollars)"
    ),
    "street": (
        r"(?:property|land|premises|house|home|unit|apartment|townhouse|villa|dwelling|cottage|flat|studio|"
        r"duplex|residence|farm|shop|office|warehouse|mezzanine|floor|space|room|workshop|store|hall|kiosk|"
        r"site|yard|factory|building|lot|"
        r"sells?|sold|sale|selling|buys?|buying|purchas(?:e|es|ing)|stands|lets?|letting|leases?|rents?|tenancy|known\sas|situated?|"
        r"located|address|real\sestate|"
        r"agreement|contract|authority|listing|offer|re)\b"
    ),
    "place_name": _PLACE_NAME,
    "frequency": (
        r"(?:\b(?:per|a|an|each|every|/)\s?(?:annum|year|month|calendar\smonth|quarter|week|fortnight|"
        r"two\sweeks|(?:mon|tues|wednes|"
        r"thurs|fri|satur|sun)day)\b|\b(?:monthly|quarterly|annually|annual|weekly|yearly|fortnightly)\b|"
        r"\bp\.?\s?(?:a|w|f|m|c\.?m)\b|/\s?(?:week|wk|fortnight|month|year|annum)\b|\bin\sadvance\b)"
    ),
    "leaving": _LEAVE + "[a-z]*",
    "until": r"\b(?:until|till|to|through|end(?:s|ing)?|expir\w+|finish\w*|conclud\w+|last\sday|terminat\w+|"
    r"stop\w*|ceas\w+|clos\w+|laps\w+|(?:runs?|running)\sout|over)\b",
    "open_term": (
        r"\b(?:runs?|lasts?|continues?|starts?|begins?|commences?|ends?|expires?|stops?)\b(?:\s[a-z']+){0,4}\s?"
        rf"{BLANK}|\bterm\b(?:\s[a-z']+){{0,5}}[\s:]*{BLANK}"
    ),
    "warning": (
        rf"(?:\bnotice\b|\bnotif|\bconsent|\bpermission|\b{_NUMBER}\s(?:\(\d+\)\s)?(?:clear\s|business\s)?hours?\b|"
        rf"\b{_NUMBER}\s(?:\(\d+\)\s)?(?:clear\s|business\s|working\s)?(?:days?|weeks?|months?)"
        r"(?:'|\s(?:notice|warning|before|beforehand|ahead|prior|earlier|in\sadvance|in\swriting|first))|"
        r"\b(?:gives?|giving|given|tells?|telling|warns?|warning|asks?|asking|lets?|letting|writes?|writing)\b"
        rf"(?:\s[a-z]+){{0,6}}\s{_NUMBER}\s(?:clear\s|business\s|working\s)?(?:days?|weeks?|months?)\b)"
    ),
    "raising": (
        r"\b(?:increas\w+|dearer|rais(?:e[sd]?|ing)|ris(?:e|es|ing)|higher|lift(?:s|ed|ing)?\s(?:the|it|your|rent)|climb\w*|(?:charge|pay)s?\s(?:you\s)?more|more\srent|hikes?|go(?:es)?\sup|going\sup|"
        r"(?:put|puts|putting|mov(?:e|es|ing)|step(?:s|ping)?|bump(?:s|ing)?)\b[^.\n]{0,30}?\sup|"
        r"(?:chang|review|adjust)(?:e|es|ed|ing|s)?\s(?:of\s|to\s)?(?:the\s|your\s)?rent|rent\b[^.\n]{0,30}?\s(?:chang|review|adjust)\w*)\b"
    ),
    "sum_words": (
        rf"(?:(?:{_NUMBER_WORDS}|and|the|an?|total|whole|full|sum|amount|price|of|in|cash|you|us|me|them|him|her|dollars|"
        r"australian|exactly|altogether|all|up|seller|vendor|money)[\s,-]+){0,14}"
    ),
    "signing": _SIGNING,
    "signing_title": (
        r"(?:\bsign(?:ed|ing|atures?|ature\s+page|ature\s+blocks?|atories)\b|^sign\b|\bexecut(?:ed|ion)\b|"
        r"^attestation|^acceptance\s+by|"
        r"^testimonium|^acknowledge?ment\s+and\s+signature)"
    ),
    "placeholder_word": BLANK,
    "seller": "(?:vendor|seller|transferor)",
    "buyer": "(?:purchaser|buyer|transferee)",
    "landlord": r"(?:landlord|lessor|(?:residential\s)?rental\sprovider|owner)",
    "tenant": "(?:tenant|lessee|renter)",
    "principal": "(?:client|vendor|seller|principal|owner|appointor)",
    "agent": r"(?:agent|agency|licensee|broker)",
    "provider": r"(?:service\sprovider|provider|contractor|consultant|supplier|freelancer|designer|"
    "developer|agency)",
    "client": r"(?:client|customer|company|principal|buyer)",
}  # fmt: skip

CLAUSE_TERMS: Terms = {name: (expression,) for name, expression in _EXPRESSIONS.items()}
"""Name in braces -> its regular expression."""
