package dev.caisson.seccomp;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.constant.ClassDesc;
import java.lang.constant.ConstantDescs;
import java.lang.constant.MethodTypeDesc;
import java.lang.reflect.AccessFlag;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;

/// Filters that the build makes: those of Caisson's own profiles, for every machine that can be a host, every
/// kernel since 5.10 and a container's usual capabilities, and the stamp of the compiler. To find one takes
/// neither a parser, nor the table, nor the compiler.
///
/// The build writes classes that hand over text when they are initialized. A command that starts from an
/// AOT cache has them in its memory already, where a resource would have it open a jar first. What reads
/// the text is written without streams and lambdas, which a cold JVM would have to link.
///
/// A class for each architecture holds, as [java.io.DataOutput] writes it and each byte a character: the
/// number of entries, each with profile, first kernel and the place of its program; then the programs, each
/// with its summary, length and bytes.
final class Precompiled {
    private static final KernelVersion OLDEST = new KernelVersion(5, 10);

    /// CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP, NET_BIND_SERVICE and SYS_CHROOT.
    static final long USUAL_CAPABILITIES = 0x405fbL;

    private static final List<String> PROFILES = List.of("standard", "strict");

    /// The bytes of an entry: three numbers of two, and a place of four.
    private static final int ENTRY = 10;

    private static final String STAMP = "Stamp";

    /// A constant of a class has at most 65,535 bytes, two for each character that is none of ASCII.
    private static final int PIECE = 30_000;

    private static final Map<String, String> GENERATED = new ConcurrentHashMap<>();

    private Precompiled() {}

    /// Called by a class that the build has written, for each piece of its text.
    static void take(String name, String piece) {
        String before = GENERATED.get(name);
        GENERATED.put(name, before == null ? piece : before.concat(piece));
    }

    /// The text of a class that the build has written; empty where it has not.
    private static byte[] generated(String name) {
        try {
            Class.forName("dev.caisson.seccomp.".concat(name));
        } catch (ClassNotFoundException e) {
            return new byte[0];
        }
        String text = GENERATED.get(name);
        return text == null ? new byte[0] : text.getBytes(StandardCharsets.ISO_8859_1);
    }

    /// The filter of the profile `name` where the build has compiled it.
    static Optional<Filter> find(String name, Target target) {
        if (target.mask() != USUAL_CAPABILITIES) {
            return Optional.empty();
        }
        byte[] filters = generated(holder(target.architecture()));
        if (filters.length == 0) {
            return Optional.empty();
        }
        return find(filters, name, target);
    }

    private static String holder(Architecture architecture) {
        return "Precompiled".concat(architecture.name());
    }

    static Optional<Filter> find(byte[] filters, String name, Target target) {
        int profile = PROFILES.indexOf(name);
        // of one profile the entries stand in the order of their kernels, and most kernels are young
        for (int entry = number(filters, 0, 4) - 1; entry >= 0; entry--) {
            int at = Integer.BYTES + entry * ENTRY;
            if (number(filters, at, 2) == profile
                    && !target.kernel()
                            .isBefore(new KernelVersion(number(filters, at + 2, 2), number(filters, at + 4, 2)))) {
                int summary = number(filters, at + 6, 4);
                int program = summary + Short.BYTES + number(filters, summary, 2);
                int end = program + Integer.BYTES + number(filters, program, 4);
                String text = new String(
                        filters, summary + Short.BYTES, program - summary - Short.BYTES, StandardCharsets.UTF_8);
                byte[] instructions = Arrays.copyOfRange(filters, program + Integer.BYTES, end);
                return Optional.of(Filter.of(target.architecture(), instructions, text));
            }
        }
        return Optional.empty();
    }

    /// Like [java.io.DataOutput] writes it.
    private static int number(byte[] bytes, int at, int size) {
        int number = 0;
        for (int index = at; index < at + size; index++) {
            number = number << Byte.SIZE | (bytes[index] & 0xff);
        }
        return number;
    }

    /// Another for each version of the compiler, its table and all else in this package; empty where no
    /// build has stamped it.
    static byte[] stamp() {
        return generated(STAMP);
    }

