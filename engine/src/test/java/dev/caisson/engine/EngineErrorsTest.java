package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.engine.Probe.Moment;
import dev.caisson.error.CaissonException;
import dev.caisson.image.Image;
import dev.caisson.image.ProgressListener;
import dev.caisson.launch.HostException;
import dev.caisson.launch.IdRange;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileLocks;
import dev.caisson.linux.FileSystem;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.WritableLayer;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import dev.caisson.watch.LiveFilters;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.function.LongConsumer;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What stands in an engine's way has a code of its own, and leaves nothing behind.
@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class EngineErrorsTest {
    @TempDir
    Path directory;

    private EngineOptions options() {
        return new EngineOptions(directory.resolve("state"), Path.of("/var/lib/caisson-test"));
    }

    @AfterEach
    void nothingIsLeft() {
        assertThat(Thread.interrupted()).isFalse();
        Path state = directory.resolve("state");
        if (Files.isDirectory(state)) {
            try (var hierarchy = Hierarchy.detect()) {
                assertThat(hierarchy.leftovers(State.cgroupParent(state))).isEmpty();
            }
        }
    }

    private static void assertCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        CaissonException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    private static ContainerSpec shell(String script) {
        return ContainerSpec.of(Image.host(), "sh", "-c", script);
    }

    @Test
    void a_state_directory_that_others_can_read_is_not_trusted() throws IOException {
        Path state = Files.createDirectory(directory.resolve("state"));
        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwxr-x---"));

        assertCode("STATE_UNSAFE", () -> Engine.open(options()).close());

        Files.setPosixFilePermissions(state, PosixFilePermissions.fromString("rwx------"));
        Engine.open(options()).close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"rwxrwx---", "rwxr-xrwx"})
    void a_data_directory_that_others_can_write_to_is_not_trusted(String permissions) throws IOException {
        Path data = Files.createDirectory(directory.resolve("data"));
        var options = new EngineOptions(directory.resolve("state"), data);
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString(permissions));

        assertCode("DATA_UNSAFE", () -> Engine.open(options).close());

        assertThat(data).isEmptyDirectory();
        Files.setPosixFilePermissions(data, PosixFilePermissions.fromString("rwxr-xr-x"));
        Engine.open(options).close();
    }

    @Test
    void a_data_directory_of_another_user_is_not_trusted() throws IOException {
        Path data = Files.createDirectory(directory.resolve("data"));
        Files.setAttribute(data, "unix:uid", 1234);

        assertCode(
                "DATA_UNSAFE",
                () -> Engine.open(new EngineOptions(directory.resolve("state"), data))
                        .close());
    }

    @Test
    void a_container_gets_nothing_of_the_engines_own_by_a_volume() throws Exception {
        Path data = Files.createDirectory(directory.resolve("data"));
        var options = new EngineOptions(directory.resolve("state"), data);
        String classes =
                Engine.class.getProtectionDomain().getCodeSource().getLocation().getPath();
        InRootPath target = InRootPath.parse("/data");

        try (Engine engine = Engine.open(options)) {
            for (Path source : List.of(options.state(), data, Path.of(classes).getParent())) {
                ContainerSpec wish = shell("true").mount(new Mount.Bind(source, target, true, false));
                assertThatThrownBy(() -> engine.run(wish)).hasMessageContaining("--allow host-paths");
            }
        }
    }

    @Test
    void what_is_no_directory_holds_no_state() throws IOException {
        Files.writeString(directory.resolve("file"), "");
        Path below = directory.resolve("file/state");
        Files.writeString(Files.createDirectory(directory.resolve("other")).resolve("engines"), "");

        assertCode("STATE_UNUSABLE", () -> new State(below).close());
        assertCode("STATE_UNUSABLE", () -> State.recordsIn(directory.resolve("other")));
    }

    @ParameterizedTest
    @ValueSource(strings = {"", "{", "[]", "{}", "{\"id\": 5}", "{\"id\": \"a\", \"pid\": \"b\"}"})
    void a_record_that_is_none_is_told(String text) {
        assertCode("RECORD_UNREADABLE", () -> ContainerRecord.parse(text));
    }

    @Test
    void a_name_is_one_containers_and_the_beginning_of_an_id_may_be_severals() throws Exception {
        try (Engine engine = Engine.open(options())) {
            Container one = engine.start(shell("sleep 60").name("twin"), Streams.capture());
            assertCode("NAME_IN_USE", () -> {
                try {
                    engine.start(shell("sleep 60").name("twin"), Streams.capture());
                } catch (InterruptedException e) {
                    throw new IllegalStateException(e);
                }
            });
            assertThat(Verification.of("twin", options()).id())
                    .isEqualTo(one.id().value());

            // Of 17 ids two begin with the same of 16 digits; it takes about five.
            Set<String> digits = new HashSet<>();
            String digit = one.id().value().substring(0, 1);
            while (digits.add(digit)) {
                digit = engine.start(shell("sleep 60"), Streams.capture())
                        .id()
                        .value()
                        .substring(0, 1);
            }
            String common = digit;
            assertCode("CONTAINER_AMBIGUOUS", () -> Verification.of(common, options()));
            assertCode(
                    "CONTAINER_AMBIGUOUS",
                    () -> LiveFilters.programOf(
                            common, options().data(), options().state()));
            assertCode("CONTAINER_AMBIGUOUS", () -> RunningContainer.find(common, options()));
            assertThat(Verification.of(one.id().value(), options()).id())
                    .isEqualTo(one.id().value());
        }
    }

    @Test
    void filters_of_a_process_that_is_not_there_are_not_read() {
        assertCode("FILTERS_NOT_READ", () -> LiveFilters.of(Integer.MAX_VALUE));
    }

    @Test
    void an_engine_needs_root_over_the_host() throws IOException {
        var engine = new EngineProcess(options(), directory, List.of("true"));

        for (String privileges : List.of("--bounding-set=-sys_admin --inh-caps=-sys_admin", "--reuid=65534")) {
            assertThat(String.join("\n", engine.under("setpriv " + privileges).lines()))
                    .as(privileges)
                    .contains("ROOT_NEEDED")
                    .doesNotContain(EngineProcess.OPENED);
        }
    }

    /// Ordinary users mount as well, with FUSE.
    @Test
    void a_mount_point_of_any_bytes_is_in_nobodys_way() throws IOException {
        String mounting = "unshare --mount bash -c 'odd=$(printf \"$0/\\377\\r1 1 0:1\"); mkdir \"$odd\""
                + " && mount -t tmpfs odd \"$odd\" && exec \"$@\"' " + directory + " --";

        assertThat(new EngineProcess(options(), directory, List.of("true"))
                        .under(mounting)
                        .lines())
                .as("the directory is no image, which is told after the mounts were looked at")
                .contains(EngineProcess.OPENED);
    }

    /// A namespace of process ids has this setting for itself: Documentation/userspace-api/mfd_noexec.rst
    @Test
    void where_no_program_may_run_from_memory_the_engine_says_so() throws IOException {
        assumeThat(Path.of("/proc/sys/vm/memfd_noexec")).exists();
        String forbidden = "unshare --pid --fork --mount-proc bash -c"
                + " 'echo 2 > /proc/sys/vm/memfd_noexec && exec \"$@\"' bash";

        assertThat(String.join(
                        "\n",
                        new EngineProcess(options(), directory, List.of("true"))
                                .under(forbidden)
                                .lines()))
                .contains("ZYGOTE_START", "memfd_create");
    }

    @Test
    void a_volume_whose_file_system_takes_no_id_map_is_told() {
        ContainerSpec wish = shell("true")
                .allow(Allowance.HOST_PATHS)
                .mount(new Mount.Bind(Path.of("/sys/kernel"), InRootPath.parse("/data"), true, false));
        try (Engine engine = Engine.open(options())) {
            assertHostCode("IDMAP_REFUSED", () -> engine.run(wish));
        }
    }

    @Test
    void a_place_that_holds_no_writable_layer_is_told() throws Exception {
        WritableLayer layer = WritableLayer.STANDARD.size(Bytes.mebibytes(64)).place(WritableLayer.Place.DISK);
        Path data = Files.createDirectory(directory.resolve("data"));
        try (Engine engine = Engine.open(new EngineOptions(directory.resolve("state"), data))) {
            Files.writeString(data.resolve("layers"), "in the way");

            assertCode("STORAGE_FAILED", () -> engine.run(shell("true").writableLayer(layer)));
        } finally {
            BusyboxEngine.removeTree(data);
        }
    }

    @Test
    void where_every_range_of_ids_is_taken_nothing_is_launched() throws Exception {
        try (Engine engine = Engine.open(options());
                Fd ranges = FileSystem.open(directory.resolve("state/ranges").toString(), FileSystem.O_RDWR)) {
            for (int range = 0; range < IdRange.RANGES; range++) {
                FileLocks.tryLockByte(ranges, range);
            }

            assertHostCode("RANGES_TAKEN", () -> engine.run(shell("true")));

            FileLocks.unlockByte(ranges, 7);
            assertThat(engine.run(shell("true")).isOk()).isTrue();
        }
    }

    /// Killed at that moment, it may die before or after what comes next: that must not matter.
    @ParameterizedTest
    @EnumSource(
            value = Moment.class,
            names = {"INIT_PAUSED", "INIT_READY", "VERIFIED", "WATCHED"})
    void an_init_that_dies_before_the_program_is_told(Moment when) throws Exception {
        OptionalInt step = when == Moment.INIT_PAUSED ? OptionalInt.of(5) : OptionalInt.empty();
        for (int i = 0; i < 5; i++) {
            Probe probe =
                    at(when, step, pid -> ProcessHandle.of(pid).orElseThrow().destroyForcibly());
            try (Engine engine = new Engine(options(), probe)) {
                assertHostCode("INIT_DIED", () -> engine.run(shell("true")));
            }
        }
    }

    /// Started, with all steps done but the last: with and without an init that stays.
    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void an_init_that_dies_in_front_of_execveat_is_told(boolean initStays) throws Exception {
        ContainerSpec spec = shell("true").init(initStays);
        int last = Engine.plan(spec, options(), ProgressListener.none()).steps().size() - 1;
        Probe probe = at(
                Moment.INIT_PAUSED,
                OptionalInt.of(last),
                pid -> ProcessHandle.of(pid).orElseThrow().destroyForcibly());
        try (Engine engine = new Engine(options(), probe)) {
            assertHostCode("INIT_DIED", () -> engine.run(spec));
        }
    }

    @Test
    void an_init_that_dies_while_its_container_is_shown_is_told() throws Exception {
        try (Engine engine = Engine.open(options())) {
            assertHostCode(
                    "INIT_DIED",
                    () -> engine.start(shell("true"), Streams.capture(), ProgressListener.none(), standing -> {
                        ProcessHandle init = ProcessHandle.of(standing.pid()).orElseThrow();
                        init.destroyForcibly();
                        while (init.isAlive()) {
                            Thread.onSpinWait();
                        }
                    }));
            assertThat(engine.containers()).isEmpty();
        }
    }

    @Test
    void an_engine_whose_helper_is_gone_says_so() throws Exception {
        try (Engine engine = Engine.open(options())) {
            assertThat(engine.run(shell("true")).isOk()).isTrue();
            try (var children = ProcessHandle.current().children()) {
                children.filter(child -> child.info().commandLine().orElse("").contains("zygote"))
                        .forEach(ProcessHandle::destroyForcibly);
            }

            assertHostCode("ZYGOTE_GONE", () -> engine.run(shell("true")));
        }
    }

    private static void assertHostCode(String code, ThrowingCallable attempt) {
        assertThatThrownBy(attempt)
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo(code));
    }

    /// The kernel is made to lie: another file stands over what it tells of the process.
    @Test
    void a_container_that_is_not_as_planned_is_not_started() throws Exception {
        Probe lie = at(Moment.INIT_READY, OptionalInt.empty(), this::putOver);
        try (Engine engine = new Engine(options(), lie)) {
            assertThatThrownBy(() -> engine.run(shell("true"))).isInstanceOfSatisfying(HostException.class, e -> {
                assertThat(e.code()).isEqualTo("NOT_AS_PLANNED");
                assertThat(e).hasMessageContaining("instead of");
            });
        }
    }

    /// Does something with the one process of the only container when that is there.
    private Probe at(Moment where, OptionalInt step, LongConsumer act) {
        return new Probe() {
            @Override
            public void reached(Moment moment) {
                if (moment == where) {
                    try (var hierarchy = Hierarchy.detect()) {
                        String parent = State.cgroupParent(options().state());
                        String name = hierarchy.leftovers(parent).iterator().next();
                        act.accept(hierarchy
                                .find(parent, name)
                                .orElseThrow()
                                .processes()
                                .getFirst());
                    }
                }
            }

            @Override
            public OptionalInt pauseBefore() {
                return step;
            }
        };
    }

    private void putOver(long pid) {
        Path status = Path.of("/proc/" + pid + "/status");
        try {
            Path other = Files.writeString(
                    directory.resolve("status"),
                    Files.readString(status).replaceFirst("CapBnd:\t[0-9a-f]+", "CapBnd:\t000001ffffffffff"));
            new ProcessBuilder("mount", "--bind", other.toString(), status.toString())
                    .inheritIO()
                    .start()
                    .waitFor();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
