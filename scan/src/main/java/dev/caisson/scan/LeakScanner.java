package dev.caisson.scan;

import dev.caisson.scan.match.Placeholders;
import dev.caisson.scan.unpack.Archive;
import dev.caisson.scan.unpack.Budget;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.SequenceInputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.BinaryOperator;
import org.jspecify.annotations.Nullable;

/// Scans bytes for secrets. May be used by many threads.
///
/// A stream of any length is read in windows that overlap by more than the longest secret, in constant
/// memory. Archives are unpacked, also in one another, to a multiple of their size.
public final class LeakScanner {
    private static final int WINDOW = 1 << 20;
    private static final int SMALL = 64 * 1024;

    private static final ScanSink NOBODY = new ScanSink() {
        @Override
        public void found(Leak leak) {
            // the text is what is asked for
        }

        @Override
        public void skipped(String source, String why) {
            // a rule that is too slow for a text has found what it could
        }
    };

    private final RuleSet rules;
    private final Instant now;
    private final KnownValues known;

    /// @param now the time at which tokens have expired or not
    public LeakScanner(RuleSet rules, Instant now) {
        this(rules, now, KnownValues.NONE);
    }

    /// @param known values that are reported wherever they stand
    public LeakScanner(RuleSet rules, Instant now, KnownValues known) {
        this.rules = rules;
        this.now = now;
        this.known = known;
    }

    /// Returns the rules that it looks for.
    public RuleSet rules() {
        return rules;
    }

    /// Scans a text, such as the value of a variable.
    public List<Leak> scan(String source, String text) {
        List<Leak> leaks = new ArrayList<>();
        var sink = new ScanSink() {
            @Override
            public void found(Leak leak) {
                leaks.add(leak);
            }

            @Override
            public void skipped(String skippedSource, String why) {
                // a rule that is too slow for a text has found what it could
            }
        };
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        new Reader(Math.min(SMALL, bytes.length + 1)).scan(source, new ByteArrayInputStream(bytes), sink);
        return leaks;
    }

    /// Scans a variable, a label or another value with a name of its own: one that is called like a
    /// secret is one, if its value is neither a switch nor a reference nor a placeholder.
    public List<Leak> scan(String source, String name, String value) {
        List<Leak> leaks = scan(source, name + "=\"" + value.replace('"', '\'') + "\"");
        boolean secret = SecretNames.isSecretName(name.replace('-', '_').replace('.', '_'))
                && SecretNames.isSecretValue(value)
                && !Placeholders.isPlaceholder(value);
        return leaks.isEmpty() && secret
                ? List.of(new Leak(
                        RuleSet.ASSIGNED,
                        new Place(source, 1, 1, List.of()),
                        Masks.masked(value),
                        Confidence.POSSIBLE,
                        "it has a value and is called " + name,
                        "",
                        "",
                        ""))
                : leaks;
    }

    /// Returns a text with something else in the place of each secret that has a form; decodes nothing.
    /// @param other takes what the secret is, a noun phrase, and itself
    public String replaced(String text, BinaryOperator<String> other) {
        var bytes = new byte[text.length()];
        for (int at = 0; at < bytes.length; at++) {
            bytes[at] = (byte) (text.charAt(at) < 0x100 ? text.charAt(at) : '?');
        }
        var passage = new Passage("", bytes, bytes.length, 0, bytes.length, new Lines());
        var replaced = new StringBuilder();
        int from = 0;
        for (Candidate found : new Search(rules, now, known).direct(passage, NOBODY)) {
            if (!found.named() && found.from() >= from) {
                replaced.append(text, from, found.from())
                        .append(other.apply(found.rule().title(), text.substring(found.from(), found.to())));
                from = found.to();
            }
        }
        return replaced.append(text, from, text.length()).toString();
    }

    /// Scans a stream to its end, which stays open. A stream that cannot be read is reported to the sink.
    /// @param source the name for places
    public void scan(String source, InputStream in, ScanSink sink) {
        new Reader(SMALL).scan(source, in, sink);
    }

