package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Hierarchy;
import dev.caisson.image.Image;
import dev.caisson.launch.FilterProgram;
import dev.caisson.launch.LaunchPlan;
import dev.caisson.launch.Step;
import dev.caisson.launch.Verifier;
import dev.caisson.seccomp.Profile;
import dev.caisson.seccomp.SeccompException;
import dev.caisson.spec.Bytes;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Mount;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.state.ContainerRecord;
import dev.caisson.state.State;
import dev.caisson.watch.LiveFilters;
import dev.caisson.watch.WatchException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Tag("root")
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class VerificationTest {
    private static final EngineOptions OPTIONS =
            new EngineOptions(OwnDirectories.state("verify"), Path.of("/var/lib/caisson-test"));
    private static final byte[] ALLOW_ALL = {6, 0, 0, 0, 0, 0, (byte) 0xff, 0x7f};
    private static final String SECRET = "only-the-program-knows";

    private Engine engine;
    private Container container;

    @BeforeEach
    void start() throws InterruptedException {
        engine = Engine.open(OPTIONS);
        container = engine.start(
                ContainerSpec.of(Image.host(), "sleep", "60")
                        .name("verified")
                        .memory(Bytes.mebibytes(100))
                        .environment("TOKEN", SECRET),
                Streams.capture());
    }

    @AfterEach
    void close() throws IOException {
        engine.close();
        BusyboxEngine.removeTree(OPTIONS.state());
    }

    @Test
    void a_volume_is_told_with_its_source_and_options_and_a_read_only_one_takes_no_writing(@TempDir Path directory)
            throws Exception {
        Path open = Files.createDirectory(directory.resolve("open"));
        Path closed = Files.createDirectory(directory.resolve("closed"));
        Files.writeString(closed.resolve("file"), "as it was");
        String tries = "for d in /closed /open; do touch $d/new 2>/dev/null && echo $d; done;"
                + "echo changed 2>/dev/null >/closed/file; mount -o remount,rw /closed 2>/dev/null; rm -f /closed/file; sleep 60";
        Container tried = engine.start(
                ContainerSpec.of(Image.host(), "sh", "-c", tries)
                        .name("tried")
                        .mount(new Mount.Bind(closed, InRootPath.parse("/closed"), true, false))
                        .mount(new Mount.Bind(open, InRootPath.parse("/open"), false, false))
                        .mount(new Mount.Tmpfs(InRootPath.parse("/memory"), Bytes.mebibytes(1), 01777, true, false)),
                Streams.capture());
        Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
        Thread.sleep(500);

        List<Verifier.Check> checks = Verification.of("tried", OPTIONS).checks();

        assertThat(checks).filteredOn(check -> !check.asPlanned()).isEmpty();
        assertThat(found(checks, "mount /closed"))
                .startsWith(closed + ", ")
                .contains(" ro,")
                .endsWith(", private");
        assertThat(found(checks, "mount /open"))
                .startsWith(open + ", ")
                .contains(" rw,")
                .endsWith(", private");
        assertThat(found(checks, "mount /usr")).startsWith("/usr, ").contains(" ro,");
        assertThat(found(checks, "mount /memory")).contains("tmpfs ro,");
        assertThat(found(checks, "mount propagation")).matches("all \\d+ private");
        assertThat(closed.resolve("file")).content().isEqualTo("as it was");
        assertThat(closed.resolve("new")).doesNotExist();

        Files.move(open, directory.resolve("moved"));
        assertThat(Verification.of("tried", OPTIONS).checks())
                .filteredOn(check -> check.subject().equals("mount /open"))
                .singleElement()
                .satisfies(check -> assertThat(check.outcome()).isEqualTo(Verifier.Outcome.NOT_EVALUATED));
        Files.createDirectory(open);
        assertThat(Verification.of("tried", OPTIONS).checks())
                .filteredOn(check -> check.outcome() == Verifier.Outcome.DIFFERENT)
                .singleElement()
                .satisfies(check -> assertThat(check.found()).startsWith("another file than the host's " + open));
        tried.kill();
    }

    private static String found(List<Verifier.Check> checks, String subject) {
        return checks.stream()
                .filter(check -> check.subject().equals(subject))
                .findFirst()
                .map(Verifier.Check::found)
                .orElse("no such line");
    }

    /// The kernel does not stop a process that waits for its child to execute, so nobody can read its filters.
    @Test
    void of_a_program_in_vfork_what_cannot_be_read_is_not_evaluated() throws Exception {
        Container waiting = engine.start(
                ContainerSpec.of(Image.host(), "perl", "-e", "if (syscall(58) == 0) { sleep 60; syscall(231, 0) }")
                        .name("waiting"),
                Streams.capture());
        Thread.sleep(1000);

        List<Verifier.Check> checks = Verification.of("waiting", OPTIONS).checks();

        assertThat(checks).noneMatch(check -> check.outcome() == Verifier.Outcome.DIFFERENT);
        assertThat(checks)
                .filteredOn(check -> check.outcome() == Verifier.Outcome.NOT_EVALUATED)
                .singleElement()
                .satisfies(check -> assertThat(check.found()).contains("vfork"));
        waiting.kill();
    }

    @Test
    void another_process_finds_a_container_by_name_or_id_and_everything_as_planned() {
        for (String name : List.of("verified", container.id().shortForm())) {
            Verification verification = Verification.of(name, OPTIONS);

            assertThat(verification.checks())
                    .filteredOn(check -> !check.asPlanned())
                    .isEmpty();
            assertThat(verification.checks())
                    .extracting(Verifier.Check::subject)
                    .contains(
                            "user namespace",
                            "uid map",
                            "capabilities effective",
                            "/proc/keys",
                            "/proc/locks",
                            "mount /usr",
                            "memory limit");
            assertThat(verification.checks())
                    .filteredOn(check -> check.subject().equals("seccomp filter"))
                    .singleElement()
                    .extracting(Verifier.Check::found)
                    .asString()
                    .startsWith("content as compiled: ");
        }
        assertThatThrownBy(() -> Verification.of("nobody", OPTIONS)).isInstanceOf(EngineException.class);
    }

    @Test
    void the_filters_of_a_running_container_are_read_by_its_name() {
        LiveFilters live = LiveFilters.of(LiveFilters.programOf("verified", OPTIONS.data(), OPTIONS.state()));

        assertThat(live.filters())
                .singleElement()
                .satisfies(filter -> assertThat(filter.bytes())
                        .isEqualTo(container
                                .plan()
                                .only(Step.InstallFilter.class)
                                .program()
                                .bytes()));
        assertThatThrownBy(() -> LiveFilters.programOf("nobody-has-this-name", OPTIONS.data(), OPTIONS.state()))
                .isInstanceOf(WatchException.class);
        assertThatThrownBy(() -> LiveFilters.of(1 << 22)).isInstanceOf(WatchException.class);
    }

    @Test
    void a_profile_under_which_nothing_starts_is_refused_before_the_launch() {
        Profile profile = Profile.parse(
                "{\"defaultAction\": \"SCMP_ACT_ERRNO\", \"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"}]}");

        assertThatThrownBy(() -> engine.start(
                        ContainerSpec.of(Image.host(), "true").seccomp(new SeccompChoice.Custom("mine", profile)),
                        Streams.capture()))
                .isInstanceOf(SeccompException.class)
                .hasMessageContaining("mine does not allow execveat");
    }

    @Test
    void what_differs_from_the_plan_is_told() {
        LaunchPlan plan = container.plan();
        LaunchPlan other = new LaunchPlan(
                plan.ids(),
                plan.namespaces(),
                plan.root(),
                plan.slots(),
                plan.steps().stream().map(VerificationTest::altered).toList());

        try (Hierarchy hierarchy = Hierarchy.detect()) {
            var group = hierarchy.find(cgroupParent(), container.id().value()).orElseThrow();
            assertThat(new Verifier(other).running(container.pid(), group))
                    .filteredOn(check -> !check.asPlanned())
                    .extracting(Verifier.Check::subject)
                    .containsExactlyInAnyOrder("capabilities bounding", "oom_score_adj", "seccomp filter");
        }
    }

    @Test
    void what_no_new_privs_left_without_effect_and_files_that_are_used_up_are_told_while_it_runs() throws Exception {
        String script = "cp /usr/bin/sleep /tmp/set-id; chmod 4755 /tmp/set-id;"
                + " setpriv --reuid=1000 --clear-groups /tmp/set-id 60 & ulimit -n 20;"
                + " for i in {3..19}; do eval \"exec $i</dev/null\"; done; wait";
        try (Container obstructed =
                engine.start(ContainerSpec.onHost("bash", "-c", script).name("obstructed"), Streams.capture())) {
            List<String> found = List.of();
            for (int i = 0; i < 500 && found.size() < 2; i++) {
                Thread.sleep(20);
                found = Verification.of("obstructed", OPTIONS).checks().stream()
                        .filter(check -> check.subject().startsWith("process ") && check.asPlanned())
                        .map(Verifier.Check::found)
                        .filter(text -> text.contains("--ulimit") || text.contains("new-privileges"))
                        .toList();
            }

            assertThat(found)
                    .as(obstructed.id().value())
                    .anyMatch(text -> text.startsWith("/tmp/set-id: the program is set-user-ID"))
                    .anyMatch(text -> text.startsWith("it has all of the 20 open files"));
        }
        assertThat(ProcessObstacles.of(List.of(ProcessHandle.current().pid()))).isEmpty();
    }

    @Test
    void a_limit_that_somebody_changed_is_told() {
        Path file =
                Path.of("/sys/fs/cgroup/pids", cgroupParent(), container.id().value(), "pids.max");
        org.junit.jupiter.api.Assumptions.assumeTrue(Files.exists(file), "control groups v1 at their usual place");

        assertThat(file).satisfies(path -> Files.writeString(path, "7"));

        assertThat(Verification.of("verified", OPTIONS).checks())
                .filteredOn(check -> !check.asPlanned())
                .extracting(Verifier.Check::subject)
                .containsExactly("process limit", "limit pids");
    }

    @Test
    void a_record_holds_no_variables_and_its_command_in_one_place_for_people() throws Exception {
        int records = 0;
        try (var files = Files.walk(OPTIONS.state())) {
            for (Path file :
                    files.filter(path -> path.toString().endsWith(".json")).toList()) {
                String text = Files.readString(file);
                String steps = new String(
                        Base64.getDecoder()
                                .decode(ContainerRecord.parse(text).plan().steps()),
                        StandardCharsets.ISO_8859_1);
                assertThat(text)
                        .doesNotContain(SECRET)
                        .containsOnlyOnce("sleep")
                        .contains("\"command\":[\"sleep\",\"60\"]");
                assertThat(steps).contains("etc/hostname").doesNotContain(SECRET, "sleep");
                records++;
            }
        }
        assertThat(records).isPositive();
    }

    private static Step altered(Step step) {
        return switch (step) {
            case Step.SetPrivileges set ->
                new Step.SetPrivileges(
                        CapabilitySet.NONE, set.permitted(), set.uid(), set.gid(), set.supplementaryGroups());
            case Step.SetOomScoreAdjustment _ -> new Step.SetOomScoreAdjustment(1);
            case Step.InstallFilter install ->
                new Step.InstallFilter(new FilterProgram(ALLOW_ALL, "another"), install.early());
            default -> step;
        };
    }

    private static String cgroupParent() {
        return State.cgroupParent(OPTIONS.state());
    }
}
