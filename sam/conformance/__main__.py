"""`python -m dtns.sam.conformance`: our own handset behind the door, for `dtns conformance`."""

from __future__ import annotations

import json
import sys

from dtns.sam.conformance.player import Line, Player


def answered(player: Player, message: Line) -> tuple[Player, Line]:
    """Return the player to go on with, and what it says to a message of the door."""
    match message["do"]:
        case "story":
            return Player(message["sims"]), {}
        case "power-cycle":
            player.power_cycle()
            return player, {}
        case _:
            return player, player.play(message)


def main() -> None:
    """Answer each line of standard input with a line, until it ends."""
    player = Player([])
    for text in sys.stdin:
        player, answer = answered(player, json.loads(text))
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