    /// Returns the stamp of the files of a directory, without the stamp itself.
    static byte[] stamp(Path directory) throws IOException {
        try (var files = Files.list(directory)) {
            MessageDigest digest = MessageDigest.getInstance("SHA-256");
            for (Path file : files.filter(file -> !file.endsWith(STAMP + ".class"))
                    .sorted()
                    .toList()) {
                byte[] content = Files.readAllBytes(file);
                digest.update((file.getFileName() + " " + content.length + " ").getBytes(StandardCharsets.UTF_8));
                digest.update(content);
            }
            return digest.digest();
        } catch (NoSuchAlgorithmException e) {
            throw new AssertionError("every Java platform has SHA-256", e);
        }
    }

    /// Writes the classes; the build runs it.
    /// @param arguments the directory of this package's classes
    public static void main(String[] arguments) throws IOException {
        Path directory = Path.of(arguments[0]);
        for (Architecture machine : Architecture.values()) {
            if (machine.isNative()) {
                var filters = new ByteArrayOutputStream();
                write(machine, new DataOutputStream(filters));
                write(directory, holder(machine), filters.toByteArray());
            }
        }
        write(directory, STAMP, stamp(directory));
    }

    private static void write(Path directory, String name, byte[] content) throws IOException {
        String text = new String(content, StandardCharsets.ISO_8859_1);
        ClassDesc taker = Precompiled.class.describeConstable().orElseThrow();
        MethodTypeDesc take =
                MethodTypeDesc.of(ConstantDescs.CD_void, ConstantDescs.CD_String, ConstantDescs.CD_String);
        byte[] written = ClassFile.of()
                .build(
                        ClassDesc.of(Precompiled.class.getPackageName(), name),
                        made -> made.withFlags(AccessFlag.FINAL, AccessFlag.SYNTHETIC)
                                .withMethodBody(
                                        ConstantDescs.CLASS_INIT_NAME,
                                        ConstantDescs.MTD_void,
                                        ClassFile.ACC_STATIC,
                                        code -> {
                                            for (int at = 0; at < text.length(); at += PIECE) {
                                                String piece = text.substring(at, Math.min(text.length(), at + PIECE));
                                                code.loadConstant(name)
                                                        .loadConstant(piece)
                                                        .invokestatic(taker, "take", take);
                                            }
                                            code.return_();
                                        }));
        Files.write(directory.resolve(name + ".class"), written);
    }

    private record Program(String summary, List<Byte> bytes) {}

    private record Entry(int profile, KernelVersion first, Program program) {}

    private static void write(Architecture machine, DataOutputStream out) throws IOException {
        var entries = new ArrayList<Entry>();
        List<Profile> profiles = List.of(Profile.standard(), Profile.strict()); // as PROFILES
        for (int index = 0; index < profiles.size(); index++) {
            Profile profile = profiles.get(index);
            for (KernelVersion kernel : kernels(profile)) {
                entries.add(
                        new Entry(index, kernel, program(profile, new Target(machine, kernel, USUAL_CAPABILITIES))));
            }
        }
        out.writeInt(entries.size());
        Map<Program, Integer> places = new LinkedHashMap<>();
        var programs = new ByteArrayOutputStream();
        var written = new DataOutputStream(programs);
        for (Entry entry : entries) {
            if (!places.containsKey(entry.program())) {
                places.put(entry.program(), Integer.BYTES + entries.size() * ENTRY + written.size());
                written.writeUTF(entry.program().summary());
                written.writeInt(entry.program().bytes().size());
                for (byte value : entry.program().bytes()) {
                    written.writeByte(value);
                }
            }
            out.writeShort(entry.profile());
            out.writeShort(entry.first().major());
            out.writeShort(entry.first().minor());
            out.writeInt(Objects.requireNonNull(places.get(entry.program())));
        }
        written.flush();
        programs.writeTo(out);
        out.flush();
    }

    private static Program program(Profile profile, Target target) {
        Filter filter = Compiler.compile(profile, target);
        var bytes = new ArrayList<Byte>();
        for (byte value : filter.bytes()) {
            bytes.add(value);
        }
        return new Program(filter.stored(), bytes);
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
