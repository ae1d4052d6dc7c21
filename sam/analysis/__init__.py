"""What reviewers run: DigiTally's first protocol, attacks on it and on ours, the entropy audit."""
