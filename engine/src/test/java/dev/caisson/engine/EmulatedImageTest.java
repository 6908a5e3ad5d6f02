package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.PullListener;
import dev.caisson.image.RegistryLogins;
import dev.caisson.image.TarWriter;
import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// An image for arm64 runs by Debian's qemu, which is registered with the kernel under a name of the test's own for as
/// long as a test runs.
@Tag("peers")
class EmulatedImageTest extends BusyboxEngine {
    private static final ImageReference NAME = ImageReference.parse("caisson-test/emulated:1");
    private static final Path FORMATS = Path.of("/proc/sys/fs/binfmt_misc");
    private static final String OWN = "caisson-test-" + ProcessHandle.current().pid();
    private static final String MAGIC =
            "\\x7fELF\\x02\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\xb7\\x00";
    private static final String MASK =
            "\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\x00\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xff\\xfe\\xff\\xff\\xff";
    private static final int STATUS = 7;
    private static final String SAID = "arm64\n";

    private Images images;
    private boolean mounted;

    @BeforeEach
    void an_image_for_arm64() throws Exception {
        if (!Files.exists(FORMATS.resolve("register"))) {
            run("mount", "-t", "binfmt_misc", "caisson-test", FORMATS.toString());
            mounted = true;
        }
        images = Images.open(OPTIONS);
        images.make(
                Optional.empty(),
                List.of(new NewLayer(EmulatedImageTest::layer, true)),
                EmulatedImageTest::config,
                NAME);
    }

    @AfterEach
    void take_away() throws Exception {
        try {
            unregister();
            images.remove(images.get(NAME));
            images.close();
        } finally {
            if (mounted) {
                run("umount", FORMATS.toString());
            }
        }
    }

    private static void run(String... command) throws Exception {
        assertThat(new ProcessBuilder(command).inheritIO().start().waitFor()).isZero();
    }

    private static void register(String flags) throws IOException {
        Path interpreter = Stream.of(System.getenv("PATH").split(":", -1))
                .map(directory -> Path.of(directory, "qemu-aarch64"))
                .filter(Files::isExecutable)
                .findFirst()
                .orElseThrow();
        Files.writeString(
                FORMATS.resolve("register"), ":%s:M:0:%s:%s:%s:%s".formatted(OWN, MAGIC, MASK, interpreter, flags));
    }

    private static void unregister() throws IOException {
        if (Files.exists(FORMATS.resolve(OWN))) {
            Files.writeString(FORMATS.resolve(OWN), "-1");
        }
    }

    private static byte[] config(List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"arm64\",\"config\":{\"Cmd\":[\"/hello\"]},"
                        + "\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void layer(OutputStream to) throws IOException {
        var archive = new TarWriter(to);
        byte[] program = program();
        archive.file("hello", program.length, new TarWriter.Attributes(0755, 0, 0, Instant.EPOCH));
        archive.content(program, program.length);
        archive.finish();
    }

    /// Returns an ELF file for arm64 that writes a line and exits with a status.
    private static byte[] program() {
        int[] code = {
            0xd2800020, // mov x0, #1
            0x100000e1, // adr x1, 28 bytes on
            0xd2800002 | SAID.length() << 5, // mov x2, #length
            0xd2800808, // mov x8, #64: write
            0xd4000001, // svc #0
            0xd2800000 | STATUS << 5, // mov x0, #status
            0xd2800ba8, // mov x8, #93: exit
            0xd4000001, // svc #0
        };
        long base = 0x400000;
        int headers = 64 + 56;
        int size = headers + code.length * 4 + SAID.length();
        ByteBuffer file = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
        file.put(new byte[] {0x7f, 'E', 'L', 'F', 2, 1, 1}).position(16);
        file.putShort((short) 2).putShort((short) 183).putInt(1).putLong(base + headers); // ET_EXEC, EM_AARCH64, entry
        file.putLong(64).putLong(0).putInt(0); // program headers, no sections
        file.putShort((short) 64).putShort((short) 56).putShort((short) 1).position(64);
        file.putInt(1).putInt(5).putLong(0).putLong(base).putLong(base); // PT_LOAD, readable and executable
        file.putLong(size).putLong(size).putLong(0x10000);
        for (int instruction : code) {
            file.putInt(instruction);
        }
        file.put(SAID.getBytes(StandardCharsets.US_ASCII));
        return file.array();
    }

    private static ContainerSpec spec() {
        return ContainerSpec.of(new Image.Named(NAME));
    }

    @Test
    void it_runs_with_the_filter_of_every_container() throws Exception {
        register("POCF");

        RunResult result = engine.run(spec());

        assertThat(result.stdout()).isEqualTo(SAID);
        assertThat(result.exitStatus()).isEqualTo(STATUS);
        assertThat(images.has(NAME, Platform.parse("linux/arm64"))).isTrue();
        assertThat(images.has(NAME, Platform.running())).isFalse();
    }

    @Test
    void it_is_refused_before_a_registry_is_asked() {
        ImageReference nowhere = ImageReference.parse("127.0.0.1:1/app:1");

        assertThatThrownBy(() ->
                        images.pull(nowhere, Platform.parse("linux/vax"), RegistryLogins.none(), PullListener.none()))
                .hasMessageContaining("cannot be emulated");
    }

    @Test
    void it_is_refused_if_the_interpreter_is_missing_or_not_open() throws Exception {
        assertThatThrownBy(() -> engine.run(spec()))
                .hasMessageContaining("no enabled interpreter for arm64")
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo("PLATFORM_FOREIGN"));

        register("POC");

        assertThatThrownBy(() -> engine.run(spec()))
                .hasMessageContaining("its interpreter " + OWN)
                .hasMessageContaining("flag F");
    }
}
