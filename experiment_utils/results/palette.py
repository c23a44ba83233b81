"""How lines look in every picture, on a page or in a file: colours, dashes, and what axes are called."""

# Distinct to colour-blind eyes (Okabe and Ito 2008), the pale yellow left out; a second round is dashed.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#444444")
DASHES = ("-", "--", ":", "-.")
AXIS_LABELS = {"env_steps": "environment steps", "updates": "updates", "epoch": "epochs"}
