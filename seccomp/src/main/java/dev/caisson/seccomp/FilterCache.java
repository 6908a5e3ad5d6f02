package dev.caisson.seccomp;

import dev.caisson.linux.Errno;
import dev.caisson.linux.ErrnoException;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileStatus;
import dev.caisson.linux.FileSystem;
import java.io.File;
import java.io.FileInputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;

/// Compiled filters on disk, for programs that start often: to read one back takes neither a parser, nor the
/// table, nor the compiler. An entry holds all that a filter was made from - profile text, architecture,
/// kernel, capabilities, and a stamp of the compiler and its table - and is used only where that is the
/// same, byte for byte; its name is a mere hash of it.
///
/// Caches filters in a directory whose writers decide what containers may do: one that is a link, or that anybody
/// but its owner, the user of this process, can write to is not used. What reads it is written without
/// streams and lambdas, which a cold JVM would have to link first.
public final class FilterCache {
    private static final int MOST_BYTES = 1 << 24;
    private static final int MOST_ENTRIES = 256;
    private static final String SUFFIX = ".bpf";
    private static final int WRITABLE_BY_OTHERS = 0022;

    private final Path directory;
    private final byte[] stamp;

    /// @param directory is made, for its owner alone, when the first filter is kept
    public FilterCache(Path directory) {
        this(directory, Precompiled.stamp());
    }

    /// @param stamp another for each compiler; none where nothing can be kept
    FilterCache(Path directory, byte[] stamp) {
        this.directory = directory;
        this.stamp = stamp.clone();
    }

    /// The filter of [Profile#standard], out of the build or the cache.
    /// @throws IOException where the cache cannot be read or written
    public Filter standard(Target target) throws IOException {
        return standard(target, List.of());
    }

    /// The same under restrictions, for which the build has compiled nothing.
    public Filter standard(Target target, List<Restriction> restrictions) throws IOException {
        Optional<Filter> precompiled = restrictions.isEmpty() ? Precompiled.find("standard", target) : Optional.empty();
        return precompiled.isPresent()
                ? precompiled.get()
                : compile(Profile.resource("standard.json"), target, restrictions);
    }

    /// The filter of [Profile#strict], out of the build or the cache.
    /// @throws IOException where the cache cannot be read or written
    public Filter strict(Target target) throws IOException {
        return strict(target, List.of());
    }

    /// The same under restrictions, for which the build has compiled nothing.
    public Filter strict(Target target, List<Restriction> restrictions) throws IOException {
        Optional<Filter> precompiled = restrictions.isEmpty() ? Precompiled.find("strict", target) : Optional.empty();
        return precompiled.isPresent()
                ? precompiled.get()
                : compile(Profile.resource("strict.json"), target, restrictions);
    }

    /// The filter of a profile's JSON, out of the cache or compiled and kept.
    /// @throws IOException where the cache cannot be read or written, or is not for this process alone to
    ///     write
    /// @throws SeccompException where the profile is wrong
    public Filter compile(String json, Target target) throws IOException {
        return compile(json, target, List.of());
    }

    /// The same under restrictions.
    public Filter compile(String json, Target target, List<Restriction> restrictions) throws IOException {
        if (stamp.length == 0) {
            return Compiler.compile(Profile.parse(json).under(restrictions), target);
        }
        String text = json;
        for (Restriction restriction : restrictions) {
            text = text.concat("\0").concat(restriction.json());
        }
        byte[] origin = origin(text, target);
        long[] words = words(origin, 0, origin.length / Long.BYTES);
        String name = Long.toHexString(hash(words)).concat(SUFFIX);
        if (isThere()) {
            Optional<Filter> kept = read(new File(directory.toString(), name), words, target.architecture());
            if (kept.isPresent()) {
                return kept.get();
            }
        }
        Filter filter = Compiler.compile(Profile.parse(json).under(restrictions), target);
        write(directory.resolve(name), origin, filter);
        return filter;
    }

    private byte[] origin(String json, Target target) {
        byte[] machine = target.architecture().scmpName().getBytes(StandardCharsets.US_ASCII);
        byte[] text = json.getBytes(StandardCharsets.UTF_8);
        int length = stamp.length + machine.length + 2 * Integer.BYTES + Long.BYTES + text.length;
        return ByteBuffer.allocate((length + Long.BYTES - 1) / Long.BYTES * Long.BYTES)
                .put(stamp)
                .put(machine)
                .putInt(target.kernel().major())
                .putInt(target.kernel().minor())
                .putLong(target.mask())
                .put(text)
                .array();
    }

