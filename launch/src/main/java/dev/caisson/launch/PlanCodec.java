package dev.caisson.launch;

import dev.caisson.linux.ByteText;
import dev.caisson.linux.Fd;
import dev.caisson.linux.MemoryFile;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/// The wire form of a plan's steps, as `native/plan.h` defines it.
public final class PlanCodec {
    public static final int MAGIC = 0x314e5343;
    static final int NO_PAUSE = 0xffff;
    static final int NO_SLOT = 0xffff;
    static final int IDLE = 2;
    static final int MAX_BYTES = 4 << 20;
    /// More than fit into what the kernel takes at the usual stack limit.
    static final int MAX_LIST = 1 << 18;
    static final int GATEWAY_BYTES = 16;
    private static final int LAUNCH = 0;
    private static final int EXEC = 1;
    private static final VarHandle U16 = little(short[].class);
    private static final VarHandle U32 = little(int[].class);
    private static final VarHandle U64 = little(long[].class);

    private PlanCodec() {}

    private static VarHandle little(Class<?> elements) {
        return MethodHandles.byteArrayViewVarHandle(elements, ByteOrder.LITTLE_ENDIAN);
    }

    /// Encodes the plan of one more program in a running container.
    static byte[] encode(ExecPlan plan) {
        return encode(plan.steps(), plan.slots().size(), NO_PAUSE, EXEC, List.of());
    }

    public static byte[] encode(LaunchPlan plan) {
        return encode(plan, NO_PAUSE);
    }

    /// @param pauseBefore index of a step before which init waits, for tests of recovery
    /// @throws RefusedException where arguments, variables and files together are more than a plan carries
    static byte[] encode(LaunchPlan plan, int pauseBefore) {
        return encode(plan, pauseBefore, List.of());
    }

    /// @param secrets variables of the program that no plan has, as `NAME=value`
    static byte[] encode(LaunchPlan plan, int pauseBefore, List<byte[]> secrets) {
        return encode(plan.steps(), plan.slots().size(), pauseBefore, LAUNCH, secrets);
    }

    /// Encodes the plan into sealed memory, and clears what passed through the heap if it has secrets.
    static Fd sealed(LaunchPlan plan, int pauseBefore, List<byte[]> secrets) {
        byte[] encoded = encode(plan, pauseBefore, secrets);
        try {
            return MemoryFile.sealed("caisson-plan", encoded);
        } finally {
            if (!secrets.isEmpty()) {
                Arrays.fill(encoded, (byte) 0);
            }
        }
    }

    private static byte[] encode(List<Step> steps, int slots, int pauseBefore, int kind, List<byte[]> secrets) {
        var out = new Wire();
        out.u32(MAGIC).u32(0).u16(steps.size()).u16(slots).u16(pauseBefore).u16(kind);
        for (Step step : steps) {
            out.u8(step.phase().number()).u8(Opcode.of(step).number()).u16(0).u32(0);
            int start = out.length();
            write(step, secrets, out);
            out.u32At(start - 4, out.length() - start);
        }
        if (out.length() > MAX_BYTES) {
            throw new RefusedException(
                    "PLAN_TOO_LARGE", "arguments and variables are more than 4 MiB: pass them in a file");
        }
        out.u32At(4, out.length());
        return out.toByteArray(!secrets.isEmpty());
    }

