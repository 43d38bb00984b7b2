"""The words by which an answer speaks of other homes, of the unknown, of what may be and of what was."""

import re

HOMES = (
    r"(?:homes?|houses?|propert(?:y|ies)|units?|apartments?|flats?|listings?|villas?|townhouses?|condos?|"
    r"places?|semis?|terraces?|blocks?|lots?|ones?)"
)
AWAY = (
    r"(?:next[\s-]?door|(?:doors?|floors?|levels?|houses?|streets?|blocks?)\s(?:up|down|along|away|above|"
    r"below|over)|"
    r"(?:across|over|down|up)\sthe\s(?:road|street|hill|block|hall|corridor|lane|way)|around\sthe\scorner|in\sthe\snext\s(?:street|road|block|building|suburb)|"
    r"in\sthe\ssame\s(?:\w+\s)?(?:street|building|block|complex|tower|row|development|estate|suburb|area)|"
    r"(?:on\s)?(?:both\ssides|either\sside)|elsewhere)"
)
"""Where other homes are."""
_OWNER = (
    r"(?:[A-Z]\w+s['\u2019]|(?:the\s|your\s|my\s|our\s|his\s|her\s|their\s)(?:\w+\s)?(?:sister|brother|son|daughter|cousin|aunt|uncle|parents?|mother|father|"
    r"friend|neighbou?r|owner|vendor)s?['\u2019]s?)"
)
OTHER = re.compile(
    r"\b(?:comps|nearby(?!\s(?:school|shop|park|transport|amenit|caf|beach|train|station|bus|tram|restaurant))|"
    r"comparables?|comparatively|neighbou?r(?:ing|s|['\u2019]s)?|"
    rf"{AWAY}|{_OWNER}\s(?:old\s|new\s|own\s)?{HOMES}|"
    rf"(?:who|whom|they|part(?:y|ies)|couple|buyers?|clients?)\s(?:\w+\s){{0,2}}?(?:has|have|owns?|"
    rf"selling)\san?\s(?:[\w-]+\s){{0,3}}?{HOMES}|"
    r"(?:clients?|buyers?|couple|family|friends?)\s(?:\w+\s){0,2}?(?:sold|bought|owns?|owned|lives?|lived|"
    r"had|paid|rents?|rented)|"
    r"similar(?!\s(?:to\sthis|price))|"
    rf"(?:other|another|different|rival|competing|adjacent|adjoining|last|"
    rf"previous)\s(?:[\w-]+\s){{0,2}}?{HOMES}|"
    r"(?:in|by)\scontrast|by\sway\sof\scomparison|to\scompare|(?:also|I)\sfound|for\scomparison|(?:in|by)\scomparison|compared\swith|"
    r"alternatives?|others|"
    r"(?:brochure|ads?|advert\w*|listing|flyer|campaign)\s(?:(?:from|of)\s)?(?:last|two|three|(?:19|20)\d\d)|"
    rf"an?\s(?:[\w-]+\s){{0,3}}?[\w-]+[\s-]bed(?:room|der)?s?\s(?:{HOMES}\s)?(?:in|from)\s(?:this|the|our|that)"
    r"\s(?:same\s)?(?:building|block|complex|tower|street|development|estate|row)|"
    r"(?:flyer|ads?|advert\w*|brochure|email|draft|post|version|letter)\s(?:\w+\s){0,6}?(?:said|stated|claimed)|"
    r"(?:correction|mistake|error|typo)\s(?:in|to|on|with)\s(?:the|our|an?)\s|"
    r"(?:earlier|previous|old|first|original|outdated|last)\s(?:\w+\s)?(?:brochure|ads?|advert\w*|listing|"
    r"flyer|draft|email|campaign|version)|"
    r"medians?|averages?|typical(?:ly)?|usually|recent(?:ly)?\s(?:sales?|sold)|"
    r"(?:last|latest|highest|record)\s(?:sales?|one\ssold)\s|sales?\sevidence|"
    r"the\s(?!only|right|same|best|perfect)[\w-]+\sone(?=\s(?:is|was|has|had|with|at|sold|went|in|on))|"
    r"other\s(?:half|side)|(?:we|you|I|they)\s(?:looked\sat|saw|viewed|toured|inspected)\sin|"
    r"same\s(?:street|building|block|complex|tower)|over\sin|"
    r"(?<!of\s\d\s)(?<!of\s\d\d\s)(?:houses|homes|units|apartments|townhouses|properties|listings|sales|"
    r"villas|condos|\w+[\s-]bedders|\w+-bedrooms)(?!\s(?:corporation|entitlement))|"
    r"(?:unit|apartment|flat|one|level|penthouse|place|tenants?)\s(?:upstairs|downstairs|above|below|"
    r"opposite)|"
    r"(?:number|no\.?)\s\d{1,4}[a-z]?|option\s(?:[b-z]|[2-9])|property\s(?:[b-z]|[2-9])|"
    rf"your\s(?:own|current|present|existing|other)\s(?:[\w-]+\s){{0,2}}?{HOMES}|surrounding|"
    rf"market\s(?:rent|rate|value)|suburb['\u2019]s)\b",
    re.IGNORECASE,
)
SELF = re.compile(
    r"\b(?:this\s(?:[\w-]+\s){0,3}?(?:property|home|house|apartment|unit|listing|"
    r"townhouse|villa|place|residence|block|condo|studio)|this\sone|subject\sproperty|"
    r"the\sproperty|the\srecord|the\slisting|this\sis|the\svendor|"
    r"price\sguide|our\slisting)\b",
    re.IGNORECASE,
)
UNSURE = re.compile(
    r"\b(?:(?:(?:is|are)(?:\snot|n['\u2019]t)|not)\s(?:in|on|part\sof)\s(?:our|the|your|my|this)\s"
    r"(?:notes?|record|listing|files?|data|details|sheet|information)|not\s(?:been\s)?(?:stated|specified|"
    r"listed|disclosed|provided|mentioned|given|"
    r"recorded|confirmed|clear|known|noted|advertised|indicated|documented)|"
    r"(?:does|do|did)(?:\snot|n't|n\u2019t)\s(?:say|state|mention|specify|list|note|confirm|"
    r"indicate|disclose|refer|show|tell|reveal|record|describe|provide)|"
    r"no\s(?:information|mention|detail|details|record|indication|reference|data|evidence|"
    r"confirmation)|unknown|unclear|uncertain|unspecified|undisclosed|unconfirmed|"
    r"(?:cannot|can't|can\u2019t|could\snot|couldn't|unable\sto)\s(?:confirm|verify|find|say|"
    r"tell|see|determine)|not\ssure|(?:don't|don\u2019t|do\snot)\s(?:know|have)|silent|"
    r"ask\s(?:the|about|your|whether|if)|"
    r"according\sto\s(?:an?|some|one)\s|(?:reviewers?|neighbou?rs?|locals?|someone|website|blog|rumou?r)\s"
    r"(?:says?|said|claims?|has\sit)|reportedly|supposedly|allegedly|hearsay|"
    r"(?:nobody|no\sone|nowhere|never)\s(?:\w+\s){0,3}?mention\w*|"
    r"nothing\s(?:\w+\s){0,2}?(?:in|about|on|to\s(?:say|suggest|show|indicate|confirm))|"
    r"(?:wrong|incorrect|untrue|false|misleading|mistaken)\s(?:to\s|that\s)|confirm\s(?:with|whether|if)|check\s(?:with|whether|"
    r"if)|verify\s(?:with|whether|if)|whether|to\sbe\sconfirmed|tbc|tba)\b",
    re.IGNORECASE,
)
SUPPOSED = re.compile(
    r"\b(?:if|(?<![a-z]\s)had\s(?:it|they|you|we)|suppose|supposing|imagine|assuming|hypothetical(?:ly)?|for\s(?:example|"
    r"instance)|say\s(?:you|it|they|I)\b|budget(?:s|ed|ing)?(?!\sfor\s(?:about\s|around\s|roughly\s)?(?:\$|$))|say\swe|were\sto|"
    r"pre-?approv\w+|looking\sfor|searching\sfor|seeking|(?<!all\s)(?<!everything\s)(?<!anything\s)(?:you|i|we|they|he|she|buyers?|"
    r"clients?)\s(?:want|need|prefer)\w*(?!\s(?:offers|(?:about\s|around\s|close\sto\s|over\s)?\$))|"
    r"(?:would|will|could|might)\s(?:\w+\s)?be\sworth|(?:buyers?|anyone|those)\s(?:chasing|after|wanting|keen|who\swant)|"
    r"(?:might|may|could)\s(?:be|cost|fetch|sell|reach|rent|go\sfor)|(?:will|should|would)\s(?:probably\s|"
    r"likely\s)?(?:fetch|sell|reach|go\sfor|bring|achieve)|assume[ds]?|suggest\w*|recommend\w*|"
    r"(?:he|she|they|vendors?|owners?|sellers?)(?:['\u2019]d|\s(?:would|will|may|might|could))\s(?:\w+\s)?"
    r"(?:look\sat|take|accept|consider|listen|settle\sfor)|"
    r"rents?\s(?:would|could|might|should)\s|should\s(?:the|you|they|your)|were\s(?:the|it|you)|(?:come|came|go|drop)\s(?:down|up)\sto|"
    r"walk(?:ing)?\saway|"
    r"(?:I|we|they)['\u2019]d\s(?:open|start|offer|pay|go|bid|be\shappy)|you['\u2019]d\s(?:open|start|"
    r"offer|bid)|(?<!vendor\s)(?<!vendors\s)(?<!seller\s)(?<!sellers\s)(?<!owner\s)(?<!owners\s)(?<!they\s)(?:wants?|wanted|hop(?:es?|ed|ing)|wish(?:es|ed)?)\s(?:a|an|for|to|at|four|five|three|two|\d)|"
    r"negotiat\w*|offered\s(?=\$)|you\s(?:said|mentioned|asked\s(?:for|about)(?!\s[^.;:$]{1,40}:)|(?:enquired|inquired|wondered)\sabout)|bidding\s(?:is|will|should|to)|"
    r"opening\sbid|your\s(?:brief|wish|requirement|"
    r"criteria)\w*)\b|\be\.g\.|\b(?:goes|go|going|rises?|increases?)\s(?:up\s)?to\s$",
    re.IGNORECASE,
)
POSSIBLE = re.compile(
    r"(?:^|[,;:(]\s?|\b(?:is|be|\w+['\u2019]s|has|have|of|enough|ample|with|still|offers?|leaves?|the|more|"
    r"and)\s)(?:room|space)\s(?:for|to)\b|"
    r"(?:^|[.;:,]\s)\W{0,3}(?:put\sin|build|dig|squeeze\sin)\s(?:an?|your)\b|"
    r"\b(?:plans?|permits?|permit(?:ted|s)?|approval|approved|da|designs?|drawings?|consent)\s(?:(?:and|or)\s\w+\s)?(?:\w+\s)?for\s|\bfor\s(?:your|that)\s(?:\w+\s)?$|\b(?:(?:apart|aside)\sfrom|instead\sof|rather\sthan|in\splace\sof|other\sthan|except(?:\sfor)?)\s"
    r"(?:the\s|an?\s)?(?:\w+\s)?$|\b(?:(?:could|can)\sdo\swith|crying\sout\sfor|in\sneed\sof|due\sfor|(?:would|could)\sbenefit\sfrom|"
    r"begging\sfor|needs?\s(?:an?|some|new))\s|\b(?:(?:pre-?)?wired|plumbed|ready|provisions?|suited|suitable|zoned|earmarked|prepared)\sfor\s(?!sound)|\bbefore\syou\s(?:plan|add|build|install|change|start|put)\b|"
    r"\bthinking\s(?:of|about)\s(?:adding|building|putting|installing|converting)\b|"
    r"\b(?:potential|scope|possib\w+|stca|"
    r"subject\sto\s(?:council|approval)|could\s(?:easily\s)?(?:add|be|build|fit|suit|have|take|hold|house|"
    r"support|become|accommodate|install|put)|"
    r"would\s(?:suit|fit|allow|make|give|become)|(?:may|might)\s(?:add|be|fit|allow|have|suit|take)|"
    r"opportunity\sto|"
    r"quote[ds]?\b[^.]{0,20}\bfor|add(?:ing)?\sa|install(?:ing)?\sa|future|plans?\sfor|proposed|"
    r"perfect\sfor\sa|"
    r"ideal\sfor\sa)\b",
    re.IGNORECASE,
)