    /// Bytes eight at a time: a cold JVM interprets what goes over them.
    private static long[] words(byte[] bytes, int start, int count) {
        long[] words = new long[count];
        ByteBuffer.wrap(bytes, start, count * Long.BYTES)
                .slice()
                .order(ByteOrder.nativeOrder())
                .asLongBuffer()
                .get(words);
        return words;
    }

    /// Hashes words by FNV-1a.
    private static long hash(long[] words) {
        long hash = 0xcbf29ce484222325L;
        for (long word : words) {
            hash = (hash ^ word) * 0x100000001b3L;
        }
        return hash;
    }

    private static boolean isSame(long[] one, long[] other) {
        if (one.length != other.length) {
            return false;
        }
        for (int at = 0; at < one.length; at++) {
            if (one[at] != other[at]) {
                return false;
            }
        }
        return true;
    }

    /// True if there is a directory; one that others can write to, or that they have put there, is refused.
    private boolean isThere() throws IOException {
        FileStatus status;
        try (Fd open = FileSystem.open(directory.toString(), FileSystem.O_PATH | FileSystem.O_NOFOLLOW)) {
            status = FileSystem.status(open);
        } catch (ErrnoException e) {
            if (e.is(Errno.ENOENT)) {
                return false;
            }
            throw new IOException(directory + " cannot be looked at", e);
        }
        if (!status.isDirectory() || (status.permissions() & WRITABLE_BY_OTHERS) != 0 || status.uid() != user()) {
            throw new IOException(directory + " is not a directory that this process's user alone can write to");
        }
        return true;
    }

    /// Returns the user of this process; root's number is known without asking, and the JVM has its name from
    /// getpwuid(3).
    private static int user() throws IOException {
        return "root".equals(System.getProperty("user.name"))
                ? 0
                : (int) Files.getAttribute(Path.of("/proc/self"), "unix:uid");
    }

    private static Optional<Filter> read(File entry, long[] origin, Architecture architecture) throws IOException {
        byte[] kept;
        try (var in = new FileInputStream(entry)) {
            kept = new byte[(int) Math.min(MOST_BYTES, entry.length())];
            if (in.readNBytes(kept, 0, kept.length) < kept.length) {
                return Optional.empty(); // it has become another file
            }
        } catch (FileNotFoundException e) {
            return Optional.empty();
        }
        int summary = end(kept, 0);
        int program = end(kept, summary);
        int end = end(kept, program);
        if (end < 0
                || summary != Integer.BYTES + origin.length * Long.BYTES
                || !isSame(words(kept, Integer.BYTES, origin.length), origin)) {
            return Optional.empty();
        }
        byte[] instructions = Arrays.copyOfRange(kept, program + Integer.BYTES, end);
        int beside = program - summary - Integer.BYTES;
        return instructions.length == 0 || instructions.length % Filter.INSTRUCTION != 0 || beside == 0
                ? Optional.empty()
                : Optional.of(Filter.of(
                        architecture,
                        instructions,
                        new String(kept, summary + Integer.BYTES, beside, StandardCharsets.UTF_8)));
    }

    /// Returns the end of a part that has its length before it; below 0 if the file is cut off.
    private static int end(byte[] kept, int start) {
        int first = start + Integer.BYTES;
        if (start < 0 || first > kept.length) {
            return -1;
        }
        int length = (kept[start] & 0xff) << 24
                | (kept[start + 1] & 0xff) << 16
                | (kept[start + 2] & 0xff) << 8
                | (kept[start + 3] & 0xff);
        return length < 0 || length > kept.length - first ? -1 : first + length;
    }

    private void write(Path entry, byte[] origin, Filter filter) throws IOException {
        try {
            Files.createDirectory(
                    directory, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
        } catch (FileAlreadyExistsException e) {
            if (!isThere()) {
                throw e;
            }
        }
        makeRoom();
        byte[] summary = filter.stored().getBytes(StandardCharsets.UTF_8);
        byte[] program = filter.bytes();
        ByteBuffer buffer = ByteBuffer.allocate(3 * Integer.BYTES + origin.length + summary.length + program.length);
        for (byte[] part : new byte[][] {origin, summary, program}) {
            buffer.putInt(part.length).put(part);
        }
        Path unfinished = Files.createTempFile(directory, "filter", ".tmp");
        try {
            Files.write(unfinished, buffer.array());
            Files.move(unfinished, entry, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        } finally {
            Files.deleteIfExists(unfinished);
        }
    }

    /// Every new compiler, kernel and profile leaves entries behind that nobody will ask for again.
    private void makeRoom() throws IOException {
        try (var files = Files.list(directory)) {
            var entries = files.filter(file -> file.toString().endsWith(SUFFIX)).toList();
            if (entries.size() >= MOST_ENTRIES) {
                for (Path entry : entries) {
                    Files.deleteIfExists(entry);
                }
            }
        }
    }
}
