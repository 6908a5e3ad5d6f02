package dev.caisson.engine;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.image.Image;
import dev.caisson.launch.RefusedException;
import dev.caisson.seccomp.LearnedProfile;
import dev.caisson.seccomp.Profile;
import dev.caisson.spec.Allowance;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.Denial;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.watch.LiveFilters;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.Assertions;
import org.junit.jupiter.api.Test;

class DenialTest extends BusyboxEngine {
    private static final SeccompChoice WATCHED =
            new SeccompChoice.Watched(new SeccompChoice.Standard(), SeccompChoice.Watch.TELL);

    @Test
    void a_denied_call_is_told_with_its_arguments_process_place_and_rule() throws Exception {
        RunResult result = engine.run(watched("mount", "-t", "tmpfs", "none", "/tmp"));

        assertThat(result.verdict()).isEqualTo(Verdict.EXIT);
        assertThat(result.stderr()).contains("permission denied");
        assertThat(result.denials())
                .filteredOn(denial -> denial.call().contains("mount("))
                .isNotEmpty()
                .first()
                .satisfies(denial -> {
                    assertThat(denial.answer()).isEqualTo("ERRNO(EPERM)");
                    assertThat(denial.process()).isEqualTo("mount");
                    assertThat(denial.executable()).contains("/bin/");
                    assertThat(denial.location()).contains("/bin/").contains("+0x");
                    assertThat(String.join(" ", denial.reasons())).contains("--cap-add SYS_ADMIN");
                });
    }

    @Test
    void calls_of_one_kind_are_told_once_with_their_number() throws Exception {
        RunResult result = engine.run(watched(
                "sh",
                "-c",
                "for i in 1 2 3 4 5; do mount -t tmpfs none /tmp; done 2>/dev/null; unshare -U true; true"));

        assertThat(result.denials())
                .filteredOn(denial -> denial.call().contains(" mount("))
                .singleElement()
                .extracting(Denial::count)
                .isEqualTo(5L);
        assertThat(result.denials()).anyMatch(denial -> denial.call().contains("unshare(CLONE_NEWUSER)"));
    }

    @Test
    void a_socket_of_the_kernels_audit_is_refused_as_by_a_kernel_without_it_and_not_told() throws Exception {
        RunResult result = engine.run(
                ContainerSpec.of(Image.host(), "perl", "-e", "socket(my $audit, 16, 3, 9) or print $!+0, qq(\\n)")
                        .seccomp(WATCHED));

        assertThat(result.stdout()).as(result.toString()).isEqualTo("97\n");
        assertThat(result.denials()).isEmpty();
    }

    @Test
    void a_program_that_is_denied_nothing_has_no_denials_and_runs_as_ever() throws Exception {
        for (int run = 0; run < 10; run++) {
            RunResult result = engine.run(watched("sh", "-c", "echo $((6*7)); cat /etc/none 2>/dev/null; exit 3"));

            assertThat(result.exitCode()).isEqualTo(3);
            assertThat(result.stdout()).isEqualTo("42\n");
            assertThat(result.denials()).isEmpty();
        }
    }

    @Test
    void a_program_that_cannot_be_started_is_said_so() throws Exception {
        for (boolean init : new boolean[] {true, false}) {
            Assertions.assertThatThrownBy(
                            () -> engine.run(watched("/bin/nothing-here").init(init)))
                    .isInstanceOf(dev.caisson.launch.LaunchException.class);
            assertThat(engine.run(watched("mount", "-t", "tmpfs", "none", "/tmp")
                                    .init(init))
                            .denials())
                    .isNotEmpty();
        }
    }

