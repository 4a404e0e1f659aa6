"""The ledger of the papers' claims: each with its own test, and the verdict of our numbers."""

from paperlib import lazily
from paperlib.claims.costs import Need, costs, need
from paperlib.claims.facts import TITLES, Claim, claim, in_short, known, parse, printed
from paperlib.claims.judging import Effects, Rows, by_seed, cannot, judge
from paperlib.claims.ledger import counts, recorded
from paperlib.claims.rule import OPEN, VERDICTS, Part, combined
from paperlib.claims.verdicts import Effect, Verdict, table

__getattr__, __dir__ = lazily(__name__)
