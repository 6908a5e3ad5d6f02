package dev.caisson.seccomp;

import java.io.ByteArrayInputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;

/// Filters of Caisson's own profiles that the build has compiled: for every machine that can be a host, every kernel
/// since 5.10 and a container's usual capabilities. To find one takes neither a parser, nor the table, nor the
/// compiler.
///
/// A resource for each architecture holds, as [java.io.DataOutput] writes it: the number of entries, each with profile,
/// capability mask, first kernel and program; then the programs, each with its summary, length and bytes. What reads it
/// is written without streams and lambdas, which a cold JVM would have to link first.
final class Precompiled {
    private static final KernelVersion OLDEST = new KernelVersion(5, 10);

    /// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE and SYS_CHROOT.
    static final long USUAL_CAPABILITIES = 0x405fbL;

    private static final Set<String> USUAL_NAMES = Capabilities.ofMask(USUAL_CAPABILITIES);

    private static final String STAMP = "stamp";

    private Precompiled() {}

    /// The filter of the profile `name` where the build has compiled it.
    static Optional<Filter> find(String name, Target target) {
        if (!target.capabilities().equals(USUAL_NAMES)) {
            return Optional.empty();
        }
        try (InputStream stream = Precompiled.class.getResourceAsStream(resource(target.architecture()))) {
            if (stream == null) {
                return Optional.empty();
            }
            return find(new DataInputStream(new ByteArrayInputStream(stream.readAllBytes())), name, target);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String resource(Architecture architecture) {
        return "precompiled-".concat(architecture.name()).concat(".bin");
    }

    private static Optional<Filter> find(DataInputStream in, String name, Target target) throws IOException {
        int found = -1;
        for (int entries = in.readInt(); entries > 0; entries--) {
            String profile = in.readUTF();
            var first = new KernelVersion(in.readShort(), in.readShort());
            int program = in.readInt();
            // of one profile the entries stand in the order of their kernels
            if (profile.equals(name) && !target.kernel().isBefore(first)) {
                found = program;
            }
        }
        if (found < 0) {
            return Optional.empty();
        }
        for (int skipped = 0; skipped < found; skipped++) {
            in.readUTF();
            in.skipNBytes(in.readInt());
        }
        Summary summary = Summary.parse(in.readUTF());
        return Optional.of(Filter.of(target.architecture(), in.readNBytes(in.readInt()), summary));
    }

    /// Another for each version of the compiler, its table and all else in this package; empty where no
    /// build has stamped it.
    static byte[] stamp() {
        try (InputStream stream = Precompiled.class.getResourceAsStream(STAMP)) {
            return stream == null ? new byte[0] : stream.readAllBytes();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /// Of the files of a directory, but for the stamp itself.
    static byte[] stamp(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file :
                    files.filter(file -> !file.endsWith(STAMP)).sorted().toList()) {
                byte[] content = Files.readAllBytes(file);
                digest.update((file.getFileName() + " " + content.length + " ").getBytes(StandardCharsets.UTF_8));
                digest.update(content);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /// Writes the resources; the build runs it.
    /// @param arguments the directory to write to
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        Files.createDirectories(directory);
        for (Architecture machine : Architecture.values()) {
            if (machine.isNative()) {
                try (OutputStream out = Files.newOutputStream(directory.resolve(resource(machine)))) {
                    write(machine, new DataOutputStream(out));
                }
            }
        }
        Files.write(directory.resolve(STAMP), stamp(directory));
    }

    private record Program(String summary, List<Byte> bytes) {}

    private record Entry(String profile, KernelVersion first, int program) {}

    private static void write(Architecture machine, DataOutputStream out) throws IOException {
        Map<Program, Integer> programs = new LinkedHashMap<>();
        var entries = new ArrayList<Entry>();
        Map<String, Profile> profiles = new LinkedHashMap<>();
        profiles.put("standard", Profile.standard());
        profiles.put("strict", Profile.strict());
        profiles.forEach((name, profile) -> {
            for (KernelVersion kernel : kernels(profile)) {
                Program made = program(profile, new Target(machine, kernel, USUAL_CAPABILITIES));
                int program = programs.computeIfAbsent(made, p -> programs.size());
                entries.add(new Entry(name, kernel, program));
            }
        });
        out.writeInt(entries.size());
        for (Entry entry : entries) {
            out.writeUTF(entry.profile());
            out.writeShort(entry.first().major());
            out.writeShort(entry.first().minor());
            out.writeInt(entry.program());
        }
        for (Program program : programs.keySet()) {
            out.writeUTF(program.summary());
            out.writeInt(program.bytes().size());
            for (byte value : program.bytes()) {
                out.writeByte(value);
            }
        }
        out.flush();
    }

    private static Program program(Profile profile, Target target) {
        Filter filter = Compiler.compile(profile, target);
        var bytes = new ArrayList<Byte>();
        for (byte value : filter.bytes()) {
            bytes.add(value);
        }
        return new Program(filter.summary().stored(), bytes);
    }

    /// Those from which on a profile's filter may be another: a call is new, or a rule begins to apply.
    private static SortedSet<KernelVersion> kernels(Profile profile) {
        var kernels = new TreeSet<KernelVersion>();
        SyscallTable.get().names().forEach(call -> call.since().ifPresent(kernels::add));
        for (Rule rule : profile.rules()) {
            rule.includes().minKernel().ifPresent(kernels::add);
            rule.excludes().minKernel().ifPresent(kernels::add);
        }
        kernels.removeIf(kernel -> kernel.isBefore(OLDEST));
        kernels.add(OLDEST);
        return kernels;
    }
}
