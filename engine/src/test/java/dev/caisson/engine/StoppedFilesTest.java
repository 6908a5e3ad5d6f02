package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.error.CaissonException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.Capability;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WritableLayer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// Files of containers that do not run: before their start and after their end.
@Tag("root")
@Timeout(value = 120, unit = TimeUnit.SECONDS)
class StoppedFilesTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("stopped-files"), OwnDirectories.data("stopped-files"));
    private static final Bytes MUCH = Bytes.mebibytes(1);

    private Engine engine;

    @BeforeEach
    void open() {
        engine = Engine.open(OPTIONS);
    }

    @AfterEach
    void removeAll() throws Exception {
        engine.close();
        for (DetachedPlace place : DetachedPlace.all(OPTIONS)) {
            new DetachedContainer(place).remove(true);
        }
    }

    private DetachedContainer created(ContainerSpec spec) throws Exception {
        return engine.create(spec.name("box"), DetachedOptions.STANDARD);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    private static String code(org.assertj.core.api.ThrowableAssert.ThrowingCallable work) {
        return ((CaissonException) org.assertj.core.api.Assertions.catchThrowable(work)).code();
    }

    @Test
    void what_is_written_before_the_start_is_what_the_program_reads_and_what_it_wrote_is_read_after_its_end()
            throws Exception {
        DetachedContainer made = created(
                ContainerSpec.onHost("sh", "-c", "cat /box/in >/box/part && mv /box/part /box/out; exec sleep 1000"));
        try (ContainerFiles files = engine.files("box")) {
            files.write("/box/in", bytes("hello"));
            made.start();
            while (files.list("/box").stream().noneMatch(entry -> entry.name().equals("out"))) {
                Thread.sleep(20);
            }
            files.write("/box/running", bytes("running"));
            made.stop(OptionalInt.empty(), Optional.empty());
        }
        try (ContainerFiles files = engine.files("box")) {
            assertThat(files.read("/box/out", MUCH)).asString().isEqualTo("hello");
            assertThat(files.read("/box/running", MUCH)).asString().isEqualTo("running");
        }
    }

    @Test
    void one_set_of_files_goes_on_over_starts_and_ends() throws Exception {
        DetachedContainer made = created(ContainerSpec.onHost("sleep", "1000"));
        try (ContainerFiles files = engine.files("box")) {
            files.write("/box/one", bytes("1"));
            assertThat(code(() -> files.write("/dev/shm/lost", bytes("x")))).isEqualTo("FILE_READ_ONLY");
            made.start();
            Thread.sleep(200);
            files.write("/dev/shm/kept", bytes("x"));
            made.stop(OptionalInt.empty(), Optional.of(java.time.Duration.ZERO));
            Thread.sleep(200);
            assertThat(files.read("/box/one", MUCH)).asString().isEqualTo("1");
        }
    }

    @Test
    void what_a_start_would_hide_is_read_only() throws Exception {
        created(ContainerSpec.onHost("true")
                .mount(new Mount.Tmpfs(InRootPath.parse("/scratch"), Bytes.mebibytes(1), 01777, false, false)));
        try (ContainerFiles files = engine.files("box")) {
            for (String place : List.of("/scratch/a", "/dev/a", "/dev/shm/a", "/sys/a")) {
                assertThatThrownBy(() -> files.write(place, bytes("x")))
                        .as(place)
                        .isInstanceOf(CaissonException.class);
            }
            assertThat(files.list("/scratch")).isEmpty();
        }
    }

    @Test
    void it_has_the_containers_bound_of_space() throws Exception {
        created(ContainerSpec.onHost("true")
                .writableLayer(new WritableLayer(
                        Optional.of(Bytes.mebibytes(1)), OptionalLong.empty(), WritableLayer.Place.MEMORY)));
        try (ContainerFiles files = engine.files("box")) {
            assertThat(code(() -> files.write("/box/large", new byte[2 << 20]))).isEqualTo("FILE_SPACE");
            files.write("/box/small", bytes("x"));
        }
    }

    @Test
    void what_it_takes_is_the_containers_and_it_may_do_no_more_than_the_container() throws Exception {
        DetachedContainer made = created(ContainerSpec.onHost("true").dropCapabilities(Set.of(Capability.CHOWN)));
        try (ContainerFiles files = engine.files("box")) {
            files.write("/box/a", bytes("x"));
            List<Path> services = FileServiceTest.services(made.id());
            assertThat(services).as("in the container's groups").hasSize(1);
            String status = Files.readString(services.getFirst().resolve("status"));
            assertThat(status).contains("\nSeccomp:\t2\n").contains("\nNoNewPrivs:\t1\n");
            assertThat(Files.readString(services.getFirst().resolve("uid_map")).strip())
                    .startsWith("0 ")
                    .doesNotContain("4294967295");
            long bounding = Long.parseUnsignedLong(
                    status.lines()
                            .filter(line -> line.startsWith("CapBnd:"))
                            .findFirst()
                            .orElseThrow()
                            .substring(8),
                    16);
            assertThat(bounding & 1)
                    .as("CHOWN, which the container may not have")
                    .isZero();
        }
    }

    @Test
    void it_ends_with_the_container() throws Exception {
        DetachedContainer made = created(ContainerSpec.onHost("true"));
        try (ContainerFiles files = engine.files("box")) {
            files.write("/box/a", bytes("x"));

            made.remove(false);

            assertThatThrownBy(() -> files.read("/box/a", MUCH)).isInstanceOf(CaissonException.class);
        }
        assertThat(code(() -> engine.files("box").list("/"))).isEqualTo("CONTAINER_UNKNOWN");
    }

    @Test
    void a_read_only_root_stays_one() throws Exception {
        created(ContainerSpec.onHost("true").readOnlyRoot(true));
        try (ContainerFiles files = engine.files("box")) {
            assertThat(code(() -> files.write("/box", bytes("x")))).isEqualTo("FILE_READ_ONLY");
        }
    }
}