OTHER_BEHIND = re.compile(
    rf"^(?:(?!,\s(?:so|and|but)\s)[^.]){{0,40}}\b(?:nearby|{AWAY}|in\sthe\s(?:area|suburb|street|(?:old|earlier|previous|"
    rf"original|last)\s(?:ad|advert\w*|listing|brochure|flyer))|on\saverage)\b"
    r"|^\s(?:[\w-]+\s){0,3}?(?:is|are|was)\s(?:much\s|a\slittle\s|slightly\s)?(?:dearer|cheaper|pricier|bigger|larger|"
    r"smaller)\b(?!\sthan\s(?:most|average|you|it|usual))"
    r"|^[\s-]?(?:\w+\s)?(?:medians?|averages?)\b|^[\s-]?(?:[\w-]+\s)?(?:houses|homes|units|apartments|"
    r"townhouses|properties)\b",
    re.IGNORECASE,
)
SOME_HOME = re.compile(
    rf"(?<!is\s)(?<!as\s)(?<!for\s)\b(?:an?|one)\s(?:[\w-]+\s){{0,3}}?(?:{HOMES}|weatherboard|cottage|"
    rf"bungalow|studio)\b|"
    r"\b(?:went\sfor|fetched|achieved|traded)\b",
    re.IGNORECASE,
)
FOLLOWS = re.compile(
    r"[\s,;\u2013\u2014]*(?:(?:but|yet|though|although|while|and|or)\s)?(?:and|it|its|they|that|which|"
    r"the\sone|has|have|"
    r"had|is|was|were|lacks?|sold|fetched|went|comes|came|offers|with|without|no)\b",
    re.IGNORECASE,
)
CARRIES = re.compile(
    r"\s*(?:They|Both|Those|These|The\slatter|Theirs|The\s(?:sellers?|owners?|vendors?|buyers?)\s(?:there|"
    r"of\sthat))\b|\s*(?:It|That(?:\s\w+)?)\s(?:(?:also|too)\s)?(?:had|was|were|sold|went|took|got|"
    r"featured|offered|fetched|achieved|came|included|paid|asked|closed|made|lacked)\b"
)
"""How a sentence goes on about the other property that the one before it was about."""
PRONOUN = re.compile(r"\s*(?:It|Its|That\s(?:home|house|property|one|sale|unit)|They)\b")
HEADING = re.compile(r"\s*(?:#{1,6}\s.{0,120}|[^.\n]{0,160}:[*_]{0,2}|[*_]{2}[^\n]{0,120}[*_]{2})\s*$")
ITEM = re.compile(r"[\s;,]*(?:[-*\u2022|]|\d{1,2}[.)]\s|\d+[A-Za-z]?(?:/\d+)?\s[A-Z])")

