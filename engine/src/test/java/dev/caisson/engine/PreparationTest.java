package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.CgroupException;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Digest;
import dev.caisson.image.Image;
import dev.caisson.image.ImageReference;
import dev.caisson.image.NewLayer;
import dev.caisson.image.Platform;
import dev.caisson.image.ProgressListener;
import dev.caisson.image.TarWriter;
import dev.caisson.launch.GuestNetwork;
import dev.caisson.launch.IdRange;
import dev.caisson.launch.KernelFileSystem;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Namespace;
import dev.caisson.launch.RootImage;
import dev.caisson.launch.Step;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.CpuList;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.VolumeName;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What a container takes from its spec, its image and the host.
@Tag("root")
@Timeout(60)
class PreparationTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("preparation"), OwnDirectories.data("preparation"));
    private static final ContainerId ID = new ContainerId("0123456789abcdef".repeat(4));
    private static final IdRange IDS = new IdRange(IdRange.FIRST, IdRange.WIDTH);

    private Preparation preparation;

    @BeforeAll
    static void makeImages() {
        try (Images images = Images.open(OPTIONS)) {
            for (String signal : List.of("", "SIGINT", "SIGNONE")) {
                images.make(
                        Optional.empty(),
                        List.of(new NewLayer(PreparationTest::layer, true)),
                        layers -> config(signal, layers),
                        name(signal));
            }
        }
    }

    @AfterAll
    static void removeImages() throws IOException {
        BusyboxEngine.removeTree(OPTIONS.data());
    }

    private static ImageReference name(String signal) {
        return ImageReference.parse("caisson-test/prepared" + signal.toLowerCase(Locale.ROOT) + ":1");
    }

    private static byte[] config(String signal, List<Digest> layers) {
        return ("{\"os\":\"linux\",\"architecture\":\"" + Platform.running().architecture()
                        + "\",\"config\":{\"Volumes\":{\"/srv\":{}},\"Entrypoint\":[\"/enter\"],\"Cmd\":[\"one\"],"
                        + "\"Env\":[\"B=2\",\"A=1\"],\"WorkingDir\":\"/work\",\"User\":\"own\""
                        + (signal.isEmpty() ? "" : ",\"StopSignal\":\"" + signal + "\"")
                        + "},\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[\"" + layers.getFirst() + "\"]}}")
                .getBytes(StandardCharsets.UTF_8);
    }

    private static void layer(OutputStream to) throws IOException {
        var archive = new TarWriter(to);
        var plain = new TarWriter.Attributes(0644, 0, 0, Instant.EPOCH);
        archive.directory("etc", new TarWriter.Attributes(0755, 0, 0, Instant.EPOCH));
        for (Map.Entry<String, String> file : new TreeMap<>(Map.of(
                        "etc/passwd", "root:x:0:0::/root:/bin/sh\nown:x:7:8::/home/own:/bin/sh\n",
                        "etc/group", "own:x:8:\nmore:x:9:own\nothers:x:10:\n"))
                .entrySet()) {
            byte[] content = file.getValue().getBytes(StandardCharsets.UTF_8);
            archive.file(file.getKey(), content.length, plain);
            archive.content(content, content.length);
        }
        archive.finish();
    }

    @BeforeEach
    void open() {
        preparation = new Preparation(OPTIONS);
    }

    @AfterEach
    void close() {
        preparation.close();
    }

    private static ContainerSpec spec(String signal) {
        return ContainerSpec.of(new Image.Named(name(signal)));
    }

    private Preparation.Prepared prepare(ContainerSpec spec) {
        return preparation.prepare(spec, ProgressListener.none());
    }

    /// What goes wrong there is told to nobody at run time: the launch itself meets it again.
    @Test
    void a_launch_that_nobody_wishes_can_be_rehearsed() {
        assertThatCode(Preparation::rehearse).doesNotThrowAnyException();
    }

    @Test
    void program_user_and_groups_are_the_images_unless_the_spec_has_others() {
        Preparation.Prepared prepared =
                prepare(spec("").addGroup("others").addGroup("9").addGroup("77"));
        RootImage image = prepared.image();
        assertThat(image.layers()).isEqualTo(1);
        assertThat(image.binds()).isEmpty();
        assertThat(image.entrypoint()).containsExactly("/enter");
        assertThat(image.command()).containsExactly("one");
        assertThat(image.environment()).contains("A=1", "B=2");
        assertThat(image.workingDirectory()).isEqualTo("/work");
        assertThat(image.user()).isEqualTo(new RootImage.ProgramUser(7, 8, List.of(8, 9, 10, 77), "/home/own"));
        assertThat(prepare(spec("").user("root")).image().user().uid()).isZero();
        assertThat(prepared.rootfs().digest()).isPresent();
        assertThat(prepared.anonymous()).isEmpty();
        assertThat(prepared.spec().image()).isEqualTo(new Image.Named(name("")));
        assertThat(prepared.namespaces()).contains(Namespace.USER, Namespace.PID, Namespace.NETWORK);
    }

    @Test
    void directories_of_the_host_are_shown_read_only() {
        assertThat(prepare(ContainerSpec.of(Image.host(), "true")).image().binds())
                .isNotEmpty()
                .allMatch(bind -> bind.readOnly() && !bind.file())
                .anyMatch(bind ->
                        bind.source().equals(Path.of("/usr")) && bind.target().equals(new InRootPath("usr")));
    }

    @ParameterizedTest
    @CsvSource({"'', 0, 15", "SIGINT, 0, 2", "SIGINT, 10, 10", "SIGNONE, 9, 9"})
    void a_program_is_asked_to_end_by_the_signal_of_the_spec_or_the_image(String image, int wanted, int signal) {
        ContainerSpec spec = wanted == 0 ? spec(image) : spec(image).stopSignal(wanted);
        assertThat(prepare(spec).stopSignal()).isEqualTo(signal);
    }

    @Test
    void a_signal_of_the_image_that_is_none_is_told() {
        assertThatThrownBy(() -> prepare(spec("SIGNONE")))
                .isInstanceOfSatisfying(
                        EngineException.class, e -> assertThat(e.code()).isEqualTo("STOP_SIGNAL"))
                .hasMessageContaining("'SIGNONE'");
    }

    @Test
    void volumes_of_the_image_are_made_for_who_wants_them() {
        Preparation.Prepared prepared = preparation.prepare(spec(""), ProgressListener.none(), true);
        assertThat(prepared.anonymous()).hasSize(1);
        assertThat(prepared.spec().mounts()).singleElement().isInstanceOfSatisfying(Mount.Volume.class, volume -> {
            assertThat(volume.target()).isEqualTo(new InRootPath("srv"));
            assertThat(volume.name().map(VolumeName.class::cast))
                    .isEqualTo(prepared.anonymous().stream().findFirst());
        });
        assertThat(preparation
                        .prepare(spec(""), ProgressListener.none(), false)
                        .spec()
                        .mounts())
                .isEmpty();
    }

    @Test
    void images_that_are_mounted_are_known_by_their_digests() {
        var other = new Mount.ImageFiles(name("SIGINT"), new InRootPath("mnt"), Optional.of(InRootPath.of("etc")));
        var memory = new Mount.Tmpfs(new InRootPath("tmp"), Bytes.mebibytes(1), 0755, false, false);
        Preparation.Prepared prepared = prepare(spec("").mount(memory).mount(other));
        assertThat(prepared.mounted()).hasSize(1);
        Digest digest = prepared.mounted().getFirst().digest().orElseThrow();
        assertThat(prepared.pinnedMounts())
                .containsExactly(
                        memory, new Mount.ImageFiles(name("SIGINT").at(digest), other.target(), other.subpath()));
    }

    @Test
    void a_plan_runs_the_program_or_waits() {
        Preparation.Prepared prepared = prepare(spec(""));
        LaunchPlan plan = prepared.plan(IDS, ID, GuestNetwork.NONE);
        assertThat(plan.ids()).isEqualTo(IDS);
        assertThat(plan.only(Step.Execute.class).arguments()).containsExactly("/enter", "one");
        assertThat(plan.only(Step.Execute.class).idle()).isFalse();
        assertThat(plan.has(Step.InstallFilter.class)).isTrue();
        assertThat(prepared.filter()).isPresent();

        Preparation.Prepared idle = prepared.idle(true);
        assertThat(prepared.idle()).isFalse();
        assertThat(idle.idle()).isTrue();
        assertThat(idle.plan(IDS, ID, GuestNetwork.NONE)).isEqualTo(plan.idle());
        assertThat(idle.idle(false)).isEqualTo(prepared);
        assertThat(prepare(spec("").seccomp(new SeccompChoice.Unconfined()).allow(Allowance.UNCONFINED_SECCOMP))
                        .filter())
                .isEmpty();
    }

    @Test
    void limits_may_need_more_groups_than_usual() {
        List<String> usual = prepare(spec("")).host().cgroupJoins();
        try (Hierarchy hierarchy = Hierarchy.detect()) {
            assertThat(usual).hasSameSizeAs(hierarchy.joins());
            Limits limits = Limits.defaults().cpuset(CpuList.parse("0"));
            List<Set<String>> joins = hierarchy.joins(limits);
            Preparation.Prepared prepared = prepare(spec("").limits(limits));
            assertThat(prepared.host().cgroupJoins())
                    .isEqualTo(joins.stream()
                            .map(set -> String.join(",", set.stream().sorted().toList()))
                            .toList());
            if (hierarchy.world() == Hierarchy.World.V2) {
                assertThat(prepared.host().cgroupMounts()).containsExactly(KernelFileSystem.CGROUP2);
            } else {
                assertThat(prepared.host().cgroupMounts())
                        .extracting(KernelFileSystem::kernelName)
                        .isSubsetOf(prepared.host().cgroupJoins())
                        .contains("cpuset", "memory", "pids");
                assertThat(prepared.host().cgroupMounts()).allMatch(KernelFileSystem::isControlGroupV1);
            }
        }
        assertThat(preparation.host().cgroupJoins()).isEqualTo(usual);
        assertThatThrownBy(() -> prepare(spec("").limits(Limits.defaults().cpuset(CpuList.parse("4095")))))
                .isInstanceOf(CgroupException.class);
    }

    @Test
    void nothing_stays_open() {
        List<String> before = openFiles();
        try (var _ = new Preparation(OPTIONS)) {
            assertThat(openFiles()).hasSizeGreaterThan(before.size());
        }
        assertThat(openFiles()).isEqualTo(before);
    }

    private static List<String> openFiles() {
        try (Stream<Path> all = Files.list(Path.of("/proc/self/fd"))) {
            return all.filter(Files::isSymbolicLink)
                    .map(PreparationTest::target)
                    .filter(target -> target.startsWith("/sys/fs/cgroup")
                            || target.startsWith(OPTIONS.data().toString()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static String target(Path link) {
        try {
            return Files.readSymbolicLink(link).toString();
        } catch (IOException _) {
            return ""; // closed meanwhile
        }
    }

    @Test
    void what_is_planned_alone_is_not_made() {
        var options = new EngineOptions(OwnDirectories.state("planned"), OPTIONS.data());
        PlannedRun planned = PlannedRun.of(spec(""), options, ProgressListener.none());
        assertThat(planned.launch().ids()).isEqualTo(IDS);
        assertThat(planned.launch().only(Step.Execute.class).arguments()).containsExactly("/enter", "one");
        assertThat(planned.network()).isEqualTo(NetworkPlaces.NONE);
        assertThat(options.state()).doesNotExist();
    }
}
