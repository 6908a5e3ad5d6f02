package dev.caisson.gate;

import dev.caisson.secret.ValueMatcher;
import java.util.ArrayDeque;
import java.util.Deque;

/// Finds the values that no answer may have. One matcher serves an answer to its end, so a few that were replaced stay.
final class AnswerValues implements AutoCloseable {
    private static final int RETAINED = 4;

    private final Deque<ValueMatcher> newestFirst = new ArrayDeque<>();

    AnswerValues(ValueMatcher first) {
        newestFirst.addFirst(first);
    }

    synchronized ValueMatcher now() {
        return newestFirst.getFirst();
    }

    synchronized void replace(ValueMatcher next) {
        newestFirst.addFirst(next);
        if (newestFirst.size() > RETAINED) {
            newestFirst.removeLast().close();
        }
    }

    @Override
    public synchronized void close() {
        newestFirst.forEach(ValueMatcher::close);
    }
}
