package dev.caisson.containerfile.dockerfile;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.IntPredicate;

/// A pattern with wildcards. It reads a text from left to right and keeps every part of the pattern that may come next,
/// so that the time is at most the length of the text times that of the pattern, whatever both are. A regular
/// expression would try every way to share the text out among the stars.
public final class Wildcards {
    private enum Kind {
        /// One character.
        ONE,
        /// Any number of characters.
        MANY,
        /// Any number of directories, of which none has begun; the next part is INSIDE.
        DIRECTORIES,
        /// A directory up to its slash.
        INSIDE
    }

    private record Part(Kind kind, IntPredicate takes) {}

    /// A piece of a text that a pattern fits.
    ///
    /// @param end behind its last character
    public record Found(int start, int end) {}

    private final Part[] parts;

    private Wildcards(List<Part> parts) {
        this.parts = parts.toArray(Part[]::new);
    }

    /// Puts a pattern together, from left to right.
    public static final class Builder {
        private final List<Part> parts = new ArrayList<>();

        /// Adds a character.
        public Builder literal(int character) {
            return one(c -> c == character);
        }

        /// Adds one out of some characters.
        public Builder one(IntPredicate takes) {
            parts.add(new Part(Kind.ONE, takes));
            return this;
        }

        /// Adds any one character.
        public Builder one() {
            return one(Wildcards::isAny);
        }

        /// Adds any number of some characters.
        public Builder many(IntPredicate takes) {
            parts.add(new Part(Kind.MANY, takes));
            return this;
        }

        /// Adds any number of any characters.
        public Builder many() {
            return many(Wildcards::isAny);
        }

        /// Adds any number of directories, each with the slash behind it.
        public Builder directories() {
            parts.add(new Part(Kind.DIRECTORIES, Wildcards::isAny));
            parts.add(new Part(Kind.INSIDE, Wildcards::isAny));
            return this;
        }

        /// Returns the pattern.
        public Wildcards build() {
            return new Wildcards(parts);
        }
    }

    /// Returns the characters of a class, whose text is `a-z` or `^a-z`.
    public static IntPredicate characters(String text) {
        int[] all = text.codePoints().toArray();
        boolean negated = all.length > 0 && all[0] == '^';
        var ranges = new ArrayList<int[]>();
        for (int at = negated ? 1 : 0; at < all.length; at++) {
            boolean isRange = at + 2 < all.length && all[at + 1] == '-' && all[at] <= all[at + 2];
            ranges.add(new int[] {all[at], isRange ? all[at + 2] : all[at]});
            at += isRange ? 2 : 0;
        }
        return c -> negated != ranges.stream().anyMatch(range -> range[0] <= c && c <= range[1]);
    }

    /// Returns true if the pattern fits the whole text.
    public boolean matches(String text) {
        return read(text, 0, false, (_, end) -> end == text.length());
    }

    /// Returns true if the pattern fits a path, or a directory above it.
    public boolean matchesOrAbove(String path) {
        return read(path, 0, false, (_, end) -> end == path.length() || (end > 0 && path.charAt(end) == '/'));
    }

    /// Returns how long the shortest, or the longest, beginning is that the pattern fits; -1 if it fits none.
    public int beginning(String text, boolean longest) {
        var found = new int[] {-1};
        boolean _ = read(text, 0, false, (_, end) -> {
            found[0] = end;
            return !longest;
        });
        return found[0];
    }

    /// Finds the first place from `from` on that the pattern fits, and there the longest.
    public Optional<Found> find(String text, int from) {
        var found = new int[] {Integer.MAX_VALUE, 0};
        boolean _ = read(text, from, true, (start, end) -> {
            if (start <= found[0]) {
                found[0] = start;
                found[1] = end;
            }
            return false;
        });
        return found[0] == Integer.MAX_VALUE ? Optional.empty() : Optional.of(new Found(found[0], found[1]));
    }

    private static boolean isAny(int character) {
        return true;
    }

    private interface Ends {
        /// Returns true if nothing further is looked for.
        boolean end(int start, int end);
    }

    /// @param anywhere whether the pattern may begin behind `from` too
    private boolean read(String text, int from, boolean anywhere, Ends ends) {
        var now = new Places(parts);
        var next = new Places(parts);
        now.add(0, from);
        boolean isFound = false;
        for (int at = from; ; ) {
            int start = now.start(parts.length);
            if (start >= 0) {
                isFound = true;
                if (ends.end(start, at)) {
                    return true;
                }
            }
            if (at == text.length() || now.isEmpty()) {
                return false;
            }
            int c = text.codePointAt(at);
            at += Character.charCount(c);
            now.step(c, next);
            if (anywhere && !isFound) {
                next.add(0, at);
            }
            Places read = now;
            now = next;
            next = read;
            next.clear();
        }
    }

    /// The parts that may come next, each with the first place at which the pattern may have begun for it.
    private static final class Places {
        private final Part[] parts;
        private final int[] list;
        private final int[] starts;
        private int count;

        Places(Part[] parts) {
            this.parts = parts;
            this.list = new int[parts.length + 1];
            this.starts = new int[parts.length + 1];
            Arrays.fill(starts, -1);
        }

        boolean isEmpty() {
            return count == 0;
        }

        /// Returns the place for a part; -1 if it cannot come next.
        int start(int part) {
            return starts[part];
        }

        /// Adds a part, and those that may come in its place as it may take nothing.
        void add(int first, int start) {
            for (int part = first; ; ) {
                if (starts[part] < 0) {
                    list[count++] = part;
                } else if (starts[part] <= start) {
                    return;
                }
                starts[part] = start;
                Kind kind = part == parts.length ? Kind.ONE : parts[part].kind();
                switch (kind) {
                    case MANY -> part++;
                    case DIRECTORIES -> part += 2;
                    case ONE, INSIDE -> {
                        return;
                    }
                }
            }
        }

        void step(int c, Places next) {
            for (int i = 0; i < count; i++) {
                int part = list[i];
                if (part == parts.length || !parts[part].takes().test(c)) {
                    continue;
                }
                int start = starts[part];
                switch (parts[part].kind()) {
                    case ONE -> next.add(part + 1, start);
                    case MANY -> next.add(part, start);
                    case DIRECTORIES -> directory(part + 1, c, start, next);
                    case INSIDE -> directory(part, c, start, next);
                }
            }
        }

        private static void directory(int inside, int c, int start, Places next) {
            next.add(inside, start);
            if (c == '/') {
                next.add(inside + 1, start);
            }
        }

        void clear() {
            for (int i = 0; i < count; i++) {
                starts[list[i]] = -1;
            }
            count = 0;
        }
    }
}
