package dev.caisson.secret;

import dev.caisson.linux.Fd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/// Takes values out of output: in place of each, in whatever form it stands, comes `[secret:NAME]`.
///
/// May be used by many threads, a [Stream] by one at a time. Values of fewer than 8 bytes stay, as
/// [ValueMatcher] cannot find them.
public final class Redaction implements AutoCloseable {
    /// Takes what is left of the output.
    @FunctionalInterface
    public interface Taker {
        /// Takes `length` bytes at `from`, which are valid during the call only.
        void take(byte[] bytes, int from, int length) throws IOException;
    }

    private final ValueMatcher matcher;
    private final List<byte[]> words;

    private Redaction(ValueMatcher matcher, List<byte[]> words) {
        this.matcher = matcher;
        this.words = words;
    }

    /// Makes one of values, which may be closed afterwards.
    public static Redaction of(Map<SecretName, SecretValue> values) {
        return of(List.copyOf(values.entrySet()));
    }

    /// Makes one of values of which several may be of one secret, as a former one is.
    public static Redaction of(List<Map.Entry<SecretName, SecretValue>> all) {
        return new Redaction(
                ValueMatcher.of(all.stream().map(Map.Entry::getValue).toList()),
                all.stream()
                        .map(entry -> ("[secret:" + entry.getKey() + "]").getBytes(StandardCharsets.US_ASCII))
                        .toList());
    }

    /// True if there is nothing to take out.
    public boolean isEmpty() {
        return matcher.isEmpty();
    }

    /// Returns memory with what a container's monitor needs to do the same, which is the caller's to close.
    @SuppressWarnings("exports") // for Caisson's own modules
    public Fd table() {
        return RedactionTable.of(matcher, words);
    }

    /// Begins a stream of output.
    public Stream stream() {
        return new Stream();
    }

    /// Goes on with a stream of a redaction that this one takes the place of: what it holds waits here.
    public Stream goOn(Stream former) {
        Stream next = stream();
        next.hold(former.held, 0, former.count);
        next.covered = former.covered;
        Arrays.fill(former.held, (byte) 0);
        former.count = 0;
        return next;
    }

    /// Returns a text without the values.
    public String redact(String text) {
        var out = new ByteArrayOutputStream();
        try {
            Stream stream = stream();
            byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
            stream.take(bytes, bytes.length, out::write);
            stream.end(out::write);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        return out.toString(StandardCharsets.UTF_8);
    }

    /// A stream of output. Bytes that may begin a value wait for what comes next.
    public final class Stream {
        private byte[] held = new byte[0];
        private int count;
        /// Bytes at the start of what is held that are part of a value already.
        private int covered;
        /// The value in whose place a word was given last, if nothing came since; else -1.
        private int current = -1;

        private int[] hits = new int[3 * 16];
        private int found;

        private Stream() {}

        /// Takes the first `length` bytes and passes on what is no value.
        public void take(byte[] bytes, int length, Taker out) throws IOException {
            found = 0;
            if (count == 0) {
                int hold = matcher.search(bytes, 0, length, this::hit);
                pass(bytes, length, hold, out);
                return;
            }
            byte[] all = Arrays.copyOf(held, count + length);
            System.arraycopy(bytes, 0, all, count, length);
            pass(all, all.length, matcher.search(all, 0, all.length, this::hit), out);
            Arrays.fill(all, (byte) 0);
        }

        /// Passes on what is held, as nothing comes any more.
        public void end(Taker out) throws IOException {
            found = 0;
            int _ = matcher.search(held, 0, count, this::hit);
            pass(held, count, count, out);
            Arrays.fill(held, (byte) 0);
        }

        private void hit(int value, ValueForm form, int from, int to) {
            if (found + 3 > hits.length) {
                hits = Arrays.copyOf(hits, 2 * hits.length);
            }
            hits[found++] = value;
            hits[found++] = from;
            hits[found++] = to;
        }

        /// Passes on what stands before `hold`, and holds the rest. Places that overlap, and those of one
        /// value that touch, are one.
        private void pass(byte[] bytes, int length, int hold, Taker out) throws IOException {
            int end = covered;
            for (int i = 0; i < found; i += 3) {
                int value = hits[i];
                int from = hits[i + 1];
                if (from >= hold) {
                    break; // found again with what comes next
                }
                if (from > end) {
                    out.take(bytes, end, from - end);
                }
                if (from > end || (from == end && value != current)) {
                    out.take(words.get(value), 0, words.get(value).length);
                    current = value;
                }
                end = Math.max(end, hits[i + 2]);
            }
            if (end < hold) {
                out.take(bytes, end, hold - end);
                current = -1;
            }
            covered = Math.max(0, end - hold);
            hold(bytes, hold, length - hold);
        }

        private void hold(byte[] bytes, int from, int length) {
            if (length > held.length) {
                byte[] larger = new byte[Math.max(length, 2 * held.length)];
                System.arraycopy(bytes, from, larger, 0, length);
                Arrays.fill(held, (byte) 0);
                held = larger;
            } else {
                System.arraycopy(bytes, from, held, 0, length);
            }
            count = length;
        }
    }

    /// Clears the values; no stream is used any more.
    @Override
    public void close() {
        matcher.close();
    }

    @Override
    public String toString() {
        return "Redaction of " + words.size() + " values";
    }
}
