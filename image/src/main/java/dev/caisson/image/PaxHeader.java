package dev.caisson.image;

import dev.caisson.image.TarEntry.Segment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/// An extended header of POSIX.1-2001: records `LENGTH KEY=VALUE\n` that override fields of the header after it. Values
/// are kept as bytes, since those of extended attributes are no text.
final class PaxHeader {
    private static final String ATTRIBUTE = "SCHILY.xattr.";

    private final Map<String, byte[]> values = new LinkedHashMap<>();
    /// GNU sparse format 0.0 repeats two keys: here their values in order.
    private final List<Long> repeated = new ArrayList<>();

    static PaxHeader none() {
        return new PaxHeader(new byte[0]);
    }

    PaxHeader(byte[] records) {
        for (int at = 0; at < records.length; ) {
            int blank = at;
            while (blank < records.length && records[blank] != ' ') {
                blank++;
            }
            long length = decimal(Arrays.copyOfRange(records, at, blank));
            // The shortest record is "5 a=\n".
            if (length < 5 || length > records.length - at || records[at + (int) length - 1] != '\n') {
                throw TarFields.bad("an extended header with a wrong length");
            }
            int end = at + (int) length;
            put(Arrays.copyOfRange(records, blank + 1, end - 1));
            at = end;
        }
    }

    private void put(byte[] record) {
        int equals = 0;
        while (equals < record.length && record[equals] != '=') {
            equals++;
        }
        if (equals == 0 || equals == record.length) {
            throw TarFields.bad("an extended header without a key");
        }
        String key = TarFields.text(Arrays.copyOf(record, equals));
        byte[] value = Arrays.copyOfRange(record, equals + 1, record.length);
        if (key.equals("GNU.sparse.offset") || key.equals("GNU.sparse.numbytes")) {
            boolean even = key.equals("GNU.sparse.offset");
            if (even != (repeated.size() % 2 == 0)) {
                throw TarFields.bad("a sparse map in disorder");
            }
            repeated.add(decimal(value));
        } else {
            values.put(key, value);
        }
    }

    /// The value as text; nothing where the header has none or takes it back by an empty one.
    Optional<String> text(String key) {
        byte[] value = values.get(key);
        return value == null || value.length == 0 ? Optional.empty() : Optional.of(TarFields.text(value));
    }

    Optional<Long> number(String key) {
        byte[] value = values.get(key);
        return value == null || value.length == 0 ? Optional.empty() : Optional.of(decimal(value));
    }

    boolean has(String key) {
        return values.containsKey(key);
    }

    Map<String, byte[]> attributes() {
        var attributes = new LinkedHashMap<String, byte[]>();
        values.forEach((key, value) -> {
            if (key.startsWith(ATTRIBUTE) && key.length() > ATTRIBUTE.length()) {
                attributes.put(key.substring(ATTRIBUTE.length()), value);
            }
        });
        return attributes;
    }

    /// The segments that GNU tar's sparse formats 0.0 and 0.1 keep in the header; nothing for another file.
    Optional<List<Segment>> sparseSegments() {
        List<Long> numbers = new ArrayList<>(repeated);
        if (has("GNU.sparse.map")) {
            numbers.clear();
            for (String number : text("GNU.sparse.map").orElse("").split(",", -1)) {
                numbers.add(decimal(number.getBytes(StandardCharsets.UTF_8)));
            }
        } else if (repeated.isEmpty() && !has("GNU.sparse.numblocks")) {
            return Optional.empty();
        }
        if (numbers.size() % 2 != 0) {
            throw TarFields.bad("a sparse map with an odd number of numbers");
        }
        var segments = new ArrayList<Segment>();
        for (int i = 0; i < numbers.size(); i += 2) {
            segments.add(new Segment(numbers.get(i), numbers.get(i + 1)));
        }
        return Optional.of(segments);
    }

    /// Seconds and nanoseconds of `mtime`, a decimal fraction that may be negative.
    Optional<long[]> modified() {
        return text("mtime").map(text -> {
            var parts = java.util.regex.Pattern.compile("(-?)([0-9]{1,12})(?:\\.([0-9]{0,40}))?")
                    .matcher(text);
            if (!parts.matches()) {
                throw TarFields.bad("a time that is no number");
            }
            long seconds = Long.parseLong(parts.group(2));
            String fraction = parts.group(3) == null ? "" : parts.group(3);
            long nanos = Long.parseLong((fraction + "000000000").substring(0, 9));
            if (parts.group(1).isEmpty()) {
                return new long[] {seconds, nanos};
            }
            return nanos == 0 ? new long[] {-seconds, 0} : new long[] {-seconds - 1, 1_000_000_000 - nanos};
        });
    }

    static long decimal(byte[] digits) {
        if (digits.length == 0 || digits.length > 18) {
            throw TarFields.bad("an extended header with a number that is missing or too long");
        }
        long value = 0;
        for (byte digit : digits) {
            if (digit < '0' || digit > '9') {
                throw TarFields.bad("an extended header with a number that is none");
            }
            value = value * 10 + (digit - '0');
        }
        return value;
    }
}
