package dev.caisson.launch;

import static dev.caisson.launch.ScriptedZygote.IDS;
import static dev.caisson.launch.ScriptedZygote.expected;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caisson.linux.Errno;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.Mounts;
import dev.caisson.linux.Processes;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.MacAddress;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What a launch asks the zygote for, what it hands to init in which slot, and what is left of it when it fails: no
/// process and no descriptor.
@Tag("root")
@Timeout(60)
class LauncherTest extends LaunchBed {
    private static final LaunchPlan SMALL = plan(List.of(new SlotSource.Plan(), new SlotSource.Root()));

    private Launcher launcher;
    private Zygote.Child child;
    private Fd root;
    private @Nullable Fd taken;
    private Set<String> sockets;
    private long pidfds;

    /// The end of the control socket that a first process was given.
    private Fd init() {
        return Objects.requireNonNull(taken);
    }

    @BeforeEach
    void beginAll() {
        launcher = new Launcher(scripted.zygote);
        nextChild();
        root = scripted.something();
        sockets = OpenFiles.sockets();
    }

    private void nextChild() {
        child = scripted.child();
        pidfds = OpenFiles.count(OpenFiles.file(child.pidfd()));
    }

    private static Map<String, Object> directory() {
        try (Fd directory = group.cloneInto().orElseThrow()) {
            return OpenFiles.file(directory);
        }
    }

    /// Takes the other end of the control socket.
    private Launcher.Birth taken(Launcher.Birth birth, int kind, Fd... more) {
        var files = new ArrayList<Map<String, Object>>();
        files.add(directory());
        for (Fd fd : more) {
            files.add(OpenFiles.file(fd));
        }
        try (ScriptedZygote.Request asked =
                scripted.asked(expected(kind, 1 + files.size()).putLong(16, FLAGS))) {
            taken = kept(asked.descriptors().getFirst().duplicate());
            assertThat(asked.files().subList(1, asked.files().size())).isEqualTo(files);
            assertThat(OpenFiles.count(asked.files().getFirst())).isEqualTo(2);
        }
        assertThat(OpenFiles.count(directory())).isZero();
        return birth;
    }

    /// A launch whose process is there and whose root is being made.
    private Launcher.Birth begun(LaunchPlan plan) {
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.answerChild(child);
        scripted.answer(root);
        birth.assemble(plan, layers());
        scripted.asked().close();
        return birth;
    }

    private static Launcher.Resources resources(Fd... streams) {
        return new Launcher.Resources(group, userNamespace, List.of(streams), List.of(), List.of(SECRET), _ -> {});
    }

    private void say(int kind, int step, int status, Fd... with) {
        Sockets.send(init(), report(kind, step, status), List.of(with));
    }

    private boolean isHungUp() {
        return Sockets.receiveNow(init(), 65_536)
                .map(message -> {
                    message.close();
                    return message.isEnd();
                })
                .orElse(false);
    }

    /// Asserts that a process is reaped and that nothing is open but what the test has.
    private void assertNothingLeft() {
        assertThat(ScriptedZygote.isReaped(child)).isTrue();
        init().close();
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
        assertThat(OpenFiles.count(OpenFiles.file(child.pidfd()))).isEqualTo(pidfds);
    }

    private boolean runs() {
        return Processes.reapNow(child.pidfd()) == null;
    }

    // ---- the beginning

    @Test
    void a_process_is_born_into_the_group_and_into_the_network_that_it_is_given() {
        taken(launcher.begin(IDS, NAMESPACES, group), 2);
        taken(launcher.begin(IDS, NAMESPACES, group, Optional.of(root)), 2, root);
        taken(launcher.beginInHostNetwork(IDS, NAMESPACES, group), 11);
        assertThat(root.isOpen()).isTrue();
    }

    @Test
    void what_cannot_be_asked_for_leaves_nothing_open() {
        scripted.end();
        Set<String> before = OpenFiles.sockets();
        assertThatThrownBy(() -> launcher.begin(IDS, NAMESPACES, group)).hasMessageContaining("EPIPE");
        assertThat(OpenFiles.sockets()).isEqualTo(before);
        assertThat(OpenFiles.count(directory())).isZero();
    }

    @Test
    void a_process_that_is_there_waits_until_it_ends() {
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.answerChild(child);
        assertThat(birth.waits()).isTrue();
        assertThat(isHungUp()).isFalse();
        Processes.signal(child.pidfd(), 9);
        while (!Processes.hasEnded(child.pidfd())) {
            Thread.onSpinWait();
        }
        assertThat(birth.waits()).isFalse();
        assertNothingLeft();
        birth.close();
    }

