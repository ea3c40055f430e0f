"""Which masks the decoder lets compete and how much better evidence a foreign one needs."""

FOREIGN = -3.0
"""Log prior of a neighbouring country's format. A truncated plate looks like a shorter mask, hence the doubled ones."""

SINGLE_MASKS = {
    "LLNNNLL": 0.0, "LLLNNN": 0.0, "LLLNLNN": FOREIGN, "LLLNNNN": FOREIGN, "LLLLNNN": FOREIGN, "CCCCNN": FOREIGN,
    "LLNNNN": FOREIGN, "NNNNLLL": FOREIGN, "LLLNN": 2 * FOREIGN, "LNNNNNN": 2 * FOREIGN, "LNNNNNNN": 2 * FOREIGN,
}
"""One row: cars of the region, machinery, and the plates from before 1995."""

STACKED_MASKS = {"LNNNLLL": 0.0, "NNNLLL": 0.0, "LLLNLNN": FOREIGN, "LLLNNNN": FOREIGN, "NNNLLLL": FOREIGN}
"""Two rows: motorcycles."""

PRIORS = {mask: max(SINGLE_MASKS.get(mask, -99.0), STACKED_MASKS.get(mask, -99.0))
          for mask in {**SINGLE_MASKS, **STACKED_MASKS}}