    /// Its listener is looked for: it cannot hand it over.
    @Test
    void a_program_that_may_not_send_messages_is_told_what_it_is_denied() throws Exception {
        var profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["sendmsg", "unshare"], "action": "SCMP_ACT_ERRNO"}]}""");
        var tell = new SeccompChoice.Watched(new SeccompChoice.Custom("own", profile), SeccompChoice.Watch.TELL);

        RunResult result =
                engine.run(busybox("sh", "-c", "unshare -U true; exit 0").seccomp(tell));

        assertThat(result.denials())
                .singleElement()
                .extracting(Denial::call)
                .asString()
                .contains("unshare");
    }

    @Test
    void a_profile_that_complains_lets_pass_and_tells_and_needs_an_allowance() throws Exception {
        var complain = new SeccompChoice.Watched(new SeccompChoice.Strict(), SeccompChoice.Watch.COMPLAIN);
        ContainerSpec spec = busybox("sh", "-c", "mkdir /tmp/made && ls /tmp").seccomp(complain);

        Assertions.assertThatThrownBy(() -> engine.run(spec)).isInstanceOf(RefusedException.class);
        RunResult result = engine.run(spec.allow(Allowance.UNCONFINED_SECCOMP));

        assertThat(result.stdout()).isEqualTo("made\n");
        assertThat(result.denials()).anyMatch(denial -> denial.call().contains("mkdir"));
        assertThat(result.denials()).allMatch(denial -> denial.answer().equals("ALLOW"));
    }

    @Test
    void a_profile_that_learns_lets_pass_and_then_allows_the_same() throws Exception {
        var learn = new SeccompChoice.Watched(new SeccompChoice.Strict(), SeccompChoice.Watch.LEARN);
        String[] command = {"sh", "-c", "mkdir /tmp/made && ls /tmp"};

        Assertions.assertThatThrownBy(() -> engine.run(busybox(command).seccomp(learn)))
                .isInstanceOf(RefusedException.class);
        RunResult result = engine.run(busybox(command).seccomp(learn).allow(Allowance.UNCONFINED_SECCOMP));

        assertThat(result.stdout()).isEqualTo("made\n");
        assertThat(result.denials()).anyMatch(denial -> denial.call().contains("mkdir"));
        LearnedProfile learned = result.learned().orElseThrow();
        assertThat(learned.refused()).isEmpty();
        assertThat(learned.added())
                .extracting(LearnedProfile.Added::name)
                .contains("mkdir", "wait4")
                .doesNotContain("mount");
        var choice = new SeccompChoice.Custom("learned", learned.profile());
        RunResult again =
                engine.run(busybox(command).seccomp(new SeccompChoice.Watched(choice, SeccompChoice.Watch.TELL)));
        assertThat(again.stdout()).as(again.stderr()).isEqualTo("made\n");
        assertThat(again.denials()).isEmpty();
        // and what was not needed stays denied
        assertThat(engine.run(busybox("mount", "-t", "tmpfs", "none", "/tmp").seccomp(choice))
                        .exitStatus())
                .isNotZero();
    }

    /// Bounded answers would take it a minute.
    @Test
    void what_is_learned_from_is_not_slowed_down_by_the_limit_of_answers() throws Exception {
        var profile = Profile.parse("""
                {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["write"], "action": "SCMP_ACT_ERRNO"}]}""");
        var learn = new SeccompChoice.Watched(new SeccompChoice.Custom("no write", profile), SeccompChoice.Watch.LEARN);

        RunResult result = engine.run(busybox("dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=40000")
                .seccomp(learn)
                .allow(Allowance.UNCONFINED_SECCOMP));

        assertThat(result.isOk()).as(result.stderr()).isTrue();
        assertThat(result.wallClock()).isLessThan(java.time.Duration.ofSeconds(25));
        assertThat(result.denials())
                .filteredOn(denial -> denial.call().contains(" write("))
                .singleElement()
                .satisfies(denial -> assertThat(denial.count()).isGreaterThanOrEqualTo(40_000));
        assertThat(result.learned().orElseThrow().added())
                .singleElement()
                .satisfies(added -> assertThat(added.name()).isEqualTo("write"));
    }

    @Test
    void a_run_that_does_not_learn_has_no_profile() throws Exception {
        assertThat(engine.run(watched("mount", "-t", "tmpfs", "none", "/tmp")).learned())
                .isEmpty();
    }

    @Test
    void without_a_listener_what_would_be_asked_about_fails_and_nothing_opens() throws Exception {
        Container container = engine.start(
                watched("sh", "-c", "while [ ! -e /tmp/go ]; do sleep 0.02; done; mount -t tmpfs none /srv; true"),
                Streams.capture());
        int program = LiveFilters.programOf(container.id().value(), OPTIONS.data(), OPTIONS.state());
        // its execveat is answered: from here on nobody but the engine holds the listener
        while (!Files.readString(Path.of("/proc/" + program + "/comm")).equals("sh\n")) {
            Thread.sleep(5);
        }
        container.stopAnswering();
        Files.createFile(Path.of("/proc/" + program + "/root/tmp/go"));

        RunResult result = container.await();

        assertThat(result.stderr()).contains("Function not implemented");
        assertThat(result.denials()).isEmpty();
    }

    /// A process can hold the locks that the kernel takes to tell of it.
    @Test
    void a_caller_that_cannot_be_read_about_keeps_neither_itself_nor_others_waiting() throws Exception {
        var stuck = new CountDownLatch(1);
        var first = new AtomicBoolean(true);
        var probe = new CallerProbe(() -> {
            if (first.getAndSet(false)) {
                awaitUninterrupted(stuck);
            }
        });
        String script = "mount -t tmpfs none /tmp 2>/dev/null; echo on; unshare -U true 2>/dev/null; echo end";
        try (var slow = new Engine(OPTIONS, probe)) {
            long began = System.nanoTime();
            Container one = slow.start(watched("sh", "-c", script), Streams.capture());
            while (first.get()) {
                Thread.sleep(1);
            }
            RunResult other = slow.run(watched("sh", "-c", script));
            RunResult result = one.await();
            long millis = (System.nanoTime() - began) / 1_000_000;

            assertThat(millis).isLessThan(5000);
            assertThat(result.stdout()).isEqualTo("on\nend\n");
            assertThat(result.denials())
                    .filteredOn(denial -> denial.call().contains(" mount("))
                    .singleElement()
                    .extracting(Denial::executable)
                    .isEqualTo("");
            assertThat(result.denials()).anyMatch(denial -> denial.call().contains("unshare("));
            assertThat(other.denials())
                    .hasSize(2)
                    .noneMatch(denial -> denial.executable().isEmpty());
        } finally {
            stuck.countDown();
        }
    }

    private static void awaitUninterrupted(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    void many_containers_are_answered_at_once() throws Exception {
        List<Container> containers = new java.util.ArrayList<>();
        for (int i = 0; i < 6; i++) {
            containers.add(engine.start(
                    watched("sh", "-c", "for i in 1 2 3 4 5 6 7 8; do mount -t tmpfs none /tmp; done"),
                    Streams.capture()));
        }
        for (Container container : containers) {
            assertThat(container.await().denials())
                    .filteredOn(denial -> denial.call().contains(" mount("))
                    .singleElement()
                    .extracting(Denial::count)
                    .isEqualTo(8L);
        }
    }

    private ContainerSpec watched(String... command) {
        return busybox(command).seccomp(WATCHED);
    }
}