    @Test
    void a_process_that_the_kernel_refused_waits_for_nothing() {
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.refuse(3, Errno.EAGAIN);
        assertThat(birth.waits()).isFalse();
        assertThat(isHungUp()).isTrue();
        init().close();
        assertThat(OpenFiles.sockets()).isEqualTo(sockets);
        birth.close();
    }

    @Test
    void a_birth_that_is_closed_leaves_no_process_no_root_and_no_part() {
        Fd cover = scripted.something();
        Fd image = scripted.something();
        sockets = OpenFiles.sockets();
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.answerChild(child);
        for (Fd each : List.of(root, cover, image)) {
            scripted.answer(each);
        }
        LaunchPlan plan = plan(List.of(
                new SlotSource.Cover(0, source),
                new SlotSource.ImageFiles(0, "img", InRootPath.of("")),
                new SlotSource.Root()));
        birth.assemble(
                plan,
                new Launcher.Layers(
                        List.of(open(layer)), userNamespace, Optional.empty(), List.of(List.of(open(source)))));
        assertThat(OpenFiles.count(layerFile)).isEqualTo(1);
        assertThat(OpenFiles.count(sourceFile)).isEqualTo(1);
        assertThat(runs()).isTrue();
        birth.close();
        birth.close();
        assertNothingLeft();
    }

    @Test
    void a_birth_without_a_process_is_closed_in_peace() {
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.refuse(3, Errno.EAGAIN);
        birth.close();
        assertThat(isHungUp()).isTrue();
    }

    // ---- the root

    @Test
    void a_root_is_made_of_layers_that_are_shown_through_the_map_and_of_the_upper() {
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        var layers = new Launcher.Layers(List.of(open(layer)), userNamespace, Optional.of(root), List.of());
        birth.assemble(SMALL, layers);
        try (ScriptedZygote.Request asked = scripted.asked(
                expected(3, 2).putShort(24, (short) 3).putShort(26, (short) 1).putShort(28, (short) 1))) {
            assertThat(asked.files()).containsExactly(layerFile, OpenFiles.file(root));
            assertThat(FileSystem.status(asked.descriptors().getFirst()).uid()).isEqualTo(IDS.base());
        }
        assertThat(root.isOpen()).isTrue();
        assertThat(OpenFiles.count(layerFile)).isEqualTo(1);
        scripted.answerChild(child);
        scripted.answer(root);
        birth.close();
        assertThat(OpenFiles.count(OpenFiles.file(root))).isEqualTo(1);
    }

    // ---- what init is given

    @Test
    void init_gets_its_plan_its_streams_its_groups_and_its_mounts_in_their_slots() {
        List<SlotSource> slots =
                slots(new SlotSource.Stream(1), new SlotSource.Stream(0), new SlotSource.Bind(0, source, true));
        LaunchPlan plan = plan(slots);
        Fd in = scripted.something();
        Fd out = scripted.something();
        sockets = OpenFiles.sockets();
        Launcher.Birth birth = begun(plan);
        say(CONSOLE, 0, 0, in);
        say(RESOLVER, 0, 0);
        say(READY, 0, 0);

        Launched launched = birth.complete(plan, resources(in, out));

        int last = slots.size() - 1;
        Handed given = handover(init(), slots.size());
        assertPlan(given.at(0), plan, PlanCodec.NO_PAUSE, List.of(SECRET));
        assertThat(OpenFiles.file(given.at(last))).isEqualTo(OpenFiles.file(root));
        assertThat(OpenFiles.file(given.at(last - 1))).isEqualTo(sourceFile);
        assertThat(OpenFiles.file(given.at(last - 2))).isEqualTo(OpenFiles.file(in));
        assertThat(OpenFiles.file(given.at(last - 3))).isEqualTo(OpenFiles.file(out));
        if (lastJoin() >= 0) {
            assertThat(OpenFiles.file(given.at(2))).isEqualTo(tasks());
        }
        assertThat(given.size()).isEqualTo(lastJoin() >= 0 ? 6 : 5);
        Map<String, Object> encoded = OpenFiles.file(given.at(0));
        assertThat(OpenFiles.count(encoded)).isEqualTo(1);
        given.close();
        assertThat(OpenFiles.count(sourceFile)).isZero();
        assertThat(OpenFiles.count(OpenFiles.file(root))).isEqualTo(1);
        if (lastJoin() >= 0) {
            assertThat(OpenFiles.count(tasks())).isZero();
        }
        assertThat(in.isOpen() && out.isOpen()).isTrue();

        assertThat(launched.pid()).isEqualTo(child.pid());
        assertThat(launched.phaseMicros()).startsWith(1234);
        assertThat(OpenFiles.file(launched.console().orElseThrow())).isEqualTo(OpenFiles.file(in));
        birth.close();
        assertThat(runs()).as("it is the caller's").isTrue();
        launched.abandon();
        assertNothingLeft();
    }