    /// Returns a reader for one thread that scans many streams.
    Reader reader() {
        return new Reader(SMALL);
    }

    /// Reads streams one after the other into one buffer.
    final class Reader {
        private final Search search = new Search(rules, now, known);
        private byte[] buffer;
        /// How much of the buffer's start may hold something.
        private int used;
        private @Nullable Reader inner;

        private Reader(int size) {
            buffer = new byte[size];
        }

        void scan(String source, InputStream in, ScanSink sink) {
            var budget = new Budget();
            try {
                read(source, budget.packed(in), budget, sink);
            } catch (IOException e) {
                sink.skipped(source, reason(e));
            }
        }

        private void read(String source, InputStream in, Budget budget, ScanSink sink) throws IOException {
            if (rules.allowances().stream().anyMatch(allowance -> allowance.leavesOut(source))) {
                return;
            }
            int length = fillOnce(in, 0);
            Optional<Archive> archive = Archive.of(buffer, length);
            try {
                if (archive.isPresent()) {
                    var start = new ByteArrayInputStream(Arrays.copyOf(buffer, length));
                    unpack(source, archive.get(), new SequenceInputStream(start, in), budget, sink);
                } else {
                    windows(source, length, in, sink);
                }
            } finally {
                clear();
            }
        }

        /// Fills the buffer from `length` on.
        private int fillOnce(InputStream in, int length) throws IOException {
            int before = used;
            used = buffer.length; // what a stream leaves that throws
            int filled = length + in.readNBytes(buffer, length, buffer.length - length);
            used = Math.max(before, filled);
            return filled;
        }

        /// Clears what was read. A buffer that a large file made large is not cleared whole after each small one.
        private void clear() {
            Arrays.fill(buffer, 0, used, (byte) 0);
            used = 0;
        }

        private void unpack(String source, Archive archive, InputStream in, Budget budget, ScanSink sink)
                throws IOException {
            Reader below = inner == null ? new Reader(SMALL) : inner;
            inner = below;
            try {
                budget.enter();
                archive.read(
                        in,
                        (name, content) -> below.read(
                                name.isEmpty() ? source : source + "!/" + name,
                                budget.unpacked(content),
                                budget,
                                sink));
                budget.leave();
            } catch (IOException | IllegalArgumentException e) {
                if (e instanceof IOException failure && Budget.isExceeded(failure)) {
                    throw failure;
                }
                sink.skipped(source, reason(e));
            }
        }

        private void windows(String source, int start, InputStream in, ScanSink sink) throws IOException {
            search.begin();
            var lines = new Lines();
            int length = start;
            int from = 0;
            boolean last = false;
            while (!last) {
                length = fill(in, length);
                last = length < buffer.length;
                int to = last ? length : length - Search.LONGEST;
                search.search(new Passage(source, buffer, length, from, to, lines), sink);
                if (search.isFull()) {
                    sink.skipped(source, "not read to its end: it has too many findings");
                    return;
                }
                if (!last) {
                    int dropped = to - Search.LONGEST;
                    lines.dropped(buffer, dropped);
                    System.arraycopy(buffer, dropped, buffer, 0, length - dropped);
                    length -= dropped;
                    from = to - dropped;
                }
            }
        }

        /// Fills the buffer from `length` on, and lets it grow to a whole window.
        /// @return how much is in it; less than it takes only at the stream's end
        private int fill(InputStream in, int length) throws IOException {
            int filled = fillOnce(in, length);
            while (filled == buffer.length && buffer.length < WINDOW) {
                byte[] smaller = buffer;
                buffer = Arrays.copyOf(smaller, Math.min(WINDOW, smaller.length * 4));
                Arrays.fill(smaller, (byte) 0);
                filled = fillOnce(in, filled);
            }
            return filled;
        }

        private static String reason(Exception failure) {
            String message = failure.getMessage();
            return "not read to its end: "
                    + (message == null || message.isBlank() ? failure.getClass().getSimpleName() : message);
        }
    }
}
