package dev.caisson.scan;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Scans bytes for secrets. May be used by many threads.
///
/// A stream of any length is read in windows that overlap by more than the longest secret, in constant memory.
public final class LeakScanner {
    private static final int WINDOW = 1 << 20;
    private static final int SMALL = 64 * 1024;

    private final RuleSet rules;
    private final Instant now;

    /// @param now the time at which tokens have expired or not
    public LeakScanner(RuleSet rules, Instant now) {
        this.rules = rules;
        this.now = now;
    }

    /// Returns the rules that it looks for.
    public RuleSet rules() {
        return rules;
    }

    /// Scans a text, such as the value of a variable.
    public List<Leak> scan(String source, String text) {
        List<Leak> leaks = new ArrayList<>();
        try {
            scan(source, new ByteArrayInputStream(text.getBytes(StandardCharsets.UTF_8)), new ScanSink() {
                @Override
                public void found(Leak leak) {
                    leaks.add(leak);
                }

                @Override
                public void skipped(String skippedSource, String why) {
                    // a rule that is too slow for a text has found what it could
                }
            });
        } catch (IOException e) {
            throw new IllegalStateException("bytes in memory can be read", e);
        }
        return leaks;
    }

    /// Scans a stream to its end, which stays open.
    /// @param source the name for places
    public void scan(String source, InputStream in, ScanSink sink) throws IOException {
        new Reader().scan(source, in, sink);
    }

    /// Returns a reader for one thread that scans many streams.
    Reader reader() {
        return new Reader();
    }

    /// Reads streams one after the other into one buffer.
    final class Reader {
        private final Search search = new Search(rules, now);
        private byte[] buffer = new byte[SMALL];

        void scan(String source, InputStream in, ScanSink sink) throws IOException {
            if (rules.allowances().stream().anyMatch(allowance -> !allowance.all() && allowance.allowsPath(source))) {
                return;
            }
            search.begin();
            var lines = new Lines();
            int length = 0;
            int from = 0;
            boolean last = false;
            while (!last) {
                int read = fill(in, length);
                last = read < buffer.length;
                length = read;
                int to = last ? length : length - Search.LONGEST;
                search.search(new Passage(source, buffer, length, from, to, lines, Optional.empty()), sink);
                if (!last) {
                    int dropped = Math.max(0, to - Search.LONGEST);
                    lines.dropped(buffer, dropped);
                    System.arraycopy(buffer, dropped, buffer, 0, length - dropped);
                    length -= dropped;
                    from = to - dropped;
                }
            }
            Arrays.fill(buffer, 0, length, (byte) 0);
        }

        /// Fills the buffer from `length` on, and lets it grow to a whole window.
        /// @return how much is in it; less than it takes only at the stream's end
        private int fill(InputStream in, int length) throws IOException {
            int filled = length + in.readNBytes(buffer, length, buffer.length - length);
            while (filled == buffer.length && buffer.length < WINDOW) {
                buffer = Arrays.copyOf(buffer, Math.min(WINDOW, buffer.length * 4));
                filled += in.readNBytes(buffer, filled, buffer.length - filled);
            }
            return filled;
        }
    }
}