    @Test
    void init_gets_covers_images_volumes_secrets_and_devices_in_their_slots() {
        LaunchPlan plan = plan(List.of(
                new SlotSource.Cover(0, source),
                new SlotSource.ImageFiles(0, "one", InRootPath.of("")),
                volume(1),
                new SlotSource.Cover(1, layer),
                new SlotSource.Secrets(0, List.of()),
                new SlotSource.ImageFiles(1, "two", InRootPath.of("")),
                device(),
                new SlotSource.Root()));
        Fd secrets = scripted.something();
        Fd volume = Mounts.copy(open(source), false);
        kept(volume);
        var answers = new ArrayList<Fd>();
        for (int i = 0; i < 5; i++) {
            answers.add(scripted.something());
        }
        sockets = OpenFiles.sockets();
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.answerChild(child);
        scripted.answer(root);
        answers.forEach(scripted::answer);
        birth.assemble(
                plan,
                new Launcher.Layers(
                        List.of(open(layer)),
                        userNamespace,
                        Optional.empty(),
                        List.of(List.of(open(layer)), List.of(open(source), open(layer)))));
        scripted.asked().close();
        long sources = OpenFiles.count(sourceFile);
        assertThat(sources).isEqualTo(3); // the test's own: a volume and what it was copied from, and a layer
        assertAskedCover(List.of(sourceFile));
        assertAskedCover(List.of(layerFile));
        assertAskedCover(List.of(layerFile));
        assertAskedCover(List.of(sourceFile, layerFile));
        say(READY, 0, 0);

        Launched launched = birth.complete(
                plan,
                new Launcher.Resources(group, userNamespace, List.of(), List.of(secrets, volume), List.of(), _ -> {}));

        try (ScriptedZygote.Request asked = scripted.asked(expected(4, 1))) {
            assertThat(asked.files()).containsExactly(OpenFiles.file(path.resolve("node")));
        }
        Handed given = handover(init(), 8);
        List<Fd> expected = List.of(
                answers.get(0), answers.get(1), volume, answers.get(2), secrets, answers.get(3), answers.get(4), root);
        for (int slot = 0; slot < expected.size(); slot++) {
            assertThat(OpenFiles.file(given.at(slot)))
                    .as("slot %d", slot)
                    .isEqualTo(OpenFiles.file(expected.get(slot)));
        }
        assertThatThrownBy(() -> FileSystem.makeDirectory(given.at(2), "new", 0700))
                .hasMessageContaining("EROFS");
        given.close();
        birth.close();
        for (Fd each : List.of(answers.get(0), answers.get(1), answers.get(2), answers.get(3), answers.get(4), root)) {
            assertThat(OpenFiles.count(OpenFiles.file(each))).isEqualTo(1);
        }
        assertThat(volume.isOpen() && secrets.isOpen()).isTrue();
        launched.abandon();
        assertNothingLeft();
    }

    private void assertAskedCover(List<Map<String, Object>> layers) {
        try (ScriptedZygote.Request asked = scripted.asked(
                expected(3, layers.size()).putShort(24, (short) 4).putShort(28, (short) layers.size()))) {
            assertThat(asked.files()).isEqualTo(layers);
        }
    }

    @Test
    void links_are_made_beside_init_which_is_hung_up_if_they_fail_though_it_is_ready() {
        var link = new Link("cv1", "cn1", "eth0", 2, 1500, MacAddress.parse("02:00:00:00:00:01"), false);
        LaunchPlan plan = new LaunchPlan(IDS, NAMESPACES, SMALL.root(), SMALL.slots(), List.of(link), SMALL.steps());
        for (boolean refused : new boolean[] {false, true}) {
            Launcher.Birth birth = begun(plan);
            say(READY, 0, 0);
            if (refused) {
                scripted.refuse(9, Errno.ENODEV);
                assertThatThrownBy(() -> birth.complete(plan, resources())).hasMessageContaining("the bridge");
                handover(init(), 2).close();
                assertThat(isHungUp()).isTrue();
            } else {
                scripted.answer();
                birth.complete(plan, resources()).abandon();
            }
            birth.close();
            try (ScriptedZygote.Request asked = scripted.asked()) {
                assertThat(asked.kind()).isEqualTo(10);
                assertThat(asked.files()).containsExactly(OpenFiles.file(child.pidfd()));
            }
            assertNothingLeft();
            nextChild();
        }
    }

