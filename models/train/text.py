"""What is done to a text before it is cut into tokens: emoji become words, links become one word.

The vocabulary has no emoji. `src/signals/encode.rs` does the same, from the table that `model.json` carries.
"""

import json
import re
from pathlib import Path

EMOJI = json.loads((Path(__file__).parent / "emoji.json").read_text())
LINK = re.compile(r"https?://\S+|\[link\]")
# Other pictographs, and the joiners and selectors that belong to one.
OTHER = re.compile("[\U0001F1E6-\U0001FAFF\u2600-\u27BF]")
DROPPED = re.compile("[\u200d\ufe0e\ufe0f\U0001F3FB-\U0001F3FF]")
MAX_CHARS = 4000


def plain(text):
    if len(text.encode()) > 2 * MAX_CHARS:
        raw = text.encode()
        text = raw[:MAX_CHARS].decode(errors="ignore") + " " + raw[-MAX_CHARS:].decode(errors="ignore")
    text = DROPPED.sub("", LINK.sub(" link ", text))
    return OTHER.sub(lambda m: f" {EMOJI.get(m[0], 'emoji')} ", text)
