package dev.caisson.launch;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caisson.cgroup.Cgroup;
import dev.caisson.cgroup.Hierarchy;
import dev.caisson.linux.Fd;
import dev.caisson.linux.FileSystem;
import dev.caisson.linux.MemoryFile;
import dev.caisson.linux.Mounts;
import dev.caisson.linux.Sockets;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Limits;
import dev.caisson.spec.VolumeName;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/// What the descriptors of a plan are made from: a group of this kernel, directories, a user namespace, and a
/// zygote and a first process that the test plays.
@SuppressWarnings("ByteBufferBackingArray") // every buffer is made here
abstract class LaunchBed {
    static final Set<Namespace> NAMESPACES = EnumSet.of(Namespace.PID, Namespace.UTS);
    static final long FLAGS = 0x2400_0000L;
    static final byte[] SECRET = {'A', '=', 'b'};
    static final Step EXECUTE = new Step.Execute(true, false, "/bin", List.of("true"), List.of());
    static final int ERROR = 1;
    static final int CONSOLE = 2;
    static final int READY = 3;
    static final int PAUSED = 4;
    static final int EXIT = 5;
    static final int NAMESPACE = 6;
    static final int RESOLVER = 7;
    static final int LISTENER = 8;

    private static String parent;
    private static Hierarchy hierarchy;
    static Cgroup group;
    static Fd userNamespace;

    @TempDir
    Path path;

    ScriptedZygote scripted;
    Path source;
    Path layer;
    Map<String, Object> sourceFile;
    Map<String, Object> layerFile;
    private final List<Fd> opened = new ArrayList<>();

    @BeforeAll
    static void makeGroup() {
        hierarchy = Hierarchy.detect();
        // tools/check-mutants gives each run a /run of its own, and clears groups up by it.
        try (Fd run = FileSystem.open("/run", FileSystem.O_PATH)) {
            parent = "caisson-" + Long.toHexString(FileSystem.status(run).fileSystem()) + "-test-launch-"
                    + ProcessHandle.current().pid();
        }
        group = hierarchy.create(parent, "one", Limits.defaults());
        try (Zygote zygote = Zygote.start()) {
            userNamespace = zygote.userNamespace(ScriptedZygote.IDS);
        }
    }

    @AfterAll
    static void removeGroup() {
        userNamespace.close();
        group.remove();
        hierarchy.removeParent(parent);
        hierarchy.close();
    }

    @BeforeEach
    void make() throws IOException {
        scripted = new ScriptedZygote();
        source = Files.createDirectory(path.resolve("source"));
        layer = Files.createDirectory(path.resolve("layer"));
        sourceFile = OpenFiles.file(source);
        layerFile = OpenFiles.file(layer);
        try (Fd directory = FileSystem.open(path.toString(), FileSystem.O_PATH)) {
            FileSystem.makeNode(directory, "node", 0020600, 0x103);
        }
    }

    @AfterEach
    void closeAll() {
        opened.forEach(Fd::close);
        scripted.close();
    }

    Fd kept(Fd fd) {
        opened.add(fd);
        return fd;
    }

    Fd open(Path at) {
        return kept(FileSystem.open(at.toString(), FileSystem.O_PATH));
    }

    Launcher.Layers layers() {
        return new Launcher.Layers(List.of(open(layer)), userNamespace, Optional.empty(), List.of());
    }

    static LaunchPlan plan(List<SlotSource> slots) {
        return new LaunchPlan(
                ScriptedZygote.IDS,
                NAMESPACES,
                new LaunchPlan.RootAssembly(1, 1L << 20, 9),
                slots,
                List.of(new Step.Seal(), EXECUTE));
    }

    /// Returns the sources of a plan, with the last of the v1 groups if the kernel has them.
    static List<SlotSource> slots(SlotSource... others) {
        var slots = new ArrayList<SlotSource>();
        slots.add(new SlotSource.Plan());
        slots.add(new SlotSource.Control());
        if (lastJoin() >= 0) {
            slots.add(new SlotSource.CgroupTasks(lastJoin()));
        }
        slots.add(new SlotSource.CgroupDirectory());
        slots.add(new SlotSource.Layer(0));
        slots.add(new SlotSource.Upper(LayerMedium.MEMORY));
        slots.addAll(List.of(others));
        slots.add(new SlotSource.Root());
        return slots;
    }

    static int lastJoin() {
        List<Fd> joins = group.joinFds();
        joins.forEach(Fd::close);
        return joins.size() - 1;
    }

    /// The file of the last of the v1 groups.
    static Map<String, Object> tasks() {
        List<Fd> joins = group.joinFds();
        try {
            return OpenFiles.file(joins.getLast());
        } finally {
            joins.forEach(Fd::close);
        }
    }

    SlotSource.Device device() {
        return new SlotSource.Device(
                0, path.resolve("node"), new DeviceNode(DeviceRule.Kind.CHARACTER, 1, 3), Set.of());
    }

    static SlotSource.Shared volume(int index) {
        return new SlotSource.Shared(index, new VolumeName("data"), true, InRootPath.of(""));
    }

    Fd detached() {
        return kept(Mounts.copy(open(source), false));
    }

    static void assertPlan(Fd file, LaunchPlan plan, int pause, List<byte[]> secrets) {
        assertThat(MemoryFile.isSealed(file, PlanCodec.encode(plan, pause, secrets)))
                .isTrue();
    }

    static byte[] report(int kind, int step, int status) {
        ByteBuffer bytes = ByteBuffer.allocate(Report.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        bytes.putInt(0x314e5343).putInt(kind).putInt(0).putInt(step).putInt(status);
        return bytes.putInt(48, 1234).array();
    }

    /// What a first process was given, by slot.
    record Handed(Map<Integer, Fd> bySlot) implements AutoCloseable {
        Fd at(int slot) {
            return Objects.requireNonNull(bySlot.get(slot), () -> "nothing for slot " + slot);
        }

        int size() {
            return bySlot.size();
        }

        @Override
        public void close() {
            bySlot.values().forEach(Fd::close);
        }
    }

    /// Reads the message that gives a first process its descriptors.
    static Handed handover(Fd init, int slots) {
        Sockets.Message message = Sockets.receiveNow(init, 65_536).orElseThrow();
        ByteBuffer in = ByteBuffer.wrap(message.bytes()).order(ByteOrder.LITTLE_ENDIAN);
        assertThat(in.getShort(4)).isEqualTo((short) slots);
        var given = new HashMap<Integer, Fd>();
        for (int i = 0; i < in.getShort(6); i++) {
            given.put((int) in.getShort(8 + 2 * i), message.descriptors().get(i));
        }
        assertThat(given).hasSize(message.descriptors().size());
        return new Handed(given);
    }
}