    @Test
    void init_waits_in_front_of_a_step_until_it_is_let_go_on() {
        Launcher.Birth birth = begun(SMALL);
        say(PAUSED, 0, 0);
        say(READY, 0, 0);
        var paused = new AtomicInteger();
        Launched launched = birth.complete(SMALL, resources(), new Launcher.Pause(1, paused::incrementAndGet));
        assertThat(paused).hasValue(1);
        Handed given = handover(init(), 2);
        assertPlan(given.at(0), SMALL, 1, List.of(SECRET));
        given.close();
        assertThat(Sockets.receiveNow(init(), 8).orElseThrow().bytes()).containsExactly(1);
        launched.abandon();
    }

    // ---- failures

    @Test
    void the_plan_of_another_process_is_refused() {
        Launcher.Birth birth = begun(SMALL);
        var ids = new IdRange(IdRange.FIRST, IdRange.WIDTH);
        for (LaunchPlan other : List.of(
                new LaunchPlan(ids, NAMESPACES, SMALL.root(), SMALL.slots(), SMALL.steps()),
                new LaunchPlan(IDS, EnumSet.of(Namespace.PID), SMALL.root(), SMALL.slots(), SMALL.steps()))) {
            assertThatThrownBy(() -> birth.complete(other, resources())).isInstanceOf(IllegalArgumentException.class);
        }
        assertThat(runs()).isTrue();
        birth.close();
        assertNothingLeft();
    }

    @Test
    void what_is_no_slot_of_a_launch_is_refused() {
        for (SlotSource wrong : List.of(new SlotSource.NamespaceOf(Namespace.PID), new SlotSource.Lifetime())) {
            LaunchPlan plan = plan(List.of(new SlotSource.Plan(), wrong, new SlotSource.Root()));
            try (Launcher.Birth birth = begun(plan)) {
                assertThatThrownBy(() -> birth.complete(plan, resources()))
                        .isInstanceOf(IllegalArgumentException.class)
                        .hasMessage("no slot of a launch");
            }
            assertNothingLeft();
            nextChild();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {ERROR, EXIT, NAMESPACE, LISTENER})
    void an_init_that_reports_a_failure_or_what_has_no_place_before_the_start_is_ended(int kind) {
        Launcher.Birth birth = begun(SMALL);
        say(kind, 0, Errno.EPERM);
        assertThatThrownBy(() -> birth.complete(SMALL, resources()))
                .isInstanceOfSatisfying(
                        LaunchException.class,
                        e -> assertThat(e.code()).isEqualTo(kind == ERROR ? "STEP_FAILED" : "INIT_PROTOCOL"));
        birth.close();
        assertNothingLeft();
    }

    @Test
    void an_init_that_hangs_up_has_died() {
        Launcher.Birth birth = begun(SMALL);
        init().close();
        assertThatThrownBy(() -> birth.complete(SMALL, resources()))
                .isInstanceOfSatisfying(
                        LaunchException.class, e -> assertThat(e.code()).isEqualTo("INIT_DIED"));
        birth.close();
        assertNothingLeft();
    }

    @Test
    @Timeout(10)
    void an_init_that_says_nothing_is_not_waited_for() {
        Sockets.Pair control = Sockets.pair();
        try (Fd _ = control.theirs();
                var launched =
                        new Launched(new Zygote.Child(child.pid(), child.pidfd().duplicate()), control.ours())) {
            assertThatThrownBy(() -> Launcher.awaitReady(List.of(), launched, Launcher.Pause.NONE, 20))
                    .isInstanceOfSatisfying(
                            LaunchException.class, e -> assertThat(e.code()).isEqualTo("LAUNCH_TIMEOUT"));
        }
    }

    @Test
    void a_root_that_the_kernel_refuses_ends_the_launch() {
        Launcher.Birth birth = taken(launcher.begin(IDS, NAMESPACES, group), 2);
        scripted.answerChild(child);
        scripted.refuse(2, Errno.EINVAL);
        birth.assemble(SMALL, layers());
        assertThatThrownBy(() -> birth.complete(SMALL, resources()))
                .hasMessage("the kernel refused assembling the root file system (EINVAL)");
        birth.close();
        assertNothingLeft();
    }

    @Test
    void whatever_is_thrown_meanwhile_ends_the_process_and_is_passed_on() {
        for (Throwable thrown : List.of(new IllegalStateException("it"), new AssertionError("it"))) {
            Launcher.Birth birth = begun(SMALL);
            say(PAUSED, 0, 0);
            assertThatThrownBy(() -> birth.complete(SMALL, resources(), new Launcher.Pause(0, () -> {
                        if (thrown instanceof Error error) {
                            throw error;
                        }
                        throw (RuntimeException) thrown;
                    })))
                    .isSameAs(thrown);
            birth.close();
            assertNothingLeft();
            nextChild();
        }
    }
}
