package dev.caisson.engine;

import static dev.caisson.error.ArgumentException.present;

import dev.caisson.error.ArgumentException;
import dev.caisson.text.Quoted;

/// When a container that outlives its command is started again after its end, as Docker's `--restart`.
///
/// @param most with ON_FAILURE, restarts in a row; 0 for any number
public record RestartPolicy(Kind kind, int most) {
    /// Docker's names.
    public enum Kind {
        NO,
        ON_FAILURE,
        UNLESS_STOPPED,
        ALWAYS;

        String word() {
            return name().toLowerCase(java.util.Locale.ROOT).replace('_', '-');
        }
    }

    public static final RestartPolicy NEVER = new RestartPolicy(Kind.NO, 0);

    public RestartPolicy {
        present(kind, "kind");
        if (most < 0 || (most > 0 && kind != Kind.ON_FAILURE)) {
            throw ArgumentException.invalid(
                    "maximum retry count cannot be used with restart policy '" + kind.word() + "': leave it out");
        }
    }

    /// Reads `no`, `always`, `unless-stopped`, `on-failure` or `on-failure:3`.
    public static RestartPolicy parse(String text) {
        int colon = present(text, "text").indexOf(':');
        String word = colon < 0 ? text : text.substring(0, colon);
        for (Kind kind : Kind.values()) {
            if (kind.word().equals(word)) {
                return new RestartPolicy(kind, colon < 0 ? 0 : count(text.substring(colon + 1)));
            }
        }
        throw ArgumentException.invalid("invalid restart policy " + Quoted.inApostrophes(text)
                + ": give no, always, unless-stopped, on-failure or on-failure:COUNT");
    }

    private static int count(String text) {
        if (!text.matches("[0-9]{1,9}")) {
            throw ArgumentException.invalid(
                    "maximum retry count must be an integer, not " + Quoted.inApostrophes(text));
        }
        return Integer.parseInt(text);
    }

    /// Returns what [#parse] reads.
    @Override
    public String toString() {
        return kind.word() + (most == 0 ? "" : ":" + most);
    }
}
