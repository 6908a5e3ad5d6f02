package dev.caisson.network.names;

import java.io.Serial;

/// A message that is not one of DNS, or one of a kind that nobody here answers.
final class MalformedMessage extends Exception {
    @Serial
    private static final long serialVersionUID = 1L;

    private final int answer;

    /// @param answer the response code that says so
    MalformedMessage(int answer, String reason) {
        super(reason, null, false, false);
        this.answer = answer;
    }

    int answer() {
        return answer;
    }
}
