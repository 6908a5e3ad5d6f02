package dev.caisson.launch;

import static dev.caisson.launch.ScriptedZygote.IDS;
import static dev.caisson.launch.ScriptedZygote.expected;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.cgroup.Subgroup;
import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.InRootPath;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// What a process that enters a container is given in which slot, and what is left of it when it fails.
@Tag("root")
@Timeout(60)
class ExecLauncherTest extends LaunchBed {
    private static final Step SERVE = new Step.ServeFiles(Optional.of(new Slot(8)), InRootPath.of(""));

    private ExecLauncher launcher;
    private Zygote.Child child;
    private final List<Fd> streams = new ArrayList<>();
    private final List<Fd> namespaces = new ArrayList<>();
    private Fd join;
    private Set<String> sockets;
    private @Nullable Fd taken;

    /// The end of the control socket that a first process was given.
    private Fd init() {
        return Objects.requireNonNull(taken);
    }

    @BeforeEach
    void beginAll() {
        launcher = new ExecLauncher(scripted.zygote);
        child = scripted.child();
        IntStream.range(0, 3).forEach(_ -> streams.add(scripted.something()));
        IntStream.range(0, 2).forEach(_ -> namespaces.add(scripted.something()));
        join = scripted.something();
        sockets = OpenFiles.sockets();
    }

    /// A plan of few descriptors, as a test reads no more than eight.
    private static ExecPlan plan(int groups, Step last) {
        return new ExecPlan(
                IDS, EnumSet.of(Namespace.UTS, Namespace.MOUNT), groups, -7, List.of(new Step.Seal(), last));
    }

    /// Takes the socket of the process that is asked for, and reports on it.
    private CompletableFuture<Void> init(int descriptors, int kind, Fd... with) {
        return CompletableFuture.runAsync(() -> {
            try (ScriptedZygote.Request asked =
                    scripted.asked(expected(5, descriptors).putInt(48, -7))) {
                taken = kept(asked.descriptors().getFirst().duplicate());
                assertThat(asked.files().subList(1, asked.files().size()))
                        .isEqualTo(List.of(with).stream().map(OpenFiles::file).toList());
                Sockets.send(init(), report(kind, 0, Errno.EPERM), List.of());
            }
            scripted.answerChild(child);
        });
    }

    private void assertNothingLeft() {
        assertThat(ScriptedZygote.isReaped(child)).isTrue();
        init().close();
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
    }

    @Test
    void each_descriptor_is_in_its_slot_and_stays_the_callers() {
        ExecPlan plan = plan(1, SERVE);
        Fd group = scripted.something();
        Fd lifetime = scripted.something();
        sockets = OpenFiles.sockets();
        CompletableFuture<Void> asked = init(2, READY, group);
        Launched launched = launcher.enter(
                plan,
                new ExecLauncher.Given(Optional.of(group), List.of(join), namespaces, streams, Optional.of(lifetime)));
        asked.join();

        Handed given = handover(init(), 9);
        assertThat(MemoryFile.isSealed(given.at(0), PlanCodec.encode(plan))).isTrue();
        assertThat(OpenFiles.count(OpenFiles.file(given.at(0)))).isEqualTo(1);
        List<Fd> expected = List.of(
                streams.get(0), streams.get(1), streams.get(2), join, namespaces.get(0), namespaces.get(1), lifetime);
        for (int i = 0; i < expected.size(); i++) {
            assertThat(OpenFiles.file(given.at(2 + i))).as("slot %d", 2 + i).isEqualTo(OpenFiles.file(expected.get(i)));
        }
        assertThat(given.size()).isEqualTo(8);
        given.close();
        assertThat(expected).allMatch(Fd::isOpen);
        assertThat(group.isOpen()).isTrue();
        assertThat(launched.pid()).isEqualTo(child.pid());
        launched.abandon();
        assertNothingLeft();
    }

    @Test
    void a_process_is_born_into_its_part_of_the_group_which_is_not_left_open() {
        Subgroup part = LaunchBed.group.subgroup("exec-1");
        try {
            Fd directory = kept(part.cloneInto().orElseThrow());
            List<Fd> joins = part.joinFds();
            joins.forEach(this::kept);
            CompletableFuture<Void> asked = init(2, READY, directory);
            Launched launched = launcher.enter(plan(joins.isEmpty() ? 0 : 1, EXECUTE), part, namespaces, streams);
            asked.join();
            Handed given = handover(init(), joins.isEmpty() ? 7 : 8);
            if (!joins.isEmpty()) {
                Map<String, Object> file = OpenFiles.file(joins.getFirst());
                assertThat(OpenFiles.file(given.at(5))).isEqualTo(file);
                given.close();
                assertThat(OpenFiles.count(file)).isEqualTo(1);
            }
            given.close();
            assertThat(OpenFiles.count(OpenFiles.file(directory))).isEqualTo(1);
            launched.abandon();
            assertNothingLeft();
        } finally {
            part.remove();
        }
    }

    private ExecLauncher.Given given(List<Fd> standard) {
        return new ExecLauncher.Given(Optional.empty(), List.of(), namespaces, standard, Optional.empty());
    }

    @Test
    void one_that_reports_a_failure_is_ended() {
        CompletableFuture<Void> asked = init(1, ERROR);
        assertThatThrownBy(() -> launcher.enter(plan(0, EXECUTE), given(streams)))
                .isInstanceOfSatisfying(
                        LaunchException.class, e -> assertThat(e.code()).isEqualTo("STEP_FAILED"));
        asked.join();
        assertNothingLeft();
    }

    @Test
    void one_that_cannot_be_given_what_its_plan_names_is_ended() {
        CompletableFuture<Void> asked = init(1, READY);
        assertThatThrownBy(() -> launcher.enter(plan(0, EXECUTE), given(List.of())))
                .isInstanceOf(IndexOutOfBoundsException.class);
        asked.join();
        assertNothingLeft();
    }

    @Test
    void one_that_the_kernel_refuses_leaves_nothing_open() {
        scripted.refuse(3, Errno.EAGAIN);
        assertThatThrownBy(() -> launcher.enter(plan(0, EXECUTE), given(streams)))
                .hasMessageContaining("the host's limit of processes is reached");
        scripted.asked().close();
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
    }
}
