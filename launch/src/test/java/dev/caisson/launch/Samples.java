package dev.caisson.launch;

import dev.caisson.image.Image;
import dev.caisson.network.Attachment;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.ContainerId;
import dev.caisson.spec.ContainerSpec;
import dev.caisson.spec.DeviceRule;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.MacAddress;
import dev.caisson.spec.Mount;
import dev.caisson.spec.Rlimit;
import dev.caisson.spec.SeccompChoice;
import dev.caisson.spec.Subnet;
import dev.caisson.text.AddressText;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// A host, an image and plans that tests start from; nothing of them is read from the machine that runs the test.
public final class Samples {
    static final ContainerId ID = new ContainerId("0123456789abcdef".repeat(4));
    static final long HARD_NOFILE = 1 << 20;

    private Samples() {}

    static HostFacts host() {
        Map<Rlimit.Resource, Long> hard = new EnumMap<>(Rlimit.Resource.class);
        for (Rlimit.Resource resource : Rlimit.Resource.values()) {
            hard.put(resource, Rlimit.UNLIMITED);
        }
        hard.put(Rlimit.Resource.NOFILE, HARD_NOFILE);
        return new HostFacts(
                "6.12.0",
                "x86_64",
                0,
                CapabilitySet.ALL,
                hard,
                100,
                6,
                true,
                List.of(KernelFileSystem.CGROUP2),
                List.of(),
                true,
                Set.of(LayerMedium.MEMORY));
    }

    static HostFacts hybridHost() {
        HostFacts host = host();
        return new HostFacts(
                host.kernel(),
                host.architecture(),
                host.effectiveUid(),
                host.capabilities(),
                host.hardLimits(),
                host.oomScoreAdjustment(),
                host.landlockAbi(),
                host.timeNamespaces(),
                List.of(KernelFileSystem.CGROUP1_MEMORY, KernelFileSystem.CGROUP1_PIDS),
                List.of("memory", "pids"),
                false,
                host.layerMedia());
    }

    /// Returns the host's own objects, and two devices besides.
    static HostObjects objects(ContainerSpec spec) {
        HostObjects found = HostObjects.of(spec);
        var devices = new HashMap<>(found.devices());
        devices.put(Path.of("/dev/fuse"), device("/dev/fuse", DeviceRule.Kind.CHARACTER, 10, 229));
        devices.put(Path.of("/dev/sda"), device("/dev/sda", DeviceRule.Kind.BLOCK, 8, 0));
        return new HostObjects(found.sources(), devices);
    }

    private static HostObjects.Device device(String path, DeviceRule.Kind kind, int major, int minor) {
        return new HostObjects.Device.Node(Path.of(path), new DeviceNode(kind, major, minor));
    }

    static List<Finding> check(ContainerSpec spec, HostFacts host) {
        return check(spec, host, TrustedPaths.OF_ANY_HOST);
    }

    static List<Finding> check(ContainerSpec spec, HostFacts host, TrustedPaths trusted) {
        return Policy.check(spec, host, trusted, objects(spec));
    }

    static Policy.Approved approve(ContainerSpec spec, HostFacts host) {
        return Policy.approve(spec, host, TrustedPaths.OF_ANY_HOST, objects(spec));
    }

    static RootImage image() {
        return new RootImage(
                2,
                List.of(new Mount.Bind(Path.of("/usr"), InRootPath.of("usr"), true, false)),
                List.of(),
                List.of("/bin/sh"),
                List.of("LANG=C.UTF-8"),
                "/srv",
                new RootImage.ProgramUser(1000, 1001, List.of(5, 44), "/home/user"));
    }

    public static ContainerSpec spec() {
        return ContainerSpec.of(Image.host(), "true", "--flag");
    }

    static FilterProgram filter() {
        byte[] program = new byte[16];
        program[0] = 6;
        program[8] = 6;
        return new FilterProgram(program, "default");
    }

    static LaunchPlan plan(ContainerSpec spec, HostFacts host) {
        Optional<FilterProgram> filter =
                spec.seccomp() instanceof SeccompChoice.Unconfined ? Optional.empty() : Optional.of(filter());
        return Planner.plan(approve(spec, host), image(), host, filter, new IdRange(IdRange.FIRST, IdRange.WIDTH), ID);
    }

    /// A network of both families that leads out, and one whose containers are kept apart.
    public static GuestNetwork networks() {
        var web = new Attachment(
                ID,
                "web",
                "ab".repeat(32),
                "cv0123456789ab",
                "cn0123456789",
                false,
                "eth0",
                100,
                MacAddress.parse("02:00:00:00:00:01"),
                1500,
                Optional.of(address("172.20.0.7", "172.20.0.0/16", "172.20.0.1")),
                Optional.of(address("fd00:20::7", "fd00:20::/64", "fd00:20::1")),
                false,
                List.of("www"));
        var back = new Attachment(
                ID,
                "back",
                "cd".repeat(32),
                "cv0123456789cd",
                "cnabcdefabcd",
                true,
                "eth1",
                101,
                MacAddress.parse("02:00:00:00:00:02"),
                1400,
                Optional.of(address("10.9.0.7", "10.9.0.0/24", "10.9.0.1")),
                Optional.empty(),
                true,
                List.of());
        return new GuestNetwork(
                List.of(web, back), ResolverFile.parse("nameserver 192.0.2.53\nsearch example.com\n"), true, false);
    }

    private static Attachment.Address address(String address, String subnet, String gateway) {
        return new Attachment.Address(
                AddressText.parse(address).orElseThrow(),
                Subnet.parse(subnet),
                AddressText.parse(gateway).orElseThrow());
    }

    /// A host whose Landlock is of another version.
    static HostFacts host(int landlockAbi) {
        HostFacts host = host();
        return new HostFacts(
                host.kernel(),
                host.architecture(),
                host.effectiveUid(),
                host.capabilities(),
                host.hardLimits(),
                host.oomScoreAdjustment(),
                landlockAbi,
                host.timeNamespaces(),
                host.cgroupMounts(),
                host.cgroupJoins(),
                host.cgroupCloneInto(),
                host.layerMedia());
    }

    public static LaunchPlan plan(ContainerSpec spec, GuestNetwork network) {
        return plan(spec, network, host());
    }

    static LaunchPlan plan(ContainerSpec spec, GuestNetwork network, HostFacts host) {
        return Planner.plan(
                approve(spec, host),
                image(),
                host,
                Optional.of(filter()),
                new IdRange(IdRange.FIRST, IdRange.WIDTH),
                ID,
                network);
    }

    public static LaunchPlan plan() {
        return plan(spec(), host());
    }

    /// Requests of netlink(7) that say nothing; the last is acknowledged.
    static NetlinkRequests requests(int count) {
        var bytes = java.nio.ByteBuffer.allocate(16 * count).order(java.nio.ByteOrder.nativeOrder());
        for (int i = 1; i <= count; i++) {
            bytes.putInt(16).putShort((short) 1).putShort((short) (i == count ? 5 : 1));
            bytes.putLong(0);
        }
        return new NetlinkRequests(bytes.array());
    }
}