    private static void write(Step step, List<byte[]> secrets, Wire out) {
        switch (step) {
            case Step.Seal _, Step.CgroupNamespace _, Step.Mapped _, Step.NoNewPrivileges _, Step.MakePrivate _ -> {}
            case Step.Pivot _, Step.MakeRootReadOnly _, Step.VerifyMounts _, Step.RaiseLoopback _ -> {}
            case Step.JoinKeyring _ -> {}
            case Step.EnterNamespaces enter -> {
                List<Namespace> ordered = Namespace.inOrderOfEntry(enter.namespaces());
                out.u32((int) ordered.stream().mapToLong(Namespace::cloneFlag).sum());
                for (int i = 0; i < ordered.size(); i++) {
                    out.u16(enter.first().index() + i);
                }
            }
            case Step.JoinCgroup join -> out.u16(join.slot().index());
            case Step.AttachRoot root -> out.u16(root.slot().index());
            case Step.MountFileSystem mount ->
                out.u8(mount.fileSystem().number())
                        .u8(mount.flags().stream().mapToInt(MountFlag::bit).sum())
                        .u32(mount.mode())
                        .u64(mount.bytes())
                        .u64(mount.inodes())
                        .text(mount.target().relative());
            case Step.MountSlot mount ->
                out.u16(mount.slot().index())
                        .u8(mount.file() ? 1 : 0)
                        .text(mount.target().relative());
            case Step.MakeDirectory make ->
                out.u32(make.mode()).text(make.path().relative());
            case Step.WriteFile write ->
                out.u32(write.mode()).text(write.path().relative()).text(write.content());
            case Step.MakeSymbolicLink link ->
                out.text(link.target()).text(link.path().relative());
            case Step.BindDevice bind -> out.u8(bind.device().number());
            case Step.OpenConsole console ->
                out.u16(console.rows())
                        .u16(console.columns())
                        .u32(console.uid())
                        .u32(console.gid());
            case Step.PlaceDevice place ->
                out.u16(place.slot().index())
                        .u8(place.node().wireKind())
                        .u32(place.node().major())
                        .u32(place.node().minor())
                        .text(place.target().relative());
            case Step.SetSysctl sysctl -> out.text(sysctl.name().relative()).text(sysctl.value());
            case Step.Mask mask -> out.text(mask.path().relative());
            case Step.MakeReadOnly make -> out.text(make.path().relative());
            case Step.SetHostName set -> out.text(set.name());
            case Step.SetDomainName set -> out.text(set.name());
            case Step.SetResourceLimit set ->
                out.u32(set.limit().resource().number())
                        .u64(set.limit().soft())
                        .u64(set.limit().hard());
            case Step.SetOomScoreAdjustment set -> out.u32(set.value());
            case Step.SetPrivileges set -> {
                out.u64(set.bounding().mask())
                        .u64(set.permitted().mask())
                        .u32(set.uid())
                        .u32(set.gid());
                out.u32(set.supplementaryGroups().size());
                set.supplementaryGroups().forEach(out::u32);
            }
            case Step.Netlink netlink ->
                out.u8(netlink.protocol().number()).bytes(netlink.requests().bytes());
            case Step.Resolver resolver -> out.u16(resolver.udpPort()).u16(resolver.tcpPort());
            case Step.AwaitLink await -> out.u32(await.link());
            case Step.AskGateway ask -> {
                out.u32(ask.link()).u8(ask.family());
                for (byte one : Arrays.copyOf(ask.gateway().getAddress(), GATEWAY_BYTES)) {
                    out.u8(one);
                }
            }
            case Step.LendNetlink lend -> out.u8(lend.protocol().number());
            case Step.LendSysctl lend -> out.text(lend.name().relative());
            case Step.RestrictScope restrict -> out.u32(restrict.scopes());
            case Step.Ready ready -> out.text(ready.workingDirectory());
            case Step.InstallFilter install -> out.bytes(install.program().bytes());
            case Step.Execute execute ->
                out.u8(execute.idle() ? IDLE : execute.initStays() ? 1 : 0)
                        .u8(execute.controllingTerminal() ? 1 : 0)
                        .text(execute.searchPath())
                        .list(execute.arguments())
                        .list(execute.environment(), secrets);
            case Step.Done _ -> {}
            case Step.ServeFiles serve ->
                out.u16(serve.lifetime().map(Slot::index).orElse(NO_SLOT))
                        .text(serve.root().relative());
        }
    }

    /// Little-endian fields, one after the other.
    private static final class Wire {
        private static final int FIRST_SIZE = 8192;

        private byte[] bytes = new byte[FIRST_SIZE];
        private int length;

        int length() {
            return length;
        }

        private int grow(int count) {
            int at = length;
            length = Math.addExact(length, count);
            if (length > bytes.length) {
                byte[] larger = Arrays.copyOf(bytes, Math.max(length, 2 * bytes.length));
                Arrays.fill(bytes, (byte) 0); // it may have a secret
                bytes = larger;
            }
            return at;
        }

        Wire u8(int value) {
            int at = grow(1);
            bytes[at] = (byte) value;
            return this;
        }

        Wire u16(int value) {
            int at = grow(2);
            U16.set(bytes, at, (short) value);
            return this;
        }

        Wire u32(int value) {
            int at = grow(4);
            U32.set(bytes, at, value);
            return this;
        }

        void u32At(int at, int value) {
            U32.set(bytes, at, value);
        }

        Wire u64(long value) {
            int at = grow(8);
            U64.set(bytes, at, value);
            return this;
        }

        Wire bytes(byte[] value) {
            u32(value.length);
            int at = grow(value.length);
            System.arraycopy(value, 0, bytes, at, value.length);
            return this;
        }

        Wire text(String value) {
            return bytes(ByteText.bytes(value));
        }

        Wire list(List<String> values) {
            return list(values, List.of());
        }

        Wire list(List<String> values, List<byte[]> more) {
            int count = values.size() + more.size();
            if (count > MAX_LIST) {
                throw new RefusedException(
                        "ARGUMENTS_TOO_MANY",
                        count + " arguments or variables are more than the " + MAX_LIST
                                + " that a program can have: pass them in a file");
            }
            u32(count);
            values.forEach(this::text);
            more.forEach(this::bytes);
            return this;
        }

        byte[] toByteArray(boolean clear) {
            byte[] all = Arrays.copyOf(bytes, length);
            if (clear) {
                Arrays.fill(bytes, (byte) 0);
            }
            return all;
        }
    }
}
