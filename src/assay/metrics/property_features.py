"""Features that an answer claims, held against what the record says of them."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from assay.metrics.property_clauses import Clause, Clauses, split_clauses
from assay.metrics.property_descriptions import type_of
from assay.metrics.property_record import Record
from assay.metrics.property_words import Mention, find_mentions, lexicon, words_of

MAX_MENTIONS = 500
IN_BUILDINGS = frozenset(("apartment", "unit", "studio"))
KINDS_OF_PARKING = frozenset(("garage", "carport", "off_street_parking"))
"""Of car spaces that the record does not tell the kind of, each may be."""
WITH_LAND = frozenset(("house", "semi", "duplex", "rural"))
_PETS = re.compile(
    r"\bpets?(?:\s(?:policy|rules?|allowed|terms))?:\s(?!(?:no|not|none|never|nil|false|prohibited|tbc|unknown|n/a)\b|$)"
    r"(?!.*\b(?:not|never)\b)",
    re.IGNORECASE,
)
"""What a record tells of pets that are taken: "Pets: one cat or dog under 30 lb"."""
_PETS_TOLD = re.compile(
    r"\b(?:pets?|dogs?|cats?|animals?)\s?[?:|]\W{0,6}(?:A[:.]\s?)?(?:(?P<yes>yes|yep|sure|of\scourse|absolutely|certainly|"
    r"by\s(?:negotiation|arrangement|application)|negotiable|welcome)|(?P<no>(?:sorry,?\s)?(?:no|nope|not|never|none))(?!\s(?:sure|stated|mentioned|"
    r"problem|worries|information|specified|known)))\b(?![^.\n]{0,30}\b(?:allowed|welcome|permitted|accepted|considered|animals|pets)\b)",
    re.IGNORECASE,
)
_CAR_SPACE = re.compile(r"\bcar[\s-]?(?:spaces?|spots?|bays?|parks?)\b", re.IGNORECASE)
_NO = re.compile(
    r"\b(?:no|not|cannot|without|lacks?|lacking|excludes?|excluding|neither|nor|never|none|missing|"
    r"(?:everything|all|anything)\s(?:but|bar|except)|absence\sof|free\sof|minus)\b|[\u2717\u2718\u274c\u2716]|n't\b|n\u2019t\b",
    re.IGNORECASE,
)
_LACKS = re.compile(
    r"\b(?:lacks?|lacking|missing|not\s(?:included|on\soffer|provided|available|"
    r"there|here)|excluded|absent|without|what\s\w+\s\w+n['\u2019]t(?:\s\w+)?)\s?:",
    re.IGNORECASE,
)
"""What begins a list of things that are not there."""
_NOT_IN = re.compile(r"\bnot\b|n['\u2019]t\b", re.IGNORECASE)
_NO_AFTER = re.compile(
    r"^[\s):*|-]{0,4}(?:(?:\w+\s){0,3}(?:is|are|was|were|has|have|does|do)\s?(?:not|n't|"
    r"n\u2019t)|(?:(?:has|have|is|are)\s(?:since\s)?(?:gone|been\s(?:removed|filled|taken))|isn't|aren't|isn\u2019t|aren\u2019t|wasn't|not|no|none|nil|excluded|absent|"
    r"n/a)\b)|^,\s(?:no|nope|none|not)\s?(?:[.;!]|$)",
    re.IGNORECASE,
)
_NOT_SO = re.compile(
    r"\s(?:is|are|was|were)(?:\snot|n['\u2019]t)\s(?:(?:very|that|too|so|overly|particularly|fully|yet|currently|even)\s){0,2}"
    r"(?:fenced|heated|large|big|huge|small|covered|enclosed|private|shared|new|old|deep|wide|long|high|overlooked|renovated|original|"
    r"ducted|secure|undercover|lit|carpeted|landscaped|finished|steep|flat|level|ensuited|air-?conditioned|huge|just|only|far|electric|"
    r"automatic|remote|insulated|furnished|working|functional|decorative|solar|gas|wood|salt\w*)\b",
    re.IGNORECASE,
)
"""What denies how a thing is, and not that it is there: "the yard is not fenced"."""
_ELSEWHERE = re.compile(
    r"\b(?:near(?:by)?|close\sto|walk(?:ing)?(?:\sdistance)?\s(?:to|of)|minutes?(?:'|"
    r"\u2019)?\s(?:from|to|away|walk|drive)|metres?\s(?:from|to)|km\s(?:from|to)|"
    r"local|public|council|community|"
    r"neighbou?r(?:ing|'s|\u2019s)?|easy\saccess\sto|proximity\sto|"
    r"moments\s(?:from|to)|stroll\sto|drive\sto|within\sreach\sof|"
    r"handy\sto|around\sthe\scorner\sfrom|in\sthe\s(?:area|suburb|street))\s(?:(?!with\s|plus\s|featuring\s|has\s|includes\s|it\s)\S+\s){0,4}$"
    r"|\b(?:the|a|local|nearby)\s(?:\w+\s)?(?:village|town|suburb|school|club|shopping\scentre|area|neighbou?rhood|park|"
    r"precinct|city|street|council)\s(?:itself\s)?(?:has|have|offers?|boasts?|includes?|an?)\s(?:\S+\s){0,4}$"
    r"|\b(?:near|close\sto|walk\s(?:to|from)|stroll\s(?:to|from)|moments\sfrom|minutes\s(?:to|from)|drive\s(?:to|from)|handy\sto)\s"
    r"(?:(?!(?:with|plus|featuring|has|includes|it|this|an?|you|your)\s)[\w'\u2019-]+,?\s){0,9}(?:and|or)\s(?:the\s)?$"
    r"|\b(?:opposite|adjacent\sto|next\sto|across\sfrom)\s(?:(?!and\s)\S+\s){0,3}$",
    re.IGNORECASE,
)
_IN_STREET = re.compile(
    r"\s(?:\w+\s){0,3}?(?:by\s(?:\w+\s)?permit|(?:street|kerb(?:side)?|curb(?:side)?)\s(?:only|permit)|(?:on|in)\sthe\s(?:street|area|suburb|neighbourhood)|"
    r"nearby|next\sdoor|down\sthe\s(?:road|street))\b"
    r"|\s(?:at|in|on)\s(?:the\s)?(?-i:[A-Z][\w'\u2019]+\s){1,3}(?-i:Park|Reserve|Baths|Club|Cent(?:re|er)|Gardens|Oval|School|"
    r"College|Library|Plaza|Mall|Hotel|Beach|Square|Mile)\b|\s(?:is|are)\s(?:all\s|both\s)?(?:close|nearby|handy)\b"
    r"|[\s,]+(?:[\w'\u2019]+[\s,]+){0,7}?(?:is|are)\s(?:all\s|both\s)?(?:in|at|on|down|up)\s(?:the\s|your\s)?(?:local\s|main\s|high\s)?"
    r"(?:village|town|area|street|suburb|neighbou?rhood|precinct|road|shops|city|door(?:step)?|fingertips)\b"
    r"|[\s,]+(?:[\w'\u2019]+[\s,]+){0,7}?(?:is|are)\s(?:all\s|both\s|only\s|just\s)?(?:an?\s|within\s)?(?:\w+\s)?(?:stroll|walk|walking\sdistance|drive|ride|"
    r"skip|hop|moments?|minutes|blocks?|streets)(?:\s(?:away|from|up|down|on|by)\b|[.,;]|$)"
    r"|\s?(?:,|is|are|at|only|just|[\w'\u2019]+){0,3}\s?(?:a\s)?[\d.,]+\s?-?(?:m|km|metres?|kilomet\w+|min\w*|blocks?|miles?)\b"
)
_LACKS_ALL = re.compile(r"lack|without|missing|exclud", re.IGNORECASE)
_LISTS_ON = re.compile(
    r"(?:[\w\s,'\u2019-]{0,60}),[\w\s'\u2019-]{0,30}\s(?:and|or)\s(?:an?\s)?(?:\w+\s)?", re.IGNORECASE
)
"""The rest of a list that one word denies: "lacks a fireplace, heating and a dishwasher"."""
_NEW_STATEMENT = re.compile(
    r"\band\s(?:an?|access|its|has|have|with|plenty|lots)\b|\b(?:and|but)\b.*\b(?:has|have|with|includes?|offers?|features?)\b"
)
_STOP = re.compile(
    r"[.;:|\n\u2713\u2714\u2705]|\b(?:(?<!everything\s)(?<!all\s)(?<!anything\s)but|however|because|since|thanks\sto)\b|"
    r",\s(?:it|only|just|instead|so|with|there|here|this|you|we|plus|which|both|and\s(?:it|has|comes|there|the|you))\b"
)
"""Where what is denied ends, and another statement begins."""
_NO_LACK = re.compile(
    r"\s(?:an?\s|any\s)?(?:only|just|to\smention|far|one|less|shortage|lack|end|worr(?:y|ies)|problems?|doubt|dull|"
    r"wonder|stranger|fuss|surprise|expense|short(?:age)?\sof|without|compromise|secret|detail)\b"
)
"""Denials that say that there is something: "never a worry, with two dams", "no shortage of storage"."""
_TROUBLE = re.compile(
    r"\s(?:roulette|hassles?|headaches?|wars?|worr(?:y|ies)|stress|dramas?|bills?|problems?|issues?|fights?|"
    r"nightmares?|woes|maintenance|chores?|costs?|upkeep|hunt(?:ing)?|fees)\b"
)
"""What makes a denied thing its trouble only: "no parking roulette", "no pool maintenance"."""
_NAME_AHEAD = re.compile(r"[a-z]\s(?:[A-Z][\w'\u2019-]+\s){1,3}$")
_MAKER = re.compile(
    r"\b(?:Tesla|Miele|Bosch|Smeg|Daikin|Fujitsu|Mitsubishi|Panasonic|Samsung|LG|Caesarstone|Calacatta|Carrara|Jetmaster|Rinnai|"
    r"Brivis|Velux|Ring|Zip|Colorbond|Japanese|Italian|French|European|German|Spanish|Tasmanian|Victorian|Sonos|Viking|Wolf)\s"
)
"""Names of makers and places before a thing, which is no name of a place then."""


@dataclass(frozen=True, slots=True)
class Said:
    """A feature, distance or school as the answer says it; `key` is its name in the lexicon."""

    field: str
    key: str
    start: int
    end: int
    verdict: str
    rule: str
    record: str


@dataclass(frozen=True, slots=True)
class Known:
    """What the record says of features: there, not there, and those that may be but are not said."""

    there: frozenset[str]
    absent: frozenset[str]
    open: frozenset[str]
    words: tuple[frozenset[str], ...]
    """The words of each line."""

    def denies(self, feature: str) -> bool:
        """Whether the record denies a feature or what it is a kind of: no pool, no lap pool."""
        return feature in self.absent or any(
            each in self.absent for each in lexicon().implies.get(feature, ())
        )

    def names(self, said: str) -> bool:
        """Whether a line of the record has all the words of what is said."""
        words = {word.text for word in words_of(said)}
        return any(words <= line for line in self.words)


def known_features(record: Record) -> Known:
    """The features that the record names, those that follow from them, and those that it denies."""
    there: set[str] = set()
    absent: set[str] = set()
    for line in record.described:
        none = line.startswith("no ")
        said = line.removeprefix("no ").replace(": ", " ", 1)
        clauses = split_clauses(said)
        for mention in find_mentions(said):
            clause = clauses.at(mention.start)
            denied = none or is_denied(clause, mention)
            (absent if denied else there).add(mention.feature)
        if _PETS.search(line):
            there.add("pets_allowed")
    maybe = {each for feature in there for each in lexicon().allows.get(feature, ())}
    for feature in tuple(there):
        there.update(lexicon().implies.get(feature, ()))
    absent.update(*(lexicon().denies.get(feature, ()) for feature in there))
    maybe |= lexicon().minor | _usual(record)
    maybe |= _by_market(record)
    cars = record.span("car_spaces")
    if cars and cars.low > 0:
        there.add("parking")
        maybe.update(KINDS_OF_PARKING - absent if not there & KINDS_OF_PARKING else ())
    if cars and cars.high == 0:
        absent.update({"parking", "garage", "carport"})
    words = tuple(frozenset(word.text for word in words_of(line)) for line in record.described)
    return Known(frozenset(there), frozenset(absent - there), frozenset(maybe - there - absent), words)


def _by_market(record: Record) -> set[str]:
    """What a home to let or with a rent may be without its being said: vacant, or tenanted."""
    vacant = {"vacant_possession"} if record.days("available_date") else set()
    return vacant | ({"tenanted"} if record.spans("rent_per_week") else set())


def _usual(record: Record) -> set[str]:
    """What goes without saying: a yard and a garden of a home on land, the basement of a building."""
    types = {type_of(str(each)) for each in record.fields.get("property_type", ())}
    if types & IN_BUILDINGS:
        return {"basement"}
    usual = {"yard", "garden"} if record.spans("land_area_sqm") or types & WITH_LAND else set()
    return usual | ({"paddocks"} if "rural" in types else set())


def check_features(
    text: str, mentions: Sequence[Mention], clauses: Clauses, record: Record, masked: list[tuple[int, int]]
) -> Iterator[Said]:
    """A verdict for each feature that the answer states; each feature once for each verdict."""
    known = known_features(record)
    seen: set[tuple[str, str]] = set()
    wrong: list[Said] = []
    index = 0
    for count, mention in enumerate(mentions):
        if count >= MAX_MENTIONS:
            return
        while index < len(masked) and masked[index][1] <= mention.start:
            index += 1
        if index < len(masked) and masked[index][0] < mention.end and mention.start < masked[index][1]:
            continue
        if _is_name(text, mention):
            continue
        said = _judged(clauses.at(mention.start), mention, known)
        if said and _CAR_SPACE.search(text, mention.start, mention.end):
            said = _of_cars(said, record)
        if said is None or (mention.feature, said.verdict) in seen:
            continue
        seen.add((mention.feature, said.verdict))
        if said.verdict == "match":
            yield said
        elif not any(_is_one_thing(said, each, text) for each in wrong[-20:]):
            wrong.append(said)
            yield said


def check_pets(text: str, record: Record) -> Iterator[Said]:
    """What is told of pets in a word or two: "Pets? Yes, with consent", "Pets: sorry, no"."""
    known = known_features(record)
    for match in _PETS_TOLD.finditer(text):
        there = "pets_allowed" in known.there
        if match["yes"]:
            verdict = "match" if there else "mismatch" if known.denies("pets_allowed") else "invented"
        elif there or known.denies("pets_allowed"):
            verdict = "mismatch" if there else "match"
        else:
            return
        held = "yes" if there else "no" if known.denies("pets_allowed") else ""
        yield Said("features", "pets_allowed", *match.span(), verdict, "what the record tells of pets", held)
        return


def _of_cars(said: Said, record: Record) -> Said:
    """A car space where the record counts none is a wrong count of them."""
    cars = record.span("car_spaces")
    none = cars is not None and cars.high == 0 and said.verdict == "mismatch"
    return replace(said, field="car_spaces") if none else said


def _is_one_thing(said: Said, other: Said, text: str) -> bool:
    """Whether two wrong mentions are of one thing by a name and its kind: "a heated lap pool", "the pool"."""
    kinds, others = ({each.key, *lexicon().implies.get(each.key, ())} for each in (said, other))
    if not kinds & others:
        return False
    last, before = (text[each.start : each.end].lower().split()[-1].rstrip("s") for each in (said, other))
    label = text[other.end : said.start].strip(" *_") in (":", "|")
    return last == before or said.start < other.end or label


def _is_name(text: str, mention: Mention) -> bool:
    """Whether a word is the end of a name in a sentence: "500 m from Darwin Waterfront"."""
    name = _NAME_AHEAD.search(text, max(0, mention.start - 60), mention.start)
    if name and _MAKER.search(name.group()):
        return False
    return bool(name) and text[mention.start].isupper() and " " not in text[mention.start : mention.end]


def _judged(clause: Clause, mention: Mention, known: Known) -> Said | None:
    if not is_stated(clause, mention):
        return None
    feature = mention.feature
    denied = is_denied(clause, mention)
    if denied and _TROUBLE.match(clause.after(mention.end, 20)):
        return None
    if feature in known.open:
        return None
    if feature in known.there:
        verdict, rule = ("mismatch", "the record has it") if denied else ("match", "the record has it")
    elif denied:
        if feature not in known.absent:
            return None
        verdict, rule = "match", "the record denies it"
    elif known.denies(feature):
        verdict, rule = "mismatch", "the record denies it"
    elif known.names(clause.after(mention.start, mention.end - mention.start)):
        return None
    else:
        verdict, rule = "invented", "nothing in the record says it"
    held = "yes" if feature in known.there else "no" if known.denies(feature) else ""
    return Said("features", feature, mention.start, mention.end, verdict, rule, held)


def is_stated(clause: Clause, mention: Mention) -> bool:
    """Whether the clause states the feature of this property: no question, wish, chance or unknown."""
    if clause.asked or clause.says_unknown or clause.supposed(mention.start):
        return False
    if clause.possible(mention.start, mention.end) or clause.past(mention.start):
        return False
    if clause.of_another(mention.start, mention.end) or _IN_STREET.match(clause.after(mention.end, 50)):
        return False
    return not _ELSEWHERE.search(clause.before(mention.start, 90))


def is_denied(clause: Clause, mention: Mention) -> bool:
    """Whether the clause says that it is not there: "no pool or spa", "a pool is not included"."""
    if clause.refused or _LACKS.search(clause.before(mention.start, 120)):
        return True
    ahead = _STOP.split(clause.before(mention.start, 90))[-1]
    for match in _NO.finditer(ahead):
        between = ahead[match.end() :]
        if _NO_LACK.match(between):
            continue
        reaches = re.search(r"\b(?:or|nor)\b|,", between) or len(between.split()) <= 5
        if reaches and not _NEW_STATEMENT.search(between):
            return True
        if _LACKS_ALL.match(match.group()) and _LISTS_ON.fullmatch(between):
            return True
    own, behind = clause.after(mention.start, mention.end - mention.start), clause.after(mention.end, 60)
    return bool(_NOT_IN.search(own, 3) or (_NO_AFTER.search(behind) and not _NOT_SO.match(behind)))
