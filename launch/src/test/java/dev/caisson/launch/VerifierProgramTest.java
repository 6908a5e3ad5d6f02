package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.spec.ContainerSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Which process is the container's program, and what is read of it when it has only just begun.
@Timeout(60)
class VerifierProgramTest {
    private static final Duration LONG = Duration.ofMinutes(5);
    private static final Duration SHORT = Duration.ofMillis(30);

    @TempDir
    private Path proc;

    private FakeProcess process(ContainerSpec spec) throws IOException {
        return new FakeProcess(proc, Samples.plan(spec, Samples.hybridHost()));
    }

    private static CompletableFuture<Void> later(Runnable change) {
        return CompletableFuture.runAsync(change, CompletableFuture.delayedExecutor(100, TimeUnit.MILLISECONDS));
    }

    @Test
    void the_program_is_the_first_child_of_an_init_that_stays() throws IOException {
        FakeProcess process = process(Samples.spec());
        process.write("100/task/100/children", "101 102 ");

        assertThat(process.verifier(LONG).program(FakeProcess.INIT)).isEqualTo(FakeProcess.PROGRAM);
    }

    @Test
    void the_program_is_process_1_where_no_init_stays() throws IOException {
        FakeProcess process = process(Samples.spec().init(false));
        process.write("100/task/100/children", "101 ");

        assertThat(process.verifier(LONG).program(FakeProcess.INIT)).isEqualTo(FakeProcess.INIT);
    }

    @Test
    void a_program_that_is_not_there_yet_is_waited_for() throws IOException {
        FakeProcess process = process(Samples.spec());
        process.write("100/task/100/children", "\n");
        var born = new AtomicBoolean();
        CompletableFuture<Void> birth = later(() -> {
            born.set(true);
            process.write("100/task/100/children", "101 ");
        });

        assertThat(process.verifier(LONG).program(FakeProcess.INIT)).isEqualTo(FakeProcess.PROGRAM);
        assertThat(born).isTrue();
        birth.join();
    }

    @Test
    void a_program_without_its_filter_is_waited_for() throws IOException {
        FakeProcess process = process(Samples.spec());
        process.status.put("Seccomp", "0");
        Verifier verifier = process.verifier(LONG);
        var filtered = new AtomicBoolean();
        CompletableFuture<Void> filter = later(() -> {
            filtered.set(true);
            process.status.put("Seccomp", "2");
            process.store();
        });

        assertThat(verifier.program(FakeProcess.INIT)).isEqualTo(FakeProcess.PROGRAM);
        assertThat(filtered).isTrue();
        filter.join();
    }

    @Test
    void a_program_that_never_gets_its_filter_is_shown_as_it_is() throws IOException {
        FakeProcess process = process(Samples.spec());
        process.status.put("Seccomp", "0");

        assertThat(process.verifier(SHORT).program(FakeProcess.INIT)).isEqualTo(FakeProcess.PROGRAM);
    }

    @Test
    void a_program_that_is_to_have_no_filter_is_not_waited_for() throws IOException {
        FakeProcess process = process(VerifierTest.unfiltered());

        assertThat(process.verifier(LONG).program(FakeProcess.INIT)).isEqualTo(FakeProcess.PROGRAM);
    }

    @Test
    void an_init_without_a_child_has_no_program_left() throws IOException {
        FakeProcess process = process(Samples.spec());
        process.write("100/task/100/children", "");

        assertThatThrownBy(() -> process.verifier(SHORT).program(FakeProcess.INIT))
                .isInstanceOfSatisfying(
                        HostException.class, e -> assertThat(e.code()).isEqualTo("PROGRAM_ENDED"));
    }

    @Test
    void a_kernel_without_a_kind_of_namespace_is_as_planned() throws IOException {
        FakeProcess process = process(VerifierTest.unfiltered());
        Files.delete(process.namespace(Namespace.TIME, true));

        assertThat(process.beforeStart())
                .contains(new Verifier.Check("time namespace", "not in this kernel", "not in this kernel", true));
    }

    @Test
    void groups_are_compared_in_order() throws IOException {
        FakeProcess process = process(VerifierTest.unfiltered().addGroup("9").addGroup("2"));

        assertThat(process.beforeStart())
                .filteredOn(check -> check.subject().equals("supplementary groups"))
                .allMatch(Verifier.Check::asPlanned);
    }

    @Test
    void a_file_system_that_counts_no_files_is_no_writable_layer() throws IOException {
        FakeProcess process = process(VerifierTest.unfiltered());
        Files.delete(process.root());
        Files.createSymbolicLink(process.root(), Path.of("/proc"));

        assertThat(VerifierTest.deviating(process.running())).contains("writable layer");
    }

    @Test
    void what_is_planned_of_a_filter_is_shown() throws IOException {
        assertThat(process(VerifierTest.unfiltered()).running())
                .contains(new Verifier.Check("seccomp", "mode 0, 0 filters", "mode 0, 0 filters", true));
    }
}
