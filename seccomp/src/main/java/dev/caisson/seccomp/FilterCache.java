package dev.caisson.seccomp;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.Optional;
import java.util.TreeSet;

/// Compiled filters on disk, for programs that start often: to read one back takes neither a parser, nor the table, nor
/// the compiler. An entry holds all that a filter was made from - profile text, architecture, kernel, capabilities and
/// the compiler's version - and is used only where that is the same, byte for byte; its name is a mere hash of it.
///
/// Whoever can write to the directory decides what containers may do: it must be the engine's own.
public final class FilterCache {
    private static final int MOST_BYTES = 1 << 24;

    private final Path directory;

    /// @param directory is made, for its owner alone, when the first filter is kept
    public FilterCache(Path directory) {
        this.directory = directory;
    }

    /// The filter of [Profile#standard], out of the build or the cache.
    /// @throws IOException where the cache cannot be read or written
    public Filter standard(Target target) throws IOException {
        Optional<Filter> precompiled = Precompiled.find("standard", target);
        return precompiled.isPresent() ? precompiled.get() : compile(Profile.resource("standard.json"), target);
    }

    /// The filter of [Profile#strict], out of the build or the cache.
    /// @throws IOException where the cache cannot be read or written
    public Filter strict(Target target) throws IOException {
        Optional<Filter> precompiled = Precompiled.find("strict", target);
        return precompiled.isPresent() ? precompiled.get() : compile(Profile.resource("strict.json"), target);
    }

    /// The filter of a profile's JSON, out of the cache or compiled and kept.
    /// @throws IOException where the cache cannot be read or written
    /// @throws SeccompException where the profile is wrong
    public Filter compile(String json, Target target) throws IOException {
        byte[] origin = origin(json, target);
        Path entry = directory.resolve(Long.toHexString(hash(origin)).concat(".bpf"));
        Optional<Filter> kept = read(entry, origin, target.architecture());
        if (kept.isPresent()) {
            return kept.get();
        }
        Filter filter = Compiler.compile(Profile.parse(json), target);
        write(entry, origin, filter);
        return filter;
    }

    private static byte[] origin(String json, Target target) {
        var text = new StringBuilder(json.length() + 512);
        text.append(Compiler.VERSION).append(' ').append(target.architecture().scmpName());
        text.append(' ')
                .append(target.kernel().major())
                .append('.')
                .append(target.kernel().minor());
        for (String capability : new TreeSet<>(target.capabilities())) {
            text.append(' ').append(capability);
        }
        text.append('\n').append(json);
        return text.toString().getBytes(StandardCharsets.UTF_8);
    }

    /// FNV-1a of 64 bits.
    private static long hash(byte[] bytes) {
        long hash = 0xcbf29ce484222325L;
        for (byte value : bytes) {
            hash = (hash ^ (value & 0xff)) * 0x100000001b3L;
        }
        return hash;
    }

    private static Optional<Filter> read(Path entry, byte[] origin, Architecture architecture) throws IOException {
        if (!Files.isRegularFile(entry) || Files.size(entry) > MOST_BYTES) {
            return Optional.empty();
        }
        ByteBuffer kept = ByteBuffer.wrap(Files.readAllBytes(entry));
        if (!Arrays.equals(part(kept), origin)) {
            return Optional.empty();
        }
        byte[] summary = part(kept);
        byte[] program = part(kept);
        return program.length == 0 || program.length % Filter.INSTRUCTION != 0
                ? Optional.empty()
                : Optional.of(
                        Filter.of(architecture, program, Summary.parse(new String(summary, StandardCharsets.UTF_8))));
    }

    /// The next part with its length before it; empty where the file is cut off.
    private static byte[] part(ByteBuffer kept) {
        int length = kept.remaining() < Integer.BYTES ? 0 : kept.getInt();
        if (length < 0 || length > kept.remaining()) {
            return new byte[0];
        }
        byte[] part = new byte[length];
        kept.get(part);
        return part;
    }

    private void write(Path entry, byte[] origin, Filter filter) throws IOException {
        var owner = PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------"));
        try {
            Files.createDirectory(directory, owner);
        } catch (FileAlreadyExistsException e) {
            if (!Files.isDirectory(directory)) {
                throw e;
            }
        }
        byte[] summary = filter.summary().stored().getBytes(StandardCharsets.UTF_8);
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
}
