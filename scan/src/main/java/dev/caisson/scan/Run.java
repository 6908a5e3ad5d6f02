package dev.caisson.scan;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// A run of characters of one class that every match of an expression has. A run of `least` bytes covers a byte at a
/// multiple of that, so that few bytes tell that there is none.
@SuppressWarnings("ArrayRecordComponent") // nobody compares them
record Run(boolean[] bytes, int least) {
    private static final int SHORTEST = 10;
    /// A class of more characters is in any text.
    private static final int MOST_CHARACTERS = 100;
    private static final Pattern LOOK = Pattern.compile("\\?<?[=!]");
    private static final Pattern REPEAT = Pattern.compile("\\{(\\d{1,4})(?:,\\d{0,4})?\\}");

    /// Returns the longest run that an expression in Java's syntax asks for; empty if there is none that stands
    /// outside of alternatives and of what may be left out.
    static Optional<Run> of(String expression) {
        return new Reader(expression).longest();
    }

    /// True if such a run stands between two offsets.
    boolean isWithin(byte[] text, int from, int to) {
        int least = this.least;
        int at = from + least - 1;
        while (at < to) {
            if (!bytes[text[at] & 0xff]) {
                at += least;
                continue;
            }
            int start = at;
            while (start > from && bytes[text[start - 1] & 0xff]) {
                start--;
            }
            int end = at + 1;
            while (end < to && end - start < least && bytes[text[end] & 0xff]) {
                end++;
            }
            if (end - start >= least) {
                return true;
            }
            at = end + least;
        }
        return false;
    }

    /// A group of an expression, and the run of characters that it repeats.
    private static final class Group {
        private @Nullable String repeated;
        private int least = SHORTEST - 1;
        private boolean alternatives;

        private void add(@Nullable String other, int times) {
            if (times > least && other != null) {
                repeated = other;
                least = times;
            }
        }
    }

    private static final class Reader {
        private final String expression;
        private final Deque<Group> outer = new ArrayDeque<>();
        private Group group = new Group();
        private int at;

        private Reader(String expression) {
            this.expression = expression;
        }

        private Optional<Run> longest() {
            while (at < expression.length()) {
                part();
            }
            return group.alternatives
                    ? Optional.empty()
                    : Optional.ofNullable(group.repeated).flatMap(this::run);
        }

        private void part() {
            int from = at;
            switch (expression.charAt(at++)) {
                case '\\' -> at++;
                case '[' -> {
                    classEnd();
                    String one = expression.substring(from, at);
                    group.add(one, times());
                }
                case '(' -> {
                    outer.push(group);
                    group = new Group();
                    // a look around, of which nothing is in the match
                    group.alternatives = LOOK.matcher(expression)
                            .region(at, expression.length())
                            .lookingAt();
                }
                case ')' -> close();
                case '|' -> group.alternatives = true;
                default -> {
                    // a character, or how often the one before it is repeated
                }
            }
        }

        private void classEnd() {
            while (at < expression.length() && expression.charAt(at) != ']') {
                at += expression.charAt(at) == '\\' ? 2 : 1;
            }
            at++;
        }

        private void close() {
            Group inner = group;
            group = outer.isEmpty() ? new Group() : outer.pop();
            boolean optional = at < expression.length() && "?*".indexOf(expression.charAt(at)) >= 0;
            if (!optional && !inner.alternatives && times() > 0) {
                group.add(inner.repeated, inner.least);
            }
        }

        /// Returns how often what was read last is repeated at least.
        private int times() {
            Matcher repeat = REPEAT.matcher(expression).region(Math.min(at, expression.length()), expression.length());
            return repeat.lookingAt() ? Integer.parseInt(repeat.group(1)) : 1;
        }

        private Optional<Run> run(String repeated) {
            // more characters than the expression means are no harm
            Pattern one = Pattern.compile(repeated, expression.contains("(?i") ? Pattern.CASE_INSENSITIVE : 0);
            var bytes = new boolean[256];
            int count = 0;
            for (int c = 0; c < bytes.length; c++) {
                bytes[c] = one.matcher(String.valueOf((char) c)).matches();
                count += bytes[c] ? 1 : 0;
            }
            return count > 0 && count <= MOST_CHARACTERS ? Optional.of(new Run(bytes, group.least)) : Optional.empty();
        }
    }
}
