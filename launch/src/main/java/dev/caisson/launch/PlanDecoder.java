package dev.caisson.launch;

import dev.caisson.error.ArgumentException;
import dev.caisson.linux.ByteText;
import dev.caisson.spec.CapabilitySet;
import dev.caisson.spec.InRootPath;
import dev.caisson.spec.Rlimit;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Reads the wire form of a plan's steps back, for a later look at what was planned.
final class PlanDecoder {
    private final ByteBuffer in;

    private PlanDecoder(ByteBuffer in) {
        this.in = in;
    }

    /// @throws IllegalArgumentException where it is no plan
    static List<Step> steps(byte[] plan) {
        ByteBuffer in = ByteBuffer.wrap(plan).order(ByteOrder.LITTLE_ENDIAN);
        try {
            if (in.getInt() != PlanCodec.MAGIC || in.getInt() != plan.length) {
                throw new IllegalArgumentException("not a plan");
            }
            int count = Short.toUnsignedInt(in.getShort());
            in.position(in.position() + 6);
            var steps = new ArrayList<Step>();
            for (int i = 0; i < count; i++) {
                int phase = in.get();
                int opcode = Byte.toUnsignedInt(in.get());
                in.getShort();
                int length = in.getInt();
                ByteBuffer payload = in.slice(in.position(), length).order(ByteOrder.LITTLE_ENDIAN);
                in.position(in.position() + length);
                Step step = new PlanDecoder(payload).step(Opcode.numbered(opcode), phase);
                if (step.phase().number() != phase || payload.hasRemaining()) {
                    throw new IllegalArgumentException("not a plan: step " + i);
                }
                steps.add(step);
            }
            if (in.hasRemaining()) {
                throw new IllegalArgumentException("not a plan: trailing bytes");
            }
            return steps;
        } catch (BufferUnderflowException | IndexOutOfBoundsException e) {
            throw new IllegalArgumentException("not a plan: too short", e);
        } catch (ArgumentException e) {
            throw new IllegalArgumentException("not a plan: " + e.sentence(), e);
        }
    }

    private Step step(Opcode opcode, int phase) {
        return switch (opcode) {
            case SEAL -> new Step.Seal();
            case JOIN_CGROUP -> new Step.JoinCgroup(slot());
            case CGROUP_NAMESPACE -> new Step.CgroupNamespace();
            case ENTER, DONE -> throw new IllegalArgumentException("not a plan of a launch: it enters namespaces");
            case AWAIT_LINK -> new Step.AwaitLink(in.getInt());
            case GATEWAY -> gateway();
            case NETLINK_SOCKET, SYSCTL_FILE ->
                throw new IllegalArgumentException("not a plan of a launch: it reads a network");
            case MAPPED -> new Step.Mapped();
            case NO_NEW_PRIVS -> new Step.NoNewPrivileges();
            case PRIVATE -> new Step.MakePrivate();
            case ROOT -> new Step.AttachRoot(slot());
            case MOUNT_FS -> mountFileSystem();
            case MOUNT_FD -> new Step.MountSlot(slot(), in.get() != 0, path());
            case MKDIR -> new Step.MakeDirectory(in.getInt(), path());
            case FILE -> new Step.WriteFile(in.getInt(), path(), text());
            case SYMLINK -> new Step.MakeSymbolicLink(text(), path());
            case DEVICE -> new Step.BindDevice(Device.of(in.get()));
            case CONSOLE -> new Step.OpenConsole(in.getShort(), in.getShort(), in.getInt(), in.getInt());
            case HOST_DEVICE ->
                new Step.PlaceDevice(slot(), DeviceNode.ofWire(in.get(), in.getInt(), in.getInt()), path());
            case PIVOT -> new Step.Pivot();
            case SYSCTL -> new Step.SetSysctl(path(), text());
            case MASK -> new Step.Mask(path());
            case READ_ONLY -> new Step.MakeReadOnly(path());
            case ROOT_READ_ONLY -> new Step.MakeRootReadOnly();
            case VERIFY -> new Step.VerifyMounts();
            case LOOPBACK -> new Step.RaiseLoopback();
            case HOSTNAME -> new Step.SetHostName(text());
            case DOMAINNAME -> new Step.SetDomainName(text());
            case RLIMIT -> new Step.SetResourceLimit(new Rlimit(resource(in.getInt()), in.getLong(), in.getLong()));
            case OOM_SCORE_ADJ -> new Step.SetOomScoreAdjustment(in.getInt());
            case KEYRING -> new Step.JoinKeyring();
            case NETLINK -> new Step.Netlink(NetlinkProtocol.of(in.get()), new NetlinkRequests(bytes()));
            case RESOLVER -> new Step.Resolver(port(), port());
            case CAPS -> setPrivileges();
            case LANDLOCK -> new Step.RestrictScope(in.getInt());
            case READY -> new Step.Ready(text());
            case FILTER -> new Step.InstallFilter(new FilterProgram(bytes(), ""), phase == Phase.CAPS.number());
            case FILES -> throw new IllegalArgumentException("not a plan of a launch: it serves files");
            case EXEC -> execute();
        };
    }

    private Step mountFileSystem() {
        KernelFileSystem fileSystem = KernelFileSystem.of(in.get());
        int bits = in.get();
        List<MountFlag> flags = MountFlag.of(bits);
        return new Step.MountFileSystem(fileSystem, flags, in.getInt(), in.getLong(), in.getLong(), path());
    }

    private Step execute() {
        int first = in.get();
        return new Step.Execute(first != 0, in.get() != 0, text(), list(), list(), first == PlanCodec.IDLE);
    }

    private Step setPrivileges() {
        var bounding = new CapabilitySet(in.getLong());
        var permitted = new CapabilitySet(in.getLong());
        int uid = in.getInt();
        int gid = in.getInt();
        int count = in.getInt();
        var groups = new ArrayList<Integer>();
        for (int i = 0; i < count; i++) {
            groups.add(in.getInt());
        }
        return new Step.SetPrivileges(bounding, permitted, uid, gid, groups);
    }

    private Step gateway() {
        int link = in.getInt();
        byte[] address = new byte[in.get() == Step.AskGateway.IPV6 ? PlanCodec.GATEWAY_BYTES : 4];
        in.get(address);
        in.position(in.position() + PlanCodec.GATEWAY_BYTES - address.length);
        try {
            return new Step.AskGateway(link, InetAddress.getByAddress(address));
        } catch (UnknownHostException e) {
            throw new IllegalArgumentException("an address of " + address.length + " bytes", e);
        }
    }

    private Slot slot() {
        return new Slot(Short.toUnsignedInt(in.getShort()));
    }

    private int port() {
        return Short.toUnsignedInt(in.getShort());
    }

    private InRootPath path() {
        return new InRootPath(text());
    }

    private String text() {
        return ByteText.of(bytes());
    }

    private byte[] bytes() {
        int length = in.getInt();
        if (length < 0 || length > in.remaining()) {
            throw new IllegalArgumentException("not a plan: a length leads out of it");
        }
        byte[] bytes = new byte[length];
        in.get(bytes);
        return bytes;
    }

    private List<String> list() {
        int count = in.getInt();
        var list = new ArrayList<String>();
        for (int i = 0; i < count; i++) {
            list.add(text());
        }
        return list;
    }

    private static Rlimit.Resource resource(int number) {
        return Arrays.stream(Rlimit.Resource.values())
                .filter(resource -> resource.number() == number)
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no resource has number " + number));
    }
}