POSSIBLE_AFTER = re.compile(
    r"[\s-]ready\b|\s(?:(?!you\b|we\b|they\b)\w+\s){0,3}?(?:to\sbe\s(?:added|installed|built|fitted|approved)|would|planned|potential|possib\w+|could|stca|subject\sto|opportunit\w+|might|"
    r"you(?:['\u2019]d|\s(?:would|could|might))\s(?:\w+\s)?(?:add|build|install|put|fit|need|have|want|like|create|make|plan|love|hope|get|expect)|"
    r"(?:need|require|be\s(?:possible|subject|permitted|nice|welcome|allowed)))\b",
    re.IGNORECASE,
)
GENERIC = re.compile(
    rf"\s*(?:An?|Any)\s(?:[\w-]+\s){{0,5}}?(?:{HOMES}|[\w-]+[\s-]bed(?:room|der)?)\s(?:[\w-]+\s){{0,10}}?"
    r"(?:(?:is|are|would|sells?|rents?|costs?|goes)\s(?:for\s|about\s|around\s|usually\s|more\s|on\s|"
    r"listed\s|priced\s|at\s|cost\s){0,4}\$|"
    r"(?:sold|went|fetched|made|let)\s(?:\w+\s){0,3}?for\s)",
    re.IGNORECASE,
)
"""A sentence on homes of a kind: "A two-bedroom unit in the next suburb is $820 a week"."""
PAST = re.compile(
    r"\b(?:before|prior\sto|until|originally|back\s(?:in|then|when)|at\sthe\stime|in\sthose\sdays|"
    r"in\s(?:the|its)\s(?:early|old)\s(?:days|years)|"
    r"when\s(?:it|they|the)|"
    r"in\s(?:18|19|20)\d\d)\b(?:(?!\b(?:now|today|since|currently|these\sdays)\b)[^.;]){0,80}\b(?:was|"
    r"were|had)\b"
    r"(?:(?!\b(?:now|today|since|currently|built|these\sdays)\b)[^.;]){0,60}$"
    r"|\b(?:last|previous|former|prior|earlier)\s(?:tenants?|owners?|occupants?|lease|tenancy)\s(?:paid|"
    r"had|used|kept|was|were)\b"
    r"(?:(?!\b(?:now|today|since|currently)\b)[^.;]){0,80}$"
    r"|\b(?:used\sto\s(?:be|have)|was\sonce|once\s(?:a|an|the|had|was|held|home\sto)|formerly|previously|"
    r"had\sbeen|demolished|removed|"
    r"no\slonger)\b(?:(?!\b(?:now|today|since|but|currently)\b)[^.;]){0,60}$",
    re.IGNORECASE,
)
"""How things were: "before the extension it had two bedrooms"."""
TOLD = re.compile(r"\W*(?:did\s(?:you|ya)\sknow|guess\swhat|how\s(?:good|great|nice)\sis)\b", re.IGNORECASE)
"""How a question begins that tells: "Did you know that it sold for $690,000 in 2018?"."""
ANSWER = re.compile(
    r"[\s*_>|-]*(?:(?:A|Answer)\s?[:.]\s*)?[*_\"'\u2018\u201c]*(?:(?P<yes>yes|yep|yeah|yup|absolutely|certainly|definitely|indeed|"
    r"of\scourse|sure|it\s(?:does|has|is)|there\s(?:is|are)|they\sare)|(?P<no>no|nope|none|not|never|sadly\sno|unfortunately\snot?|"
    r"it\sdoes(?:\snot|n['\u2019]t)|there\s(?:is|are)(?:\sno|\snot|n['\u2019]t)))\b(?!\s(?:sure|stated|mentioned|recorded|clear|"
    r"known|listed|that\sI|information|details?|record|idea|mention))",
    re.IGNORECASE,
)
"""How a question is answered: "Is there a shed? Yes, a big one."."""
OF_THE_POSSIBLE = re.compile(
    r"\W*(?:Q\s?[:.]\s*)?(?:can|could|may|might|would|should|will|do\s(?:you|I|we)|did\s(?:you|I)|are\syou|why|what|how|when|"
    r"where|who|which|shall|want|need|looking|interested|ready)\b",
    re.IGNORECASE,
)
"""Questions of which a yes says nothing of what is there: "Can I add a pool? Yes."."""
PAST_BEHIND = re.compile(
    r"[^.;]{0,60}\b(?:(?:before|until|prior\sto)\s(?:the|its|a|an|being|it|they|we)|back\sthen|in\sthose\sdays|"
    r"in\sits\s(?:early|former|first|working)\s(?:days|years|life)|in\sthe\sold\sdays)\b",
    re.IGNORECASE,
)
"""What follows how things were: "was a two-bedroom cottage before the rebuild"."""
WAS = re.compile(r"\b(?:was|were|had)\s(?:(?!built\b)[\w-]+\s){0,6}$", re.IGNORECASE)
