package dev.caisson.secret;

import dev.caisson.linux.Fd;
import dev.caisson.linux.FileContent;
import dev.caisson.linux.FileSystem;
import dev.caisson.text.Json;
import dev.caisson.text.MalformedJsonException;
import io.avaje.json.mapper.JsonMapper;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import javax.crypto.Mac;
import org.jspecify.annotations.Nullable;

/// The log of accesses: a line of JSON each, whose MAC covers the MAC of the line before, so that no line
/// can be changed, left out or put in. Two files of bounded size are retained. Used under the store's
/// lock alone.
final class AccessLog implements AutoCloseable {
    /// The end of a log, which the index remembers: what was written up to there cannot be cut off.
    record End(long sequence, String mac) {
        static final End NONE = new End(0, "0".repeat(DIGITS));
    }

    static final String NAME = "access.log";
    static final String OLDER = "access.log.1";
    /// A full file becomes the older one, and the older one is removed.
    static final int MOST_BYTES = 4 << 20;
    private static final int DIGITS = 64;
    private static final String MAC_FIELD = ",\"mac\":\"";
    private static final int MAC_TAIL = MAC_FIELD.length() + DIGITS + 2;
    private static final int LONGEST_LINE = 4096;
    private static final int LONGEST_USER = 200;
    private static final JsonMapper JSON = JsonMapper.builder().build();

    private final StoreDirectory directory;
    private final byte[] key;
    private boolean unsynchronized;
    /// The line that was checked or written last.
    private @Nullable Known latest;

    private record Known(String text, Line line) {}

    /// One line with its MAC, checked against the line before.
    private record Line(AccessEntry entry, String mac) {
        End end() {
            return new End(entry.sequence(), mac);
        }
    }

    AccessLog(StoreDirectory directory, byte[] key) {
        this.directory = directory;
        this.key = key;
    }

    /// Appends a line behind `end` and brings it to the disk.
    /// @return the new end
    End append(End end, String action, String secret, String user, long generation) {
        End next = appendSoon(end, action, secret, user, generation);
        synchronize();
        return next;
    }

    /// Brings lines to the disk that are not there.
    void synchronize() {
        unsynchronized().ifPresent(found -> {
            try (Fd file = found) {
                FileSystem.synchronize(file);
            }
        });
    }

    /// Returns the file if it has lines that are not on the disk, which the caller brings there.
    Optional<Fd> unsynchronized() {
        if (!unsynchronized) {
            return Optional.empty();
        }
        Fd file = directory.openOrMake(NAME, FileSystem.O_RDWR);
        unsynchronized = false; // only now: if it cannot be opened, the next call tries again
        return Optional.of(file);
    }

    /// Appends a line, which is on the disk after [#synchronize]: for accesses that change nothing.
    /// @return the new end
    End appendSoon(End end, String action, String secret, String user, long generation) {
        String by = user.length() > LONGEST_USER ? user.substring(0, LONGEST_USER) : user;
        Instant now = Instant.ofEpochMilli(System.currentTimeMillis());
        var entry = new AccessEntry(end.sequence() + 1, now, action, secret, by, generation);
        Written line = line(end, entry);
        byte[] bytes = line.text().getBytes(StandardCharsets.UTF_8);
        Optional<Fd> found = directory.find(NAME, FileSystem.O_RDWR);
        try (Fd file = found.orElseGet(() -> directory.openOrMake(NAME, FileSystem.O_RDWR))) {
            long size = FileSystem.status(file).size();
            if (size + bytes.length > MOST_BYTES) {
                FileSystem.synchronize(file);
                FileSystem.rename(directory.descriptor(), NAME, directory.descriptor(), OLDER, true);
                directory.synchronize(OLDER);
                return appendSoon(end, action, secret, user, generation);
            }
            FileContent.writeAt(file, bytes, 0, bytes.length, size);
            unsynchronized = true;
        }
        if (found.isEmpty()) {
            directory.synchronize(NAME);
        }
        latest = new Known(line.text().strip(), new Line(entry, line.end().mac()));
        return line.end();
    }

    /// A line as it is written, and the end of the log with it.
    private record Written(String text, End end) {}

    private Written line(End end, AccessEntry entry) {
        var fields = new LinkedHashMap<String, Object>();
        fields.put("sequence", entry.sequence());
        fields.put("timeMillis", entry.time().toEpochMilli());
        fields.put("action", entry.action());
        fields.put("secret", entry.secret());
        fields.put("user", entry.user());
        fields.put("generation", entry.generation());
        fields.put("previous", end.mac());
        String json = JSON.toJson(fields);
        String mac = mac(end.mac(), json);
        return new Written(
                json.substring(0, json.length() - 1) + MAC_FIELD + mac + "\"}\n", new End(entry.sequence(), mac));
    }

    /// Writes the entries of another store's log, with MACs by this one's key. Half of them at most go to
    /// the older file, so that the newer one has room.
    End write(List<AccessEntry> entries) {
        End end = End.NONE;
        var text = new StringBuilder();
        for (AccessEntry entry : entries) {
            Written line = line(end, entry);
            if (text.length() + line.text().length() > MOST_BYTES / 2) {
                directory.write(OLDER, text.toString().getBytes(StandardCharsets.UTF_8));
                text.setLength(0);
            }
            text.append(line.text());
            end = line.end();
        }
        directory.write(NAME, text.toString().getBytes(StandardCharsets.UTF_8));
        return end;
    }

