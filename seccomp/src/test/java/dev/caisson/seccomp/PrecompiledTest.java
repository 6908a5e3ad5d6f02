package dev.caisson.seccomp;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.classfile.ClassFile;
import java.lang.classfile.MethodModel;
import java.lang.classfile.instruction.ConstantInstruction;
import java.lang.classfile.instruction.InvokeInstruction;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// What the build writes, read back from the files.
class PrecompiledTest {
    @TempDir
    @SuppressWarnings("NullAway.Init")
    static Path directory;

    @BeforeAll
    static void write() throws IOException {
        Precompiled.main(new String[] {directory.toString()});
    }

    /// The pieces of text that the class's initializer hands over, each by a call, together.
    private static byte[] content(String name) throws IOException {
        var text = new StringBuilder();
        var calls = new ArrayList<InvokeInstruction>();
        var pieces = new ArrayList<String>();
        MethodModel initializer = ClassFile.of()
                .parse(directory.resolve(name + ".class"))
                .methods()
                .getFirst();
        assertThat(initializer.methodName().stringValue()).isEqualTo("<clinit>");
        initializer.code().orElseThrow().forEach(element -> {
            if (element instanceof ConstantInstruction constant
                    && constant.constantValue() instanceof String piece
                    && !piece.equals(name)) {
                text.append(piece);
                pieces.add(piece);
            } else if (element instanceof InvokeInstruction call) {
                calls.add(call);
            }
        });
        assertThat(calls).hasSameSizeAs(pieces).allMatch(call -> call.name().equalsString("take"));
        assertThat(pieces).as("what a constant of a class holds").allMatch(piece -> piece.length() <= 30_000);
        return text.toString().getBytes(StandardCharsets.ISO_8859_1);
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"X86", "X32", "ARM"},
            mode = EnumSource.Mode.EXCLUDE)
    void every_filter_is_found_again(Architecture machine) throws IOException {
        byte[] written = content("Precompiled" + machine);
        for (String kernel : List.of("5.10", "5.11", "6.1", "6.18", "9.9")) {
            var target = new Target(machine, KernelVersion.parse(kernel), Precompiled.USUAL_CAPABILITIES);
            check(Precompiled.find(written, "standard", target).orElseThrow(), Profile.standard(), target);
            check(Precompiled.find(written, "strict", target).orElseThrow(), Profile.strict(), target);
        }
        var old = new Target(machine, new KernelVersion(5, 9), Precompiled.USUAL_CAPABILITIES);
        assertThat(Precompiled.find(written, "standard", old)).isEmpty();
        assertThat(Precompiled.find(written, "strict", old)).isEmpty();
        assertThat(Precompiled.find(written, "other", new Target(machine, Calls.KERNEL, 0L)))
                .isEmpty();
    }

    private static void check(Filter found, Profile profile, Target target) {
        Filter compiled = Compiler.compile(profile, target);
        assertThat(found.bytes()).isEqualTo(compiled.bytes());
        assertThat(found.summary()).isEqualTo(compiled.summary());
        assertThat(found.stored()).isEqualTo(compiled.stored());
    }

    @Test
    void each_machine_has_a_class_and_the_stamp_is_of_them() throws IOException {
        try (var files = Files.list(directory)) {
            assertThat(files.map(file -> file.getFileName().toString()))
                    .containsExactlyInAnyOrder(
                            "PrecompiledX86_64.class",
                            "PrecompiledAARCH64.class",
                            "PrecompiledRISCV64.class",
                            "PrecompiledS390X.class",
                            "PrecompiledPPC64LE.class",
                            "PrecompiledLOONGARCH64.class",
                            "Stamp.class");
        }
        assertThat(content("Stamp")).isEqualTo(Precompiled.stamp(directory));
    }

    /// Nothing is compiled for other capabilities.
    @Test
    void other_capabilities_have_none() {
        assertThat(Precompiled.find("standard", Calls.target(Architecture.X86_64)))
                .isPresent();
        for (long mask :
                new long[] {0, Precompiled.USUAL_CAPABILITIES | 1L << 21, Precompiled.USUAL_CAPABILITIES ^ 1}) {
            assertThat(Precompiled.find("standard", new Target(Architecture.X86_64, Calls.KERNEL, mask)))
                    .isEmpty();
        }
    }
}
