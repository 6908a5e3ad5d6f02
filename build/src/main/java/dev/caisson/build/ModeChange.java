package dev.caisson.build;

import java.util.Optional;

/// New permission bits of what is copied, as `--chmod` gives them.
///
/// @param bits permission bits, 0 to 07777
record ModeChange(int bits) {
    private static final int LARGEST = 07777;
    private static final int OCTAL = 8;

    /// Reads an octal number; empty for anything else.
    static Optional<ModeChange> parse(String text) {
        if (!text.matches("[0-7]{1,5}")) {
            return Optional.empty();
        }
        int bits = Integer.parseInt(text, OCTAL);
        return bits > LARGEST ? Optional.empty() : Optional.of(new ModeChange(bits));
    }
}