    private String mac(String previous, String json) {
        Mac mac = Kdf.hmac(key);
        mac.update(previous.getBytes(StandardCharsets.US_ASCII));
        return HexFormat.of().formatHex(mac.doFinal(json.getBytes(StandardCharsets.UTF_8)));
    }

    /// Returns the end of the log, whose last line is checked, and removes a line that a crash cut short.
    ///
    /// @param known the end that the index remembers, which the log must not have lost
    /// @param generation of the index, behind which the log cannot be
    End end(End known, long generation) {
        String last = lastLine(NAME, true);
        if (last == null) {
            last = lastLine(OLDER, false);
        }
        if (last == null) {
            if (known.sequence() > 0) {
                throw cut();
            }
            return End.NONE;
        }
        Line line = checked(last);
        boolean lost = line.entry().sequence() < known.sequence()
                || (line.entry().sequence() == known.sequence() && !line.mac().equals(known.mac()));
        if (lost) {
            throw cut();
        }
        if (line.entry().generation() > generation) {
            throw SecretException.tampered("the index of " + directory.shown() + " is older than its access log,"
                    + " so an old copy was put back: restore the whole store from one backup");
        }
        return line.end();
    }

    /// Checks a line, unless it is byte for byte the one that was checked or written last.
    private Line checked(String text) {
        Known last = latest;
        if (last != null && last.text().equals(text)) {
            return last.line();
        }
        Line line = parse(text, null);
        latest = new Known(text, line);
        return line;
    }

    /// Returns the last line of a file; null if it has none.
    ///
    /// @param cuts removes what a crash has left of one more
    private @Nullable String lastLine(String name, boolean cuts) {
        Optional<Fd> found = directory.find(name, FileSystem.O_RDWR);
        if (found.isEmpty()) {
            return null;
        }
        try (Fd file = found.get()) {
            byte[] tail = tail(file);
            int end = tail.length;
            while (cuts && end > 0 && tail[end - 1] != '\n') {
                end--;
            }
            if (end < tail.length) {
                FileContent.resize(file, FileSystem.status(file).size() - (tail.length - end));
                FileSystem.synchronize(file);
            }
            int start = Math.max(0, end - 1);
            while (start > 0 && tail[start - 1] != '\n') {
                start--;
            }
            return end == 0 ? null : new String(tail, start, end - 1 - start, StandardCharsets.UTF_8);
        }
    }

    private static byte[] tail(Fd file) {
        long size = FileSystem.status(file).size();
        byte[] tail = new byte[(int) Math.min(size, LONGEST_LINE)];
        int count = FileContent.readAt(file, tail, size - tail.length);
        return count == tail.length ? tail : new byte[0];
    }

    /// Returns all entries that are retained, oldest first, each checked.
    List<AccessEntry> entries(End known) {
        var entries = new ArrayList<AccessEntry>();
        String previous = null;
        boolean found = known.sequence() == 0;
        for (String name : List.of(OLDER, NAME)) {
            byte[] bytes = directory.read(name, MOST_BYTES).orElse(new byte[0]);
            for (String text : new String(bytes, StandardCharsets.UTF_8).lines().toList()) {
                Line line = parse(text, previous);
                if (!entries.isEmpty()
                        && line.entry().sequence() != entries.getLast().sequence() + 1) {
                    throw changed();
                }
                found |= line.end().equals(known);
                entries.add(line.entry());
                previous = line.mac();
            }
        }
        if (!found) {
            throw cut();
        }
        return entries;
    }

    /// @param previous MAC of the line before; null if that line is not at hand
    private Line parse(String line, @Nullable String previous) {
        int start = line.length() - MAC_TAIL;
        if (start < 1 || !line.startsWith(MAC_FIELD, start) || !line.endsWith("\"}")) {
            throw changed();
        }
        String mac = line.substring(line.length() - DIGITS - 2, line.length() - 2);
        String json = line.substring(0, start) + "}";
        try {
            Map<String, @Nullable Object> fields = Json.parseObject(json, new Json.Limits(LONGEST_LINE, 2, 20));
            String before = String.valueOf(fields.get("previous"));
            byte[] right = mac(before, json).getBytes(StandardCharsets.US_ASCII);
            if (!MessageDigest.isEqual(right, mac.getBytes(StandardCharsets.US_ASCII))
                    || (previous != null && !previous.equals(before))) {
                throw changed();
            }
            var entry = new AccessEntry(
                    number(fields, "sequence"),
                    Instant.ofEpochMilli(number(fields, "timeMillis")),
                    String.valueOf(fields.get("action")),
                    String.valueOf(fields.get("secret")),
                    String.valueOf(fields.get("user")),
                    number(fields, "generation"));
            return new Line(entry, mac);
        } catch (MalformedJsonException e) {
            throw changed();
        }
    }

    private long number(Map<String, @Nullable Object> fields, String name) {
        if (fields.get(name) instanceof Long number) {
            return number;
        }
        throw changed();
    }

    /// Clears the key.
    @Override
    public void close() {
        Arrays.fill(key, (byte) 0);
    }

    private SecretException changed() {
        return SecretException.tampered("a line of " + directory.shown() + "/" + NAME
                + " was changed or left out: compare it with a backup, and restore the whole store");
    }

    private SecretException cut() {
        return SecretException.tampered("lines were cut off from " + directory.shown() + "/" + NAME
                + ": compare it with a backup, and restore the whole store");
    }
}
